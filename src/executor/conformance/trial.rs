//! What a check has: an executor, a place to work in, and connections with rules of its own.

use super::{Place, view::View};
use crate::executor::Executor;

/// Everything, in every form that a key has.
pub(super) const ALL: &str = "access: read-write\nkeys: exact";

/// An executor, and where a check works with it.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    executor: &'a dyn Executor,
    place: &'a Place,
    name: &'static str,
}

impl<'a> Trial<'a> {
    pub(super) fn new(executor: &'a dyn Executor, place: &'a Place, name: &'static str) -> Self {
        Self { executor, place, name }
    }

    pub(super) fn executor(&self) -> &'a dyn Executor {
        self.executor
    }

    /// Whether the place is one whose server honours conditions on what is written.
    pub(super) fn honours_conditions(&self) -> bool {
        self.place.connection.lines().any(|line| line.trim() == "conditions: honoured")
    }

    /// A connection with these fields, which go before those of the place. `@` stands for the check's directory, without a `/`.
    pub(super) fn view(&self, fields: &str) -> Result<View<'a>, String> {
        View::new(self.executor, &self.place.bucket, self.name, self.connection(fields))
    }

    /// Makes the connection of a view one with these fields, for what is approved already, too.
    pub(super) fn change(&self, view: &View<'_>, fields: &str) -> Result<(), String> {
        view.replace(&self.connection(fields))
    }

    /// The connection in the form of a policy.
    fn connection(&self, fields: &str) -> String {
        let fields = fields.replace('@', &format!("{}/{}", self.place.bucket, self.name));
        let name = |line: &str| line.split(':').next().unwrap_or_default().trim().to_owned();
        let names: Vec<String> = fields.lines().map(name).collect();
        let of_place = self.place.connection.lines().filter(|line| !names.contains(&name(line)));
        let lines = of_place.chain(fields.lines());
        let fields: String = lines.map(|line| format!("    {line}\n")).collect();
        format!("connections:\n  - id: s3+checked\n    owner: checker\n{fields}")
    }
}

/// Deletes what a check has left. What does not work here is for the checks to say.
pub(super) async fn remove(trial: &Trial<'_>) {
    if let Ok(view) = trial.view(ALL) {
        view.abort_all().await;
        let _ = view.delete_tree("@/").await;
        trial.executor.settle().await;
    }
}
