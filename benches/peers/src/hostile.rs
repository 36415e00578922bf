//! Sets that are made to hurt: A1 to A6, after what is known of where matchers blow up.
//!
//! Each has 256 distinct paths, of which one in eight is made from a restriction, so that there
//! is something to grant; every third restriction is read-write, every fourth request a write. All
//! labels are the [`oracle`]'s.
//!
//! | set | restrictions | paths | hurts |
//! |---|---|---|---|
//! | A1 | `*a*a*a*a*a*b` | 60 bytes, nearly all `a` | matchers that call themselves |
//! | A2 | 200 with several stars, as people write them for a data lake | about 200 bytes of the same words | dense and lazy DFAs |
//! | A3 | a thousand `*A*B*`, A of 10 letters `a` and `b`, B of 20 | 1,024 bytes of `a` and `b`: most As are there, hardly a B | DFAs; whoever searches for each by itself |
//! | A4 | a thousand `*aaa…ab0000*` with 128 `a` | 1,024 bytes, nearly all `a` | one-backtrack matchers, at their quadratic worst |
//! | A5 | 1,024 in 64 nested directories, 16 `dir/*P*Q*` in each, all of the same pieces | 1,024 bytes through all 64, most Ps there, hardly a Q | whoever searches the directories' restrictions one after the other |
//! | A6 | a thousand `*aaa…*b0000*` with 1 to 125 `a` | 1,024 bytes, nearly all `a` | whoever searches for all pieces at once: each byte ends 125 of them |

use std::collections::HashSet;

use pathward::{Access, AccessSet};

use crate::{
    engine::{Rule, Task},
    oracle,
    workload::{Random, Request},
};

/// The sets.
pub(crate) const SETS: [&str; 6] = ["A1", "A2", "A3", "A4", "A5", "A6"];
/// Distinct paths of a set.
const PATHS: usize = 256;
/// Bytes of a long path: bucket, `/` and key together.
pub(crate) const LONG: usize = 1_024;

/// Nested directories of A5, and restrictions in each.
const NESTED: usize = 64;
const PIECES: usize = 16;

const WORDS: [&str; 16] = [
    "raw", "events", "daily", "part", "orders", "users", "logs", "app", "data", "export", "batch",
    "model", "train", "audit", "index", "report",
];
const EXTENSIONS: [&str; 4] = ["parquet", "csv", "json", "log"];

/// How many restrictions a set has.
pub(crate) fn len(name: &str) -> usize {
    match name {
        "A1" => 1,
        "A2" => 200,
        "A5" => NESTED * PIECES,
        _ => 1_000,
    }
}

/// The set of this name, or `None`.
pub(crate) fn set(name: &str) -> Option<Task> {
    let mut random = Random(0xa11 + name.bytes().map(u64::from).sum::<u64>());
    let random = &mut random;
    let task = match name {
        "A1" => {
            let rules = vec!["*a*a*a*a*a*b".to_owned()];
            task(rules, random, |random, granted, _| {
                let mut path = letters(random, 60, |random| one_of(random, b"aaaaaaaaaaaaaaac"));
                path.replace_range(20..21, "/");
                path.replace_range(59..60, if granted { "b" } else { "a" });
                path
            })
        }
        "A2" => {
            task(distinct(len(name), random, lake), random, |random, granted, rule| match granted {
                true => fill(rule, random, |random| lake_segments(random, 2)),
                false => format!("data-lake/{}/{}", lake_segments(random, 20), lake_file(random)),
            })
        }
        "A3" => {
            let rules = distinct(len(name), random, |random| {
                format!("*{}*{}*", letters(random, 10, ab), letters(random, 20, ab))
            });
            task(rules, random, |random, granted, rule| {
                let mut path = letters(random, LONG, ab);
                path.replace_range(60..61, "/");
                if granted {
                    replace_end(&mut path, &fill(rule, random, |random| letters(random, 9, ab)));
                }
                path
            })
        }
        "A4" => {
            let rules = distinct(len(name), random, |random| {
                format!("*{}b{:04}*", "a".repeat(128), random.below(10_000))
            });
            task(rules, random, |random, granted, rule| {
                let mut path = nearly_all_a(random);
                if granted {
                    replace_end(&mut path, &fill(rule, random, |_| String::new()));
                }
                path
            })
        }
        "A5" => {
            let pieces: Vec<[String; 2]> =
                (0..PIECES).map(|_| [letters(random, 5, bc), letters(random, 16, bc)]).collect();
            let rules = (0..NESTED)
                .flat_map(|depth| {
                    let directory = format!("nest/{}", "a/".repeat(depth));
                    pieces.iter().map(move |[p, q]| format!("{directory}*{p}*{q}*"))
                })
                .collect();
            task(rules, random, |random, granted, rule| {
                let mut path = format!("nest/{}", "a/".repeat(NESTED));
                path.push_str(&letters(random, LONG - path.len(), bc));
                if granted {
                    let end = fill(&rule[rule.find('*').unwrap_or(0)..], random, |random| {
                        letters(random, 9, bc)
                    });
                    replace_end(&mut path, &end);
                }
                path
            })
        }
        "A6" => {
            let rules = distinct(len(name), random, |random| {
                format!("*{}*b{:04}*", "a".repeat(1 + random.below(125)), random.below(10_000))
            });
            task(rules, random, |random, granted, rule| {
                let mut path = nearly_all_a(random);
                if granted {
                    replace_end(&mut path, &fill(rule, random, |_| String::new()));
                }
                path
            })
        }
        _ => return None,
    };
    Some(task)
}

