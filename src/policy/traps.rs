//! Where YAML reads something else than the author of a policy meant, and what to write instead.

use std::ops::Range;

use super::{
    advice::{Advice, Candidate},
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

/// The text as YAML reads it back, without quotes where it needs none.
pub(super) fn scalar(text: &str) -> String {
    let is_sign =
        |c: char| matches!(c, ',' | '[' | ']' | '{' | '}' | ':' | '#' | '"' | '\\' | '\'' | '`');
    let starts = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '$' | '(');
    let is_word = matches!(text, "null" | "Null" | "NULL");
    let is_plain = text.starts_with(starts) && !text.contains(is_sign) && text.trim() == text;
    if is_plain && !is_word && !text.starts_with("...") { text.to_owned() } else { quoted(text) }
}

/// A value that YAML reads in another way, in quotes: by itself, and as a glob.
fn in_quotes(range: &Range<usize>, lead: &'static str, text: &str) -> [Candidate; 2] {
    [quoted(text), format!("{{ glob: {} }}", quoted(text))]
        .map(|text| Candidate::new(lead, range.clone(), text))
}

/// What stands at this place, if it cannot be a secret.
fn token<'t>(report: &mut Report<'t>, span: Span) -> &'t str {
    // Where nothing more is shown, there is nothing to look for.
    match report.is_full() || report.is_beside(span) || secrets::in_line(report.text, span) {
        true => "…",
        false => shorten(report.text.get(span.range()).unwrap_or_default()),
    }
}

/// `*name`: an alias to YAML, a pattern to the author.
pub(super) fn alias<'t>(report: &mut Report<'_>, span: Span) -> Value<'t> {
    let text = token(report, span);
    let advice = match anchored(report, text) {
        Some(value) => Advice::words("aliases are not read: repeat the value").write_first(
            [Some(value).filter(|value| !value.is_empty())]
                .into_iter()
                .flatten()
                .map(|value| Candidate::new(": write ", span.range(), value)),
        ),
        None => Advice::words("aliases are not read").write_or_why(
            in_quotes(&span.range(), ": put it in quotes: ", text),
            ", and in quotes it is refused too: ",
        ),
    };
    let message = format!("`{text}` starts with `*`, which makes it an alias in YAML");
    report.error("policy.yaml_alias", span, message).advise(advice);
    Value::Reported
}

/// What stands behind the anchor that an alias names, if that is in this file.
fn anchored<'t>(report: &Report<'t>, alias: &str) -> Option<&'t str> {
    const MOST: usize = 64 << 10;
    // Nobody reads what is said of the thousandth alias, or looks so far for its anchor.
    let file = report.text.get(..report.text.floor_char_boundary(MOST)).filter(|_| alias != "…")?;
    let name = alias.strip_prefix('*').filter(|name| !name.is_empty())?;
    file.match_indices('&').find_map(|(at, _)| {
        let behind = file.get(at + 1..)?.strip_prefix(name)?;
        let line = behind.split(['\n', '\r']).next()?;
        let ends = line.is_empty() || line.starts_with([' ', '\t']);
        let value = line.split(" #").next().unwrap_or_default().trim();
        ends.then_some(value)
    })
}

/// What is before a value, taken out with the space behind it. A `!` alone is no tag to its author: what
/// stands behind it is not what is meant.
fn taken_out(file: &str, span: Span, lead: &'static str) -> impl Iterator<Item = Candidate> {
    let range = span.range();
    let rest = file.get(range.end..).unwrap_or_default();
    let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let name = file.get(range.clone()).unwrap_or_default();
    let has_value = !rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r', '#']);
    (name.len() > 1 && has_value && spaces > 0)
        .then(|| Candidate::new(lead, range.start..range.end + spaces, "").shown_as(name))
        .into_iter()
}

/// `&name`.
pub(super) fn anchor<'t>(report: &mut Report<'_>, span: Span) -> Value<'t> {
    let is = ("policy.yaml_anchor", "starts with `&`, which makes it an anchor in YAML");
    before_a_value(report, span, is, "anchors are not read")
}

/// `!tag`.
pub(super) fn tag<'t>(report: &mut Report<'_>, span: Span) -> Value<'t> {
    let is = ("policy.yaml_tag", "starts with `!`, which makes it a tag in YAML");
    before_a_value(report, span, is, "tags are not read")
}

