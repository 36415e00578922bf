//! Taking a mapping apart field by field, so that no field is ever overlooked.

use super::{
    report::{Report, Span},
    secrets, traps,
    yaml::{Node, Style, Value},
};

/// What to write instead of a secret.
pub(super) const SECRET: &str = "name the place where the credentials are: `credentials: { profile: NAME }`, `{ env: NAME }` \
     or `{ file: PATH }`; the secret itself never stands in a policy";

/// What a mapping is called in errors, and the fields that it may have.
#[derive(Debug)]
pub(super) struct Shape {
    /// Such as `a connection`.
    pub(super) name: &'static str,
    pub(super) fields: &'static [&'static str],
    /// Set where a field that is not known may hold a secret, whatever it is called: what to
    /// write instead.
    pub(super) secret: Option<&'static str>,
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
                match shape.secret {
                    Some(instead) => found.help(instead),
                    None => found.help(format!("its fields are {}", list(shape.fields))),
                };
            }
            return None;
        };
        let mut entries: Vec<(&'static str, &'n Node<'t>)> = Vec::with_capacity(pairs.len());
        let mut misspelt = Vec::new();
        for (key, value) in pairs {
            let Value::Scalar(name) = &key.value else {
                wrong_kind(report, key, "the name of a field", "text");
                continue;
            };
            let Some(field) = shape.fields.iter().find(|field| **field == name.text) else {
                misspelt.extend(unknown(report, key.span, &name.text, value, shape));
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

    /// The value of a field that has to be there; reports when it is not.
    pub(super) fn require(
        &self,
        report: &mut Report<'_>,
        field: &str,
        help: &str,
    ) -> Option<&'n Node<'t>> {
        let value = self.get(field);
        if value.is_none() && !self.is_misspelt(field) {
            report
                .error(
                    "policy.missing_field",
                    self.span,
                    format!("{} has no `{field}`", self.shape.name),
                )
                .help(help);
        }
        value
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
    let near = if report.is_full() { None } else { nearest(name, shape.fields) };
    let message = match near {
        // A name could be a secret that lost its key.
        _ if shape.secret.is_some() => format!("unknown field of {}", shape.name),
        _ => format!("unknown field `{}` of {}", traps::shorten(name), shape.name),
    };
    let found = report.error("policy.unknown_field", span, message);
    match near {
        Some(near) => found.help(format!("did you mean `{near}`?")),
        None if shape.secret.is_some() => found.help(shape.secret.unwrap_or_default()),
        None if secret => found.help(SECRET),
        None if name == "<<" => found.help("merges are not read: write the fields themselves"),
        None => found.help(format!("{} has the fields {}", shape.name, list(shape.fields))),
    };
    near
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
                .map(|found| found.help("write each item into a line of its own, behind `- `"));
            None
        }
    }
}

/// A text as its author wrote it; reports when it is none, or one that reads in two ways.
pub(super) fn text<'n>(report: &mut Report<'_>, node: &'n Node<'_>, what: &str) -> Option<&'n str> {
    let Value::Scalar(scalar) = &node.value else {
        wrong_kind(report, node, what, "text");
        return None;
    };
    match scalar.style {
        Style::Quoted => Some(&scalar.text),
        Style::Block => {
            report
                .error("policy.value", node.span, format!("{what} is a block of lines"))
                .help("write it in one line, behind the `-` or `:`");
            None
        }
        Style::Plain if scalar.text.contains(['\n', '\r']) => {
            report
                .error("policy.value", node.span, format!("{what} goes over more than one line"))
                .help("write it in one line, or check the indentation of the next line");
            None
        }
        Style::Plain if scalar.text.is_empty() => {
            let comment = traps::has_comment(report, node.span);
            report.error("policy.value", node.span, format!("{what} is empty")).help(if comment {
                "what follows ` #` is a comment: put the value in quotes"
            } else {
                "write a value, or take the line out"
            });
            None
        }
        Style::Plain if matches!(&*scalar.text, "~" | "null" | "Null" | "NULL") => {
            report
                .error("policy.value", node.span, format!("{what} is nothing, as YAML reads it"))
                .help(format!("put it in quotes if it is a name: {}", traps::quoted(&scalar.text)));
            None
        }
        Style::Plain => Some(&scalar.text),
    }
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
        report
            .error("policy.value", node.span, format!("{what} is neither true nor false"))
            .help("write `true` or `false`, without quotes");
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
