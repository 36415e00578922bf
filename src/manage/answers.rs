//! What owners are answered. All texts are as they are: escape them for where they are shown.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::StatusCode;

use crate::{access::AccessSet, analysis::Level, engine::Outcome, gateway::respond::Code};

/// A row of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// `restrictions` or `deny`.
    pub field: &'static str,
    /// Its place in the field, from 0. `None` for the `*` of a draft without restrictions.
    pub row: Option<usize>,
    /// Its text.
    pub text: String,
}

/// What there is to say of a draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Why it cannot be saved. Empty if it can.
    pub problems: Vec<Problem>,
    /// What each row means, in words; of a draft with problems, the rows that have a meaning.
    pub meanings: Vec<Meaning>,
    /// What is probably not meant, though it can be saved.
    pub findings: Vec<Finding>,
    /// What would be newly allowed.
    pub opened: Vec<Opened>,
    /// What would no longer be allowed.
    pub lost: Vec<Opened>,
    /// How many questions were not decided within the budget. Where it is not 0, something may be
    /// missing from `findings`, `opened` and `lost`.
    pub undecided: usize,
}

impl Review {
    /// Whether the draft can be saved.
    pub fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Why a draft cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field: `label`, `restrictions`, `deny`, `endpoint`, `region`, `credentials`, `access`…
    pub field: &'static str,
    /// The row of the field, from 0, where it is about one.
    pub row: Option<usize>,
    /// What kind of mistake it is: stable, such as `policy.restriction`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

/// What a row means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// `restrictions` or `deny`.
    pub field: &'static str,
    /// The row, from 0. `None` for a draft without restrictions.
    pub row: Option<usize>,
    /// In words, a sentence without its full stop.
    pub words: String,
}

/// What is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is: stable, one of [`CODES`](crate::analysis::CODES) or a code of the policy's
    /// reader.
    pub code: &'static str,
    /// How much it matters.
    pub level: Level,
    /// The field that it is about.
    pub field: &'static str,
    /// The row of the field, from 0, where it is about one.
    pub row: Option<usize>,
    /// What is the matter.
    pub message: String,
    /// A path that shows it.
    pub witness: Option<String>,
    /// What to write instead.
    pub fix: String,
}

/// What would be newly allowed, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// For which accesses.
    pub access: AccessSet,
    /// The restriction or deny that makes the difference, as it is written; `None` where it is how
    /// the server reads keys.
    pub restriction: Option<String>,
    /// What it is, in words.
    pub words: String,
    /// Whether it is all that the restriction matches, and not only a part.
    pub whole: bool,
    /// The shortest path of it.
    pub path: String,
}

/// What would become of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Allowed, denied, or no question that can be decided.
    pub outcome: Outcome,
    /// The reason's stable code, such as `deny.no_match`; `invalid.draft` where the draft is no
    /// connection yet.
    pub code: &'static str,
    /// The row that decided, where one did.
    pub rule: Option<RuleRef>,
    /// The reason in words.
    pub words: String,
}

impl Attempt {
    /// Whether it would be allowed.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allow
    }
}

/// A page of a directory, as a caller sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Browsed {
    /// The names of folders, without `/`.
    pub folders: Vec<String>,
    /// The files.
    pub files: Vec<BrowsedFile>,
    /// What to ask for the next page with, where more follows.
    pub marker: Option<String>,
}

/// A file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowsedFile {
    /// Its name, one segment.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed.
    pub last_modified: Option<SystemTime>,
}

/// What came of a test of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// What came of it.
    pub health: Health,
    /// The directory that was listed, as `bucket/dir/`; empty for the root. `None` where nothing was.
    pub listed: Option<String>,
    /// What came of it, in words, and what to do.
    pub words: String,
}

/// How a connection's server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Health {
    /// It listed what it was asked for.
    Works,
    /// It knows the credentials, and there is no such bucket or nothing in the directory.
    Missing,
    /// It refuses the credentials, or what they ask for.
    Refused,
    /// The connection's credentials could not be had.
    Credentials,
    /// The connection is not configured completely.
    Configuration,
    /// It cannot be reached.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// It is too busy.
    Busy,
    /// It failed, or its answer makes no sense.
    Failed,
    /// Nothing was asked: the connection permits no listing.
    Untested,
}

impl Health {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Credentials => "credentials",
            Self::Configuration => "configuration",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Untested => "untested",
        }
    }
}

/// Why something was not done, as the Data API would say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// The code of the Data API's errors.
    pub code: u32,
    /// What is the matter.
    pub message: String,
    /// When to try again, where that may help.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { status, code: code as u32, message: message.into(), retry_after: None }
    }

    /// Too much runs at once.
    pub(super) fn busy() -> Self {
        let message = "too many of your requests run at once; try again later";
        let mut busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, message);
        busy.retry_after = Some(Duration::from_secs(1));
        busy
    }

    /// Something failed that is nobody's mistake who asks.
    pub(super) fn internal() -> Self {
        let message = "something went wrong here; its operator finds it in the log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message)
    }

    /// There is nothing of this name, or it is another's.
    pub(super) fn missing() -> Self {
        let message = "you have none of this name";
        Self::new(StatusCode::NOT_FOUND, Code::InvalidRequest, message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
