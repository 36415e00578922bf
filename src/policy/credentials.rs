//! References to credentials, and how to keep a secret that was written instead from being shown.

use super::{
    CredentialsRef, Sealed,
    fields::{self, Fields, Secret, Shape},
    report::Report,
    secrets,
    yaml::{Node, Value},
};

static CREDENTIALS: Shape = Shape {
    name: "`credentials`",
    fields: &["profile", "env", "file", "sealed", "id-ends"],
    elsewhere: &[],
    secret: Some(Secret::Credentials),
};

/// Reads a reference to credentials. Whatever is wrong with it, its line is not shown: what stands
/// where a reference belongs may be the secret itself.
pub(super) fn read(report: &mut Report<'_>, node: &Node<'_>) -> Option<CredentialsRef> {
    let errors = report.errors();
    let reference = Fields::read(report, node, &CREDENTIALS).and_then(|fields| {
        if let Some(text) = fields.get("sealed") {
            return sealed(report, &fields, text);
        }
        let mut entries = fields.iter();
        let (Some((field, value)), None) = (entries.next(), entries.next()) else {
            if report.errors() == errors {
                report
                    .error(
                        "policy.credentials",
                        fields.span,
                        "`credentials` names not exactly one place",
                    )
                    .advise(fields::references(node.whole(), true));
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
            report
                .error("policy.credentials", value.span, wrong)
                .advise(fields::references(node.whole(), true));
            return None;
        }
        Some(match field {
            "env" => CredentialsRef::Env(text.into()),
            "file" => CredentialsRef::File(text.into()),
            "profile" => CredentialsRef::Profile(text.into()),
            _ => {
                report
                    .error("policy.credentials", value.span, "`id-ends` stands without `sealed`")
                    .help(SEALED);
                return None;
            }
        })
    });
    if report.errors() > errors {
        hide_all(report, node);
    }
    reference
}

/// What to write instead of sealed credentials that are none.
const SEALED: &str = "sealed credentials are written by the program: \
                      `pathward connection set … --access-key-id ID`";

/// The longest sealed text. A secret with a session token of AWS has some 2 KiB.
const MAX_SEALED_LEN: usize = 16 << 10;

/// Reads `{ sealed: TEXT, id-ends: WXYZ }`. Whether it can be opened shows when it is needed.
fn sealed(
    report: &mut Report<'_>,
    fields: &Fields<'_, '_>,
    node: &Node<'_>,
) -> Option<CredentialsRef> {
    let text = fields::text(report, node, "`sealed`")?;
    let ends_node = fields.require(report, "id-ends", SEALED, None)?;
    let ends = fields::text(report, ends_node, "`id-ends`")?;
    let in_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let wrong = if fields.iter().count() > 2 {
        Some((fields.span, "`credentials` names not exactly one place"))
    } else if text.is_empty() || text.len() > MAX_SEALED_LEN || !text.bytes().all(in_base64) {
        Some((node.span, "this is no sealed text: it is base64 of at most 16 KiB"))
    } else if ends.len() > 4 || !ends.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some((ends_node.span, "`id-ends` is the last four characters of a key's id"))
    } else {
        None
    };
    if let Some((span, wrong)) = wrong {
        report.error("policy.credentials", span, wrong).help(SEALED);
        return None;
    }
    Some(CredentialsRef::Sealed(Sealed { text: text.into(), id_ends: ends.into() }))
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