/// What YAML takes for something else than a value, and stands before one.
fn before_a_value<'t>(
    report: &mut Report<'_>,
    span: Span,
    (code, what): (&'static str, &str),
    not_read: &'static str,
) -> Value<'t> {
    let text = token(report, span);
    let quoted = in_quotes(&span.range(), ": put it in quotes: ", text);
    let advice = Advice::words(not_read).write_or_why(
        taken_out(report.text, span, ": take out ").chain(quoted),
        ", and in quotes it is refused too: ",
    );
    report.error(code, span, format!("`{text}` {what}")).advise(advice);
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
    // All of it, with quotes around it.
    let whole = span.range().start..at + line.len();
    let text = report.text.get(whole.clone()).unwrap_or_default();
    let quoted = |lead: &'static str| in_quotes(&whole, lead, text);
    if is_comment {
        report
            .warning(
                "policy.yaml_comment",
                here,
                "the value ends before ` #`, and the comment behind it ends like a path",
            )
            .advise(
                Advice::words("behind a space, `#` starts a comment")
                    .write_first(quoted("; if it belongs to the value, put all of it in quotes: ")),
            );
        return;
    }
    report
        .error(
            "policy.yaml_comment",
            here,
            "the value ends before ` #`, and what follows is a comment",
        )
        .advise(
            Advice::default()
                .write_or(
                    quoted("put the whole value in quotes: "),
                    "behind a space, `#` starts a comment",
                )
                .and("; for a comment, put a space behind the `#`"),
        );
}

/// The comment in the line of this place, where a value is missing, and where it stands.
pub(super) fn comment_behind(text: &str, span: Span) -> Option<(Range<usize>, &str)> {
    let (line, start) = secrets::line_around(text, span);
    let at = line.find(" #")? + 1;
    let comment = line.get(at..)?.trim_end();
    Some((start + at..start + at + comment.len(), comment))
}

/// A syntax error: what the parser says, with the help that fits the line.
pub(super) fn syntax(
    report: &mut Report<'_>,
    span: Span,
    message: &str,
    trap: Trap,
    parser_says: &str,
) {
    let (line, start) = secrets::line_around(report.text, span);
    let value = value_of(line);
    // The value is a part of the line.
    let from = start + (value.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    let range = from..from + value.len();
    let advice = match trap {
        Trap::Tab => Advice::words("indent with spaces, and not with tabs"),
        Trap::Escape => Advice::words("in double quotes `\\` starts an escape of YAML")
            .write_first(
                single_quoted(value)
                    .into_iter()
                    .map(|text| Candidate::new(": put it in single quotes: ", range.clone(), text)),
            ),
        Trap::Directive => Advice::words("take the line out"),
        Trap::Quote => Advice::words(
            "close it in the same line; a quote within a value needs quotes around it of the other kind",
        ),
        _ => syntax_advice(trap, value, &range, parser_says),
    };
    let may_be_secret = secrets::in_line(report.text, span);
    let found = report.end("policy.yaml", span, message);
    if may_be_secret {
        found.help("credentials are named and never stand here: `credentials` says where they are");
    } else {
        found.advise(advice);
    }
}

/// What to do about a line, by the value in it.
fn syntax_advice(trap: Trap, value: &str, range: &Range<usize>, parser_says: &str) -> Advice {
    if trap == Trap::Flow || value.starts_with('[') && value.contains(['"', ',', ' ']) {
        return Advice::words(
            "a list is `[a, b]`, with a `,` between and a `]` at its end; a path with a bracket \
             or a quote needs quotes around it",
        )
        .write_first(in_quotes(range, ": write ", value));
    }
    let inner = value.replace(['"', '\''], "");
    match value.chars().next() {
        Some(sign @ ('*' | '&' | '!' | '%' | '@' | '`' | '{' | '[' | '|' | '>' | '"' | '\'')) => {
            let (words, lead) = match sign {
                '"' | '\'' => ("the quotes belong around the whole value", ": "),
                '`' => ("a value does not start with a backtick", ": put it in quotes: "),
                '*' => ("a value does not start with `*`", ": put it in quotes: "),
                '&' => ("a value does not start with `&`", ": put it in quotes: "),
                '!' => ("a value does not start with `!`", ": put it in quotes: "),
                '%' => ("a value does not start with `%`", ": put it in quotes: "),
                '@' => ("a value does not start with `@`", ": put it in quotes: "),
                '{' => ("braces are fields", ": put it in quotes: "),
                '[' => ("brackets are a list", ": put it in quotes: "),
                _ => ("`|` and `>` start a block of lines", ": put it in quotes: "),
            };
            let why = ", and in quotes it is refused too: ";
            Advice::words(words).write_or_why(in_quotes(range, lead, &inner), why)
        }
        _ if trap == Trap::Colon && value.contains(": ") => {
            Advice::words("a value with `: ` in it needs quotes")
                .write_first(in_quotes(range, ": write ", value))
        }
        _ => Advice::words(format!("look at the line above too; the parser says: {parser_says}")),
    }
}

/// A text in double quotes in single ones; as it is, and with the separators of paths.
fn single_quoted(value: &str) -> Vec<String> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
        return Vec::new();
    };
    [inner.to_owned(), inner.replace('\\', "/")]
        .map(|text| format!("'{}'", text.replace('\'', "''")))
        .into()
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
