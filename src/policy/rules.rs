//! The entries of `restrictions` and `deny`, and accesses.

use std::collections::HashMap;

use super::{
    Building, MAX_RULES, Rule,
    fields::{self, Fields, Shape},
    report::{Report, Span},
    traps,
    yaml::{Node, Value},
};
use crate::{
    access::{Access, AccessSet},
    automaton::Effect,
    escape::is_hidden,
    restriction::{Dialect, Pattern, Restriction, RestrictionError},
};

static ENTRY: Shape = Shape {
    name: "an entry of a list of paths",
    fields: &["path", "glob", "access"],
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
        if let Some(found) = fields::wrong_kind(report, node, name, "a list") {
            found.help(match effect {
                Effect::Allow => {
                    "write `restrictions: [\"*\"]` for everything, or each path \
                                  behind `- `"
                }
                Effect::Deny => "write each path behind `- `",
            });
        }
        return;
    };
    if items.is_empty() {
        let found =
            report.error("policy.empty_list", node.span, format!("{name} is an empty list"));
        match effect {
            Effect::Allow => found
                .help("write `\"*\"` for everything; to allow nothing, take the connection out"),
            Effect::Deny => found.help("take `deny` out, or name what it takes away"),
        };
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
    let (dialect, text_node, access) = match &item.value {
        Value::Mapping(pairs) => {
            if !pairs.iter().any(|(key, _)| is_key(key, &["path", "glob", "access"])) {
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
                        .help("write two entries");
                    return None;
                }
                (Some(path), None) => (Dialect::Plain, path),
                (None, Some(glob)) => (Dialect::Glob, glob),
                (None, None) => {
                    let help = "write `{ path: bucket/folder/, access: read-only }`";
                    if !fields.is_misspelt("glob") {
                        fields.require(report, "path", help);
                    }
                    return None;
                }
            };
            (dialect, node, access)
        }
        Value::Sequence(_) => {
            not_an_entry(report, item, what);
            return None;
        }
        Value::Scalar(_) | Value::Reported => (Dialect::Plain, item, Some(inherited)),
    };
    let text = fields::text(report, text_node, what)?;
    let parsed = match dialect {
        Dialect::Plain => Restriction::parse(text),
        Dialect::Glob => Restriction::parse_glob(text),
    };
    if text.ends_with(' ') && parsed.is_ok() {
        report
            .warning("policy.space", text_node.span, format!("{what} ends with a space"))
            .help("the space belongs to the path; take it out if it is not meant");
    }
    if parsed.is_ok() {
        warn_of_invisible(report, text_node, text, what);
        if dialect == Dialect::Plain {
            warn_of_glob_signs(report, text_node, text);
        }
    }
    match parsed {
        Ok(restriction) => Some(Spanned {
            rule: Rule {
                restriction,
                access: access?,
                effect,
                location: Some(report.location(text_node.span)),
            },
            span: text_node.span,
        }),
        Err(error) => {
            refuse(report, text_node, text, &error);
            None
        }
    }
}

fn is_key(node: &Node<'_>, names: &[&str]) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if names.contains(&&*scalar.text))
}

/// A list or fields where a restriction belongs: `- [a]`, `- a: b`, `- {a,b}`.
fn not_an_entry(report: &mut Report<'_>, item: &Node<'_>, what: &str) {
    let source = report.text.get(item.span.range()).unwrap_or_default();
    let in_quotes = match &item.value {
        Value::Mapping(_) if !source.starts_with('{') => "\"…: …\"".to_owned(),
        _ => traps::quoted(traps::shorten(source)),
    };
    report
        .error("policy.entry", item.span, format!("{what} is text or `{{ path, access }}`"))
        .help(format!(
            "YAML reads `[`, `{{` and `: ` as lists and fields; a path with them needs quotes: \
             {in_quotes}"
        ));
}

