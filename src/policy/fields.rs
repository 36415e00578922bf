//! Taking a mapping apart field by field, so that no field is ever overlooked.

use super::{
    advice::{Advice, Candidate},
    report::{Report, Span},
    secrets, traps,
    yaml::{Node, Style, Value},
};
use crate::escape::distinct;

/// What to do about a secret.
pub(super) const SECRET: &str =
    "name the place where the credentials are: the secret itself never stands in a policy";

/// What stands in a policy in place of a secret: references to credentials, in place of a piece of the
/// file, whose field is `credentials` or is written as well.
pub(super) fn references(span: Span, is_field: bool) -> Advice {
    const PLACES: [(&str, &str); 3] =
        [("; write ", "{ profile: NAME }"), (", ", "{ env: NAME }"), (" or ", "{ file: PATH }")];
    let each = PLACES.map(|(lead, place)| {
        let field = if is_field { "" } else { "credentials: " };
        Candidate::example(lead, span.range(), &format!("{field}{place}"))
    });
    Advice::words(SECRET).write_each(each)
}

/// What a mapping is called in errors, and the fields that it may have.
#[derive(Debug)]
pub(super) struct Shape {
    /// Such as `a connection`.
    pub(super) name: &'static str,
    pub(super) fields: &'static [&'static str],
    /// What fields are called elsewhere, and what they are here.
    pub(super) elsewhere: &'static [(&'static str, &'static str)],
    /// Set where a field that is not known may hold a secret, whatever it is called.
    pub(super) secret: Option<Secret>,
}

/// What a field that is not known may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Secret {
    /// Credentials.
    Credentials,
    /// An API key.
    ApiKey,
}

/// What to do about an API key.
pub(super) const HASH: &str = "`sha256` is what `printf %s \"$KEY\" | sha256sum` prints: the key itself never \
                    stands in a policy";

impl Secret {
    /// What stands in place of the secret.
    pub(super) fn advice(self, span: Span) -> Advice {
        match self {
            Self::Credentials => references(span, true),
            Self::ApiKey => Advice::words(HASH),
        }
    }
}

