//! What an entry adds to the others of its connection: whether anything would change without it.

use std::collections::{HashMap, HashSet};

use super::{Finding, Instead, Level, Lint};
use crate::{
    access::{Access, AccessSet},
    analysis::{
        Budget, Language, States,
        ahead::{Wanted, search_ahead},
        field::{ALIASED, Colors, FIRST, Field, Item},
        goal::Goal,
        walk::{Walk, start_without},
    },
    automaton::{Effect, Entry},
    policy::{Connection, Keys, Rule},
    restriction::{Pattern, Token},
};

/// How many entries are tried for the name of what covers another.
const MOST_NAMED: usize = 48;
/// How many are named together at most.
const MOST_TOGETHER: usize = 6;
/// What one comparison for a name may cost.
const NAMING: usize = 4_096;

/// What is asked about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Question {
    /// Does it give what no other gives, and no deny takes?
    Gives,
    /// Is anything of it not denied?
    IsLeft,
    /// Can anything of it be asked for?
    CanBe,
    /// Does it take anything that is given?
    Takes,
    /// Does it take what no other takes?
    TakesAlone,
}

pub(super) fn look<'p>(connection: &'p Connection, states: States, lint: &mut Lint<'p>) {
    let rules = connection.rules();
    // An entry that says the same as one before it is told of by the policy's reader.
    let mut said: HashSet<(&[Pattern], Effect, AccessSet)> = HashSet::with_capacity(rules.len());
    let mut items = Vec::with_capacity(rules.len());
    for (n, rule) in rules.iter().enumerate() {
        let patterns = rule.restriction.patterns();
        if said.insert((patterns, rule.effect, rule.access)) {
            let of = |pattern| Item::new(pattern, colors(rule.effect, rule.access), n as u32);
            items.extend(patterns.iter().map(of));
        }
    }
    let field = Field::new(items);
    let mut cover = Cover {
        connection,
        field: &field,
        walk: Walk::new(&field),
        goals: HashMap::new(),
        budget: Budget::new(states),
        naming: Budget { each: States::new(NAMING), ..Budget::new(states) },
    };
    let mut places: HashMap<u32, Vec<u32>> = HashMap::new();
    for (place, item) in field.items().iter().enumerate() {
        places.entry(item.tag).or_default().push(place as u32);
    }
    let mut findings = Vec::new();
    for (place, item) in field.items().iter().enumerate() {
        // Each rule once, at the first of its places.
        let Some(of_rule) = places.get(&item.tag) else { continue };
        if of_rule.first() == Some(&(place as u32)) {
            findings.extend(cover.look(item.tag as usize, of_rule));
        }
    }
    lint.undecided += cover.budget.undecided;
    // Of two that cover each other, one stays: the first.
    let by: HashMap<usize, Vec<usize>> =
        findings.iter().filter_map(|f| Some((f.rule?, f.by.clone()))).collect();
    findings.retain(|finding| {
        let (Some(own), [other]) = (finding.rule, &finding.by[..]) else { return true };
        !(own < *other && by.get(other).is_some_and(|back| back.contains(&own)))
    });
    lint.findings.extend(findings);
}

/// The colours of a rule: three for what is given, three for what is taken.
fn colors(effect: Effect, access: AccessSet) -> Colors {
    let bits = Colors::from(access.bits()) * FIRST;
    match effect {
        Effect::Allow => bits,
        Effect::Deny => bits << 3,
    }
}

struct Cover<'f, 'p> {
    connection: &'p Connection,
    field: &'f Field<'p>,
    walk: Walk<'f, 'p>,
    goals: HashMap<(Question, AccessSet), Goal<'static>>,
    budget: Budget,
    /// For the names of what covers: without them a finding is as true.
    naming: Budget,
}

