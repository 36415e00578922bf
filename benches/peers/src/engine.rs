//! What an engine is to these benchmarks: something that is built from restrictions, asked one
//! question after the other, and says yes or no.

use pathward::{Access, AccessSet};

use crate::workload::Request;

/// One restriction, as its author writes it.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Where `*`, the only wildcard, stands for any run of bytes. `dir/` is written `dir/*`.
    pub(crate) text: String,
    /// Read alone, or read and write.
    pub(crate) access: AccessSet,
}

impl Rule {
    /// The texts of the rules that give an access, in their order: for engines that are built
    /// once for each access.
    pub(crate) fn giving(rules: &[Self], access: Access) -> impl Iterator<Item = &str> {
        rules.iter().filter(move |rule| rule.access.contains(access)).map(|rule| &*rule.text)
    }
}

/// What one child process is about: restrictions, and requests with their right answers.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// The restrictions of one connection.
    pub(crate) rules: Vec<Rule>,
    /// The requests, labelled by an oracle that shares no code with any engine.
    pub(crate) requests: Vec<Request>,
}

/// One request, its path next to those that are asked before and after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    /// `bucket/key`.
    pub(crate) path: &'a str,
    /// Read or write.
    pub(crate) access: Access,
    /// The right answer.
    pub(crate) granted: bool,
}

/// What the results say about an engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    /// What `--only` and the CSV call it.
    pub(crate) id: &'static str,
    /// What tables and plots call it.
    pub(crate) title: &'static str,
    /// The crates that it is made of, whose versions the results name.
    pub(crate) crates: &'static [&'static str],
    /// Which of the three kinds it is.
    pub(crate) kind: Kind,
    /// How it is used here, and what of that is for it or against it.
    pub(crate) bias: &'static str,
}

/// Whose an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Pathward.
    Ours,
    /// What else there is.
    Peer,
    /// No engine: what the machine needs for a part of any decision.
    Limit,
}

/// An engine, used as its own users would use it.
pub(crate) trait Engine: Sized {
    /// What the results say about it.
    const ABOUT: About;

    /// A request in the form in which the engine's users hold it before they ask. Making it is not
    /// timed; whatever an engine wants made of a path for the decision alone is made in `decide`.
    type Question<'q>;

    /// Builds it from the task's rules: what is timed as building, and whose memory is counted.
    /// Limits are built from the requests.
    ///
    /// # Errors
    ///
    /// Why the engine refuses.
    fn build(task: &Task) -> Result<Self, String>;

    /// The question of a request.
    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q>;

    /// Answers one question: what is timed, with caches warm or cold.
    fn decide(&mut self, question: &Self::Question<'_>) -> bool;

    /// Answers many, which is what is timed with warm caches. Only an engine that has a way to
    /// decide several at once overrides it.
    #[inline]
    fn answer(&mut self, questions: &[Self::Question<'_>], answers: &mut [bool]) {
        for (question, answer) in questions.iter().zip(answers) {
            *answer = self.decide(question);
        }
    }

    /// The right answer, which every timed answer is compared with; limits may have none.
    fn expected(ask: &Ask<'_>) -> Option<bool> {
        Some(ask.granted)
    }
}