/// The fields of a mapping.
#[derive(Debug)]
pub(super) struct Fields<'n, 't> {
    /// Where the mapping starts.
    pub(super) span: Span,
    shape: &'static Shape,
    entries: Vec<(&'static str, &'n Node<'t>)>,
    /// The fields that unknown ones were probably meant to be: they are not missing too.
    misspelt: Vec<&'static str>,
}

impl<'n, 't> Fields<'n, 't> {
    /// Takes the mapping apart. Unknown fields, fields that stand twice and keys that are no text
    /// are reported. `None` if it is no mapping, which is reported too.
    pub(super) fn read(
        report: &mut Report<'_>,
        node: &'n Node<'t>,
        shape: &'static Shape,
    ) -> Option<Self> {
        let Value::Mapping(pairs) = &node.value else {
            if shape.secret.is_some() {
                report.hide(node.span);
            }
            if let Some(found) = wrong_kind(report, node, shape.name, "fields") {
                found.advise(match shape.secret {
                    Some(secret) => secret.advice(node.whole()),
                    None => Advice::words(format!("its fields are {}", list(shape.fields))),
                });
            }
            return None;
        };
        let mut entries: Vec<(&'static str, &'n Node<'t>)> = Vec::with_capacity(pairs.len());
        let mut misspelt = Vec::new();
        for (key, value) in pairs {
            let Value::Scalar(name) = &key.value else {
                if let Some(found) = wrong_kind(report, key, "the name of a field", "text") {
                    found.help(format!("{} has the fields {}", shape.name, list(shape.fields)));
                }
                continue;
            };
            let Some(field) = shape.fields.iter().find(|field| **field == name.text) else {
                misspelt.extend(unknown(report, node, key.span, &name.text, value, shape));
                continue;
            };
            if entries.iter().any(|(seen, _)| seen == field) {
                report
                    .error(
                        "policy.duplicate_field",
                        key.span,
                        format!("`{field}` stands twice in {}", shape.name),
                    )
                    .help("only one of the two can be meant; take one out");
                continue;
            }
            entries.push((field, value));
        }
        Some(Self { span: node.span, shape, entries, misspelt })
    }

    /// The value of a field, if it is there.
    pub(super) fn get(&self, field: &str) -> Option<&'n Node<'t>> {
        self.entries.iter().find(|(name, _)| *name == field).map(|(_, value)| *value)
    }

    /// The value of a field that has to be there; reports when it is not. `lead` comes before the
    /// field as it could be, if there is an example of it.
    pub(super) fn require(
        &self,
        report: &mut Report<'_>,
        field: &str,
        lead: &'static str,
        example: Option<&'static str>,
    ) -> Option<&'n Node<'t>> {
        let value = self.get(field);
        if value.is_none() && !self.is_misspelt(field) {
            let message = format!("{} has no `{field}`", self.shape.name);
            let mut advice = Advice::words(lead);
            if let Some(example) = example {
                advice = advice.write(self.added(report.text, example));
            }
            report.error("policy.missing_field", self.span, message).advise(advice);
        }
        value
    }

    /// A field more, before the others.
    pub(super) fn added(&self, text: &str, field: &'static str) -> Candidate {
        let start = self.span.range().start;
        let is_flow = text.get(start..).is_some_and(|rest| rest.starts_with('{'));
        let (at, text) = match is_flow {
            true => (start + 1, format!(" {field}, ")),
            false => {
                let indent = self.span.column.saturating_sub(1) as usize;
                (start, format!("{field}\n{:indent$}", ""))
            }
        };
        Candidate::example(": write ", at..at, field).with(text)
    }

    /// Whether an unknown field was probably meant to be this one.
    pub(super) fn is_misspelt(&self, field: &str) -> bool {
        self.misspelt.contains(&field)
    }

    /// The fields that are there, in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &'n Node<'t>)> {
        self.entries.iter().copied()
    }
}

fn unknown(
    report: &mut Report<'_>,
    mapping: &Node<'_>,
    span: Span,
    name: &str,
    value: &Node<'_>,
    shape: &'static Shape,
) -> Option<&'static str> {
    let secret = secrets::is_secret_name(name);
    if secret || shape.secret.is_some() {
        report.hide(span);
        report.hide(value.span);
    }
    let elsewhere = || shape.elsewhere.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let near = match report.is_full() {
        true => None,
        false => nearest(name, shape.fields).or_else(|| elsewhere().map(|(_, field)| *field)),
    };
    let message = match near {
        // A name could be a secret that lost its key.
        _ if shape.secret.is_some() => format!("unknown field of {}", shape.name),
        _ => format!("unknown field `{}` of {}", visible(name), shape.name),
    };
    let fields = format!("{} has the fields {}", shape.name, list(shape.fields));
    let whole = Span { to: value.end.max(value.span.to), ..span };
    let advice = match (near, shape.secret) {
        (Some(near), _) => {
            let meant = Candidate::example("did you mean ", span.range(), near);
            Advice::default().write_or([meant.ending("?")], fields)
        }
        (None, Some(secret)) => secret.advice(mapping.whole()),
        (None, None) if secret => references(whole, false),
        (None, None) if name == "<<" => {
            Advice::words("merges are not read: write the fields themselves")
        }
        (None, None) => Advice::words(fields),
    };
    report.error("policy.unknown_field", span, message).advise(advice);
    near
}

/// A name that is shown, with what cannot be seen in it, or told from a space, escaped.
pub(super) fn visible(name: &str) -> String {
    distinct(traps::shorten(name), |_| false)
}

/// The items of a list; reports when it is none.
pub(super) fn items<'n, 't>(
    report: &mut Report<'_>,
    node: &'n Node<'t>,
    what: &str,
) -> Option<&'n [Node<'t>]> {
    match &node.value {
        Value::Sequence(items) => Some(items),
        _ => {
            wrong_kind(report, node, what, "a list")
                .map(|found| found.help("each item is a line of its own that starts with `- `"));
            None
        }
    }
}

