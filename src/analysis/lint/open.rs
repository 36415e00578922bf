//! What leaves open what its text says: a deny of a folder that takes one path alone, and a `**/` in a
//! plain text, where it is no "any folder or none".
//!
//! Each is told of only with a path that shows it, which is searched for among all paths.

use std::collections::HashMap;

use super::{Finding, Instead, Level};
use crate::{
    access::AccessSet,
    analysis::{
        Budget,
        ahead::{Wanted, search_ahead},
        field::{ALIASED, Colors, FIRST, Field, Item},
        goal::Goal,
        search::Found,
        walk::Walk,
    },
    automaton::Effect,
    path::Path,
    policy::{Connection, Keys, Rule},
    restriction::{ByteSet, Dialect, Pattern, Restriction, Token, as_glob},
};

/// Names without an extension that are files.
const FILES: [&str; 24] = [
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "authorized_keys",
    "known_hosts",
    "passwd",
    "shadow",
    "hosts",
    "Makefile",
    "Dockerfile",
    "Jenkinsfile",
    "Procfile",
    "Gemfile",
    "Vagrantfile",
    "LICENSE",
    "README",
    "CHANGELOG",
    "NOTICE",
    "_SUCCESS",
    "_metadata",
    "_common_metadata",
    "HEAD",
    "core",
];
/// Names with a dot that are folders.
const FOLDERS: [&str; 23] = [
    ".ssh",
    ".aws",
    ".git",
    ".gnupg",
    ".kube",
    ".docker",
    ".config",
    ".svn",
    ".hg",
    ".azure",
    ".gcloud",
    ".terraform",
    ".vscode",
    ".idea",
    ".venv",
    ".cache",
    ".local",
    ".m2",
    ".gradle",
    ".npm",
    ".cargo",
    ".github",
    ".secrets",
];

/// What may be left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// What is below a path.
    Below,
    /// What is below the names that a `*` of a glob stands for.
    Deeper,
    /// What has no folder in place of a `**/`.
    NoFolder,
}

/// One rule, and the paths that it may leave open.
struct Question<'p> {
    n: usize,
    rule: &'p Rule,
    gap: Gap,
    patterns: Vec<Pattern>,
}

/// Looks for what the denies of a connection leave open; with `all`, also for what its restrictions do
/// not give.
pub(super) fn look<'p>(
    connection: &'p Connection,
    all: bool,
    budget: &mut Budget,
    findings: &mut Vec<Finding<'p>>,
) {
    let rules = connection.rules();
    let asked = rules.iter().enumerate().filter(|(_, rule)| all || rule.effect == Effect::Deny);
    let questions: Vec<Question<'p>> = asked.flat_map(|(n, rule)| questions(n, rule)).collect();
    if questions.is_empty() {
        return;
    }
    let of_rules = rules.iter().flat_map(|rule| {
        let colors = colors(rule.effect, rule.access);
        rule.restriction.patterns().iter().map(move |pattern| Item::new(pattern, colors, 0))
    });
    // What is asked about is in the field too, without a colour.
    let of_questions = questions.iter().zip(1..).flat_map(|(question, tag)| {
        question.patterns.iter().map(move |pattern| Item::new(pattern, 0, tag))
    });
    let field = Field::new(of_rules.chain(of_questions).collect());
    let mut walk = Walk::new(&field);
    let mut goals: HashMap<(Effect, AccessSet), Goal<'static>> = HashMap::new();
    let mut found: HashMap<u32, Option<Found>> = HashMap::new();
    for (place, item) in field.items().iter().enumerate() {
        let Some(question) = (item.tag as usize).checked_sub(1).and_then(|n| questions.get(n))
        else {
            continue;
        };
        let (effect, access) = (question.rule.effect, question.rule.access);
        let goal = goals
            .entry((effect, access))
            .or_insert_with(|| goal(effect, access, connection.keys()));
        let needs = match effect {
            Effect::Deny => colors(Effect::Allow, access),
            Effect::Allow => 0,
        };
        let wanted = Wanted { needs, except: &[], any: false, most: usize::MAX };
        let one = budget.ask(|states| match walk.start(place, &[], states)? {
            Some(start) => search_ahead(&field, goal, &start, wanted, states),
            None => Ok(None),
        });
        let best = found.entry(item.tag).or_default();
        *best = Found::better(best.take(), one.flatten().filter(|found| found.is_object));
    }
    for (question, tag) in questions.iter().zip(1..) {
        let witness = found.remove(&tag).flatten();
        let Some(found) = witness else { continue };
        // What is below goes on with any character, and `a` says so.
        let named = match found.word.split_last() {
            Some((_, folder)) if question.gap != Gap::NoFolder => {
                let named = Path::from_vec([folder, b"a"].concat()).ok();
                named.filter(|path| is_allowed(connection, question.rule.access, path))
            }
            _ => None,
        };
        if let Some(path) = named.or_else(|| Path::from_vec(found.word).ok()) {
            findings.push(question.finding(connection, path));
        }
    }
}

