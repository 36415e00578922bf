//! Connections that wait for a turn of one owner.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::Ticket;

/// Those that wait, and those that did and are gone: of each kind in their order, and the kinds by turns.
#[derive(Debug, Default)]
pub(super) struct Queue {
    kinds: HashMap<u64, VecDeque<Arc<Ticket>>>,
    turns: VecDeque<u64>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kinds.values().map(VecDeque::len).sum()
    }

    pub(super) fn push(&mut self, kind: u64, ticket: Arc<Ticket>) {
        let waiting = self.kinds.entry(kind).or_default();
        if waiting.is_empty() {
            self.turns.push_back(kind);
        }
        waiting.push_back(ticket);
    }

    /// The next one.
    pub(super) fn first(&self) -> Option<&Arc<Ticket>> {
        self.kinds.get(self.turns.front()?)?.front()
    }

    /// Goes on behind the next one.
    pub(super) fn pass(&mut self) {
        let Some(kind) = self.turns.pop_front() else { return };
        let Some(waiting) = self.kinds.get_mut(&kind) else { return };
        waiting.pop_front();
        if waiting.is_empty() {
            self.kinds.remove(&kind);
        } else {
            self.turns.push_back(kind);
        }
    }
}
