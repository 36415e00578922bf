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

    /// By whether the policy implies the connection, and the other way. No object is at a bucket's bare name, and no
    /// action on objects is asked for there.
    fn of(wider: Answer, narrower: Answer) -> Self {
        let object = |answer: Answer| match answer {
            Answer::Fails(path) if !path.key().is_empty() => Ok(Some(path)),
            Answer::Fails(_) | Answer::Holds => Ok(None),
            Answer::Undecided { states } => Err(states),
        };
        match (object(wider), object(narrower)) {
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
        let listed = match Said::of_listings(policy, states) {
            Some(listed) => listed.relation(&other(Access::Read), states),
            None => Relation::Undecided { states: states.most() },
        };
        let of = |access| Said::of_access(policy, access).relation(&other(access), states);
        Self { accesses: Access::ALL.map(|access| (access, of(access))), listed }
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

/// What a policy says of one action, as patterns of paths.
#[derive(Default)]
struct Said {
    allows: Vec<Pattern>,
    denies: Vec<Pattern>,
    /// `Allow` with `NotResource`: everything but these, of each statement.
    all_but: Vec<Vec<Pattern>>,
    /// `Deny` with `NotResource`: nothing but these.
    only: Vec<Vec<Pattern>>,
}

impl Said {
    fn add(&mut self, effect: Effect, is_inverted: bool, patterns: Vec<Pattern>) {
        match (effect, is_inverted) {
            (Effect::Allow, false) => self.allows.extend(patterns),
            (Effect::Deny, false) => self.denies.extend(patterns),
            (Effect::Allow, true) => self.all_but.push(patterns),
            (Effect::Deny, true) => self.only.push(patterns),
        }
    }

    /// What of an access a policy says. A statement with a condition that no connection knows is none: an import says
    /// that it makes no difference. Text that has no pattern matches nothing: neither export nor import makes such a
    /// policy.
    fn of_access(policy: &Document, access: Access) -> Self {
        let mut said = Self::default();
        for statement in &policy.statements {
            // Requests for objects have no prefix, so that the condition is never met.
            let is_of_objects = !statement.is_of_prefixes() && statement.conditions.is_empty();
            if is_of_objects && statement.access().contains(access) {
                let texts = statement.resources.iter();
                let patterns = texts.filter_map(|text| text::read(text).ok()).collect();
                said.add(statement.effect, statement.is_inverted, patterns);
            }
        }
        said
    }

    /// The names that may be listed. `None` if they are more than a question may cost: each bucket of a statement has
    /// each of its prefixes.
    fn of_listings(policy: &Document, states: States) -> Option<Self> {
        let mut said = Self::default();
        let mut count = 0_usize;
        for statement in &policy.statements {
            let is_known = statement.conditions.is_empty()
                && !(statement.is_inverted && statement.is_of_prefixes());
            if !is_known || !statement.actions.contains(&Action::ListBucket) {
                continue;
            }
            let texts = statement.resources.iter();
            let buckets: Vec<Pattern> = texts
                .filter_map(|text| text::read(text).ok())
                .filter_map(|pattern| bucket(&pattern))
                .collect();
            let any = ["*".to_owned()];
            let prefixes = statement.prefixes.as_deref().unwrap_or(&any);
            count = count.saturating_add(buckets.len().saturating_mul(prefixes.len()));
            if count > states.most() {
                return None;
            }
            let mut names = Vec::new();
            for prefix in prefixes.iter().filter_map(|prefix| text::read(prefix).ok()) {
                let below = |bucket| below(bucket, &prefix, statement.is_delimited);
                names.extend(buckets.iter().map(below));
            }
            said.add(statement.effect, statement.is_inverted, names);
        }
        Some(said)
    }

    fn relation(&self, connection: &Language<'_>, states: States) -> Relation {
        if self.all_but.is_empty() && self.only.is_empty() {
            let policy = Language::of_patterns(&self.allows, &self.denies);
            let wider = policy.implies(connection, states);
            return Relation::of(wider, connection.implies(&policy, states));
        }
        let sets = self.all_but.iter().chain(&self.only).map(|set| &set[..]).collect::<Vec<_>>();
        let all_but = self.all_but.len();
        let policy = |allowed: bool, denied: bool, within: &dyn Fn(usize) -> bool| {
            let mut others = 0..all_but;
            let is_allowed = allowed || others.any(|n| !within(n));
            is_allowed && !denied && (all_but..sets.len()).all(within)
        };
        let sides = Language::of_patterns(&self.allows, &self.denies);
        Relation::of(
            sides.apart_within(connection, &sets, policy, true, states),
            sides.apart_within(connection, &sets, policy, false, states),
        )
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
