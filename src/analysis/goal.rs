//! What a word is looked for by: a condition on colours.

use std::{cell::RefCell, collections::HashMap, fmt};

use super::field::{ALIASED, Colors, OWN};

/// A condition on the colours of a word, and what can still become of it.
pub(super) struct Goal<'g> {
    holds: Box<dyn Fn(Colors) -> bool + 'g>,
    /// The colours that it looks at.
    looks_at: Colors,
    known: RefCell<HashMap<(Colors, Colors), Outlook>>,
}

/// What can still become of a goal, where some colours are there and others may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It cannot be met.
    Dead,
    /// It may be met. Of the colours that are there these matter, and of those to come those.
    Open { on: Colors, ahead: Colors },
}

impl fmt::Debug for Goal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Goal").field("looks_at", &self.looks_at).finish_non_exhaustive()
    }
}

impl<'g> Goal<'g> {
    /// A word that the pattern of the search matches and for whose colours `holds` is true. It may
    /// look at no other colours than these.
    pub(super) fn new(colors: Colors, holds: impl Fn(Colors) -> bool + 'g) -> Self {
        Self { holds: Box::new(holds), looks_at: colors | ALIASED | OWN, known: RefCell::default() }
    }

    pub(super) fn is_met(&self, colors: Colors) -> bool {
        colors & OWN != 0 && (self.holds)(colors)
    }

    /// What can become of it. Every state asks, and few combinations ever occur.
    pub(super) fn outlook(&self, on: Colors, ahead: Colors) -> Outlook {
        let (on, ahead) = (on & self.looks_at, ahead & self.looks_at);
        if let Some(known) = self.known.borrow().get(&(on, ahead)) {
            return *known;
        }
        let key = (on, ahead);
        let (mut on, mut free) = (on, ahead & !on);
        let outlook = if subsets(free).any(|more| self.is_met(on | more)) {
            // One colour after the other, so that what is left out is irrelevant all together.
            for color in colors(on) {
                let rest = on & !color;
                if subsets(free).all(|more| self.is_met(on | more) == self.is_met(rest | more)) {
                    on = rest;
                    // What was there and is left out may come again, and no other colour may be
                    // left out because it does not.
                    free |= ahead & color;
                }
            }
            for color in colors(free) {
                let rest = free & !color;
                let same = |more| self.is_met(on | more) == self.is_met(on | more | color);
                if subsets(rest).all(same) {
                    free = rest;
                }
            }
            Outlook::Open { on, ahead: free }
        } else {
            Outlook::Dead
        };
        self.known.borrow_mut().insert(key, outlook);
        outlook
    }
}

fn colors(of: Colors) -> impl Iterator<Item = Colors> {
    (0..Colors::BITS).map(|bit| 1 << bit).filter(move |color| of & color != 0)
}

/// Every set of these colours, the empty one too.
fn subsets(of: Colors) -> impl Iterator<Item = Colors> {
    let mut next = Some(of);
    std::iter::from_fn(move || {
        let set = next?;
        next = set.checked_sub(1).map(|less| less & of);
        Some(set)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_matter_is_left_out() {
        let (one, other) = (4, 8);
        let goal = Goal::new(one | other, |c| c & one != 0 && c & other == 0);
        let open = |on, ahead| Outlook::Open { on, ahead };
        assert_eq!(goal.outlook(OWN, one | other), open(OWN, one | other));
        assert_eq!(goal.outlook(OWN | one, other), open(OWN | one, other));
        assert_eq!(goal.outlook(OWN, other), Outlook::Dead);
        assert_eq!(goal.outlook(OWN | other, one), Outlook::Dead);
        assert_eq!(goal.outlook(0, one), Outlook::Dead);
        // Either is enough, and the second is left out once the first is there.
        let goal = Goal::new(one | other, |c| c & (one | other) != 0);
        assert_eq!(goal.outlook(OWN | one, other), open(OWN | one, 0));
        assert_eq!(goal.outlook(OWN | one | other, 0), open(OWN | other, 0));
        // What is left out although it is there may come again: the other still matters then.
        let goal = Goal::new(one | other, |c| c & one == 0 || c & other != 0);
        assert_eq!(goal.outlook(OWN | one | other, one), open(OWN | other, 0));
        assert_eq!(goal.outlook(OWN | one | other, 0), open(OWN, 0));
        assert_eq!(subsets(5).collect::<Vec<_>>(), [5, 4, 1, 0]);
    }
}
