//! Where YAML reads something else than the author of a policy meant, and what to write instead.

use super::{
    report::{Report, Span},
    secrets,
    yaml::Value,
};

/// What a syntax error is about, as far as its help depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trap {
    Escape,
    Directive,
    Quote,
    Colon,
    Tab,
    Flow,
    Other,
}

/// The text in quotes, as YAML reads it back.
pub(super) fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        format!("\"{text}\"")
    }
}

/// What stands at this place, if it cannot be a secret.
fn token<'t>(report: &mut Report<'t>, span: Span) -> &'t str {
    // Where nothing more is shown, there is nothing to look for.
    match report.is_full() || secrets::in_line(report.text, span) {
        true => "…",
        false => shorten(report.text.get(span.range()).unwrap_or_default()),
    }
}

/// `*name`: an alias to YAML, a pattern to the author.
pub(super) fn alias<'t>(report: &mut Report<'_>, span: Span) -> Value<'t> {
    let text = token(report, span);
    report
        .error(
            "policy.yaml_alias",
            span,
            format!("`{}` starts with `*`, which makes it an alias in YAML", text),
        )
        .help(format!("put it in quotes: {}; aliases are not read", quoted(text)));
    Value::Reported
}

/// `&name`.
pub(super) fn anchor<'t>(report: &mut Report<'_>, span: Span) -> Value<'t> {
    let text = token(report, span);
    report
        .error(
            "policy.yaml_anchor",
            span,
            format!("`{}` starts with `&`, which makes it an anchor in YAML", text),
        )
        .help("put the whole value in quotes; anchors are not read: write the value twice");
    Value::Reported
}

/// `!tag`.
pub(super) fn tag<'t>(report: &mut Report<'_>, span: Span) -> Value<'t> {
    let text = token(report, span);
    report
        .error(
            "policy.yaml_tag",
            span,
            format!("`{}` starts with `!`, which makes it a tag in YAML", text),
        )
        .help(
            "put the whole value in quotes if it is a path; a `!` does not negate: \
             what is taken away stands under `deny`",
        );
    Value::Reported
}

/// ` #` behind a value without quotes, and no space behind the `#`: perhaps no comment at all.
pub(super) fn comment(report: &mut Report<'_>, span: Span, value: &str) {
    let rest = report.text.get(span.range().end..).unwrap_or_default();
    let spaces = rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let Some(comment) = rest.get(spaces..).filter(|rest| spaces > 0 && rest.starts_with('#'))
    else {
        return;
    };
    let behind = comment.trim_start_matches('#').chars().next();
    let line = comment.split(['\n', '\r']).next().unwrap_or_default().trim_end();
    // A comment that ends as paths do may be the rest of one.
    let is_like_path = line.ends_with(['/', '*']) && !line.ends_with("*/");
    let is_comment = behind.is_none_or(char::is_whitespace);
    if is_comment && !is_like_path {
        return;
    }
    let at = span.range().end + spaces;
    let column = span.column as usize + value.chars().count() + spaces;
    let (Ok(from), Ok(column)) = (u32::try_from(at), u32::try_from(column)) else {
        return;
    };
    if value.contains(['\n', '\r']) {
        return;
    }
    let here = Span { from, to: from + 1, line: span.line, column };
    if is_comment {
        report
            .warning(
                "policy.yaml_comment",
                here,
                "the value ends before ` #`, and the comment behind it ends like a path",
            )
            .help("put the whole value in quotes if the `#` belongs to it");
        return;
    }
    report
        .error(
            "policy.yaml_comment",
            here,
            "the value ends before ` #`, and what follows is a comment",
        )
        .help("put the whole value in quotes; for a comment, put a space behind the `#`");
}

/// Whether a comment stands in the line of this place, where a value is missing.
pub(super) fn has_comment(report: &Report<'_>, span: Span) -> bool {
    secrets::line_around(report.text, span).0.contains(" #")
}

/// A syntax error: what the parser says, with the help that fits the line.
pub(super) fn syntax(
    report: &mut Report<'_>,
    span: Span,
    message: &str,
    trap: Trap,
    parser_says: &str,
) {
    let value = value_of(secrets::line_around(report.text, span).0);
    let help = match trap {
        Trap::Tab => "write spaces instead of tabs".to_owned(),
        Trap::Escape => {
            "in double quotes `\\` starts an escape of YAML; use single quotes: 'a/\\*'".into()
        }
        Trap::Directive => "take the line out; a value that starts with `%` needs quotes".into(),
        Trap::Quote => "close it in the same line; a quote within a value needs quotes around \
                        the value of the other kind"
            .into(),
        _ if trap == Trap::Flow || value.starts_with('[') && value.contains(['"', ',', ' ']) => {
            "a list is `[a, b]`, with a `,` between and a `]` at its end; a path with a bracket \
             or a quote needs quotes around it"
                .into()
        }
        _ => match value.chars().next() {
            Some(
                sign @ ('*' | '&' | '!' | '%' | '@' | '`' | '{' | '[' | '|' | '>' | '"' | '\''),
            ) => {
                let whole = quoted(&value.replace(['"', '\''], ""));
                match sign {
                    '"' | '\'' => format!("put the quotes around the whole value: {whole}"),
                    '`' => format!("a value that starts with a backtick needs quotes: {whole}"),
                    _ => format!(
                        "a value that starts with `{sign}` needs quotes: {}",
                        if value.len() > 80 { "\"…\"" } else { &whole }
                    ),
                }
            }
            _ if trap == Trap::Colon && value.contains(": ") => {
                "a value with `: ` in it needs quotes".into()
            }
            _ => format!("look at the line above too; the parser says: {parser_says}"),
        },
    };
    let may_be_secret = secrets::in_line(report.text, span);
    let found = report.error("policy.yaml", span, message);
    if may_be_secret {
        found.help("credentials are named and never written here: `credentials: { env: NAME }`");
    } else {
        found.help(help);
    }
}

/// The value in a line: what stands behind `- ` and `key: `, without a comment.
fn value_of(line: &str) -> &str {
    let mut value = line.trim();
    while let Some(item) = value.strip_prefix("- ") {
        value = item.trim_start();
    }
    if let Some((key, rest)) = value.split_once(": ")
        && !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    {
        value = rest.trim_start();
    }
    match value.find(" #") {
        Some(comment) => value[..comment].trim_end(),
        None => value,
    }
}

/// The start of a text that is too long to be repeated; `…` for one that may be a secret.
pub(super) fn shorten(text: &str) -> &str {
    // A secret that is cut has no longer the form of one.
    if secrets::has_form(&text[..text.floor_char_boundary(160)]) {
        return "…";
    }
    &text[..text.floor_char_boundary(80)]
}
