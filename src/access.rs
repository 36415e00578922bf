//! What may be done at a path: [`Access`], and sets of it.

use std::fmt;

/// One thing that may be done at a path.
///
/// An access is what a restriction carries and what an operation needs. `read-write` in a policy
/// means all three, because write access has always meant delete too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Access {
    /// See an object's bytes, its size, and its name in a listing.
    Read = 1,
    /// Create or replace an object.
    Write = 2,
    /// Remove an object.
    Delete = 4,
}

impl Access {
    /// Every access, in the order of the field's documents.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Delete];

    /// The name that policies, tests and logs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    /// Its place in [`Access::ALL`].
    #[inline]
    pub(crate) const fn place(self) -> usize {
        self as usize >> 1
    }

    /// The access of this name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.name() == name)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of [`Access`].
///
/// ```
/// use pathward::{Access, AccessSet};
///
/// let set = AccessSet::READ_ONLY.with(Access::Write);
/// assert!(set.contains(Access::Write) && !set.contains(Access::Delete));
/// assert_eq!(set.to_string(), "read, write");
/// assert_eq!(AccessSet::READ_WRITE.to_string(), "read-write");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AccessSet(u8);

impl AccessSet {
    /// No access at all.
    pub const NONE: Self = Self(0);
    /// `read-only`: read.
    pub const READ_ONLY: Self = Self(1);
    /// `read-write`: read, write and delete.
    pub const READ_WRITE: Self = Self(7);

    /// The set as three bits: read 1, write 2, delete 4.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of these bits; bits that name no access are dropped.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 7)
    }

    /// This set and one access more.
    #[must_use]
    pub const fn with(self, access: Access) -> Self {
        Self(self.0 | access as u8)
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether this access is in the set.
    pub const fn contains(self, access: Access) -> bool {
        self.0 & access as u8 != 0
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Access::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Access> {
        Access::ALL.into_iter().filter(move |access| self.contains(*access))
    }
}

impl From<Access> for AccessSet {
    fn from(access: Access) -> Self {
        Self(access as u8)
    }
}

impl FromIterator<Access> for AccessSet {
    fn from_iter<I: IntoIterator<Item = Access>>(accesses: I) -> Self {
        accesses.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for AccessSet {
    /// `read-only` and `read-write` where they say it, else the names with commas, else `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NONE => f.write_str("none"),
            Self::READ_ONLY => f.write_str("read-only"),
            Self::READ_WRITE => f.write_str("read-write"),
            set => {
                for (n, access) in set.iter().enumerate() {
                    if n > 0 {
                        f.write_str(", ")?;
                    }
                    f.write_str(access.name())?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for AccessSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessSet({self})")
    }
}
