//! What is suggested is proved, not trusted: it opens nothing, and covers all that was used.

use super::{
    choose::Choice,
    index::Index,
    usage::{Folder, Tree},
};
use crate::{
    access::Access,
    analysis::{Answer, Language, States},
    automaton::{Effect, Entry},
    path::Path,
    policy::Connection,
    restriction::{Pattern, Restriction, Token},
};

/// Whether restrictions give an access only where a connection does, with its denies as they are.
pub(super) fn inside(
    restrictions: &[Restriction],
    connection: &Connection,
    access: Access,
    states: States,
) -> Answer {
    with_denies(restrictions, connection, access)
        .implies(&Language::of_connection(connection, access), states)
}

/// Whether they give it wherever the connection does.
pub(super) fn keeps(
    restrictions: &[Restriction],
    connection: &Connection,
    access: Access,
    states: States,
) -> Answer {
    Language::of_connection(connection, access)
        .implies(&with_denies(restrictions, connection, access), states)
}

/// Where restrictions would give an access instead of a connection's own.
fn with_denies<'r>(
    restrictions: &'r [Restriction],
    connection: &'r Connection,
    access: Access,
) -> Language<'r> {
    let own = restrictions.iter().map(|restriction| Entry {
        restriction,
        access: access.into(),
        effect: Effect::Allow,
    });
    let denies = connection.rules().iter().filter(|rule| rule.effect == Effect::Deny);
    let denies = denies.map(|rule| Entry {
        restriction: &rule.restriction,
        access: rule.access,
        effect: Effect::Deny,
    });
    Language::of_entries(own.chain(denies), access).within(connection.keys())
}

/// Whether restrictions match every path that was used. What was not told apart may be any that its
/// rules match in its folder.
pub(super) fn covers(
    restrictions: &[Restriction],
    tree: &Tree,
    choice: &Choice<'_>,
    states: States,
) -> Answer {
    let index = Index::new(restrictions);
    let mut way = vec![0];
    let mut answer = Answer::Holds;
    while let Some(at) = way.pop() {
        let folder = &tree.folders[at];
        let path = choice.path(at);
        if index.has_start_of(path, None) {
            continue;
        }
        match keys(&index, folder, path).unwrap_or(Answer::Holds) {
            Answer::Holds => {}
            fails => return fails,
        }
        for rule in choice.rules_of(at) {
            // What a rule matches here starts with the longer of the two.
            let start = |pattern: &Pattern| match pattern.prefix() {
                prefix if prefix.len() > path.len() => index.has_start_of(prefix, None),
                _ => index.has_start_of(path, None),
            };
            if rule.patterns().iter().all(start) {
                continue;
            }
            match meet_is_in(path, rule, restrictions, states) {
                Answer::Holds => {}
                Answer::Undecided { states } => answer = Answer::Undecided { states },
                fails => return fails,
            }
        }
        way.extend(folder.folders.values());
    }
    answer
}

/// The first key of a folder that nothing matches.
fn keys(index: &Index<'_>, folder: &Folder, path: &[u8]) -> Option<Answer> {
    folder.keys.iter().find_map(|key| {
        let bytes = [path, key].concat();
        if index.matches(&bytes) { None } else { Path::from_vec(bytes).ok().map(Answer::Fails) }
    })
}

/// Whether what a rule matches in a folder is what restrictions match.
fn meet_is_in(
    folder: &[u8],
    rule: &Restriction,
    restrictions: &[Restriction],
    states: States,
) -> Answer {
    let start = (!folder.is_empty()).then(|| Token::Literal(folder.into()));
    let all: Pattern = start.into_iter().chain([Token::STAR]).collect();
    // What starts otherwise is nothing of the folder's.
    let near = |pattern: &&Pattern| pattern.prefix().iter().zip(folder).all(|(a, b)| a == b);
    let known = restrictions.iter().flat_map(Restriction::patterns).filter(near);
    Language::of_patterns([&all], known).disjoint(&Language::of(rule), states)
}
