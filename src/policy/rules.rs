//! The entries of `restrictions` and `deny`, and accesses.

use std::collections::HashMap;

use super::{
    Building, MAX_RULES, Rule,
    advice::{Advice, Candidate, EntryPlace},
    fields::{self, Fields, Shape},
    report::{Report, Span},
    traps,
    yaml::{Node, Style, Value},
};
use crate::{
    access::{Access, AccessSet},
    automaton::Effect,
    restriction::{Dialect, Pattern, Restriction},
};

static ENTRY: Shape = Shape {
    name: "an entry of a list of paths",
    fields: &["path", "glob", "access"],
    elsewhere: &[
        ("prefix", "path"),
        ("pattern", "path"),
        ("folder", "path"),
        ("dir", "path"),
        ("directory", "path"),
        ("file", "path"),
        ("key", "path"),
        ("object", "path"),
        ("resource", "path"),
        ("restriction", "path"),
        ("uri", "path"),
        ("permission", "access"),
        ("permissions", "access"),
        ("mode", "access"),
        ("rights", "access"),
        ("actions", "access"),
    ],
    secret: None,
};

/// A rule and where its text stands.
pub(super) struct Spanned {
    pub(super) rule: Rule,
    pub(super) span: Span,
}

/// Reads `restrictions` or `deny`. `access` is what an entry has that says nothing of its own.
pub(super) fn read(
    report: &mut Report<'_>,
    building: &mut Building,
    node: &Node<'_>,
    effect: Effect,
    access: AccessSet,
    rules: &mut Vec<Spanned>,
) {
    let (name, one) = match effect {
        Effect::Allow => ("`restrictions`", "a restriction"),
        Effect::Deny => ("`deny`", "an entry of `deny`"),
    };
    let Value::Sequence(items) = &node.value else {
        let advice = as_list(report.text, node, effect);
        fields::wrong_kind(report, node, name, "a list").map(|found| found.advise(advice));
        return;
    };
    if items.is_empty() {
        let everything =
            Candidate::example("for everything write ", node.whole().range(), "[\"*\"]");
        report.error("policy.empty_list", node.span, format!("{name} is an empty list")).advise(
            match effect {
                Effect::Allow => Advice::default()
                    .write(everything)
                    .and("; to allow nothing, take the connection out"),
                Effect::Deny => Advice::words("take `deny` out, or name what it takes away"),
            },
        );
    }
    rules.reserve(items.len());
    for item in items {
        building.rules += 1;
        if building.rules > MAX_RULES {
            if building.rules == MAX_RULES + 1 {
                report
                    .error(
                        "limit.rules",
                        item.span,
                        format!("the policy has more than {MAX_RULES} rules (limit.rules)"),
                    )
                    .help("name folders instead of files, or split the policy over gateways");
            }
            return;
        }
        if let Some(spanned) = entry(report, item, one, effect, access) {
            rules.push(spanned);
        }
    }
}

/// Reads one entry: a text, or its fields.
pub(super) fn entry(
    report: &mut Report<'_>,
    item: &Node<'_>,
    what: &str,
    effect: Effect,
    inherited: AccessSet,
) -> Option<Spanned> {
    let (dialect, field, text_node, access) = match &item.value {
        Value::Mapping(pairs) => {
            if !pairs.iter().any(|(key, _)| is_key(key, ENTRY.fields)) {
                not_an_entry(report, item, what);
                return None;
            }
            let fields = Fields::read(report, item, &ENTRY)?;
            let access = match fields.get("access") {
                Some(node) => access_of(report, node, Some(effect)),
                None => Some(inherited),
            };
            let (dialect, node) = match (fields.get("path"), fields.get("glob")) {
                (Some(_), Some(glob)) => {
                    report
                        .error("policy.entry", glob.span, "an entry has both `path` and `glob`")
                        .help("make two entries of it");
                    return None;
                }
                (Some(path), None) => (Dialect::Plain, path),
                (None, Some(glob)) => (Dialect::Glob, glob),
                (None, None) => {
                    if !fields.is_misspelt("glob") {
                        let example = Some("path: bucket/folder/");
                        fields.require(report, "path", "name the path", example);
                    }
                    return None;
                }
            };
            let name = match dialect {
                Dialect::Plain => "path",
                Dialect::Glob => "glob",
            };
            let field = pairs.iter().map(|(key, _)| key).find(|key| is_key(key, &[name]));
            (dialect, field, node, access)
        }
        Value::Sequence(_) => {
            not_an_entry(report, item, what);
            return None;
        }
        Value::Scalar(_) | Value::Reported => (Dialect::Plain, None, item, Some(inherited)),
    };
    let text = fields::text(report, text_node, what)?;
    let place = EntryPlace { item, field, text: text_node, dialect };
    match Restriction::parse_as(dialect, text) {
        Ok(restriction) => {
            for doubt in restriction.doubts() {
                let span = place_in(report, text_node, text, doubt.at());
                report
                    .warning(doubt.kind().code(), span, doubt.message())
                    .advise(place.advice(doubt.help_parts()));
            }
            Some(Spanned {
                rule: Rule {
                    restriction,
                    access: access?,
                    effect,
                    location: Some(report.location(text_node.span)),
                },
                span: text_node.span,
            })
        }
        Err(error) => {
            let code = error.kind().limit().unwrap_or("policy.restriction");
            let span = match error.at() {
                0 => text_node.span,
                at => place_in(report, text_node, text, at),
            };
            let advice = place.advice(error.help_parts());
            report.error(code, span, error.to_string()).advise(advice);
            None
        }
    }
}

