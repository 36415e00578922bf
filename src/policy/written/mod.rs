//! Connections as files have them: written anew, read back as they are written, and changed in a
//! file without touching what stays.

pub(crate) mod text;
#[cfg(feature = "store")]
mod whole;

#[cfg(feature = "store")]
pub use self::whole::DraftRule;
#[cfg(feature = "store")]
pub(crate) use self::whole::Written;
