//! A connection as the statements of a policy.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Document, Statement, partition, text};
use crate::{
    access::{Access, AccessSet},
    analysis::{Language, States},
    automaton::Effect,
    policy::{Connection, Keys, Rule},
    restriction::{Dialect, Pattern, Restriction, Token},
};

/// How many resources are compared with each other, to leave out what others cover.
const MOST_COMPARED: usize = 256;
/// At how many places of a folder an executor looks for whether the folder is there, where it may not list
/// the folder itself.
pub const MAX_PLACES: usize = 256;
/// How much such a comparison may cost.
const COMPARED: States = States::new(4_096);

/// What becomes of a restriction that IAM cannot say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// The policy allows more: all that the connection gives works, and the connection stays the
    /// narrower of the two. A deny that cannot be said is left out.
    #[default]
    Wider,
    /// The policy allows less: an allow that cannot be said is left out, a deny takes more.
    Narrower,
}

/// A connection as a policy.
#[derive(Clone, Debug)]
pub struct Export<'c> {
    /// The policy. It has no statements if nothing can be allowed.
    pub document: Document,
    /// The rules that IAM cannot say.
    pub inexact: Vec<&'c Rule>,
    /// Whether there is a bucket of which only some prefixes may be listed. The listing of the root asks for
    /// it with `HeadBucket`, which has no prefix and is refused.
    pub hides_buckets: bool,
    /// A folder in which more places may be listed than an executor asks for one by one to see whether the
    /// folder is there. It asks for all of the folder then, which is refused.
    pub hides_folder: Option<String>,
    /// The partition of AWS that the connection's region is in.
    pub partition: &'static str,
}

/// The policy that gives a key what the connection gives, and no more.
///
/// Names can be listed where something is readable, and where something can be deleted, because a directory is
/// deleted by listing it. A listing is asked for by the literal start of restrictions, so those are
/// the prefixes that are allowed.
pub fn export(connection: &Connection, rounding: Rounding) -> Export<'_> {
    let mut allows = Resources::default();
    let mut denies = Resources::default();
    let mut inexact = Vec::new();
    let given = connection
        .rules()
        .iter()
        .filter(|rule| rule.effect == Effect::Allow)
        .fold(AccessSet::NONE, |given, rule| given.union(rule.access));
    for rule in connection.rules() {
        let access = rule.access.intersection(given);
        if access.is_empty() || is_idle(rule, connection) {
            continue;
        }
        let (texts, is_exact) = texts(&rule.restriction);
        if !is_exact {
            inexact.push(rule);
        }
        match (rule.effect, rounding) {
            (Effect::Allow, Rounding::Narrower) | (Effect::Deny, Rounding::Wider) if !is_exact => {}
            (Effect::Allow, _) => allows.extend(texts, access),
            (Effect::Deny, _) => denies.extend(texts, access),
        }
    }
    // Before anything is left out: what covers a name for reading may be asked for elsewhere.
    let (listed, hides_folder) = listed(&allows);
    let allows = allows.reduced();
    if connection.keys() == Keys::Plain {
        // What the connection refuses, because its server may read it as another key. See `Path::alias_at`.
        let aliases = ["*//*", "*\\*"].map(str::to_owned);
        let patterns = aliases.iter().chain(allows.0.keys()).filter_map(|t| text::read(t).ok());
        let patterns: Vec<Pattern> = patterns.collect();
        let (aliased, allowed) = patterns.split_at(aliases.len());
        let aliased = Language::of_patterns(aliased, []);
        if !Language::of_patterns(allowed, []).disjoint(&aliased, COMPARED).holds() {
            denies.extend(aliases, given);
        }
    }
    let hides_buckets = listed.iter().any(|statement| statement.prefixes.is_some());
    let mut statements = allows.statements(Effect::Allow);
    if !statements.is_empty() {
        statements.extend(listed);
        statements.extend(denies.reduced().statements(Effect::Deny));
    }
    Export {
        document: Document { statements },
        inexact,
        hides_buckets,
        hides_folder,
        partition: partition(connection.region()),
    }
}

