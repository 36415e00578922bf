//! What is suggested, as YAML for people and as JSON.

use std::collections::BTreeMap;

use super::{
    super::{
        output::{Failure, Output, escape_bytes, rule_text},
        validate::plural,
    },
    gather::{Found, OfOne, Rules},
};
use crate::{
    access::{Access, AccessSet},
    analysis::{Answer, Language, States, Suggestion, openings, suggest},
    automaton::Effect,
    escape::escape,
    policy::{
        Connection, Rule,
        written::text::{access_text, entry},
    },
    restriction::Restriction,
};

/// Restrictions, each with the accesses that it is for.
pub(super) type Entries = Vec<(Restriction, AccessSet)>;

/// What is suggested.
pub(super) struct Answered<'e> {
    pub(super) connections: Vec<One<'e>>,
    /// Those that no record names.
    pub(super) absent: Vec<&'e Connection>,
    /// How many questions were not decided.
    pub(super) undecided: usize,
    /// What was to be proved and is not so.
    pub(super) wrong: Option<String>,
}

/// What is suggested for one connection.
pub(super) struct One<'e> {
    pub(super) number: usize,
    max: usize,
    pub(super) connection: &'e Connection,
    pub(super) suggestions: Vec<Suggestion>,
    pub(super) entries: Entries,
    pub(super) unused: Vec<usize>,
    /// With whether they take something of what is suggested.
    pub(super) unused_denies: Vec<(usize, bool)>,
    pub(super) openings: Entries,
}

impl<'e> Answered<'e> {
    pub(super) fn new(log: &Found<'e>, max: usize, states: States) -> Self {
        let mut all =
            Self { connections: Vec::new(), absent: Vec::new(), undecided: 0, wrong: None };
        for (number, connection, found) in log.all() {
            if found.uses == 0 && found.denied.is_empty() && found.missing + found.stand_ins == 0 {
                all.absent.push(connection);
                continue;
            }
            let suggestions: Vec<Suggestion> = Access::ALL
                .into_iter()
                .filter_map(|access| suggest(&log.used, number, connection, access, max, states))
                .collect();
            for suggestion in &suggestions {
                all.check(connection, suggestion);
            }
            let opened = |access| match &log.denied {
                Some(denied) => openings(denied, number, access, max),
                None => Vec::new(),
            };
            let opened: Vec<_> = Access::ALL.into_iter().map(|a| (a, opened(a))).collect();
            let of = |suggestion: &Suggestion| (suggestion.access, suggestion.restrictions.clone());
            let entries = merged(suggestions.iter().map(of));
            let used: Rules = suggestions.iter().flat_map(|s| s.rules.iter().copied()).collect();
            let rules = |effect| {
                let rules = connection.rules().iter().enumerate();
                rules.filter(move |(_, rule)| rule.effect == effect)
            };
            let unused = rules(Effect::Allow).map(|(n, _)| n).filter(|n| !used.contains(n));
            let starts = Starts::new(&entries);
            let idle = rules(Effect::Deny).filter(|(n, _)| !found.denies.contains_key(n));
            let idle: Vec<_> = idle
                .map(|(n, rule)| {
                    let (takes, undecided) = starts.meet(rule, states);
                    all.undecided += undecided;
                    (n, takes)
                })
                .collect();
            all.connections.push(One {
                number,
                max,
                connection,
                unused: unused.collect(),
                unused_denies: idle,
                entries,
                suggestions,
                openings: merged(opened),
            });
        }
        all
    }

    /// Nothing is suggested that is not proved.
    fn check(&mut self, connection: &Connection, suggestion: &Suggestion) {
        for (answer, what) in
            [(&suggestion.inside, "opens nothing"), (&suggestion.covers, "covers what was used")]
        {
            match answer {
                Answer::Holds => {}
                Answer::Undecided { .. } => self.undecided += 1,
                Answer::Fails(path) => {
                    self.wrong = Some(format!(
                        "what would be suggested for {} does not hold (that it {what}: {}, {}); \
                         please report this",
                        connection.id(),
                        suggestion.access,
                        escape_bytes(path.as_bytes())
                    ));
                }
            }
        }
        self.undecided += usize::from(matches!(suggestion.keeps, Answer::Undecided { .. }));
    }

