//! Files with secrets that others can read.

use std::path::Path;

/// Says so when others than its owner's group may read or change a file with secrets, which `what` names.
/// Not an error: what mounts secrets into containers often does it so.
#[cfg(unix)]
pub(crate) fn warn_of_readers(path: &Path, what: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS: u32 = 0o006;
    if std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & OTHERS != 0) {
        tracing::warn!(
            path = %crate::escape::escape(&path.display().to_string()),
            "every user of this machine can read or change {what}: `chmod o= FILE`"
        );
    }
}

#[cfg(not(unix))]
pub(crate) fn warn_of_readers(_: &Path, _: &str) {}