/// Whether a deny takes nothing, because nothing gives it: it would only make the policy longer.
fn is_idle(rule: &Rule, connection: &Connection) -> bool {
    let rules = connection.rules();
    if rule.effect == Effect::Allow || rules.len() > MOST_COMPARED {
        return false;
    }
    let given: Vec<Pattern> = rules
        .iter()
        .filter(|given| given.effect == Effect::Allow)
        .filter(|given| !given.access.intersection(rule.access).is_empty())
        .flat_map(|given| given.restriction.patterns().iter().map(text::write))
        .filter_map(|text| text::read(&text).ok())
        .collect();
    let denied = Language::of(&rule.restriction);
    denied.disjoint(&Language::of_patterns(&given, []), COMPARED).holds()
}

/// The resources of a restriction, and whether they are exactly it. What matches a bucket's bare
/// name alone matches no object, and is none.
fn texts(restriction: &Restriction) -> (Vec<String>, bool) {
    let mut resources = Resources::default();
    resources.extend(restriction.patterns().iter().map(text::write), AccessSet::READ_ONLY);
    let resources = resources.reduced();
    let texts: Vec<String> =
        resources.0.into_keys().filter(|text| text::may_be_object(text)).collect();
    let has_other = restriction.text().chars().any(|character| character > text::LAST);
    if restriction.dialect() == Dialect::Plain && !has_other {
        return (texts, true);
    }
    let patterns: Vec<Pattern> = texts.iter().filter_map(|text| text::read(text).ok()).collect();
    let said = Language::of_patterns(&patterns, []);
    let is_exact = match said.implies(&Language::of(restriction), States::default()) {
        answer if answer.holds() => true,
        answer => answer.witness().is_some_and(|path| path.key().is_empty()),
    };
    (texts, is_exact)
}

/// Resources, each with its accesses.
#[derive(Debug, Default)]
struct Resources(BTreeMap<String, AccessSet>);

impl Resources {
    fn extend(&mut self, texts: impl IntoIterator<Item = String>, access: AccessSet) {
        for text in texts {
            let known = self.0.entry(text).or_default();
            *known = known.union(access);
        }
    }

    /// Without those that others cover, for all their accesses.
    fn reduced(self) -> Self {
        if self.0.len() > MOST_COMPARED {
            return self;
        }
        let mut kept: Vec<(String, AccessSet, Pattern)> = Vec::new();
        for (text, access) in self.0 {
            let Ok(pattern) = text::read(&text) else { continue };
            let covers = |(one, by): (&Pattern, AccessSet), (other, of): (&Pattern, AccessSet)| {
                of.without(by).is_empty()
                    && Language::of_patterns([other], [])
                        .implies(&Language::of_patterns([one], []), COMPARED)
                        .holds()
            };
            if kept.iter().any(|(_, by, one)| covers((one, *by), (&pattern, access))) {
                continue;
            }
            kept.retain(|(_, of, other)| !covers((&pattern, access), (other, *of)));
            kept.push((text, access, pattern));
        }
        Self(kept.into_iter().map(|(text, access, _)| (text, access)).collect())
    }

    /// One statement for each set of accesses.
    fn statements(self, effect: Effect) -> Vec<Statement> {
        let mut by_access: BTreeMap<u8, Vec<String>> = BTreeMap::new();
        for (text, access) in self.0 {
            by_access.entry(access.bits()).or_default().push(text);
        }
        let statement = |(bits, resources)| {
            // An upload that cannot be begun is not gone on with: a deny of its beginning does.
            let most = if effect == Effect::Deny { 1 } else { usize::MAX };
            let actions = AccessSet::from_bits(bits)
                .iter()
                .flat_map(|access| Action::of(access).iter().take(most).copied());
            let actions = actions.collect();
            Statement::new(effect, actions, resources)
        };
        by_access.into_iter().map(statement).collect()
    }
}

