//! The patterns below a prefix, and which of them make a difference.

use std::collections::{HashMap, HashSet};

use super::{
    super::{
        Budget, Language,
        behind::{places, rest},
        search::Exhausted,
    },
    Scope,
};
use crate::{
    access::{Access, AccessSet},
    automaton::Effect,
    policy::{Keys, Rule},
    restriction::{Pattern, Token},
};

/// One pattern of a rule, as far as it is below the prefix.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The prefix and what follows it.
    pub(super) whole: Pattern,
    /// What follows.
    pub(super) rest: Pattern,
    /// The rule that it is of.
    pub(super) rule: usize,
    pub(super) effect: Effect,
    /// The accesses that it makes a difference to.
    pub(super) access: AccessSet,
}

/// The pieces of all rules, in their order, and the rules that are of concern. What a rule says that
/// another said before it is no piece.
pub(super) fn pieces(rules: &[Rule], scope: Scope<'_>) -> (Vec<Piece>, Vec<usize>) {
    let (mut pieces, mut known) = (Vec::new(), Vec::new());
    let mut said: HashMap<(Pattern, Effect), AccessSet> = HashMap::new();
    for (rule, of) in rules.iter().enumerate() {
        let access = of.access.intersection(scope.access);
        if access.is_empty() {
            continue;
        }
        for rest in
            of.restriction.patterns().iter().flat_map(|pattern| behind(pattern, scope.under))
        {
            known.push(rule);
            let said = said.entry((rest.clone(), of.effect)).or_default();
            let access = access.without(*said);
            if !access.is_empty() {
                *said = said.union(access);
                let whole = joined(scope.under, rest.tokens());
                pieces.push(Piece { whole, rest, rule, effect: of.effect, access });
            }
        }
    }
    known.dedup();
    (pieces, known)
}

/// Of these rules, those that no piece is of.
pub(super) fn idle(known: &[usize], pieces: &[Piece]) -> Vec<usize> {
    let drawn: HashSet<usize> = pieces.iter().map(|piece| piece.rule).collect();
    known.iter().copied().filter(|rule| !drawn.contains(rule)).collect()
}

/// A literal and what follows it.
pub(super) fn joined(literal: &[u8], tokens: &[Token]) -> Pattern {
    let mut pattern = Pattern::default();
    pattern.push_bytes(literal);
    tokens.iter().for_each(|token| pattern.push(token.clone()));
    pattern
}

/// What can follow a prefix so that a pattern matches the whole: one pattern for each way in which
/// its runs can share the prefix.
fn behind(pattern: &Pattern, prefix: &[u8]) -> Vec<Pattern> {
    let tokens = pattern.tokens();
    places(tokens, prefix).into_iter().map(|place| joined(b"", &rest(tokens, place))).collect()
}

/// Takes out of each piece the accesses that it makes no difference to, and then the pieces that have
/// none left. Denies are asked first, and later ones before earlier, so that of two that say the same the first stays.
pub(super) fn reduce(
    pieces: &mut Vec<Piece>,
    keys: Keys,
    budget: &mut Budget,
) -> Result<(), Exhausted> {
    for access in Access::ALL {
        for effect in [Effect::Deny, Effect::Allow] {
            for n in (0..pieces.len()).rev() {
                if pieces[n].effect != effect || !pieces[n].access.contains(access) {
                    continue;
                }
                let with = language(pieces, access, keys, None);
                let without = language(pieces, access, keys, Some(n));
                let apart = budget.ask(|states| with.apart(&without, states)).ok_or(Exhausted)?;
                if apart.is_none() {
                    pieces[n].access = pieces[n].access.without(access.into());
                }
            }
        }
    }
    pieces.retain(|piece| !piece.access.is_empty());
    Ok(())
}

/// Where pieces give an access.
pub(super) fn language(
    pieces: &[Piece],
    access: Access,
    keys: Keys,
    except: Option<usize>,
) -> Language<'_> {
    let of = |effect| {
        pieces
            .iter()
            .enumerate()
            .filter(move |(n, piece)| {
                piece.effect == effect && piece.access.contains(access) && except != Some(*n)
            })
            .map(|(_, piece)| &piece.whole)
    };
    Language::of_patterns(of(Effect::Allow), of(Effect::Deny)).within(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restriction::unchecked;

    #[test]
    fn what_follows_a_prefix_is_all_that_follows_it() {
        let words = |most: usize| -> Vec<Vec<u8>> {
            let mut all = vec![Vec::new()];
            let mut from = 0;
            for _ in 0..most {
                let to = all.len();
                for n in from..to {
                    all.extend(b"ab/".map(|byte| [&all[n][..], &[byte]].concat()));
                }
                from = to;
            }
            all
        };
        let (prefixes, rests) = (words(3), words(4));
        for text in ["ab/*", "*b", "a*b/a", "*a*b*", "b", "*", "a/*/b*a"] {
            let pattern = unchecked::plain(text).expect(text);
            for prefix in &prefixes {
                let behind = behind(&pattern, prefix);
                for rest in &rests {
                    let found = behind.iter().any(|behind| behind.matches(rest));
                    let word = [&prefix[..], rest].concat();
                    assert_eq!(found, pattern.matches(&word), "{text} {prefix:?} {rest:?}");
                }
            }
        }
        for text in ["a?*/b", "[ab]a*", "**/b"] {
            for pattern in unchecked::glob(text).expect(text) {
                for (prefix, rest) in
                    prefixes.iter().flat_map(|p| rests.iter().map(move |r| (p, r)))
                {
                    let found = behind(&pattern, prefix).iter().any(|behind| behind.matches(rest));
                    assert_eq!(found, pattern.matches(&[&prefix[..], rest].concat()), "{text}");
                }
            }
        }
    }
}
