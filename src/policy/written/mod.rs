//! Connections as files have them: written anew, read back as they are written, and changed in a
//! file without touching what stays.

#[cfg(feature = "store")]
mod edit;
#[cfg(any(feature = "store", all(feature = "cli", feature = "gateway")))]
pub(crate) mod random;
#[cfg(feature = "store")]
mod read;
#[cfg(feature = "store")]
mod splice;
pub(crate) mod text;
#[cfg(feature = "store")]
mod whole;

#[cfg(feature = "store")]
pub use self::whole::DraftRule;
#[cfg(feature = "store")]
pub(crate) use self::{
    edit::{add_key, connections, remove, remove_key, rename_in_keys, replace},
    splice::Why,
    whole::Written,
};
