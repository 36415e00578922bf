//! How what a policy allows is related to what a connection, or a list of rules, does.

use super::{Action, Document, Export, Imported, text};
use crate::{
    access::Access,
    analysis::{Answer, Language, States},
    automaton::Effect,
    path::Path,
    policy::Connection,
    restriction::{ByteSet, Pattern, Token},
};

/// How the objects of a policy are related to those of a connection. A path where they differ
/// is the shortest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They are the same.
    Equal,
    /// The policy has more, such as this.
    Wider(Path<'static>),
    /// The connection has more, such as this.
    Narrower(Path<'static>),
    /// Each has what the other has not.
    Neither {
        /// What the policy has alone.
        wider: Path<'static>,
        /// What the connection has alone.
        narrower: Path<'static>,
    },
    /// Not decided within the budget.
    Undecided {
        /// The budget.
        states: usize,
    },
}

impl Relation {
    /// `equal`, `wider`, `narrower`, `neither` or `undecided`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Wider(_) => "wider",
            Self::Narrower(_) => "narrower",
            Self::Neither { .. } => "neither",
            Self::Undecided { .. } => "undecided",
        }
    }

    /// What the policy has alone.
    pub fn wider(&self) -> Option<&Path<'static>> {
        match self {
            Self::Wider(path) | Self::Neither { wider: path, .. } => Some(path),
            _ => None,
        }
    }

    /// What the connection has alone.
    pub fn narrower(&self) -> Option<&Path<'static>> {
        match self {
            Self::Narrower(path) | Self::Neither { narrower: path, .. } => Some(path),
            _ => None,
        }
    }

    /// No object is at a bucket's bare name, and no action on objects is asked for there.
    fn of(policy: &Language<'_>, connection: &Language<'_>, states: States) -> Self {
        let object = |answer: Answer| match answer {
            Answer::Fails(path) if !path.key().is_empty() => Ok(Some(path)),
            Answer::Fails(_) | Answer::Holds => Ok(None),
            Answer::Undecided { states } => Err(states),
        };
        let wider = object(policy.implies(connection, states));
        let narrower = object(connection.implies(policy, states));
        match (wider, narrower) {
            (Ok(None), Ok(None)) => Self::Equal,
            (Ok(Some(path)), Ok(None)) => Self::Wider(path),
            (Ok(None), Ok(Some(path))) => Self::Narrower(path),
            (Ok(Some(wider)), Ok(Some(narrower))) => Self::Neither { wider, narrower },
            (Err(states), _) | (_, Err(states)) => Self::Undecided { states },
        }
    }
}

/// The relations of a policy to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relations {
    /// Of each access.
    pub accesses: [(Access, Relation); 3],
    /// Of the names that the policy lets be listed to those that the connection does, which are what is
    /// readable. IAM knows a listing by its prefix alone: it has all that starts with it.
    pub listed: Relation,
}

impl Relations {
    /// Whether the same objects can be read, written and deleted.
    pub fn are_equal(&self) -> bool {
        self.accesses.iter().all(|(_, relation)| *relation == Relation::Equal)
    }

    /// Whether something was not decided.
    pub fn are_undecided(&self) -> bool {
        let mut all = self.accesses.iter().map(|(_, relation)| relation).chain([&self.listed]);
        all.any(|relation| matches!(relation, Relation::Undecided { .. }))
    }

    fn new<'l>(policy: &Document, other: impl Fn(Access) -> Language<'l>, states: States) -> Self {
        let meaning = Meaning::of(policy, states);
        let listed = match &meaning.listed {
            Some([allows, denies]) => {
                let listed = Language::of_patterns(allows, denies);
                Relation::of(&listed, &other(Access::Read), states)
            }
            None => Relation::Undecided { states: states.most() },
        };
        Self {
            accesses: Access::ALL.map(|access| {
                (access, Relation::of(&meaning.language(access), &other(access), states))
            }),
            listed,
        }
    }
}

impl Export<'_> {
    /// How it is related to the connection.
    pub fn relations(&self, connection: &Connection, states: States) -> Relations {
        Relations::new(&self.document, |access| Language::of_connection(connection, access), states)
    }
}

impl Imported {
    /// How the policy that it was made of is related to it.
    pub fn relations(&self, policy: &Document, states: States) -> Relations {
        Relations::new(policy, |access| Language::of_entries(self.entries(), access), states)
    }
}

/// What a policy says, as patterns of paths.
struct Meaning {
    rules: Vec<(Effect, Vec<Action>, Vec<Pattern>)>,
    /// The names that may be listed, and those that may not. `None` if they are more than a question
    /// may cost: each bucket of a statement has each of its prefixes.
    listed: Option<[Vec<Pattern>; 2]>,
}

impl Meaning {
    /// Text that has no pattern matches nothing: neither export nor import makes such a policy.
    fn of(policy: &Document, states: States) -> Self {
        let mut listed = Some([Vec::new(), Vec::new()]);
        let mut count = 0_usize;
        let mut rules = Vec::new();
        for statement in &policy.statements {
            let patterns: Vec<Pattern> =
                statement.resources.iter().filter_map(|text| text::read(text).ok()).collect();
            if statement.actions.contains(&Action::ListBucket) {
                let buckets: Vec<Pattern> = patterns.iter().filter_map(bucket).collect();
                let any = ["*".to_owned()];
                let prefixes = statement.prefixes.as_deref().unwrap_or(&any);
                count = count.saturating_add(buckets.len().saturating_mul(prefixes.len()));
                listed = listed.filter(|_| count <= states.most());
                if let Some([allows, denies]) = &mut listed {
                    let side = if statement.effect == Effect::Allow { allows } else { denies };
                    for prefix in prefixes.iter().filter_map(|prefix| text::read(prefix).ok()) {
                        let names = |bucket| below(bucket, &prefix, statement.is_delimited);
                        side.extend(buckets.iter().map(names));
                    }
                }
            }
            // Requests for objects have neither, so that the condition is never met.
            if statement.prefixes.is_none() && !statement.is_delimited {
                rules.push((statement.effect, statement.actions.clone(), patterns));
            }
        }
        Self { rules, listed }
    }

    fn language(&self, access: Access) -> Language<'_> {
        let of = |effect| {
            self.rules
                .iter()
                .filter(move |(of, actions, _)| {
                    *of == effect && actions.iter().any(|action| action.access() == Some(access))
                })
                .flat_map(|(_, _, patterns)| patterns)
        };
        Language::of_patterns(of(Effect::Allow), of(Effect::Deny))
    }
}

/// What of a resource is buckets' names, which have no `/`: nothing where it has one itself.
pub(super) fn bucket(resource: &Pattern) -> Option<Pattern> {
    let within = |token: &Token| match token {
        Token::Literal(bytes) if bytes.contains(&b'/') => None,
        Token::Literal(bytes) => Some(Token::Literal(bytes.clone())),
        Token::One(set) => Some(Token::One(set.without(b'/'))),
        Token::Run(set) => Some(Token::Run(set.without(b'/'))),
    };
    resource.tokens().iter().map(within).collect()
}

/// All keys of a bucket that start with a prefix; those that a listing with `/` as its delimiter shows.
pub(super) fn below(bucket: &Pattern, prefix: &Pattern, is_delimited: bool) -> Pattern {
    let mut names = bucket.clone();
    names.push_byte(b'/');
    prefix.tokens().iter().for_each(|token| names.push(token.clone()));
    names.push(if is_delimited { Token::Run(ByteSet::segment()) } else { Token::STAR });
    names
}