    pub(super) fn write_text(
        &self,
        log: &Found<'_>,
        show: usize,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        for one in &self.connections {
            let found = &log.connections[one.number];
            for line in one.lines(found, log.denied.is_some(), show) {
                writeln!(output.out, "{line}")?;
            }
        }
        for connection in self.absent.iter().take(show) {
            let (id, owner) = (connection.id(), escape(connection.owner()));
            writeln!(output.out, "# {id} of {owner}: not in the log")?;
        }
        if self.absent.len() > show {
            let more = self.absent.len() - show;
            writeln!(output.out, "# and {more} more connections that are not in the log")?;
        }
        if log.unknown > 0 {
            let records = plural(log.unknown, "record");
            writeln!(output.out, "# {records} of connections that their callers do not have")?;
        }
        Ok(())
    }
}

impl One<'_> {
    /// The lines for people: YAML, and comments.
    fn lines(&self, found: &OfOne, has_openings: bool, show: usize) -> Vec<String> {
        let mut lines = vec![format!(
            "# {} of {}: {}{}",
            self.connection.id(),
            escape(self.connection.owner()),
            plural(found.uses, "use"),
            self.proved()
        )];
        lines.extend(self.block());
        for suggestion in self.suggestions.iter().filter(|s| s.restrictions.len() > self.max) {
            let (access, count) = (suggestion.access, suggestion.restrictions.len());
            lines.push(format!(
                "# {access}: {count} and not {}: what is granted cannot be said in fewer",
                self.max
            ));
        }
        for suggestion in &self.suggestions {
            if let Answer::Fails(path) = &suggestion.keeps {
                let path = escape_bytes(path.as_bytes());
                lines.push(format!("# {} no longer, such as {path}", suggestion.access));
            }
        }
        for access in self.not_used() {
            lines.push(format!("# {access} no longer: it was not used"));
        }
        let rule = |n: usize| {
            let rule = self.connection.rules().get(n);
            rule.map_or(String::new(), rule_text)
        };
        let mut unused: Vec<_> =
            self.unused.iter().map(|n| format!("# unused: {}", rule(*n))).collect();
        unused.extend(self.unused_denies.iter().map(|(n, takes)| {
            let still = if *takes { ", and takes from what is suggested" } else { "" };
            format!("# denied nothing: {}{still}", rule(*n))
        }));
        lines.extend(unused.iter().take(show).cloned());
        if unused.len() > show {
            let more = unused.len() - show;
            lines.push(format!("# and {more} more unused (`--show`, or all with `--format json`)"));
        }
        if !found.denied.is_empty() {
            let reasons = found.denied.iter().map(|(reason, count)| format!("{count} {reason}"));
            let reasons: Vec<_> = reasons.collect();
            lines.push(format!("# denied, and not opened: {}", reasons.join(", ")));
        }
        let [missing, stand_ins] = [(found.missing, "read"), (found.stand_ins, "listing")]
            .map(|(count, what)| plural(count, what));
        match (found.missing, found.stand_ins) {
            (0, 0) => {}
            (_, 0) => lines.push(format!("# no use: {missing} of what was not there (`--missing`)")),
            (_, _) => lines.push(format!(
                "# no use: {missing} of what was not there, {stand_ins} in place of a read (`--missing`)"
            )),
        }
        if found.closed > 0 {
            lines.push(format!("# {} of them allowed in the log, and not today", found.closed));
        }
        if has_openings {
            for (restriction, access) in &self.openings {
                let entry = entry(restriction, Some(*access));
                lines.push(format!("# OPENING, not granted today: - {entry}"));
            }
            for (n, count) in &found.denies {
                let times = plural(*count, "time");
                lines.push(format!(
                    "# no restriction opens what a deny takes: {}, {times}",
                    rule(*n)
                ));
            }
        }
        lines
    }

    /// The accesses that are granted, and that nothing used.
    pub(super) fn not_used(&self) -> impl Iterator<Item = Access> {
        let rules = self.connection.rules().iter();
        let allows = rules.filter(|rule| rule.effect == Effect::Allow);
        let granted = allows.fold(AccessSet::NONE, |set, rule| set.union(rule.access));
        let used: AccessSet = self.suggestions.iter().map(|s| s.access).collect();
        granted.without(used).iter()
    }

    fn proved(&self) -> &'static str {
        let decided = |s: &Suggestion| s.inside.holds() && s.covers.holds();
        match (self.suggestions.is_empty(), self.suggestions.iter().all(decided)) {
            (true, _) => ", so that no restriction is needed",
            (false, true) => "; all covered and nothing opened, which is proved",
            (false, false) => "; NOT PROVED within the budget",
        }
    }

    /// What replaces the connection's `restrictions`.
    pub(super) fn block(&self) -> Vec<String> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        // The access that most of them have is written once; the connection's own if as many have that.
        let own = self.connection.access();
        let count = |access| {
            self.entries.iter().filter(|(_, entry_access)| *entry_access == access).count()
        };
        let sets = self.entries.iter().map(|(_, access)| *access);
        let rank = |access: &AccessSet| (count(*access), *access == own, access.bits());
        let common = sets.max_by_key(rank).unwrap_or(own);
        let mut lines = Vec::new();
        if common != own {
            lines.push(format!("    access: {}", access_text(common)));
        }
        lines.push("    restrictions:".to_owned());
        for (restriction, access) in &self.entries {
            let access = Some(*access).filter(|access| *access != common);
            lines.push(format!("      - {}", entry(restriction, access)));
        }
        lines
    }
}