/// A text as its author wrote it; reports when it is none, or one that reads in two ways.
pub(super) fn text<'n>(report: &mut Report<'_>, node: &'n Node<'_>, what: &str) -> Option<&'n str> {
    let Value::Scalar(scalar) = &node.value else {
        let advice = one_text(report.text, node);
        wrong_kind(report, node, what, "text").map(|found| found.advise(advice));
        return None;
    };
    let range = node.whole().range();
    let (wrong, advice) = match scalar.style {
        Style::Quoted => return Some(&scalar.text),
        Style::Block => {
            let mut lines = scalar.text.lines().map(str::trim).filter(|line| !line.is_empty());
            let only = lines.next().filter(|_| lines.next().is_none());
            let only = only.map(|line| Candidate::new(": write ", range, traps::scalar(line)));
            ("is a block of lines", Advice::words("put it into one line").write_first(only))
        }
        Style::Plain if scalar.text.contains(['\n', '\r']) => (
            "goes over more than one line",
            Advice::words("put it into one line, or look at the indentation of the next line"),
        ),
        Style::Plain if scalar.text.is_empty() => {
            let advice = match traps::comment_behind(report.text, node.span) {
                Some((range, comment)) => Advice::words("what follows ` #` is a comment").write(
                    Candidate::new("; if it is the value, write ", range, traps::quoted(comment)),
                ),
                None => Advice::words("give it a value, or take the line out"),
            };
            ("is empty", advice)
        }
        Style::Plain if matches!(&*scalar.text, "~" | "null" | "Null" | "NULL") => {
            let quoted = traps::quoted(&scalar.text);
            let quoted = Candidate::new("put it in quotes if it is a name: ", range, quoted);
            let advice =
                Advice::default().write_or([quoted], "give it a value, or take the line out");
            ("is nothing, as YAML reads it", advice)
        }
        Style::Plain => return Some(&scalar.text),
    };
    report.error("policy.value", node.span, format!("{what} {wrong}")).advise(advice);
    None
}

/// What to do about a list or fields where one text belongs.
fn one_text(file: &str, node: &Node<'_>) -> Advice {
    let first = match &node.value {
        Value::Sequence(items) => items.first(),
        Value::Mapping(fields) => fields.first().map(|(_, value)| value),
        Value::Scalar(_) | Value::Reported => None,
    };
    let first = first.and_then(|first| match &first.value {
        Value::Scalar(_) => file.get(first.span.range()),
        _ => None,
    });
    let words = match &node.value {
        Value::Sequence(_) => "one text stands here, and each of several has a place of its own",
        _ => "a text stands here, without fields",
    };
    let range = node.whole().range();
    Advice::words(words).write_first(first.map(|text| Candidate::new(": write ", range, text)))
}

/// `true` or `false`; reports everything else.
pub(super) fn truth(report: &mut Report<'_>, node: &Node<'_>, what: &str) -> Option<bool> {
    let value = match &node.value {
        Value::Scalar(scalar) if scalar.style == Style::Plain => match &*scalar.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        Value::Reported => return None,
        _ => None,
    };
    if value.is_none() {
        let one = |lead, word| Candidate::example(lead, node.whole().range(), word);
        report
            .error("policy.value", node.span, format!("{what} is neither true nor false"))
            .advise(
                Advice::default()
                    .write_each([one("write ", "true"), one(" or ", "false")])
                    .and(", without quotes"),
            );
    }
    value
}

/// Reports that a value is of the wrong kind, unless it was reported before.
pub(super) fn wrong_kind<'r>(
    report: &'r mut Report<'_>,
    node: &Node<'_>,
    what: &str,
    expected: &str,
) -> Option<&'r mut super::report::Found> {
    let is = match &node.value {
        Value::Reported => return None,
        Value::Scalar(scalar) if scalar.style == Style::Plain && scalar.text.is_empty() => {
            "nothing stands here"
        }
        Value::Scalar(_) => "this is text",
        Value::Sequence(_) => "this is a list",
        Value::Mapping(_) => "these are fields",
    };
    Some(report.error("policy.type", node.span, format!("{what} has to be {expected}, and {is}")))
}

/// The name that was probably meant: with few letters wrong, or another form of the word.
pub(super) fn nearest<'a>(name: &str, of: &[&'a str]) -> Option<&'a str> {
    let name: String = name.chars().take(64).collect::<String>().to_ascii_lowercase();
    of.iter()
        .map(|known| (distance(&name, known), *known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| known)
}

/// How many letters have to be put in, taken out, changed or swapped to get from one to the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = row[j] + usize::from(x != y);
            let mut least = change.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["id", "owner", "default", "endpoint", "restrictions", "deny", "access"];
        for (name, near) in [
            ("dney", Some("deny")),
            ("denied", None),
            ("Deny", Some("deny")),
            ("restriction", Some("restrictions")),
            ("retsrictions", Some("restrictions")),
            ("acess", Some("access")),
            ("onwer", Some("owner")),
            ("path", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, &known), near, "{name}");
        }
    }
}
