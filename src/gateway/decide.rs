//! decide: an operation to its approval or its refusal, each with the line of the log that it will
//! have.

use std::{sync::Arc, time::Instant};

use http::HeaderMap;
use percent_encoding::utf8_percent_encode;

use super::{
    Current, Shared,
    audit::{Entry, Upstream, path_of},
    auth::Authenticated,
    connections::Asker,
    marker::QUOTED,
    respond::Failure,
    written::Written,
};
use crate::{
    engine::{Approved, Operate, Outcome},
    executor::ExecuteError,
    path::Path,
    policy::{Connection, ConnectionId},
};

/// An authenticated request for something in a connection.
pub(super) struct Ask<'a> {
    pub(super) shared: &'a Shared,
    pub(super) current: &'a Current,
    pub(super) who: &'a Authenticated<'a>,
    pub(super) request_id: &'a Arc<str>,
    pub(super) id: ConnectionId<'static>,
    pub(super) path: Path<'static>,
    pub(super) headers: &'a HeaderMap,
    /// Who asks on a connection, where it is one of ours.
    pub(super) asker: Option<&'a Asker>,
}

/// An approval, and its line in the log, which is written when the operation has ended, or when
/// this is dropped.
pub(super) struct Allowed<Op> {
    pub(super) approved: Approved<Op>,
    pub(super) line: Line,
}

impl Ask<'_> {
    /// Decides an operation. Every decision is a line of the log: a refusal's is written here, an
    /// approval's when the operation has ended.
    pub(super) fn approve<Op: Operate>(&self, operation: Op) -> Result<Allowed<Op>, Failure> {
        let (op, path) = (operation.name(), path_of(&operation));
        let began = Instant::now();
        let decided = self.current.engine.approve(self.who.caller(), &self.id, operation);
        let duration = began.elapsed();
        let entry = |outcome, reason, connection, rule, list| Entry {
            caller: self.who.caller().name().to_owned(),
            key_id: self.who.key_id.to_string(),
            connection,
            op,
            path,
            outcome,
            reason,
            rule,
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
                let line = Line {
                    entry: Some(entry),
                    request_id: Arc::clone(self.request_id),
                    written: self.asker.map(|asker| Arc::clone(asker.written())),
                };
                Ok(Allowed { approved, line })
            }
            Err(decision) => {
                let connection = decision.connection().map_or(&self.id, Connection::id);
                let entry = entry(
                    decision.outcome(),
                    decision.reason().code(),
                    connection.to_string(),
                    decision.rule_id().map(|rule| rule.index()),
                    None,
                );
                entry.log(self.request_id, &Upstream::default());
                Err(Failure::refused(&decision, &self.id.to_string(), &self.asked()))
            }
        }
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
        self.who.caller().name()
    }
}

/// The line of an allowed operation, until it is written: with what became of the operation, or that
/// it was given up.
pub(super) struct Line {
    entry: Option<Entry>,
    request_id: Arc<str>,
    /// How much of the answer was written, where that is known.
    pub(super) written: Option<Arc<Written>>,
}

impl Line {
    /// Writes it, and passes the result on.
    pub(super) fn end<T>(
        self,
        result: Result<T, ExecuteError>,
        bytes: impl FnOnce(&T) -> Option<u64>,
    ) -> Result<T, ExecuteError> {
        match result {
            Ok(done) => {
                self.write(&Upstream::done(bytes(&done)));
                Ok(done)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Writes that the operation failed, and passes the error on.
    pub(super) fn fail(self, error: ExecuteError) -> ExecuteError {
        self.write(&Upstream::failed(&error));
        error
    }

    /// Writes it.
    pub(super) fn write(mut self, upstream: &Upstream) {
        self.log(upstream);
    }

    fn log(&mut self, upstream: &Upstream) {
        if let Some(entry) = self.entry.take() {
            entry.log(&self.request_id, upstream);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.log(&Upstream::given_up());
    }
}
