//! The body of the structured fuzz target: rules and paths that share pieces.

use super::{OwnedRule, check_paths, compile_to_every_form, reference_has, yaml};
use crate::{
    access::{Access, AccessSet},
    automaton::{Effect, Entry},
    engine::{
        Caller, DeleteObject, DeleteTree, Engine, ListDirectory, Operate, Outcome, ReadObject,
        Reason, WriteObject,
    },
    path::Path,
    policy::{Connection, ConnectionId, Policy},
    restriction::{Restriction, unchecked},
};

/// A rule that is read when it is used: its text may be none.
#[derive(Clone, Debug)]
pub struct RuleText {
    /// What the policy would say.
    pub text: String,
    /// Whether that is in the glob form.
    pub is_glob: bool,
    /// Whether the rule takes away.
    pub is_deny: bool,
    /// The bits of the accesses: read 1, write 2, delete 4. None of them are all.
    pub access: u8,
}

impl RuleText {
    fn read(&self, checked: bool) -> Option<OwnedRule> {
        let restriction = match (self.is_glob, checked) {
            (false, true) => Restriction::parse(&self.text),
            (false, false) => unchecked::plain_restriction(&self.text),
            (true, true) => Restriction::parse_glob(&self.text),
            (true, false) => unchecked::glob_restriction(&self.text),
        };
        let access = match AccessSet::from_bits(self.access) {
            none if none.is_empty() => AccessSet::READ_WRITE,
            access => access,
        };
        let effect = if self.is_deny { Effect::Deny } else { Effect::Allow };
        Some(OwnedRule { restriction: restriction.ok()?, access, effect })
    }
}

/// How often each reason was the engine's answer: allowed, no match, another access, a deny.
pub type Reasons = [u64; 4];

/// Decides paths by the automaton, by the engine and by the definition: what is here, what is below, and
/// every operation on an object or on what is below it.
pub fn near_misses(rules: &[RuleText], paths: &[Vec<u8>]) -> Reasons {
    let unchecked: Vec<OwnedRule> = rules.iter().filter_map(|rule| rule.read(false)).collect();
    let entries: Vec<Entry<'_>> = unchecked.iter().map(OwnedRule::entry).collect();
    if let Ok(automaton) = compile_to_every_form(entries.iter().copied()) {
        check_paths(&entries, &automaton, paths);
    }

    let mut reasons = Reasons::default();
    let checked: Vec<OwnedRule> = rules.iter().filter_map(|rule| rule.read(true)).collect();
    // Without an allow there is no policy, and not with too many rules or a text that YAML cannot hold.
    let Ok(policy) = Policy::from_yaml("fuzz.yaml", &yaml(&checked)) else { return reasons };
    let Ok(id) = ConnectionId::parse("s3+t") else { return reasons };
    let Some(connection) = policy.connection("o", &id).cloned() else { return reasons };
    let engine = Engine::new(policy);
    let asked = Asked { engine: &engine, connection: &connection, id: &id };
    let paths: Vec<Path<'_>> = paths
        .iter()
        .filter_map(|path| Path::new(path).ok())
        .filter(|path| !path.is_root())
        .collect();
    let rules: Vec<Entry<'_>> = checked.iter().map(OwnedRule::entry).collect();
    for path in &paths {
        asked.objects(path, &rules, &mut reasons);
        asked.below(path, &rules, &paths);
    }
    reasons
}

struct Asked<'a> {
    engine: &'a Engine,
    connection: &'a Connection,
    id: &'a ConnectionId<'a>,
}

impl Asked<'_> {
    fn reason(&self, operation: &impl Operate) -> (Outcome, Reason) {
        let decision = self.engine.decide(Caller::with_full_permission("o"), self.id, operation);
        (decision.outcome(), decision.reason())
    }

    /// Reads, writes and deletes an object: the outcome and its reason are those of the definition.
    fn objects(&self, path: &Path<'_>, rules: &[Entry<'_>], reasons: &mut Reasons) {
        let matched = |effect, access: Option<Access>| {
            rules.iter().any(|rule| {
                rule.effect == effect
                    && access.is_none_or(|access| rule.access.contains(access))
                    && rule.restriction.matches(path.as_bytes())
            })
        };
        for access in Access::ALL {
            let path = path.clone();
            let (outcome, reason) = match access {
                Access::Read => self.reason(&ReadObject { path }),
                Access::Write => self.reason(&WriteObject { path }),
                Access::Delete => self.reason(&DeleteObject { path }),
            };
            let (place, expected) = if matched(Effect::Deny, Some(access)) {
                (3, Reason::Rule)
            } else if matched(Effect::Allow, Some(access)) {
                (0, Reason::Allowed)
            } else if matched(Effect::Allow, None) {
                (2, Reason::Access)
            } else {
                (1, Reason::NoMatch)
            };
            let invalid = outcome == Outcome::Invalid;
            assert!(invalid || reason == expected, "{access}: {reason:?}, not {expected:?}");
            assert_eq!(outcome == Outcome::Allow, reason == Reason::Allowed);
            reasons[place] += u64::from(!invalid);
        }
    }

    /// Lists a directory and deletes it: what is allowed is so for all that is known below, and a listing
    /// is refused only where nothing below can be read.
    fn below(&self, path: &Path<'_>, rules: &[Entry<'_>], paths: &[Path<'_>]) {
        let Ok(directory) = path.clone().into_directory() else { return };
        let exact = self.connection.automaton().stats().below_is_exact;
        let mut inside = paths
            .iter()
            .filter(|other| other.as_bytes().starts_with(directory.as_bytes()))
            .map(|other| reference_has(rules, other.as_bytes()));
        let list = ListDirectory { path: directory.clone() };
        if self.reason(&list).0 == Outcome::Deny {
            assert!(!exact || !inside.clone().any(|has| has.contains(Access::Read)), "{directory}");
        }
        let delete = DeleteTree { path: directory.clone() };
        if self.reason(&delete).0 == Outcome::Allow {
            assert!(inside.all(|has| has.contains(Access::Delete)), "{directory}");
        }
    }
}
