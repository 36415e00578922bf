//! Where a server's page has to be cut, because fewer of its entries are wanted.
//!
//! The next page starts behind the last entry taken, so that everything before it in the *server's*
//! order has to be taken too. A page has its objects and its folders in two lists, and servers do
//! not agree on how these two go together: by bytes, `a-b` comes before the folder `a/`; a server
//! that keeps folders as such may have `a` before `a-b`. Where that makes a difference, the server
//! is asked.

use super::{
    error::senseless,
    pages::{Entry, Page, Pages, Start},
};
use crate::executor::ExecuteError;

/// The first entries of a page.
pub(super) struct Cut {
    pub(super) taken: Page,
    /// The one of them that the server has last.
    pub(super) last: Entry,
}

/// Cuts a page behind the `wanted`th entry that `counts`. There are at least so many, and `wanted`
/// is not 0.
pub(super) async fn cut(
    pages: &Pages<'_>,
    start: &Start,
    entries: &[Entry],
    wanted: usize,
    counts: impl Fn(&Entry) -> bool,
) -> Result<Cut, ExecuteError> {
    let candidates: Vec<Vec<&Entry>> = [with_slash, without_slash]
        .into_iter()
        .filter_map(|name| ordered(entries, name))
        .filter_map(|order| {
            let at = order.iter().enumerate().filter(|(_, entry)| counts(entry)).nth(wanted - 1)?.0;
            Some(order[..=at].to_vec())
        })
        .collect();
    if let Some((first, others)) = candidates.split_first()
        && let Some(last) = first.last()
        && others.iter().all(|other| same(first, other))
    {
        let taken: Vec<_> = first.iter().map(|entry| (*entry).clone()).collect();
        return Ok(Cut { taken: taken.into(), last: (*last).clone() });
    }
    let guesses: Vec<usize> = candidates.iter().map(Vec::len).collect();
    ask(pages, start, entries.len(), wanted, &guesses, counts).await
}

fn with_slash(entry: &Entry) -> Option<&str> {
    entry.key.as_deref()
}

fn without_slash(entry: &Entry) -> Option<&str> {
    let key = entry.key.as_deref()?;
    Some(if entry.is_prefix { key.strip_suffix('/').unwrap_or(key) } else { key })
}

/// The entries in an order by name; `None` if the server's own two lists are in another.
fn ordered(entries: &[Entry], name: fn(&Entry) -> Option<&str>) -> Option<Vec<&Entry>> {
    if entries.iter().any(|entry| name(entry).is_none()) {
        return None;
    }
    for is_prefix in [false, true] {
        let list = || entries.iter().filter(move |entry| entry.is_prefix == is_prefix);
        if !list().map(name).is_sorted() {
            return None;
        }
    }
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by_key(|entry| name(entry));
    Some(order)
}

/// Whether two beginnings of a page have the same entries and the same last one.
fn same(one: &[&Entry], other: &[&Entry]) -> bool {
    let is = |one: &Entry, other: &Entry| one.is_prefix == other.is_prefix && one.key == other.key;
    let ends = match (one.last(), other.last()) {
        (Some(one), Some(other)) => is(one, other),
        _ => false,
    };
    // The same number from two orders of the same entries: equal if each of one is in the other.
    ends && one.len() == other.len() && {
        let mut keys: Vec<_> = one.iter().map(|entry| (&entry.key, entry.is_prefix)).collect();
        keys.sort_unstable();
        other.iter().all(|entry| keys.binary_search(&(&entry.key, entry.is_prefix)).is_ok())
    }
}

/// Finds the place by asking the server for the beginning of the page: its first `n` entries are
/// what it says they are, in whatever order.
async fn ask(
    pages: &Pages<'_>,
    start: &Start,
    len: usize,
    wanted: usize,
    guesses: &[usize],
    counts: impl Fn(&Entry) -> bool,
) -> Result<Cut, ExecuteError> {
    let (mut low, mut high) = (wanted, len);
    let mut guesses = guesses.iter().copied();
    // Whether fewer than `wanted` count among the first `low - 1`, and enough among the first `high`.
    loop {
        let middle =
            guesses.next().filter(|n| (low..=high).contains(n)).unwrap_or(low.midpoint(high));
        let (taken, _) = pages.ask(start, middle).await?;
        match taken.iter().filter(|entry| counts(entry)).count() {
            count if count < wanted => low = middle + 1,
            count if count > wanted => high = middle - 1,
            _ => {
                let before = match middle {
                    1 => Page::default(),
                    _ => pages.ask(start, middle - 1).await?.0,
                };
                let is_new = |entry: &&Entry| {
                    !before
                        .iter()
                        .any(|other| other.key == entry.key && other.is_prefix == entry.is_prefix)
                };
                let Some(last) = taken.iter().find(is_new).cloned() else {
                    return Err(senseless());
                };
                if counts(&last) {
                    return Ok(Cut { taken, last });
                }
                // What comes last is not shown: the place is further to the front.
                high = middle - 1;
            }
        }
        if low > high {
            return Err(senseless());
        }
    }
}
