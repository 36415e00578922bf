//! A connection or key in a file, changed where it stands.
//!
//! Whatever an edit makes of a file is read back before anyone gets it: the connection has to say what
//! it should, and everything else what it said before. What cannot be shown so is refused.

use super::{
    read::{self, Item, field, items, scalar},
    splice::{Splices, Step, Why},
    whole::{DraftRule, Written},
};
use crate::policy::{ApiKey, ConnectionId, Policy, Reach, yaml::Node};

const UNREADABLE: Why = "it is not a policy";
const ABSENT: Why = "what is to be changed is not in it";
const WRONG: Why = "it is laid out in a way that the change would not come out right in";

/// How many pairs of entries are compared to find out which of a list stay.
const MOST_PAIRS: usize = 4 << 20;

/// Every connection that a file defines.
pub(crate) fn connections(text: &str) -> Option<Vec<Written>> {
    let (mut report, root) = read::tree(text)?;
    let items = read::connections(&mut report, &root)?;
    Some(items.into_iter().map(|item| item.written).collect())
}

/// The file with another connection in the place of one.
pub(crate) fn replace(text: &str, owner: &str, label: &str, new: &Written) -> Result<String, Why> {
    let (mut report, root) = read::tree(text).ok_or(UNREADABLE)?;
    let all = read::connections(&mut report, &root).ok_or(UNREADABLE)?;
    let at = position(&all, owner, label).ok_or(ABSENT)?;
    let Item { node, written: old } = all.get(at).ok_or(ABSENT)?;
    let mut splices = Splices::new(text);
    let mut before = vec!["id"];
    for ((name, was), (_, is)) in old.scalars().into_iter().zip(new.scalars()) {
        if was != is {
            splices.set(node, name, is.as_deref(), &before)?;
        }
        before.push(name);
    }
    for ((name, was), (_, is)) in old.lists().into_iter().zip(new.lists()) {
        if was == is {
            continue;
        }
        match (field(node, name), is) {
            (Some(list), Some(is)) => splices.list(list, steps(was.unwrap_or_default(), is))?,
            (Some(_), None) => splices.remove_field(node, name)?,
            (None, Some(is)) => {
                let lines: Vec<String> = is.iter().map(DraftRule::written).collect();
                splices.add_list(node, name, &lines)?;
            }
            (None, None) => {}
        }
    }
    let changed = splices.apply()?;
    let mut wanted: Vec<Written> = all.into_iter().map(|item| item.written).collect();
    if let Some(place) = wanted.get_mut(at) {
        place.clone_from(new);
    }
    (connections(&changed).as_ref() == Some(&wanted) && users(&changed) == users(text))
        .then_some(changed)
        .ok_or(WRONG)
}

/// The file without a connection; `None` when nothing is left that a policy could be made of.
pub(crate) fn remove(text: &str, owner: &str, label: &str) -> Result<Option<String>, Why> {
    let (mut report, root) = read::tree(text).ok_or(UNREADABLE)?;
    let all = read::connections(&mut report, &root).ok_or(UNREADABLE)?;
    let at = position(&all, owner, label).ok_or(ABSENT)?;
    let mut splices = Splices::new(text);
    let list = field(&root, "connections").ok_or(ABSENT)?;
    if all.len() == 1 {
        if users(text).is_empty() {
            return Ok(None);
        }
        splices.remove_field(&root, "connections")?;
    } else {
        splices.list(list, without(at, all.len()))?;
    }
    let changed = splices.apply()?;
    let mut wanted: Vec<Written> = all.into_iter().map(|item| item.written).collect();
    wanted.remove(at);
    (connections(&changed).as_ref() == Some(&wanted) && users(&changed) == users(text))
        .then_some(Some(changed))
        .ok_or(WRONG)
}

