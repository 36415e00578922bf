//! Pathward gives code that is not fully trusted exactly the object-storage paths it may have.

pub mod access;
pub mod path;
pub mod restriction;

pub use access::{Access, AccessSet};
pub use path::{Path, PathError};
pub use restriction::{Dialect, Restriction, RestrictionError};