/// Each restriction once, with all its accesses, in the order of their texts.
fn merged(suggested: impl IntoIterator<Item = (Access, Vec<Restriction>)>) -> Entries {
    let mut all: BTreeMap<(String, u8), (Restriction, AccessSet)> = BTreeMap::new();
    for (access, restrictions) in suggested {
        for restriction in restrictions {
            let key = (restriction.text().to_owned(), restriction.dialect() as u8);
            let (_, set) = all.entry(key).or_insert((restriction, AccessSet::NONE));
            *set = set.with(access);
        }
    }
    all.into_values().collect()
}

/// What is suggested, by the literal bytes that it starts with.
struct Starts<'s>(BTreeMap<&'s [u8], Vec<&'s (Restriction, AccessSet)>>);

impl<'s> Starts<'s> {
    fn new(entries: &'s Entries) -> Self {
        let mut starts: BTreeMap<&[u8], Vec<_>> = BTreeMap::new();
        for entry in entries {
            for pattern in entry.0.patterns() {
                starts.entry(pattern.prefix()).or_default().push(entry);
            }
        }
        Self(starts)
    }

    /// Whether a deny takes something of what is suggested, and how many questions were not decided.
    fn meet(&self, deny: &Rule, states: States) -> (bool, usize) {
        let paths = Language::of(&deny.restriction);
        let mut undecided = 0;
        for pattern in deny.restriction.patterns() {
            // What starts otherwise has nothing in common with it.
            let prefix = pattern.prefix();
            let shorter = (0..prefix.len()).filter_map(|end| self.0.get(&prefix[..end]));
            let longer = self.0.range(prefix..).take_while(|(start, _)| start.starts_with(prefix));
            for (restriction, access) in shorter.chain(longer.map(|(_, near)| near)).flatten() {
                if access.intersection(deny.access).is_empty() {
                    continue;
                }
                match paths.disjoint(&Language::of(restriction), states) {
                    Answer::Holds => {}
                    Answer::Fails(_) => return (true, undecided),
                    Answer::Undecided { .. } => undecided += 1,
                }
            }
        }
        (false, undecided)
    }
}
