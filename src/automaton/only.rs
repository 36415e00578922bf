//! Deciding by a single pattern without wildcards before its end: what most connections have.
//!
//! Nothing is left to look up, and a verdict is one of two that were written down beforehand, taken without a branch:
//! whether a path matches is as good as random.

use super::{
    Effect, RuleId, Verdict,
    alike::starts_with,
    compile::{Item, Shape},
};
use crate::access::Access;

/// The pattern.
#[derive(Debug)]
pub(super) struct Only {
    literal: Box<[u8]>,
    /// Whether a path has to end where the literal does.
    ends: bool,
    /// For each access, the verdict for a path that does not match, and for one that does.
    verdicts: [[Verdict; 2]; 3],
}

impl Only {
    /// The only one of these items, if it is that and has no wildcard before its end.
    pub(super) fn new(items: &[Item<'_>]) -> Option<Self> {
        let [item] = items else { return None };
        let ends = match item.shape {
            Shape::Anything => false,
            Shape::Nothing => true,
            Shape::Tokens(_) => return None,
        };
        let rule = RuleId(item.rule);
        let verdicts = Access::ALL.map(|access| {
            let matched = match (item.effect, item.access.contains(access)) {
                (Effect::Allow, true) => Verdict::Allowed(rule),
                (Effect::Allow, false) => Verdict::OtherAccess(rule),
                (Effect::Deny, true) => Verdict::Denied(rule),
                (Effect::Deny, false) => Verdict::NoMatch,
            };
            [Verdict::NoMatch, matched]
        });
        // An empty literal is never compared: see `starts_with`.
        Some(Self { literal: item.literal.into(), ends, verdicts })
    }

    #[inline(never)]
    pub(super) fn here(&self, path: &[u8], access: Access) -> Verdict {
        let starts = self.literal.is_empty() || starts_with(path, &self.literal);
        let is_match = starts & (!self.ends | (path.len() == self.literal.len()));
        self.verdicts[access.place()][usize::from(is_match)]
    }

    pub(super) fn bytes(&self) -> usize {
        self.literal.len()
    }
}
