//! Pathward: the automaton alone, and the whole engine.

use std::fmt::Write;

use pathward::{
    Access, AccessSet, Automaton, Caller, ConnectionId, Effect, Entry, Path, Policy, Restriction,
    Verdict,
    engine::{ReadObject, WriteObject},
};

use crate::engine::{About, Ask, Engine, Kind, Task};

/// [`Automaton::here`] by itself.
pub(crate) struct Here(Automaton);

impl Engine for Here {
    const ABOUT: About = About {
        id: "here",
        title: "Pathward `Automaton::here`",
        crates: &["pathward"],
        kind: Kind::Ours,
        bias: "The automaton alone: path bytes and an access in, the verdict with its rule out. It \
               names the rule that allowed; of the peers as they are used here only Cedar does. Compiled with overflow \
               checks, as Pathward ships; the peers are compiled without, as Cargo's release \
               profile has it. Building starts from the restrictions' texts.",
    };

    type Question<'q> = (&'q [u8], Access);

    fn build(task: &Task) -> Result<Self, String> {
        compile(task).map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path.as_bytes(), ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        matches!(self.0.here(path, *access), Verdict::Allowed(_))
    }
}

fn compile(task: &Task) -> Result<Automaton, String> {
    let restrictions: Vec<Restriction> = task
        .rules
        .iter()
        .map(|rule| Restriction::parse(&rule.text).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    Automaton::compile(restrictions.iter().zip(&task.rules).map(|(restriction, rule)| Entry {
        restriction,
        access: rule.access,
        effect: Effect::Allow,
    }))
    .map_err(|error| error.to_string())
}

/// [`Automaton::here_batch`]: many paths side by side.
pub(crate) struct Batch(Automaton);

impl Engine for Batch {
    const ABOUT: About = About {
        id: "batch",
        title: "Pathward `Automaton::here_batch`",
        crates: &["pathward"],
        kind: Kind::Ours,
        bias: "As `Automaton::here`, handed all requests at once, as a batch check or a listing has \
               them: the time is that of the whole divided by their number. No peer has a way to be \
               asked so. Cold, a question is asked alone.",
    };

    type Question<'q> = (&'q [u8], Access);

    fn build(task: &Task) -> Result<Self, String> {
        compile(task).map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path.as_bytes(), ask.access)
    }

    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        matches!(self.0.here(path, *access), Verdict::Allowed(_))
    }

    fn answer(&mut self, questions: &[Self::Question<'_>], answers: &mut [bool]) {
        let mut answers = answers.iter_mut();
        self.0.here_batch(questions.iter().copied(), |verdict| {
            if let Some(answer) = answers.next() {
                *answer = matches!(verdict, Verdict::Allowed(_));
            }
        });
    }
}

/// [`pathward::Engine::decide`] on operations whose paths were checked when they came in.
pub(crate) struct Decide(Whole);

impl Engine for Decide {
    const ABOUT: About = About {
        id: "decide",
        title: "Pathward `Engine::decide`",
        crates: &["pathward"],
        kind: Kind::Ours,
        bias: "The whole engine, with one user and one connection: finds the connection, looks at \
               the key's permission, decides, and says which rule and why. `Path::new` was called \
               before, as the gateway does once per request. Building starts from the policy's \
               YAML text.",
    };

    type Question<'q> = Object<'q>;

    fn build(task: &Task) -> Result<Self, String> {
        Whole::build(task).map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        Object::new(ask.path, ask.access)
    }

    #[inline]
    fn decide(&mut self, object: &Self::Question<'_>) -> bool {
        self.0.allows(object)
    }
}

/// The same from the raw bytes of a path on.
pub(crate) struct FromBytes(Whole);

impl Engine for FromBytes {
    const ABOUT: About = About {
        id: "decide-bytes",
        title: "Pathward `Path::new` + `Engine::decide`",
        crates: &["pathward"],
        kind: Kind::Ours,
        bias: "As `Engine::decide`, and the path is checked too (UTF-8, control bytes, dot \
               segments, bucket and key lengths) within the time: everything between bytes off the \
               wire and a decision. No peer checks its paths at all.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        Whole::build(task).map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.allows(&Object::new(path, *access))
    }
}

/// An operation on one object.
pub(crate) enum Object<'q> {
    Read(ReadObject<'q>),
    Write(WriteObject<'q>),
    /// The path is none: refused without a decision.
    Invalid,
}

impl<'q> Object<'q> {
    #[inline]
    fn new(path: &'q str, access: Access) -> Self {
        match (Path::new(path), access) {
            (Ok(path), Access::Read) => Self::Read(ReadObject { path }),
            (Ok(path), Access::Write) => Self::Write(WriteObject { path }),
            _ => Self::Invalid,
        }
    }
}

/// A policy of one user with one connection.
struct Whole {
    engine: pathward::Engine,
    connection: ConnectionId<'static>,
}

impl Whole {
    fn build(task: &Task) -> Result<Self, String> {
        let mut yaml =
            String::from("connections:\n  - id: s3+peers\n    owner: steph\n    restrictions:\n");
        for rule in &task.rules {
            let access =
                if rule.access == AccessSet::READ_WRITE { "read-write" } else { "read-only" };
            let text = rule.text.replace('\'', "''");
            writeln!(yaml, "      - {{ path: '{text}', access: {access} }}")
                .map_err(|error| error.to_string())?;
        }
        let policy = Policy::from_yaml("peers.yaml", &yaml)
            .map_err(|errors| errors.to_string().lines().take(3).collect::<Vec<_>>().join("; "))?;
        let connection = ConnectionId::parse("s3+peers").map_err(|error| error.to_string())?;
        Ok(Self { engine: pathward::Engine::new(policy), connection })
    }

    #[inline]
    fn allows(&self, object: &Object<'_>) -> bool {
        let steph = Caller::with_full_permission("steph");
        match object {
            Object::Read(read) => self.engine.decide(steph, &self.connection, read).is_allowed(),
            Object::Write(write) => self.engine.decide(steph, &self.connection, write).is_allowed(),
            Object::Invalid => false,
        }
    }
}
