//! The body of the fuzz target of imports.

use crate::{
    access::Access,
    analysis::{
        Language, States,
        iam::{Relation, Rounding, export, import},
    },
    cli::iam::{read, yaml},
    policy::{ConnectionId, Policy},
};

/// How much an answer may cost: what is harder is left undecided, which is no answer.
const STATES: States = States::new(1_024);

/// Reads bytes as an IAM policy. One that can be said as a connection allows the same objects as it, is a
/// policy that loads, and comes back from `export` with the same objects again.
pub fn iam_import(data: &[u8]) {
    let read = read(data).map_err(|unread| unread.problems);
    let (document, imported) = match read
        .and_then(|read| import(&read.document).map(|imported| (read.document, imported)))
    {
        Ok(read) => read,
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                let parts = [&problem.place, &problem.message, &problem.help];
                assert!(parts.iter().all(|part| !part.is_empty()), "{problem:?}");
            }
            return;
        }
    };
    for (access, relation) in imported.relations(&document, STATES).accesses {
        let is_right = matches!(relation, Relation::Equal | Relation::Undecided { .. });
        assert!(is_right, "{access}: {relation:?} {document:?} {imported:?}");
    }
    let Ok(id) = ConnectionId::parse("s3+x") else { return };
    let text = yaml(&id, "o", &imported);
    let policy = match Policy::from_yaml("policy.yaml", &text) {
        Ok(policy) => policy,
        Err(errors) => {
            let is_limit = |code: &str| code.starts_with("limit.");
            assert!(errors.errors().all(|found| is_limit(found.code())), "{errors}\n{text}");
            return;
        }
    };
    assert_eq!(policy.connections().len(), 1, "{text}");
    let Some(connection) = policy.connections().first() else { return };
    for access in Access::ALL {
        let said = Language::of_connection(connection, access);
        let same = said.equivalent(&Language::of_entries(imported.entries(), access), STATES);
        assert!(same.witness().is_none(), "{access}: {same} {imported:?}\n{text}");
    }
    let export = export(connection, Rounding::Wider);
    for (access, relation) in export.relations(connection, STATES).accesses {
        let is_exact = export.inexact.is_empty();
        let is_right = match relation {
            Relation::Equal | Relation::Undecided { .. } => true,
            Relation::Wider(_) => !is_exact,
            Relation::Narrower(_) | Relation::Neither { .. } => false,
        };
        assert!(is_right, "{access}: {relation:?}\n{text}\n{:?}", export.document);
    }
}