/// Whether some of these accesses is given at a path.
fn is_allowed(connection: &Connection, access: AccessSet, path: &Path<'_>) -> bool {
    access.iter().any(|one| connection.allows(path, one))
}

/// The colours of a rule: three for what is given, three for what is taken.
fn colors(effect: Effect, access: AccessSet) -> Colors {
    let bits = Colors::from(access.bits()) * FIRST;
    match effect {
        Effect::Allow => bits,
        Effect::Deny => bits << 3,
    }
}

/// Of what a deny leaves open, some access is given; of what a restriction does, none is, and no deny
/// says that this is meant.
fn goal(effect: Effect, access: AccessSet, keys: Keys) -> Goal<'static> {
    let given = colors(Effect::Allow, access);
    let taken = colors(Effect::Deny, access);
    Goal::new(given | taken, move |c| {
        let is_left = match effect {
            Effect::Deny => access.iter().any(|one| {
                c & colors(Effect::Allow, one.into()) != 0
                    && c & colors(Effect::Deny, one.into()) == 0
            }),
            Effect::Allow => c & (given | taken) == 0,
        };
        is_left && (keys == Keys::Exact || c & ALIASED == 0)
    })
}

/// What is asked about a rule. Of a text that is doubted that is told, and no more.
fn questions(n: usize, rule: &Rule) -> impl Iterator<Item = Question<'_>> {
    let is_doubted = !rule.restriction.doubts().is_empty();
    let stars = if is_doubted { Vec::new() } else { without_folders(&rule.restriction) };
    let of_stars =
        (!stars.is_empty()).then_some(Question { n, rule, gap: Gap::NoFolder, patterns: stars });
    let mut below = Vec::new();
    let mut gap = Gap::Below;
    if rule.effect == Effect::Deny && !is_doubted {
        for pattern in rule.restriction.patterns() {
            if let Some((of, pattern)) = below_name(pattern) {
                gap = of;
                below.push(pattern);
            }
        }
    }
    let of_below = (!below.is_empty()).then_some(Question { n, rule, gap, patterns: below });
    of_stars.into_iter().chain(of_below)
}

/// What a plain text would match if each `**/` in it stood for no folder.
fn without_folders(restriction: &Restriction) -> Vec<Pattern> {
    let text = restriction.text();
    if restriction.dialect() != Dialect::Plain || !text.contains("**/") {
        return Vec::new();
    }
    let mut shorter = text.trim_start_matches("**/").to_owned();
    while let Some(at) = shorter.find("/**/") {
        shorter.replace_range(at..at + 3, "");
    }
    match Restriction::parse(&shorter) {
        Ok(read) if shorter != text => read.patterns().to_vec(),
        _ => Vec::new(),
    }
}

