//! Whether an [`Executor`] keeps what approvals promise: checks for whoever writes one of their own.
//!
//! An executor does what was approved and nothing else, shows of what is there only what may be shown, and
//! ends what is withdrawn. The type of [`Approved`](crate::Approved) gives it the decision and no more; the
//! rest is its own code's to get right, and is what these checks look at: objects and their bytes, listings
//! and what they tell of what is hidden, deletions, copies, uploads in parts, and approvals that are withdrawn.
//!
//! What an executor may leave out, and says [`NotOffered`](super::ExecuteError::NotOffered) of, is not looked at: the
//! checks of it are skipped.
//!
//! Each check works in a directory of its own, and deletes it and aborts its uploads at the end. They run one after
//! another, in a minute at most over a server that is near.
//!
//! ```no_run
//! use pathward::executor::{S3, S3Options, conformance};
//!
//! # async fn checked() {
//! let place = conformance::Place {
//!     bucket: "conformance".into(),
//!     connection: "endpoint: http://127.0.0.1:9000\ncredentials: { env: TEST }".into(),
//! };
//! let report = conformance::run(&S3::new(S3Options::default()), &place).await;
//! assert!(report.is_passed(), "{report}");
//! # }
//! ```

mod aging;
mod copies;
mod deletion;
mod ending;
mod listing;
mod objects;
mod parts;
mod prefix;
mod reading;
mod report;
mod trial;
mod uploads;
mod view;

use std::pin::Pin;

pub use self::report::Report;
use self::{
    report::Outcome,
    trial::{Trial, remove},
};
use super::Executor;

/// Where the checks work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A bucket that is there, is empty and is for nothing else.
    pub bucket: String,
    /// What else a connection to it says in a policy, as lines of YAML: its `endpoint`, `region`,
    /// `credentials` and `conditions`. Conditions on what is written are tried where it says `conditions: honoured`.
    /// Without access, restrictions or `keys`, which each check has of its own.
    pub connection: String,
}

type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// One check: its name, which is also its directory's, and what it does.
type Check = (&'static str, for<'a> fn(&'a Trial<'a>) -> Running<'a>);

const CHECKS: &[Check] = &[
    ("what-is-written-is-read", |trial| Box::pin(objects::written(trial))),
    ("keys-are-bytes", |trial| Box::pin(objects::bytes(trial))),
    ("what-is-not-there-is-missing", |trial| Box::pin(objects::missing(trial))),
    ("an-upload-is-whole-or-not-at-all", |trial| Box::pin(objects::whole(trial))),
    ("a-copy-has-the-bytes", |trial| Box::pin(objects::copied(trial))),
    ("a-copy-keeps-what-is-said-of-it", |trial| Box::pin(copies::kept(trial))),
    ("a-copy-meets-its-condition", |trial| Box::pin(copies::conditional(trial))),
    ("a-range-is-what-was-asked-for", |trial| Box::pin(reading::ranges(trial))),
    ("what-is-read-meets-its-condition", |trial| Box::pin(reading::conditional(trial))),
    ("what-is-changed-meets-its-condition", |trial| Box::pin(reading::changed(trial))),
    ("what-is-said-of-it-is-kept", |trial| Box::pin(reading::kept(trial))),
    ("parts-make-the-object", |trial| Box::pin(parts::made(trial))),
    ("a-part-replaces-the-one-before", |trial| Box::pin(parts::replaced(trial))),
    ("an-upload-in-parts-is-that-of-its-path", |trial| Box::pin(parts::owned(trial))),
    ("parts-that-make-no-object-change-nothing", |trial| Box::pin(parts::refused(trial))),
    ("what-is-completed-meets-its-condition", |trial| Box::pin(parts::completed(trial))),
    ("a-part-is-whole-or-not-at-all", |trial| Box::pin(uploads::whole(trial))),
    ("a-part-is-a-copy-of-what-was-asked-for", |trial| Box::pin(copies::part(trial))),
    ("what-is-unfinished-is-shown-to-its-writers", |trial| Box::pin(uploads::unfinished(trial))),
    ("pages-make-the-directory", |trial| Box::pin(listing::pages(trial))),
    ("directories-are-there-or-not", |trial| Box::pin(listing::directories(trial))),
    ("what-is-hidden-changes-no-listing", |trial| Box::pin(listing::hidden(trial))),
    ("what-is-shown-is-not-lost", |trial| Box::pin(listing::shown(trial))),
    ("names-that-are-none-are-not-shown", |trial| Box::pin(listing::aliases(trial))),
    ("the-root-shows-what-is-reached", |trial| Box::pin(listing::root(trial))),
    ("pages-make-the-prefix", |trial| Box::pin(prefix::pages(trial))),
    ("a-page-begins-behind-any-text", |trial| Box::pin(prefix::behind(trial))),
    ("what-is-shown-of-a-prefix-is-not-lost", |trial| Box::pin(prefix::shown(trial))),
    ("what-is-hidden-changes-no-prefix", |trial| Box::pin(prefix::hidden(trial))),
    ("names-that-are-none-have-no-prefix", |trial| Box::pin(prefix::aliases(trial))),
    ("an-empty-directory-is-deleted", |trial| Box::pin(deletion::directory(trial))),
    ("what-is-hidden-changes-no-deletion", |trial| Box::pin(deletion::hidden(trial))),
    ("a-tree-goes-whole-and-alone", |trial| Box::pin(deletion::tree(trial))),
    ("what-cannot-be-named-is-not-deleted", |trial| Box::pin(deletion::unnamable(trial))),
    ("many-are-deleted-in-their-order", |trial| Box::pin(deletion::many(trial))),
    ("what-is-withdrawn-does-not-begin", |trial| Box::pin(aging::before(trial))),
    ("what-is-withdrawn-is-not-answered", |trial| Box::pin(aging::reading(trial))),
    ("what-is-hidden-now-is-not-listed", |trial| Box::pin(aging::narrowed(trial))),
    ("an-upload-that-is-withdrawn-is-not-stored", |trial| Box::pin(aging::during(trial))),
    ("parts-that-are-withdrawn-do-not-begin", |trial| Box::pin(ending::parts(trial))),
    ("a-part-that-is-withdrawn-is-not-stored", |trial| Box::pin(ending::during(trial))),
    ("a-prefix-that-is-withdrawn-is-not-listed", |trial| Box::pin(ending::prefixes(trial))),
    ("what-is-hidden-now-has-no-prefix", |trial| Box::pin(ending::narrowed(trial))),
    ("an-upload-that-is-hidden-now-is-not-listed", |trial| Box::pin(ending::unfinished(trial))),
];

/// Runs every check, and says which passed.
pub async fn run(executor: &dyn Executor, place: &Place) -> Report {
    let mut report = Report::default();
    for (name, check) in CHECKS {
        let trial = Trial::new(executor, place, name);
        report.note(name, check(&trial).await);
        remove(&trial).await;
    }
    report
}