fn is_key(node: &Node<'_>, names: &[&str]) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if names.contains(&&*scalar.text))
}

/// What to do about something else than a list of paths: the list that was probably meant.
fn as_list(file: &str, node: &Node<'_>, effect: Effect) -> Advice {
    let range = node.whole().range();
    let list = |items: Vec<String>| {
        let list = format!("[{}]", items.join(", "));
        Candidate::new(": write ", range.clone(), list)
    };
    let is_sign = |c: char| matches!(c, ',' | ';' | '\n' | '\r');
    match &node.value {
        Value::Scalar(scalar) if scalar.text.trim().is_empty() => {
            let advice = Advice::words("each path is a line of its own that starts with `- `");
            match effect {
                Effect::Allow => advice.write(
                    Candidate::example("; for everything write ", range, "[\"*\"]")
                        .with(" [\"*\"]"),
                ),
                Effect::Deny => advice,
            }
        }
        Value::Scalar(scalar) => {
            // Lines that start with `-` and no space behind it are a text too.
            let item = |item: &str| item.trim().trim_start_matches('-').trim_start().to_owned();
            let parts = |text: &str| -> Vec<String> {
                let parts = text.split(is_sign).map(item).filter(|part| !part.is_empty());
                parts.map(|part| traps::quoted(&part)).collect()
            };
            let written = file.get(range.clone()).unwrap_or_default();
            let is_lines = written.contains('\n') && matches!(scalar.style, Style::Plain);
            let text = if is_lines { written } else { &scalar.text };
            let all = [list(parts(text)), list(vec![traps::quoted(&scalar.text)])];
            Advice::words("each path is an item of a list").write_first(all)
        }
        Value::Mapping(pairs) => {
            let entry = |(key, value): &(Node<'_>, Node<'_>)| {
                let (Value::Scalar(path), Some(access)) =
                    (&key.value, file.get(value.span.range()))
                else {
                    return None;
                };
                let path = traps::quoted(&path.text);
                let access = access.trim();
                Some(match access.is_empty() {
                    true => path,
                    false => format!("{{ path: {path}, access: {access} }}"),
                })
            };
            let entries: Option<Vec<String>> = pairs.iter().map(entry).collect();
            Advice::words("each path is an item of a list").write_first(entries.map(list))
        }
        Value::Sequence(_) | Value::Reported => Advice::default(),
    }
}

/// A list or fields where a restriction belongs: `- [a]`, `- a: b`, `- {a,b}`.
fn not_an_entry(report: &mut Report<'_>, item: &Node<'_>, what: &str) {
    let source = report.text.get(item.whole().range()).unwrap_or_default();
    let range = item.whole().range();
    let entry = |entry: String| Candidate::new(": write ", range.clone(), entry);
    let path = |text: &str| entry(format!("{{ path: {} }}", traps::scalar(text)));
    let mut all = Vec::new();
    let words = match &item.value {
        Value::Mapping(pairs) => {
            let text = |name: &str| {
                let of = pairs.iter().find(|(key, _)| is_key(key, &[name])).map(|(_, value)| value);
                of.and_then(|value| match &value.value {
                    Value::Scalar(scalar) => Some(&*scalar.text),
                    _ => None,
                })
            };
            // Elsewhere the bucket is a field of its own.
            if let Some(bucket) = text("bucket") {
                let rest =
                    ["prefix", "key", "folder"].into_iter().find_map(text).unwrap_or_default();
                all.push(path(&format!("{bucket}/{}", rest.trim_start_matches('/'))));
            }
            let known = ENTRY.elsewhere.iter().filter(|(_, field)| *field == "path");
            all.extend(known.filter_map(|(name, _)| text(name)).map(path));
            // A path with `: ` in it, or that ends with `:`.
            if let [(key, value)] = &pairs[..]
                && let (Value::Scalar(key), false) = (&key.value, source.starts_with('{'))
            {
                let written = report.text.get(value.span.range()).unwrap_or_default();
                let is_path = key.text.contains('/');
                let whole = entry(traps::quoted(format!("{}: {written}", key.text).trim()));
                let names = path(&key.text);
                let access = format!("{{ path: {}, access: {written} }}", traps::scalar(&key.text));
                let value = written.trim();
                let is_folder = value.trim_end_matches('/').contains('/');
                let (other, joined) = (path(value), path(&format!("{}/{value}", key.text)));
                all.extend(match (is_path, is_folder) {
                    (true, _) => vec![entry(access), whole, names],
                    (false, true) => vec![other, joined],
                    (false, false) => vec![joined, other],
                });
            }
            "a path stands in the field `path`, or by itself"
        }
        Value::Sequence(items) => {
            let first = items.iter().find_map(|item| match &item.value {
                Value::Scalar(scalar) if scalar.text.contains('/') => {
                    Some(traps::scalar(&scalar.text))
                }
                _ => None,
            });
            all.extend(first.map(entry));
            "each path is an item of its own"
        }
        Value::Scalar(_) | Value::Reported => "",
    };
    // What YAML reads in another way, as a text.
    if !source.contains(['\n', '\r']) {
        all.push(entry(traps::quoted(source)));
        all.push(entry(format!("{{ glob: {} }}", traps::quoted(source))));
    }
    report
        .error("policy.entry", item.span, format!("{what} is text or `{{ path, access }}`"))
        .advise(Advice::words(words).write_first(all));
}