/// Rules and paths: the last are made by `path`, from whether they are to be granted and from one
/// of the rules.
fn task(
    texts: Vec<String>,
    random: &mut Random,
    mut path: impl FnMut(&mut Random, bool, &str) -> String,
) -> Task {
    let access = |n| if n % 3 == 0 { AccessSet::READ_WRITE } else { AccessSet::READ_ONLY };
    let rules: Vec<Rule> =
        texts.into_iter().enumerate().map(|(n, text)| Rule { text, access: access(n) }).collect();
    let mut requests = Vec::with_capacity(PATHS);
    let mut seen = HashSet::new();
    while requests.len() < PATHS {
        let rule = &rules[random.below(rules.len())];
        let path = path(random, requests.len() % 8 == 0, &rule.text);
        if seen.insert(path.clone()) {
            let access = if requests.len() % 4 == 3 { Access::Write } else { Access::Read };
            let granted = oracle::grants(&rules, &path, access);
            requests.push(Request { path, access, granted });
        }
    }
    Task { rules, requests }
}

/// The paths of a task made [`LONG`], by segments before their last one.
pub(crate) fn lengthen(mut task: Task) -> Task {
    let mut random = Random(LONG as u64);
    task.requests.truncate(1_024);
    for Request { path, access, granted } in &mut task.requests {
        let at = path.rfind('/').unwrap_or(path.len());
        let mut filler = String::new();
        while path.len() + filler.len() < LONG {
            filler.push('/');
            filler.push_str(WORDS[random.below(WORDS.len())]);
        }
        filler.truncate(LONG.saturating_sub(path.len()));
        // A segment that is cut off is still one.
        if filler.ends_with('/') {
            filler.pop();
            filler.push('x');
        }
        path.insert_str(at, &filler);
        *granted = oracle::grants(&task.rules, path, *access);
    }
    task
}

/// So many texts that differ.
fn distinct(n: usize, random: &mut Random, text: impl Fn(&mut Random) -> String) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut texts = Vec::with_capacity(n);
    while texts.len() < n {
        let text = text(random);
        if seen.insert(text.clone()) {
            texts.push(text);
        }
    }
    texts
}

/// A restriction on a data lake, with several stars.
fn lake(random: &mut Random) -> String {
    let (a, b) = (word(random), word(random));
    let (number, extension) = (random.below(100), extension(random));
    match random.below(3) {
        0 => format!("data-lake/*/{a}-{number:02}/*/{b}-*.{extension}"),
        1 => format!("data-lake/*/{a}_{b}/*/{number:02}-*.{extension}"),
        _ => format!("*/{a}-{number:02}/*/{b}/*.{extension}"),
    }
}

/// Segments of words, as the restrictions of the lake have them.
fn lake_segments(random: &mut Random, n: usize) -> String {
    let segment = |random: &mut Random| match random.below(4) {
        0 => format!("{}_{}", word(random), word(random)),
        1 => format!("{}-{:02}", word(random), random.below(100)),
        _ => word(random).to_owned(),
    };
    let segments: Vec<String> = (0..n).map(|_| segment(random)).collect();
    segments.join("/")
}

/// A file as the restrictions of the lake end with.
fn lake_file(random: &mut Random) -> String {
    let (word, number, extension) = (word(random), random.below(100), extension(random));
    match random.below(2) {
        0 => format!("{word}-{number:02}.{extension}"),
        _ => format!("{number:02}-{word}.{extension}"),
    }
}

fn word(random: &mut Random) -> &'static str {
    WORDS[random.below(WORDS.len())]
}

fn extension(random: &mut Random) -> &'static str {
    EXTENSIONS[random.below(EXTENSIONS.len())]
}

/// A path that a restriction matches: something for each star.
fn fill(rule: &str, random: &mut Random, star: impl Fn(&mut Random) -> String) -> String {
    let mut path = String::new();
    for (n, piece) in rule.split('*').enumerate() {
        if n > 0 {
            path.push_str(&star(random));
        }
        path.push_str(piece);
    }
    path
}

/// A long path of `a`, with another letter somewhere.
fn nearly_all_a(random: &mut Random) -> String {
    let mut path = "a".repeat(LONG);
    path.replace_range(60..61, "/");
    let place = 100 + random.below(700);
    path.replace_range(place..place + 1, one_of(random, b"cdefgh"));
    path
}

/// Puts text at the end of a path, in the place of what is there.
fn replace_end(path: &mut String, end: &str) {
    path.truncate(path.len() - end.len());
    path.push_str(end);
}

fn letters(random: &mut Random, n: usize, letter: impl Fn(&mut Random) -> &'static str) -> String {
    (0..n).map(|_| letter(random)).collect()
}

/// One of these characters, which are ASCII.
fn one_of(random: &mut Random, of: &'static [u8]) -> &'static str {
    let at = random.below(of.len());
    std::str::from_utf8(&of[at..=at]).unwrap_or_default()
}

fn ab(random: &mut Random) -> &'static str {
    one_of(random, b"ab")
}

fn bc(random: &mut Random) -> &'static str {
    one_of(random, b"bc")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_as_described() {
        for name in SETS {
            let task = set(name).unwrap();
            assert_eq!(task.rules.len(), len(name));
            let granted = task.requests.iter().filter(|request| request.granted).count();
            assert!((8..PATHS / 2).contains(&granted), "{name}: {granted} are granted");
            for Request { path, .. } in &task.requests {
                assert!(pathward::Path::new(path).is_ok(), "{name}: {path}");
                assert!(matches!(name, "A1" | "A2") || path.len() == LONG, "{name}: {path}");
            }
        }
    }
}
