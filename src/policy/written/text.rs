//! Restrictions as a policy file has them.

#[cfg(any(feature = "store", all(feature = "cli", feature = "gateway")))]
use crate::policy::Reach;
#[cfg(feature = "cli")]
use crate::restriction::{Dialect, Restriction};
use crate::{
    access::{Access, AccessSet},
    escape::is_hidden,
};

/// An entry of `restrictions` or `deny`; with an access of its own if it has one.
#[cfg(feature = "cli")]
pub(crate) fn entry(restriction: &Restriction, access: Option<AccessSet>) -> String {
    let text = quoted(restriction.text());
    let access = access.map(|access| format!(", access: {}", access_text(access)));
    match (restriction.dialect(), access) {
        (Dialect::Plain, None) => text,
        (Dialect::Plain, Some(access)) => format!("{{ path: {text}{access} }}"),
        (Dialect::Glob, access) => format!("{{ glob: {text}{} }}", access.unwrap_or_default()),
    }
}

/// An API key, by its hash in hexadecimal digits.
#[cfg(any(feature = "store", all(feature = "cli", feature = "gateway")))]
pub(crate) fn key(id: &str, hash: &str, access: AccessSet, manage: bool, reach: &Reach) -> String {
    let manage = if manage { ", manage: true" } else { "" };
    let reach = reach.named().map(|_| format!(", connections: [{reach}]")).unwrap_or_default();
    format!("{{ id: {}, sha256: {hash}, access: {access}{manage}{reach} }}", quoted(id))
}

/// `read-only`, `read-write` or a list.
pub(crate) fn access_text(access: AccessSet) -> String {
    match access {
        AccessSet::READ_ONLY | AccessSet::READ_WRITE => access.to_string(),
        other => names(other),
    }
}

/// A list.
pub(crate) fn names(access: AccessSet) -> String {
    format!("[{}]", access.iter().map(Access::name).collect::<Vec<_>>().join(", "))
}

/// A text of YAML, in quotes where it could be read as something else or not be seen.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./*".contains(&b))
        && !["null", "true", "false", "yes", "no", "on", "off"]
            .contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            hidden if is_hidden(hidden) => {
                quoted.push_str(&format!("\\U{:08x}", u32::from(hidden)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