/// The statements that let be listed what is asked for, and a folder in which that is too many places.
fn listed(allows: &Resources) -> (Vec<Statement>, Option<String>) {
    let mut whole = Resources::default();
    let mut parts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut has_open = false;
    for (text, access) in &allows.0 {
        if !access.contains(Access::Read) && !access.contains(Access::Delete) {
            continue;
        }
        let Some((bucket, prefix)) = place(text) else { continue };
        // Which buckets there are is not known from the restrictions.
        has_open |= bucket.contains(['*', '?']) && access.contains(Access::Read);
        match prefix {
            Some(prefix) => drop(parts.entry(bucket).or_default().insert(prefix)),
            None => whole.extend([bucket], AccessSet::READ_ONLY),
        }
    }
    let whole: Vec<String> = whole.reduced().0.into_keys().collect();
    let patterns: Vec<Pattern> = whole.iter().filter_map(|text| text::read(text).ok()).collect();
    let is_whole = |bucket: &str| {
        text::read(bucket).is_ok_and(|bucket| {
            let bucket = Language::of_patterns([&bucket], []);
            bucket.implies(&Language::of_patterns(&patterns, []), COMPARED).holds()
        })
    };
    // Buckets of the same prefixes share a statement.
    let mut shared: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    let mut hidden = None;
    for (bucket, prefixes) in parts {
        if is_whole(&bucket) {
            continue;
        }
        let prefixes = without_covered(&prefixes);
        if hidden.is_none() {
            hidden = crowded(&prefixes).map(|folder| format!("{bucket}/{folder}"));
        }
        shared.entry(prefixes).or_default().push(bucket);
    }
    let statement = |action, resources, prefixes| Statement {
        prefixes,
        ..Statement::new(Effect::Allow, vec![action], resources)
    };
    let mut statements = Vec::new();
    if has_open {
        statements.push(statement(Action::ListAllMyBuckets, vec!["*".to_owned()], None));
    }
    if !whole.is_empty() {
        statements.push(statement(Action::ListBucket, whole, None));
    }
    for (prefixes, buckets) in shared {
        statements.push(statement(Action::ListBucket, buckets, Some(prefixes)));
    }
    (statements, hidden)
}

/// Prefixes, each a literal with or without a star behind it, without those that others cover. They are
/// no paths, so that this is no question about paths.
fn without_covered(prefixes: &BTreeSet<String>) -> Vec<String> {
    // The star of `${*}` has a `}` behind it.
    let literal = |prefix: &'_ String| prefix.strip_suffix('*').unwrap_or(prefix).to_owned();
    let mut sorted: Vec<(String, &String)> = prefixes.iter().map(|p| (literal(p), p)).collect();
    // What starts alike stands together, behind the star that covers it.
    sorted
        .sort_by(|(a, one), (b, other)| (a, !one.ends_with('*')).cmp(&(b, !other.ends_with('*'))));
    let mut kept: Vec<String> = Vec::new();
    let mut cover: Option<String> = None;
    for (literal, prefix) in sorted {
        if cover.as_ref().is_some_and(|cover| literal.starts_with(&**cover)) {
            continue;
        }
        kept.push(prefix.clone());
        cover = prefix.ends_with('*').then_some(literal);
    }
    kept
}

/// A folder that has more of these prefixes, which are sorted, than an executor asks for.
fn crowded(prefixes: &[String]) -> Option<&str> {
    prefixes.windows(MAX_PLACES + 1).find_map(|window| {
        let (first, last) = (window.first()?, window.last()?);
        let common = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        let slash = first.as_bytes()[..common].iter().rposition(|byte| *byte == b'/')?;
        Some(&first[..=slash])
    })
}

/// The bucket of a resource, and the prefix that its keys are asked for with; without one where that
/// is any.
fn place(resource: &str) -> Option<(String, Option<String>)> {
    let pattern = text::read(resource).ok()?;
    let mut bucket = String::new();
    let mut tokens = pattern.tokens().iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            Token::Literal(bytes) => match memchr::memchr(b'/', bytes) {
                Some(slash) => {
                    text::push_literal(&mut bucket, &bytes[..slash]);
                    let mut prefix = String::new();
                    text::push_literal(&mut prefix, &bytes[slash + 1..]);
                    if tokens.peek().is_some() {
                        prefix.push('*');
                    }
                    return Some((bucket, (prefix != "*").then_some(prefix)));
                }
                None => text::push_literal(&mut bucket, bytes),
            },
            Token::One(_) => bucket.push('?'),
            Token::Run(_) if *token == Token::STAR => {
                bucket.push('*');
                return Some((bucket, None));
            }
            Token::Run(_) => {}
        }
    }
    None
}