impl<'p> Cover<'_, 'p> {
    fn look(&mut self, n: usize, places: &[u32]) -> Option<Finding<'p>> {
        let rule = self.connection.rules().get(n)?;
        let text = rule.restriction.text();
        let finding = |code, message, help: &str| {
            let help = Instead::words(help);
            Finding::of_rule(code, Level::Warning, self.connection, n, message, help)
        };
        let is_plain = self.connection.keys() == Keys::Plain;
        let refused = format!(
            "no path of `{text}` is ever allowed: with `keys: plain`, those with an empty segment \
             or a `\\` are refused"
        );
        let exact =
            "take it out, or say `keys: exact` if the server is known to keep such keys apart";
        match rule.effect {
            Effect::Allow => {
                if self.is_any(Question::Gives, rule, places)? {
                    return None;
                }
                if is_plain && !self.is_any(Question::CanBe, rule, places)? {
                    return Some(finding("lint.plain_keys", refused, exact));
                }
                if !self.is_any(Question::IsLeft, rule, places)? {
                    let by = self.by(n, rule, places, Effect::Deny);
                    let message =
                        format!("everything that `{text}` allows is denied{}", self.named(&by));
                    let help = "take it out, or narrow the deny";
                    return Some(Finding { by, ..finding("lint.denied", message, help) });
                }
                let by = self.by(n, rule, places, Effect::Allow);
                let message = format!(
                    "`{text}` allows nothing that is not allowed already{}",
                    self.named(&by)
                );
                Some(Finding {
                    by,
                    ..finding("lint.shadowed", message, "take it out: nothing changes")
                })
            }
            Effect::Deny => {
                if !self.is_any(Question::Takes, rule, places)? {
                    if is_plain && !self.is_any(Question::CanBe, rule, places)? {
                        return Some(finding("lint.idle_deny", refused, "take it out"));
                    }
                    let message =
                        format!("`{text}` denies nothing: no restriction allows any of it");
                    let help = "take it out, or name what is meant: a path starts with its bucket";
                    return Some(finding("lint.idle_deny", message, help));
                }
                if self.is_any(Question::TakesAlone, rule, places)? {
                    return None;
                }
                let by = self.by(n, rule, places, Effect::Deny);
                let message = format!(
                    "`{text}` denies nothing that is not denied already{}",
                    self.named(&by)
                );
                Some(Finding {
                    by,
                    ..finding("lint.shadowed", message, "take it out: nothing changes")
                })
            }
        }
    }

    /// Whether there is a path of a rule that a question asks for. `None` where it is not decided.
    fn is_any(&mut self, question: Question, rule: &Rule, places: &[u32]) -> Option<bool> {
        let keys = self.connection.keys();
        let goal = self
            .goals
            .entry((question, rule.access))
            .or_insert_with(|| goal(question, rule.access, keys));
        for &place in places {
            let needs = match question {
                Question::Takes | Question::TakesAlone => colors(Effect::Allow, rule.access),
                Question::Gives | Question::IsLeft | Question::CanBe => 0,
            };
            let wanted = Wanted { needs, except: places, any: true, most: usize::MAX };
            let ask = |states: &mut States| {
                let start = match places {
                    [_] => self.walk.start(place as usize, places, states)?,
                    _ => start_without(self.field, place as usize, places, states)?,
                };
                match start {
                    Some(start) => search_ahead(self.field, goal, &start, wanted, states),
                    None => Ok(None),
                }
            };
            if self.budget.ask(ask)?.is_some() {
                return Some(true);
            }
        }
        Some(false)
    }

    /// The rules that cover a rule: one, or a few together; none if they are many, or would take too
    /// long to find.
    fn by(&mut self, n: usize, rule: &Rule, places: &[u32], effect: Effect) -> Vec<usize> {
        let rules = self.connection.rules();
        let mut near: Vec<usize> = places
            .iter()
            .flat_map(|place| self.field.near(*place as usize, MOST_NAMED))
            .map(|place| self.field.items()[place].tag as usize)
            .filter(|other| *other != n && rules[*other].effect == effect)
            .filter(|other| !rules[*other].access.intersection(rule.access).is_empty())
            .collect();
        near.sort_unstable();
        near.dedup();
        let own = Language::of(&rule.restriction);
        let naming = &mut self.naming;
        let mut covers = |others: &[usize]| {
            rule.access.iter().all(|access| {
                if naming.is_gone() {
                    return false;
                }
                let entries = others.iter().map(|other| Entry {
                    restriction: &rules[*other].restriction,
                    access: rules[*other].access,
                    effect: Effect::Allow,
                });
                let theirs = Language::of_entries(entries, access);
                matches!(naming.ask(|states| own.difference(&theirs, states)), Some(None))
            })
        };
        // What starts as another says is seen without a search.
        let starts = |other: usize| {
            let whole = |pattern: &Pattern| match pattern.tokens() {
                [Token::Literal(_), star] | [star] => *star == Token::STAR,
                _ => false,
            };
            let start = |pattern: &Pattern, own: &Pattern| {
                whole(pattern) && own.prefix().starts_with(pattern.prefix())
            };
            let theirs = rules[other].restriction.patterns();
            rule.access.without(rules[other].access).is_empty()
                && rule
                    .restriction
                    .patterns()
                    .iter()
                    .all(|own| theirs.iter().any(|p| start(p, own)))
        };
        if let Some(one) = near.iter().find(|other| starts(**other) || covers(&[**other])) {
            return vec![*one];
        }
        if near.len() > MOST_NAMED || !covers(&near) {
            return Vec::new();
        }
        let mut kept = near;
        for place in (0..kept.len()).rev() {
            let mut without = kept.clone();
            without.remove(place);
            if covers(&without) {
                kept = without;
            }
        }
        if kept.len() > MOST_TOGETHER { Vec::new() } else { kept }
    }

    /// ` by …`, for a message.
    fn named(&self, by: &[usize]) -> String {
        let names: Vec<String> = by
            .iter()
            .filter_map(|n| self.connection.rules().get(*n))
            .map(|rule| match &rule.location {
                Some(at) => format!("`{}` in line {}", rule.restriction.text(), at.line),
                None => format!("`{}`", rule.restriction.text()),
            })
            .collect();
        match names.len() {
            0 => ", by others".to_owned(),
            _ => format!(", by {}", names.join(" and ")),
        }
    }
}

fn goal(question: Question, access: AccessSet, keys: Keys) -> Goal<'static> {
    let given = colors(Effect::Allow, access);
    let taken = colors(Effect::Deny, access);
    let any = move |is: fn(bool, bool) -> bool, c: Colors| {
        Access::ALL.into_iter().filter(|one| access.contains(*one)).any(|one| {
            let given = c & colors(Effect::Allow, one.into()) != 0;
            let taken = c & colors(Effect::Deny, one.into()) != 0;
            is(given, taken)
        })
    };
    let is: fn(bool, bool) -> bool = match question {
        Question::Gives => |given, taken| !given && !taken,
        Question::IsLeft => |_, taken| !taken,
        Question::CanBe => |_, _| true,
        Question::Takes => |given, _| given,
        Question::TakesAlone => |given, taken| given && !taken,
    };
    Goal::new(given | taken, move |c| (keys == Keys::Exact || c & ALIASED == 0) && any(is, c))
}