/// Where a place in a text stands in the file.
fn place_in(report: &Report<'_>, node: &Node<'_>, text: &str, at: usize) -> Span {
    // The two are the same where the text is written without escapes.
    let source = report.text.get(node.span.range()).unwrap_or_default();
    let inner = source.get(1..source.len().saturating_sub(1)).unwrap_or_default();
    let skip = match (source == text, inner == text) {
        (true, _) => Some(0),
        (_, true) => Some(1),
        _ => None,
    };
    skip.and_then(|skip| node.span.character(report.text, skip + at)).unwrap_or(node.span)
}

/// Reads an access. `effect` is that of the entry that it belongs to, if it belongs to one.
pub(super) fn access_of(
    report: &mut Report<'_>,
    node: &Node<'_>,
    effect: Option<Effect>,
) -> Option<AccessSet> {
    let one = |lead, word| Candidate::example(lead, node.whole().range(), word);
    let each = || {
        Advice::default().write_each([
            one("write ", "read-only"),
            one(", ", "read-write"),
            one(" or a list such as ", "[read, write]"),
        ])
    };
    let items = match &node.value {
        Value::Sequence(items) => items,
        Value::Mapping(_) => {
            fields::wrong_kind(report, node, "`access`", "a word or a list")
                .map(|found| found.advise(each()));
            return None;
        }
        _ => {
            let word = fields::text(report, node, "`access`")?;
            match word {
                "read-only" if effect == Some(Effect::Deny) => {
                    let advice = Advice::words("say what is taken away: ")
                        .write_each([
                            one("", "[write, delete]").ending(" leaves reading, "),
                            one("", "[read]").ending(" takes it"),
                        ])
                        .and("; without `access` everything is taken away");
                    let message = "`read-only` in `deny` reads in two ways";
                    report.error("policy.access", node.span, message).advise(advice);
                }
                "read-only" => return Some(AccessSet::READ_ONLY),
                "read-write" => return Some(AccessSet::READ_WRITE),
                other => {
                    let near = fields::nearest(other, &["read-only", "read-write"]);
                    let list = Access::from_name(other).map(|one| format!("[{one}]"));
                    let message = format!("`{}` is not an access", fields::visible(other));
                    report.error("policy.access", node.span, message).advise(match (list, near) {
                        (Some(list), _) => Advice::default().write(Candidate::new(
                            "an access by its name stands in a list: ",
                            node.whole().range(),
                            list,
                        )),
                        (None, Some(near)) => {
                            Advice::default().write(one("did you mean ", near).ending("?"))
                        }
                        (None, None) => each(),
                    });
                }
            }
            return None;
        }
    };
    if items.is_empty() {
        report
            .error("policy.empty_list", node.span, "`access` is an empty list")
            .help("an access is given by naming it; to allow nothing, take the entry out");
        return None;
    }
    let mut set = AccessSet::NONE;
    let mut complete = true;
    for item in items {
        let Some(name) = fields::text(report, item, "an access") else {
            complete = false;
            continue;
        };
        match Access::from_name(name) {
            Some(access) if set.contains(access) => {
                report.warning(
                    "policy.duplicate",
                    item.span,
                    format!("`{access}` is listed twice"),
                );
            }
            Some(access) => set = set.with(access),
            None => {
                complete = false;
                let near = fields::nearest(name, &["read", "write", "delete"]);
                let message = format!("`{}` is not an access", fields::visible(name));
                let words = "a list of accesses has `read`, `write` and `delete` in it";
                let near = near.map(|near| {
                    Candidate::example("did you mean ", item.whole().range(), near).ending("?")
                });
                let advice = Advice::default().write_or(near, words);
                report.error("policy.access", item.span, message).advise(advice);
            }
        }
    }
    complete.then_some(set)
}

/// Warns of rules that say the same.
pub(super) fn warn_of_duplicates(report: &mut Report<'_>, rules: &[Spanned]) {
    let mut seen: HashMap<(&[Pattern], Effect, AccessSet), &Spanned> =
        HashMap::with_capacity(rules.len());
    for spanned in rules {
        let rule = &spanned.rule;
        match seen.entry((rule.restriction.patterns(), rule.effect, rule.access)) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(spanned);
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                let line = first.get().span.line;
                report
                    .warning(
                        "policy.duplicate",
                        spanned.span,
                        "this says the same as an entry above",
                    )
                    .note(format!("the first is in line {line}"))
                    .help("take one of the two out");
            }
        }
    }
}
