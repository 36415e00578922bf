//! Short texts about data sources.

use crate::{
    access::{Access, AccessSet},
    policy::{Connection, CredentialsRef},
};

/// Where a connection's credentials are, without them.
pub(super) fn credentials(reference: Option<&CredentialsRef>) -> String {
    match reference {
        None => "credentials from wherever the AWS tools look".to_owned(),
        Some(CredentialsRef::Sealed(sealed)) => format!("key id ends in {}", sealed.id_ends()),
        Some(CredentialsRef::Profile(name)) => format!("profile {name}"),
        Some(CredentialsRef::Env(name)) => format!("environment {name}_…"),
        Some(CredentialsRef::File(path)) => format!("file {path}"),
    }
}

/// The same as a sentence, for the form.
pub(super) fn stored(reference: Option<&CredentialsRef>) -> String {
    match reference {
        Some(CredentialsRef::Sealed(sealed)) => {
            format!("An access key is stored, sealed: its id ends in {}.", sealed.id_ends())
        }
        None => "The credentials come from wherever the AWS tools look.".to_owned(),
        Some(other) => format!("The credentials come from: {}.", credentials(Some(other))),
    }
}

/// The server and the region.
pub(super) fn place(connection: &Connection) -> String {
    let server = connection.endpoint().unwrap_or("Amazon S3");
    match connection.region() {
        Some(region) => format!("{server}, {region}"),
        None => server.to_owned(),
    }
}

/// What may be done, for people.
pub(super) fn access(set: AccessSet) -> String {
    match set {
        AccessSet::NONE => "no access".to_owned(),
        AccessSet::READ_ONLY => "read only".to_owned(),
        AccessSet::READ_WRITE => "read, write, delete".to_owned(),
        other => other.to_string(),
    }
}

/// Everything that some restriction of a connection gives.
pub(super) fn given(connection: &Connection) -> AccessSet {
    let gives = |rule: &&crate::Rule| rule.effect == crate::Effect::Allow;
    let rules = connection.rules().iter().filter(gives);
    rules.fold(AccessSet::NONE, |all, rule| all.union(rule.access))
}

/// Whether anything may be written or deleted.
pub(super) fn writes(set: AccessSet) -> bool {
    set.contains(Access::Write) || set.contains(Access::Delete)
}

/// A size, for people: three digits at most before the unit.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1_000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (1_550, "1.5 KB"),
            (999_999, "999.9 KB"),
            (1_000_000, "1.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
