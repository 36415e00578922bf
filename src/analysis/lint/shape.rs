//! What the text of one restriction shows.

use super::{Finding, Level};
use crate::{
    access::Access,
    automaton::Effect,
    path::{MIN_BUCKET_LEN, Path},
    policy::{Connection, Rule},
    restriction::{Dialect, Token},
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
    let (Dialect::Plain, [pattern]) = (rule.restriction.dialect(), rule.restriction.patterns())
    else {
        return;
    };
    let text = rule.restriction.text();
    let (code, level, message, help, ends) = match pattern.tokens() {
        [star] if *star == Token::STAR => {
            let writes =
                rule.access.contains(Access::Write) || rule.access.contains(Access::Delete);
            if rule.effect == Effect::Deny || !writes {
                return;
            }
            let message = match rule.location {
                Some(_) => format!("`{text}` gives {} to everything", rule.access),
                None => format!("without `restrictions` everything has {}", rule.access),
            };
            let help =
                "name the folders that are written: `{ path: bucket/out/, access: read-write }`";
            ("lint.write_everything", Level::Warning, message, help.to_owned(), &[][..])
        }
        [Token::Literal(start), star, ..] if *star == Token::STAR && !start.contains(&b'/') => {
            let start = String::from_utf8_lossy(start);
            let help = match start.len() >= MIN_BUCKET_LEN {
                true => format!("for that bucket alone write `{start}/`"),
                false => "name each bucket: `bucket/`".to_owned(),
            };
            let is_name = start.ends_with(|c: char| c.is_ascii_alphanumeric());
            let level = match rule.effect {
                Effect::Allow if is_name => Level::Warning,
                _ => Level::Note,
            };
            let message = format!(
                "`{text}` crosses the bucket's name: it matches in every bucket whose name starts \
                 with `{start}`"
            );
            (
                "lint.crosses_buckets",
                level,
                message,
                help,
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
            let help = format!("for the folder write `{start}/`");
            ("lint.raw_prefix", Level::Note, message, help, &["-old/a", "2"][..])
        }
        [Token::Literal(whole)] => {
            let name = String::from_utf8_lossy(whole);
            let Some((_, last)) = name.rsplit_once('/') else {
                let message =
                    format!("`{text}` is the bucket's name alone: no object is matched by it");
                let help = format!("for what is in the bucket write `{name}/`");
                findings.push(Finding::of_rule(
                    "lint.bare_bucket",
                    Level::Warning,
                    connection,
                    n,
                    message,
                    help,
                ));
                return;
            };
            let is_refused = Path::new(whole).is_ok_and(|path| !connection.keys().admit(&path));
            let folder = format!("{name}/");
            let below = connection.automaton().below(folder.as_bytes());
            let is_meant = match rule.effect {
                // Many objects have such names. Of a folder there is more to say, and is said.
                Effect::Allow => {
                    !starts.has_below(folder.as_bytes())
                        || rule.access.without(below.all).is_empty()
                }
                Effect::Deny => below.some.intersection(rule.access).is_empty(),
            };
            if last.contains('.') || is_refused || is_meant {
                return;
            }
            let (does, level) = match rule.effect {
                Effect::Allow => ("allows", Level::Note),
                Effect::Deny => ("denies", Level::Warning),
            };
            let message = format!("`{text}` {does} that path alone, and nothing below it");
            let help = format!("if it is a folder write `{name}/`");
            ("lint.not_directory", level, message, help, &["/a", "/zz/a"][..])
        }
        _ => return,
    };
    let mut finding = Finding::of_rule(code, level, connection, n, message, help);
    let shows = |path: &Path<'_>| match rule.effect {
        Effect::Allow if code == "lint.not_directory" => !allows(connection, rule, path),
        // What is caught is caught by it, and no deny takes it back.
        Effect::Allow => {
            rule.restriction.matches(path.as_bytes()) && allows(connection, rule, path)
        }
        Effect::Deny if code == "lint.not_directory" => allows(connection, rule, path),
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
            "lint.not_directory" if rule.effect == Effect::Deny => {
                format!(": `{path}` is still allowed")
            }
            "lint.not_directory" => {
                format!(": `{path}` is not allowed, and other entries are about what is below")
            }
            _ => format!(", such as `{path}`"),
        });
    }
    findings.push(finding);
}

/// Whether some access of a rule is given at a path.
fn allows(connection: &Connection, rule: &Rule, path: &Path<'_>) -> bool {
    rule.access.iter().any(|access| connection.allows(path, access))
}
