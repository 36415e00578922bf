//! What is decided at each place.

use super::{
    super::{Budget, Language, search::Exhausted},
    Decided, Place,
    piece::{Piece, joined, language},
    tree::Tree,
};
use crate::{
    access::Access,
    policy::Keys,
    restriction::{Pattern, Token},
};

/// The places of a tree: what every piece decides that matches all paths that end there, or all that
/// start so. Pieces that match some of those alone have places of their own.
pub(super) fn decide(
    tree: &Tree,
    pieces: &[Piece],
    keys: Keys,
    under: &[u8],
    budget: &mut Budget,
) -> Result<Vec<Place>, Exhausted> {
    let mut ends: Vec<Pattern> = Vec::with_capacity(tree.nodes.len());
    let mut places = Vec::with_capacity(tree.nodes.len());
    let given = Access::ALL.map(|access| language(pieces, access, keys, None));
    for node in &tree.nodes {
        let end = match ends.get(node.parent) {
            Some(parent) => {
                let mut end = parent.clone();
                node.text.tokens().iter().for_each(|token| end.push(token.clone()));
                end
            }
            None => joined(under, &[]),
        };
        let mut start = end.clone();
        start.push(Token::STAR);
        let mut rules = Vec::new();
        let mut ask = |pattern| decided(pattern, pieces, &given, keys, budget, &mut rules);
        let here = ask(&end)?;
        let below = if start == end { None } else { ask(&start)? }.unwrap_or_default();
        rules.sort_unstable();
        rules.dedup();
        let from_here = Language::of_patterns([&start], []).within(keys);
        let found = budget.ask(|states| from_here.common(&given[0], states)).ok_or(Exhausted)?;
        let lists = found.is_some();
        places.push(Place { here, below, lists, rules });
        ends.push(end);
    }
    Ok(places)
}

/// What pieces decide for all paths of a pattern; `None` if there are no such paths.
fn decided(
    pattern: &Pattern,
    pieces: &[Piece],
    given: &[Language<'_>],
    keys: Keys,
    budget: &mut Budget,
    rules: &mut Vec<usize>,
) -> Result<Option<Decided>, Exhausted> {
    let paths = Language::of_patterns([pattern], []).within(keys);
    if budget.ask(|states| paths.first(states)).ok_or(Exhausted)?.is_none() {
        return Ok(None);
    }
    let mut all = Decided::default();
    for piece in pieces {
        // What starts in another way is not matched.
        if !pattern.prefix().starts_with(piece.whole.prefix()) {
            continue;
        }
        let covering = Language::of_patterns([&piece.whole], []);
        let covers = *pattern == piece.whole
            || budget.ask(|states| paths.difference(&covering, states)).ok_or(Exhausted)?.is_none();
        if covers {
            all.add(piece.effect, piece.access);
            rules.push(piece.rule);
        }
    }
    if all.has().is_empty() && !all.denied.is_empty() {
        all.is_shut = true;
        for given in given {
            let left = budget.ask(|states| paths.common(given, states)).ok_or(Exhausted)?;
            all.is_shut &= left.is_none();
        }
    }
    Ok(Some(all))
}