/// The file with one more key of a user. `entry` is the key in YAML.
pub(crate) fn add_key(text: &str, user: &str, entry: &str) -> Result<String, Why> {
    let (_, root) = read::tree(text).ok_or(UNREADABLE)?;
    let node = user_node(&root, user).ok_or(ABSENT)?;
    let mut splices = Splices::new(text);
    match field(node, "keys").map(|list| (list, items(list).len())) {
        Some((_, 0)) => splices.set(node, "keys", Some(&format!("[{entry}]")), &["name"])?,
        Some((list, len)) => {
            let mut steps: Vec<Step> = (0..len).map(Step::Keep).collect();
            steps.push(Step::Insert(entry.to_owned()));
            splices.list(list, steps)?;
        }
        None => splices.add_list(node, "keys", &[entry.to_owned()])?,
    }
    let changed = splices.apply()?;
    let (before, after) = (users(text), users(&changed));
    let is_right = before.len() == after.len()
        && before.iter().zip(&after).all(|((name, keys), (same, more))| {
            let added = usize::from(name == user);
            name == same && more.len() == keys.len() + added && more.starts_with(keys)
        });
    let is_right = is_right && connections(&changed) == connections(text);
    is_right.then_some(changed).ok_or(WRONG)
}

/// The file without a user's key.
pub(crate) fn remove_key(text: &str, user: &str, id: &str) -> Result<String, Why> {
    let (_, root) = read::tree(text).ok_or(UNREADABLE)?;
    let node = user_node(&root, user).ok_or(ABSENT)?;
    let list = field(node, "keys").ok_or(ABSENT)?;
    let is_it = |item: &Node<'_>| field(item, "id").and_then(scalar) == Some(id);
    let at = items(list).iter().position(is_it).ok_or(ABSENT)?;
    let mut splices = Splices::new(text);
    match items(list).len() {
        1 => splices.remove_field(node, "keys")?,
        len => splices.list(list, without(at, len))?,
    }
    let changed = splices.apply()?;
    let mut wanted = users(text);
    if let Some((_, keys)) = wanted.iter_mut().find(|(name, _)| name == user) {
        keys.remove(at);
    }
    let is_right = users(&changed) == wanted && connections(&changed) == connections(text);
    is_right.then_some(changed).ok_or(WRONG)
}

/// The file with a connection's new name in the keys of a user that name it. Where there is no new
/// name, they lose it, and those that name nothing else go.
pub(crate) fn rename_in_keys(
    text: &str,
    user: &str,
    old: &ConnectionId<'_>,
    new: Option<&ConnectionId<'_>>,
) -> Result<String, Why> {
    let (_, root) = read::tree(text).ok_or(UNREADABLE)?;
    let node = user_node(&root, user).ok_or(ABSENT)?;
    let keys = field(node, "keys").ok_or(ABSENT)?;
    let mut splices = Splices::new(text);
    let mut gone = Vec::new();
    for key in items(keys) {
        let Some(list) = field(key, "connections") else { continue };
        let is_old = |item: &Node<'_>| {
            scalar(item).and_then(|id| ConnectionId::parse(id).ok()).is_some_and(|id| id == *old)
        };
        let all = items(list);
        match new {
            Some(new) => {
                for item in all.iter().filter(|item| is_old(item)) {
                    splices.replace(item, &new.to_string())?;
                }
            }
            None if all.iter().all(is_old) => gone.extend(field(key, "id").and_then(scalar)),
            None if all.iter().any(is_old) => {
                let step = |(n, item)| if is_old(item) { Step::Remove(n) } else { Step::Keep(n) };
                splices.list(list, all.iter().enumerate().map(step).collect())?;
            }
            None => {}
        }
    }
    let mut changed = splices.apply()?;
    // Each for itself: in one line, a key that goes and one that is changed are the same place.
    for id in gone {
        changed = remove_key(&changed, user, id)?;
    }
    let mut wanted = users(text);
    if let Some((_, keys)) = wanted.iter_mut().find(|(name, _)| name == user) {
        for (.., reach) in keys.iter_mut() {
            *reach = reach.renamed(old, new);
        }
        keys.retain(|(.., reach)| reach.named().is_none_or(|ids| !ids.is_empty()));
    }
    let is_right = users(&changed) == wanted && connections(&changed) == connections(text);
    is_right.then_some(changed).ok_or(WRONG)
}