fn refuse(report: &mut Report<'_>, node: &Node<'_>, text: &str, error: &RestrictionError) {
    let code = error.kind().limit().unwrap_or("policy.restriction");
    let span = match error.at() {
        0 => node.span,
        at => place_in(report, node, text, at),
    };
    report.error(code, span, error.to_string()).help(error.help());
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

/// Warns of what nobody who reads the policy sees: two paths that look the same may not be.
fn warn_of_invisible(report: &mut Report<'_>, node: &Node<'_>, text: &str, what: &str) {
    const MOST: usize = 4;
    let Some(at) = text.find(is_hidden) else {
        return;
    };
    let mut found: Vec<char> = Vec::new();
    for character in text.chars().filter(|character| is_hidden(*character)) {
        if !found.contains(&character) && found.len() <= MOST {
            found.push(character);
        }
    }
    let more = if found.len() > MOST { " and more" } else { "" };
    let names: Vec<String> =
        found.iter().take(MOST).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
    let span = place_in(report, node, text, at);
    let message = format!("{what} has what cannot be seen in it: {}{more}", names.join(", "));
    report
        .warning("policy.invisible", span, message)
        .help("it belongs to the path; take it out if it is not meant");
}

/// Warns where a plain text has what would be a wildcard in a glob. In a deny the difference is
/// between what is taken and what is not.
fn warn_of_glob_signs(report: &mut Report<'_>, node: &Node<'_>, text: &str) {
    let pair = |open, close| {
        let (start, rest) = (text.find(open)?, text.find(open).and_then(|at| text.get(at..))?);
        rest.contains(close).then_some((start, format!("`{open}…{close}`")))
    };
    let question = || text.find('?').map(|at| (at, "`?`".to_owned()));
    if let Some((at, sign)) = pair('[', ']').or_else(|| pair('{', '}')).or_else(question) {
        let span = place_in(report, node, text, at);
        let message = format!("{sign} means itself here, where `*` is the only wildcard");
        report
            .warning("policy.glob_signs", span, message)
            .help("for a glob write `{ glob: \"…\" }`");
    }
}

/// Reads an access. `effect` is that of the entry that it belongs to, if it belongs to one.
pub(super) fn access_of(
    report: &mut Report<'_>,
    node: &Node<'_>,
    effect: Option<Effect>,
) -> Option<AccessSet> {
    const HELP: &str = "write `read-only`, `read-write`, or a list of `read`, `write` and `delete`";
    let items = match &node.value {
        Value::Sequence(items) => items,
        Value::Mapping(_) => {
            fields::wrong_kind(report, node, "`access`", "a word or a list")
                .map(|found| found.help(HELP));
            return None;
        }
        _ => {
            return match fields::text(report, node, "`access`")? {
                "read-only" if effect == Some(Effect::Deny) => {
                    report
                        .error(
                            "policy.access",
                            node.span,
                            "`read-only` in `deny` reads in two ways",
                        )
                        .help(
                            "write what is taken away: `[write, delete]` leaves reading, \
                             `[read]` takes it; without `access` everything is taken away",
                        );
                    None
                }
                "read-only" => Some(AccessSet::READ_ONLY),
                "read-write" => Some(AccessSet::READ_WRITE),
                other => {
                    let near = fields::nearest(other, &["read-only", "read-write"]);
                    let found = report.error(
                        "policy.access",
                        node.span,
                        format!("`{}` is not an access", traps::shorten(other)),
                    );
                    match (Access::from_name(other), near) {
                        (Some(one), _) => found.help(format!("write it as a list: `[{one}]`")),
                        (None, Some(near)) => found.help(format!("did you mean `{near}`?")),
                        (None, None) => found.help(HELP),
                    };
                    None
                }
            };
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
                let message = format!("`{}` is not an access", traps::shorten(name));
                report.error("policy.access", item.span, message).help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "a list of accesses has `read`, `write` and `delete` in it".into(),
                });
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
