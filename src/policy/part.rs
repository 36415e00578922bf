//! What one file of a policy says, kept for when the policy is read again.
//!
//! Whoever changes one file of a folder changes what that file says, and nothing of the others: they are
//! neither read nor compiled once more. So it takes no longer to take a right away because somebody else has
//! a large policy.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Building, Connection, Diagnostic, Location, Place, User};
use crate::automaton::Budget;

/// What one file says, once it was read without an error.
pub(super) struct Part {
    /// What errors call the file: it is in the places of what it defines.
    file: Arc<str>,
    /// The hash of its bytes.
    sha256: [u8; 32],
    connections: Vec<Arc<Connection>>,
    users: Vec<User>,
    /// What it defines that may be defined only once.
    places: Vec<(Place, Location)>,
    rules: usize,
    /// What compiling it took.
    used: Budget,
    warnings: Vec<Diagnostic>,
    more: usize,
}

/// Without what the file says, and without the hash of its bytes: whoever knows all of a file but a secret
/// would know by the hash which secret it is.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("file", &self.file).finish_non_exhaustive()
    }
}

/// How far a policy was built before a file.
pub(super) struct Mark {
    connections: usize,
    users: usize,
    rules: usize,
    budget: Budget,
}

impl Mark {
    pub(super) fn of(building: &mut Building) -> Self {
        building.claimed.clear();
        Self {
            connections: building.connections.len(),
            users: building.users.len(),
            rules: building.rules,
            budget: building.budget,
        }
    }
}

/// The hash by which a file is known again.
pub(super) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl Part {
    /// What a file without an error has added to a policy since this mark. `None` where it might be another
    /// thing with more of the budget, and where not all of the file is read.
    pub(super) fn since(
        mark: &Mark,
        building: &mut Building,
        (file, sha256): (Arc<str>, [u8; 32]),
        (warnings, more): (&[Diagnostic], usize),
    ) -> Option<Self> {
        if building.is_of_users || !building.budget.is_ample() {
            return None;
        }
        let claimed = std::mem::take(&mut building.claimed);
        let located = |place: Place| Some((building.places.get(&place)?.clone(), place));
        let places = claimed.into_iter().filter_map(located);
        Some(Self {
            file,
            sha256,
            connections: building.connections.get(mark.connections..)?.to_vec(),
            users: building.users.get(mark.users..)?.to_vec(),
            places: places.map(|(location, place)| (place, location)).collect(),
            rules: building.rules - mark.rules,
            used: building.budget.used_since(&mark.budget),
            warnings: warnings.to_vec(),
            more,
        })
    }

    /// What errors call the file, and the hash of its bytes.
    pub(super) fn of(&self) -> (&str, &[u8; 32]) {
        (&self.file, &self.sha256)
    }

    /// Adds it to a policy. `false`, and nothing is added, where reading the file there may come to something
    /// else: it defines what another file has defined, or there is not enough room.
    pub(super) fn add_to(&self, building: &mut Building, most_rules: usize) -> bool {
        let is_defined = |(place, _): &(Place, Location)| building.places.contains_key(place);
        if building.rules + self.rules > most_rules || self.places.iter().any(is_defined) {
            return false;
        }
        let Some(left) = building.budget.less(&self.used) else { return false };
        building.budget = left;
        building.rules += self.rules;
        building.places.extend(self.places.iter().cloned());
        self.connections.iter().for_each(|one| building.add_connection(Arc::clone(one)));
        building.users.extend(self.users.iter().cloned());
        true
    }

    /// What is probably not meant in it, and how much more there is of that.
    pub(super) fn warnings(&self) -> (&[Diagnostic], usize) {
        (&self.warnings, self.more)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fmt::Write as _};

    use super::{super::Policy, *};

    /// Texts of files, several of which cannot be together, some of which have warnings or errors.
    const TEXTS: [&str; 10] = [
        "connections: [{ id: s3+a, owner: ana, restrictions: [pub/a/] }]\n",
        "connections: [{ id: s3+a, owner: ana, restrictions: [pub/b/], default: true }]\n",
        "connections: [{ id: s3+b, owner: ana, restrictions: ['pub*'], default: true }]\n",
        "connections:\n  - { id: s3+c, owner: ana, restrictions: [{ glob: 'pub/{a,b}/*' }] }\n  - { id: s3+d, owner: bob }\n",
        "users: [{ name: ana, keys: [{ id: k, sha256: 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683, access: read-only }] }]\n",
        "users: [{ name: bob, keys: [{ id: k, sha256: 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683, access: read-only }] }]\n",
        "users: [{ name: ana }]\n",
        "connections: [{ id: s3+e, owner: ana, restrictions: [pub/a, pub/a] }]\n",
        "connections: [{ id: s3+e, owner: ana, restrictions: [] }]\n",
        "connections: [\n",
    ];

    /// All that a policy says, or what is wrong with it.
    fn said(policy: &Result<Policy, crate::PolicyErrors>) -> String {
        let mut said = String::new();
        match policy {
            Ok(policy) => {
                for one in policy.connections() {
                    let rules: Vec<_> = one.rules().iter().map(|r| format!("{r:?}")).collect();
                    let (place, spent) = (one.location(), one.budget_spent());
                    let same = policy
                        .connection(one.owner(), one.id())
                        .is_some_and(|found| Arc::ptr_eq(found, one));
                    writeln!(said, "{one:?} {rules:?} {place} {spent} {same}").unwrap();
                }
                writeln!(
                    said,
                    "{:?} {:?} {}",
                    policy.users(),
                    policy.warnings(),
                    policy.revision()
                )
                .unwrap();
                let known = policy
                    .api_key(&hash(b"key"))
                    .map(|(user, key)| (user.name.clone(), key.id.clone()));
                writeln!(said, "{known:?}").unwrap();
            }
            Err(errors) => writeln!(said, "{errors}").unwrap(),
        }
        said
    }

    /// Whatever was read before, a policy is what its files say.
    #[test]
    fn what_was_read_before_makes_no_difference() {
        let nothing = BTreeMap::new();
        let mut before = Policy::empty();
        let (mut state, mut loaded, mut kept) = (7_u64, 0, 0);
        let mut files = [0_usize, 3, 4];
        for _ in 0..3_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let random = (state >> 33) as usize;
            files[random % files.len()] = (random / 16) % TEXTS.len();
            let named = || {
                ["a.yaml", "b.yaml", "c.yaml"]
                    .into_iter()
                    .zip(files.map(|text| TEXTS[text].as_bytes()))
            };
            let again = Policy::from_read("folder", named().collect(), &nothing, &[&before]);
            let fresh = Policy::from_read("folder", named().collect(), &nothing, &[]);
            assert_eq!(said(&again), said(&fresh), "{files:?}");
            if let Ok(again) = again {
                loaded += 1;
                let was = |one: &Arc<Connection>| {
                    before.connections().iter().any(|old| Arc::ptr_eq(old, one))
                };
                kept += usize::from(again.connections().iter().any(was));
                before = again;
            }
        }
        assert!(loaded > 300 && kept > 200, "{loaded} {kept}");
    }
}