fn position(all: &[Item<'_, '_>], owner: &str, label: &str) -> Option<usize> {
    all.iter().position(|item| item.written.owner == owner && item.written.label == label)
}

fn user_node<'n, 't>(root: &'n Node<'t>, user: &str) -> Option<&'n Node<'t>> {
    let all = items(field(root, "users")?);
    all.iter().find(|node| field(node, "name").and_then(scalar) == Some(user))
}

/// What a file says about a key: its id, hash, access, whether it manages, and what it reaches.
type KeyFacts = (Box<str>, [u8; 32], u8, bool, Reach);

/// What a file says about users and keys, but for the places.
fn users(text: &str) -> Vec<(String, Vec<KeyFacts>)> {
    // A text without users is not compiled for them.
    if read::tree(text).is_none_or(|(_, root)| field(&root, "users").is_none()) {
        return Vec::new();
    }
    let Ok(policy) = Policy::from_yaml("store", text) else { return Vec::new() };
    let key = |key: &ApiKey| {
        (key.id.clone(), key.sha256, key.access.bits(), key.manage, key.reach.clone())
    };
    let users = policy.users().iter();
    users.map(|user| (user.name.to_string(), user.keys.iter().map(key).collect())).collect()
}

fn without(at: usize, len: usize) -> Vec<Step> {
    (0..len).map(|n| if n == at { Step::Remove(n) } else { Step::Keep(n) }).collect()
}

/// The steps from one list to another, with as many entries kept as can be.
fn steps(old: &[DraftRule], new: &[DraftRule]) -> Vec<Step> {
    let start = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) =
        (old.get(start..).unwrap_or_default(), new.get(start..).unwrap_or_default());
    let same = old_rest.iter().rev().zip(new_rest.iter().rev());
    let end = same.take_while(|(old, new)| old == new).count();
    let old_rest = old_rest.get(..old_rest.len() - end).unwrap_or_default();
    let new_rest = new_rest.get(..new_rest.len() - end).unwrap_or_default();
    let mut steps: Vec<Step> = (0..start).map(Step::Keep).collect();
    let kept = common(old_rest, new_rest);
    let (mut at, mut to) = (0, 0);
    for (keep, keep_to) in kept.into_iter().chain([(old_rest.len(), new_rest.len())]) {
        steps.extend((at..keep).map(|n| Step::Remove(start + n)));
        let inserted = new_rest.get(to..keep_to).unwrap_or_default();
        steps.extend(inserted.iter().map(|rule| Step::Insert(rule.written())));
        if keep < old_rest.len() {
            steps.push(Step::Keep(start + keep));
        }
        (at, to) = (keep + 1, keep_to + 1);
    }
    steps.extend((old.len() - end..old.len()).map(Step::Keep));
    steps
}

/// The places in both lists of a longest run of entries, not necessarily side by side, that both have in
/// this order. None for lists that are too long to be compared so.
fn common(old: &[DraftRule], new: &[DraftRule]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return Vec::new();
    }
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    let at = |longest: &[u32], i: usize, j: usize| {
        longest.get(i * width + j).copied().unwrap_or_default()
    };
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let best = match one == other {
                true => at(&longest, i + 1, j + 1) + 1,
                false => at(&longest, i + 1, j).max(at(&longest, i, j + 1)),
            };
            if let Some(place) = longest.get_mut(i * width + j) {
                *place = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while let (Some(one), Some(other)) = (old.get(i), new.get(j)) {
        if one == other {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if at(&longest, i + 1, j) >= at(&longest, i, j + 1) {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}
