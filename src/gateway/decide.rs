//! decide: an operation to its approval or its refusal, each with the line of the log that it will
//! have.

use std::time::Instant;

use http::HeaderMap;
use percent_encoding::utf8_percent_encode;

use super::{
    Current, Shared,
    audit::{Entry, Upstream, path_of},
    auth::Authenticated,
    marker::QUOTED,
    respond::Failure,
};
use crate::{
    engine::{Approved, Operate, Operation, Outcome},
    executor::ExecuteError,
    path::Path,
    policy::{Connection, ConnectionId},
};

/// An authenticated request for something in a connection.
pub(super) struct Ask<'a> {
    pub(super) shared: &'a Shared,
    pub(super) current: &'a Current,
    pub(super) who: &'a Authenticated,
    pub(super) request_id: &'a str,
    pub(super) id: ConnectionId<'static>,
    pub(super) path: Path<'static>,
    pub(super) headers: &'a HeaderMap,
}

/// An approval, with the line to write when it is used.
pub(super) struct Allowed<Op> {
    pub(super) approved: Approved<Op>,
    entry: Entry,
}

/// A refusal, with the line to write when it is what the caller hears.
pub(super) struct Refused(Box<(Failure, Entry)>);

impl Ask<'_> {
    /// Decides an operation. What comes of it is logged when it is used.
    pub(super) fn approve<Op: Operate>(&self, operation: Op) -> Result<Allowed<Op>, Refused> {
        let (op, path) = (operation.name(), path_of(&operation));
        let began = Instant::now();
        let decided = self.current.engine.approve(self.who.caller(), &self.id, operation);
        let duration = began.elapsed();
        let entry = |outcome, reason, connection, rule, list| Entry {
            caller: self.who.caller().name.to_owned(),
            key_id: self.who.key_id.to_string(),
            connection,
            op,
            path,
            outcome,
            reason,
            rule,
            nearest: None,
            list,
            revision: self.current.engine.policy().revision(),
            duration,
        };
        match decided {
            Ok(approved) => {
                let connection = approved.connection().id().to_string();
                let rule = approved.rule_id().map(|rule| rule.index());
                let list = approved.list_mode();
                let entry = entry(Outcome::Allow, "allowed.rule", connection, rule, list);
                Ok(Allowed { approved, entry })
            }
            Err(decision) => {
                let connection = decision.connection().map_or(&self.id, Connection::id);
                let failure = Failure::refused(&decision, &self.id.to_string(), &self.asked());
                let entry = entry(
                    decision.outcome(),
                    decision.reason().code(),
                    connection.to_string(),
                    decision.rule_id().map(|rule| rule.index()),
                    None,
                );
                Err(Refused(Box::new((failure, entry))))
            }
        }
    }

    /// Writes a refusal's line and gives what the caller hears.
    pub(super) fn refuse(&self, refused: Refused) -> Failure {
        let (failure, mut entry) = *refused.0;
        entry.nearest = self.nearest(&entry);
        entry.log(self.request_id, &Upstream::default());
        failure
    }

    /// The rule that was nearest to allowing what was denied, for the log of a connection that has
    /// few enough rules to look at each.
    fn nearest(&self, entry: &Entry) -> Option<usize> {
        const FEW: usize = 256;
        let engine = &self.current.engine;
        let connection = engine.policy().connection(self.owner(), &self.id)?;
        if entry.outcome != Outcome::Deny || connection.rules().len() > FEW {
            return None;
        }
        let operation = Operation::named(entry.op, entry.path.clone()?).ok()??;
        let explanation = engine.explain(self.who.caller(), &self.id, &operation);
        explanation.needs.first()?.nearest(1).first().map(|nearest| nearest.index)
    }

    /// Takes an approval apart: what to run, and the line to write when it has run.
    pub(super) fn begin<Op>(&self, allowed: Allowed<Op>) -> (Approved<Op>, Line<'_>) {
        (allowed.approved, Line { entry: Some(allowed.entry), request_id: self.request_id })
    }

    /// What the request names, as messages quote it.
    pub(super) fn asked(&self) -> String {
        let text = String::from_utf8_lossy(self.path.as_bytes());
        format!("{}://{}", self.id, utf8_percent_encode(&text, QUOTED))
    }

    /// The data URI of a path, as success answers have it: not escaped.
    pub(super) fn uri(&self, path: &Path<'_>) -> String {
        format!("{}://{}", self.id, String::from_utf8_lossy(path.as_bytes()))
    }

    /// The user who asks.
    pub(super) fn owner(&self) -> &str {
        self.who.caller().name
    }
}

/// The line of an operation that runs. One that is given up is written as such.
pub(super) struct Line<'a> {
    entry: Option<Entry>,
    request_id: &'a str,
}

impl Line<'_> {
    /// Writes it, and passes the result on.
    pub(super) fn end<T>(
        mut self,
        result: Result<T, ExecuteError>,
        bytes: impl FnOnce(&T) -> Option<u64>,
    ) -> Result<T, ExecuteError> {
        let upstream = match &result {
            Ok(done) => Upstream::done(bytes(done)),
            Err(error) => Upstream::failed(error),
        };
        self.write(&upstream);
        result
    }

    fn write(&mut self, upstream: &Upstream) {
        if let Some(entry) = self.entry.take() {
            entry.log(self.request_id, upstream);
        }
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.write(&Upstream::given_up());
    }
}