/// The paths below those of a pattern that ends in a name, if that is not the name of a file.
fn below_name(pattern: &Pattern) -> Option<(Gap, Pattern)> {
    let tokens = pattern.tokens();
    // The last segment: the literals of its name, and whether something else is in it.
    let mut name = Vec::new();
    let mut is_exact = true;
    let mut stars = 0;
    let mut is_key = false;
    for token in tokens.iter().rev() {
        match token {
            Token::Literal(bytes) => {
                let at = bytes.iter().rposition(|byte| *byte == b'/');
                let rest = &bytes[at.map_or(0, |at| at + 1)..];
                name.splice(0..0, rest.iter().copied());
                if at.is_some() {
                    is_key = true;
                    break;
                }
            }
            Token::Run(set) if *set == ByteSet::ALL => return None,
            Token::Run(set) if *set == ByteSet::continuation() => {}
            Token::Run(_) => stars += 1,
            Token::One(_) => is_exact = false,
        }
    }
    if !is_key {
        return None;
    }
    let mut below = with_names(tokens);
    let gap = match (stars, name.is_empty() && is_exact) {
        (0, false) if !is_file(&name) => Gap::Below,
        // `folder/*`: in a glob, what is in the folder, and nothing further down.
        (1, true) => {
            below.insert(below.len() - 1, Token::One(ByteSet::segment()));
            Gap::Deeper
        }
        _ => return None,
    };
    below.extend([
        Token::Literal(b"/".as_slice().into()),
        Token::One(ByteSet::segment()),
        Token::STAR,
    ]);
    Some((gap, below.into_iter().collect()))
}

/// The tokens, with a character at least where a star is all of a segment before the last: nobody looks
/// for an empty one.
fn with_names(tokens: &[Token]) -> Vec<Token> {
    let ends = |token: Option<&Token>| matches!(token, Some(Token::Literal(bytes)) if bytes.ends_with(b"/"));
    let starts = |token: Option<&Token>| matches!(token, Some(Token::Literal(bytes)) if bytes.starts_with(b"/"));
    let mut named = Vec::with_capacity(tokens.len() + 2);
    for (n, token) in tokens.iter().enumerate() {
        let is_segment = n > 0 && ends(tokens.get(n - 1)) && starts(tokens.get(n + 1));
        if is_segment && matches!(token, Token::Run(_)) {
            named.push(Token::One(ByteSet::segment()));
        }
        named.push(token.clone());
    }
    named
}

/// Whether a name is more probably one of a file.
fn is_file(name: &[u8]) -> bool {
    let is_one = |names: &[&str]| names.iter().any(|one| one.as_bytes() == name);
    is_one(&FILES) || name.contains(&b'.') && !is_one(&FOLDERS)
}

impl Question<'_> {
    fn finding<'p>(&self, connection: &'p Connection, path: Path<'static>) -> Finding<'p> {
        let (text, dialect) = (self.rule.restriction.text(), self.rule.restriction.dialect());
        let is = match self.rule.effect {
            Effect::Deny => "is still allowed",
            Effect::Allow => "is not allowed",
        };
        let (code, message, instead) = match self.gap {
            Gap::Below => {
                let folder = match dialect {
                    Dialect::Plain => format!("{text}/"),
                    Dialect::Glob => format!("{text}/**"),
                };
                (
                    "lint.not_directory",
                    format!("`{text}` denies that path alone, and nothing below it: `{path}` {is}"),
                    Instead::new("if it is a folder write ", dialect, &folder),
                )
            }
            Gap::Deeper => (
                "lint.not_directory",
                format!(
                    "`{text}` denies what is directly in a folder, and nothing further down: \
                     `{path}` {is}"
                ),
                Instead::new("for all that is below write ", dialect, &format!("{text}*")),
            ),
            Gap::NoFolder => (
                "lint.star_star",
                format!(
                    "in `{text}`, `**/` stands for a folder at least, as every `*` with its `/` \
                     does: `{path}` {is}"
                ),
                Instead::new_glob("for any folders or none write ", &as_glob(text)),
            ),
        };
        let instead = instead.unwrap_or_else(|| {
            Instead::words(match self.gap {
                Gap::NoFolder => "add what has no folder there as an entry of its own",
                Gap::Below | Gap::Deeper => "add what is below as an entry of its own",
            })
        });
        let mut finding =
            Finding::of_rule(code, Level::Warning, connection, self.n, message, instead);
        finding.witness = Some(path);
        finding
    }
}
