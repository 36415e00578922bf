//! What the text of one restriction shows.

use super::{Finding, Instead, Level};
use crate::{
    access::Access,
    automaton::Effect,
    path::Path,
    policy::{Connection, Rule},
    restriction::{Dialect, Pattern, Token},
};

/// The literals that the patterns of a connection start with, sorted.
pub(super) struct Starts<'p>(Vec<&'p [u8]>);

impl<'p> Starts<'p> {
    pub(super) fn of(connection: &'p Connection) -> Self {
        let patterns = connection.rules().iter().flat_map(|rule| rule.restriction.patterns());
        let mut starts: Vec<&[u8]> = patterns.map(|pattern| pattern.prefix()).collect();
        starts.sort_unstable();
        Self(starts)
    }

    /// Whether a pattern names something that starts so.
    fn has_below(&self, folder: &[u8]) -> bool {
        let at = self.0.partition_point(|start| *start < folder);
        self.0.get(at).is_some_and(|start| start.starts_with(folder))
    }
}

pub(super) fn look<'p>(
    connection: &'p Connection,
    starts: &Starts<'p>,
    n: usize,
    rule: &'p Rule,
    findings: &mut Vec<Finding<'p>>,
) {
    if rule.restriction.dialect() == Dialect::Glob {
        findings.extend(bare_buckets(connection, n, rule));
        return;
    }
    let [pattern] = rule.restriction.patterns() else { return };
    let text = rule.restriction.text();
    let plain = |lead, text: &str| Instead::new(lead, Dialect::Plain, text);
    let (code, level, message, instead, ends) = match pattern.tokens() {
        [star] if *star == Token::STAR => {
            let writes =
                rule.access.contains(Access::Write) || rule.access.contains(Access::Delete);
            let is_said = rule.location.is_some();
            if rule.effect == Effect::Deny || !writes && is_said {
                return;
            }
            let message = match is_said {
                true => format!("`{text}` gives {} to everything", rule.access),
                false => format!("without `restrictions` everything has {}", rule.access),
            };
            let (code, help) = match writes {
                true => (
                    "lint.write_everything",
                    "name the folders that are written, and give those an access of their own",
                ),
                false => (
                    "lint.no_restrictions",
                    "name what is read under `restrictions`; the entry `\"*\"` there says that \
                     everything is meant",
                ),
            };
            (code, Level::Warning, message, Some(Instead::words(help)), &[][..])
        }
        [Token::Literal(start), star, ..] if *star == Token::STAR && !start.contains(&b'/') => {
            let start = String::from_utf8_lossy(start);
            let is_name = start.ends_with(|c: char| c.is_ascii_alphanumeric());
            let level = match rule.effect {
                Effect::Allow if is_name => Level::Warning,
                _ => Level::Note,
            };
            let message = format!(
                "`{text}` crosses the bucket's name: it matches in every bucket whose name starts \
                 with `{start}`"
            );
            let instead = plain("for that bucket alone write ", &format!("{start}/"))
                .or_else(|| Some(Instead::words("name each bucket, with `/` behind its name")));
            (
                "lint.crosses_buckets",
                level,
                message,
                instead,
                &["-private/a", "-private/", "private/a"][..],
            )
        }
        [Token::Literal(start), star] if *star == Token::STAR => {
            let start = String::from_utf8_lossy(start);
            if rule.effect == Effect::Deny || !start.ends_with(|c: char| c.is_ascii_alphanumeric())
            {
                return;
            }
            let message = format!("`{text}` matches every name that starts so, not one folder");
            let instead = plain("for the folder write ", &format!("{start}/"));
            ("lint.raw_prefix", Level::Note, message, instead, &["-old/a", "2"][..])
        }
        [Token::Literal(whole)] => {
            let name = String::from_utf8_lossy(whole);
            let Some((_, last)) = name.rsplit_once('/') else {
                let message =
                    format!("`{text}` is the bucket's name alone: no object is matched by it");
                let instead = plain("for what is in the bucket write ", &format!("{name}/"));
                findings.push(Finding::of_rule(
                    "lint.bare_bucket",
                    Level::Warning,
                    connection,
                    n,
                    message,
                    instead.unwrap_or_else(|| Instead::words("name what is in the bucket")),
                ));
                return;
            };
            // What a deny leaves open is searched for.
            if rule.effect == Effect::Deny {
                return;
            }
            let is_refused = Path::new(whole).is_ok_and(|path| !connection.keys().admit(&path));
            let folder = format!("{name}/");
            let below = connection.automaton().below(folder.as_bytes());
            // Many objects have such names. Of a folder there is more to say, and is said.
            let is_meant =
                !starts.has_below(folder.as_bytes()) || rule.access.without(below.all).is_empty();
            if last.contains('.') || is_refused || is_meant {
                return;
            }
            let message = format!("`{text}` allows that path alone, and nothing below it");
            let instead = plain("if it is a folder write ", &format!("{text}/"));
            ("lint.not_directory", Level::Note, message, instead, &["/a", "/zz/a"][..])
        }
        _ => return,
    };
    let instead = instead.unwrap_or_else(|| Instead::words("name the folder, with `/` at its end"));
    let mut finding = Finding::of_rule(code, level, connection, n, message, instead);
    let shows = |path: &Path<'_>| match rule.effect {
        Effect::Allow if code == "lint.not_directory" => !allows(connection, rule, path),
        // What is caught is caught by it, and no deny takes it back.
        Effect::Allow => {
            rule.restriction.matches(path.as_bytes()) && allows(connection, rule, path)
        }
        Effect::Deny => rule.restriction.matches(path.as_bytes()),
    };
    finding.witness = ends
        .iter()
        .filter_map(|end| Path::from_vec([pattern.prefix(), end.as_bytes()].concat()).ok())
        .find(shows);
    // Whatever a person would put there is allowed.
    if code == "lint.not_directory" && finding.witness.is_none() {
        return;
    }
    if let Some(path) = &finding.witness {
        finding.message.push_str(&match code {
            "lint.not_directory" => {
                format!(": `{path}` is not allowed, and other entries are about what is below")
            }
            _ => format!(", such as `{path}`"),
        });
    }
    findings.push(finding);
}

/// A glob that is about buckets' names alone.
fn bare_buckets<'p>(connection: &'p Connection, n: usize, rule: &'p Rule) -> Option<Finding<'p>> {
    let is_bucket = |pattern: &Pattern| {
        pattern.tokens().iter().all(|token| match token {
            Token::Literal(bytes) => !bytes.contains(&b'/'),
            Token::One(set) | Token::Run(set) => !set.contains(b'/'),
        })
    };
    if !rule.restriction.patterns().iter().all(is_bucket) {
        return None;
    }
    let text = rule.restriction.text();
    let message = format!("`{text}` is about buckets' names alone: no object is matched by it");
    let below = format!("{text}/**");
    let instead = Instead::new("for what is in the buckets write ", Dialect::Glob, &below)
        .unwrap_or_else(|| Instead::words("name what is in the buckets"));
    let code = "lint.bare_bucket";
    Some(Finding::of_rule(code, Level::Warning, connection, n, message, instead))
}

/// Whether some access of a rule is given at a path.
fn allows(connection: &Connection, rule: &Rule, path: &Path<'_>) -> bool {
    rule.access.iter().any(|access| connection.allows(path, access))
}
