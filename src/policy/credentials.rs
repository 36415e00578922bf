//! References to credentials, and how to keep a secret that was written instead from being shown.

use super::{
    CredentialsRef,
    fields::{self, Fields, SECRET, Shape},
    report::Report,
    secrets,
    yaml::{Node, Value},
};

static CREDENTIALS: Shape =
    Shape { name: "`credentials`", fields: &["profile", "env", "file"], secret: Some(SECRET) };

/// Reads a reference to credentials. Whatever is wrong with it, its line is not shown: what stands
/// where a reference belongs may be the secret itself.
pub(super) fn read(report: &mut Report<'_>, node: &Node<'_>) -> Option<CredentialsRef> {
    let errors = report.errors();
    let reference = Fields::read(report, node, &CREDENTIALS).and_then(|fields| {
        let mut entries = fields.iter();
        let (Some((field, value)), None) = (entries.next(), entries.next()) else {
            if report.errors() == errors {
                report
                    .error(
                        "policy.credentials",
                        fields.span,
                        "`credentials` names not exactly one place",
                    )
                    .help(SECRET);
            }
            return None;
        };
        let text = fields::text(report, value, &format!("`{field}`"))?;
        let wrong = match field {
            _ if looks_like_secret(text) => Some("this looks like a key, not like the name of one"),
            _ if text.is_empty() || text != crate::escape::escape(text) => {
                Some("this is no name: it is empty, or has characters that cannot be seen")
            }
            "env" if !is_variable(text) => {
                Some("`env` is the name of an environment variable: A-Z a-z 0-9 _")
            }
            "profile" if !is_profile(text) => {
                Some("`profile` is the name of a profile: letters, digits, `_ . - @` and spaces")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            report.error("policy.credentials", value.span, wrong).help(SECRET);
            return None;
        }
        Some(match field {
            "env" => CredentialsRef::Env(text.into()),
            "file" => CredentialsRef::File(text.into()),
            _ => CredentialsRef::Profile(text.into()),
        })
    });
    if report.errors() > errors {
        hide_all(report, node);
    }
    reference
}

/// Keeps every line of a value from being shown.
pub(super) fn hide_all(report: &mut Report<'_>, node: &Node<'_>) {
    report.hide(node.span);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| hide_all(report, item)),
        Value::Mapping(entries) => entries.iter().for_each(|(key, value)| {
            report.hide(key.span);
            hide_all(report, value);
        }),
        Value::Scalar(_) | Value::Reported => {}
    }
}

fn is_variable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

/// Whether it has the form of a name of a profile.
fn is_profile(text: &str) -> bool {
    text.trim() == text
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | ' '))
}

/// Whether it has the form of a key id or of a secret key.
fn looks_like_secret(text: &str) -> bool {
    let in_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let secret = text.len() == 40
        && text.bytes().all(in_base64)
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_uppercase());
    secret || secrets::has_form(text)
}
