//! Restrictions and requests for the benchmarks, made from a seed alone.
//!
//! The paths are those of a made-up file system that has the habits of real ones: some buckets,
//! directories named after things and dates, files with numbers and extensions, deep trees next
//! to flat ones; about 60 bytes a path. Beside them stand tenants with the same layout each.
//!
//! * **M1**: 50 % `dir/*`, 10 % `dir/`, 30 % exact paths, 10 % raw prefixes (`dir/na*`).
//! * **M2**: 60 % `dir/*`, 20 % exact, 10 % raw prefixes, 10 % with several stars, of which a
//!   fifth begin with a star.
//! * **M3**: every restriction is `*A*B*`.
//!
//! A third of the restrictions is read-write, the others read-only. Of the requests half are
//! granted; of the denied ones half are near misses: a granted path with one byte changed, or the
//! right path with the wrong access.

#![expect(clippy::expect_used, reason = "a generator that errs is to fail")]

use std::collections::{BTreeMap, HashMap, HashSet};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use pathward::{Access, AccessSet, Automaton, Effect, Entry, Restriction};

/// How many requests a workload has.
pub(crate) const REQUESTS: usize = 10_000;

/// Which mixture of restrictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mix {
    M1,
    M2,
    M3,
}

/// Restrictions and requests, with the right answers.
pub(crate) struct Workload {
    pub(crate) rules: Vec<Rule>,
    pub(crate) requests: Vec<Request>,
}

/// A question and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) access: Access,
    pub(crate) granted: bool,
}

impl Workload {
    /// The workload of `n` restrictions: the same for the same arguments.
    pub(crate) fn new(mix: Mix, n: usize) -> Self {
        let mut random = Random::of(mix, n);
        let rules = rules(mix, n, &mut random);
        let oracle = Oracle::new(&rules);
        let mut requests = Vec::with_capacity(REQUESTS);
        while requests.len() < REQUESTS {
            let wanted = requests.len() % 4;
            let mut request = random.request(&rules);
            match wanted {
                0 | 1 => {}
                2 => {
                    if random.one_in(2) {
                        random.change_one_byte(&mut request.path);
                    } else {
                        request.access = Access::Write;
                    }
                }
                _ => request.path = path(&mut random),
            }
            request.granted = oracle.grants(&request);
            if request.granted == (wanted < 2) {
                requests.push(request);
            } else if wanted >= 2 && n > 50_000 && random.one_in(50) {
                // With very many restrictions few paths are denied; change more of one.
                request.path.insert_str(4, "-x");
                request.granted = oracle.grants(&request);
                if !request.granted {
                    requests.push(request);
                }
            }
        }
        random.shuffle(&mut requests);
        Self { rules, requests }
    }

    /// The restrictions alone: the same as [`Workload::new`] has.
    pub(crate) fn rules_of(mix: Mix, n: usize) -> Vec<Rule> {
        rules(mix, n, &mut Random::of(mix, n))
    }
    /// The same rules in globset.
    pub(crate) fn globsets(&self) -> GlobSets {
        GlobSets([Access::Read, Access::Write].map(|access| {
            let mut set = GlobSetBuilder::new();
            for (restriction, _) in self.rules.iter().filter(|(_, set)| set.contains(access)) {
                // The generator's texts have no other metacharacter than the star.
                let glob =
                    GlobBuilder::new(&restriction.to_string()).literal_separator(false).build();
                set.add(glob.expect("a glob"));
            }
            set.build().expect("a set")
        }))
    }

    /// A hash table of the requests' paths, with strings of its own, as a policy's would be: asked
    /// for a path, it hashes it, probes, and compares it with what it finds.
    pub(crate) fn table(&self) -> hashbrown::HashSet<Box<str>> {
        let mut paths: Vec<&str> = self.requests.iter().map(|request| &*request.path).collect();
        Random(1).shuffle(&mut paths);
        paths.into_iter().map(Box::from).collect()
    }

    /// The compiled automaton.
    pub(crate) fn automaton(&self) -> Automaton {
        Self::compile(&self.rules)
    }

    /// The automaton of these rules.
    pub(crate) fn compile(rules: &[Rule]) -> Automaton {
        Automaton::compile(rules.iter().map(|(restriction, access)| Entry {
            restriction,
            access: *access,
            effect: Effect::Allow,
        }))
        .expect("within the limits")
    }
}

/// A restriction, and the accesses that it gives.
pub(crate) type Rule = (Restriction, AccessSet);

fn rules(mix: Mix, n: usize, random: &mut Random) -> Vec<Rule> {
    let mut texts = HashSet::new();
    let mut rules = Vec::with_capacity(n);
    while rules.len() < n {
        let text = restriction(mix, random);
        if texts.insert(text.clone()) {
            let restriction = Restriction::parse(&text).expect("the generator writes them right");
            let access =
                if random.one_in(3) { AccessSet::READ_WRITE } else { AccessSet::READ_ONLY };
            rules.push((restriction, access));
        }
    }
    rules
}

/// globset as one would use it here: a set for each access.
pub(crate) struct GlobSets([GlobSet; 2]);

impl GlobSets {
    /// Whether it allows a request.
    pub(crate) fn allows(&self, request: &Request) -> bool {
        self.0[usize::from(request.access == Access::Write)].is_match(&request.path)
    }
}

/// Answers by looking at every restriction: slow, and shares nothing with what is measured but the
/// meaning of `*`. Restrictions are sorted by their literal start, so that a path is compared only
/// with those whose start it has.
struct Oracle<'a> {
    /// Length of the literal start, then the restrictions by it.
    by_start: BTreeMap<usize, Starts<'a>>,
}

/// The restrictions and their accesses, by their literal start.
type Starts<'a> = HashMap<&'a str, Vec<(&'a str, AccessSet)>>;

impl<'a> Oracle<'a> {
    fn new(rules: &'a [Rule]) -> Self {
        let mut by_start: BTreeMap<usize, Starts<'_>> = BTreeMap::new();
        for (restriction, access) in rules {
            let text = restriction.text();
            let start = text.find('*').unwrap_or(text.len());
            by_start
                .entry(start)
                .or_default()
                .entry(&text[..start])
                .or_default()
                .push((text, *access));
        }
        Self { by_start }
    }

    fn grants(&self, request: &Request) -> bool {
        self.by_start.iter().any(|(len, starts)| {
            request.path.get(..*len).and_then(|start| starts.get(start)).is_some_and(|rules| {
                rules.iter().any(|(text, access)| {
                    access.contains(request.access)
                        && star_match(text.as_bytes(), request.path.as_bytes())
                })
            })
        })
    }
}

/// The matcher that S3 servers have, `dir/` for `dir/*` aside: one place to come back to.
fn star_match(pattern: &[u8], path: &[u8]) -> bool {
    if let Some(b'/') = pattern.last() {
        return path.starts_with(pattern);
    }
    let (mut p, mut s, mut back) = (0, 0, None);
    while s < path.len() {
        if pattern.get(p) == Some(&b'*') {
            back = Some((p, s));
            p += 1;
        } else if pattern.get(p) == Some(&path[s]) {
            p += 1;
            s += 1;
        } else if let Some((star, at)) = back {
            p = star + 1;
            s = at + 1;
            back = Some((star, at + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// SplitMix64.
pub(crate) struct Random(pub u64);

impl Random {
    fn of(mix: Mix, n: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ (n as u64) << 8 ^ mix as u64)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for n in (1..items.len()).rev() {
            items.swap(n, self.below(n + 1));
        }
    }

    /// A request that one of the rules grants.
    fn request(&mut self, rules: &[Rule]) -> Request {
        let (restriction, access) = &rules[self.below(rules.len())];
        let text = restriction.text();
        let mut path = String::new();
        for character in text.chars() {
            match character {
                '*' if text.starts_with('*') && path.is_empty() => {
                    path.push_str(&directory(self));
                    path.push('/');
                }
                '*' if path.ends_with('/') => path.push_str(&tail(self)),
                '*' if text.find('*') == Some(text.len() - 1) => path.push_str(&tail(self)),
                '*' => path.push_str(self.pick(&WORDS)),
                other => path.push(other),
            }
        }
        if path.ends_with('/') {
            path.push_str(&tail(self));
        }
        let access = match access.contains(Access::Write) && self.one_in(2) {
            true => Access::Write,
            false => Access::Read,
        };
        Request { path, access, granted: true }
    }

    fn change_one_byte(&mut self, path: &mut String) {
        let at = 4 + self.below(path.len() - 4);
        let byte = self.pick(b"etaoinsr0123456789-_");
        path.replace_range(at..=at, std::str::from_utf8(&[byte]).expect("ASCII"));
    }
}

const BUCKETS: [&str; 24] = [
    "Algorithmia",
    "analytics-prod",
    "analytics-dev",
    "backup-eu-west-1",
    "cdn-assets",
    "clickstream",
    "customer-uploads",
    "data-lake",
    "data-lake-staging",
    "experiments",
    "finance-reports",
    "genomics-raw",
    "image-archive",
    "iot-telemetry",
    "log-archive",
    "ml-models",
    "ml-training",
    "my_bucket",
    "partner-exchange",
    "research-shared",
    "service-artifacts",
    "static-site",
    "terraform-state",
    "warehouse",
];

const WORDS: [&str; 72] = [
    "account",
    "active",
    "alerts",
    "app",
    "archive",
    "assets",
    "audit",
    "backend",
    "batch",
    "beta",
    "bin",
    "build",
    "cache",
    "campaign",
    "catalog",
    "checkpoints",
    "config",
    "core",
    "country",
    "curated",
    "daily",
    "dashboards",
    "data",
    "default",
    "delta",
    "docs",
    "error",
    "events",
    "export",
    "features",
    "frontend",
    "global",
    "hourly",
    "images",
    "import",
    "index",
    "inference",
    "input",
    "internal",
    "invoices",
    "jobs",
    "labels",
    "landing",
    "lib",
    "locale",
    "logs",
    "manifests",
    "metrics",
    "models",
    "monthly",
    "notebooks",
    "orders",
    "output",
    "packages",
    "partition",
    "private",
    "processed",
    "public",
    "raw",
    "releases",
    "reports",
    "results",
    "samples",
    "schema",
    "sessions",
    "shared",
    "snapshots",
    "staging",
    "tables",
    "temp",
    "users",
    "validation",
];

const EXTENSIONS: [&str; 12] = [
    "csv", "parquet", "json", "json.gz", "log", "txt", "png", "jpg", "tar.zst", "avro", "html",
    "bin",
];

/// A directory, without the `/` at its end.
fn directory(random: &mut Random) -> String {
    if random.one_in(8) {
        return format!("tenant-{:05}/logs/{}", random.below(20_000), random.pick(&WORDS));
    }
    let mut path = random.pick(&BUCKETS).to_owned();
    for _ in 0..2 + random.below(4) {
        path.push('/');
        let word = random.pick(&WORDS);
        match random.below(6) {
            0 => path.push_str(&format!("{word}-{:03}", random.below(1_000))),
            1 => path.push_str(&date(random)),
            2 => path.push_str(&format!("{word}_{}", random.pick(&WORDS))),
            _ => path.push_str(word),
        }
    }
    path
}

fn date(random: &mut Random) -> String {
    format!("20{:02}-{:02}-{:02}", 20 + random.below(7), 1 + random.below(12), 1 + random.below(28))
}

fn file(random: &mut Random) -> String {
    let (word, extension) = (random.pick(&WORDS), random.pick(&EXTENSIONS));
    match random.below(3) {
        0 => format!("part-{:05}.{extension}", random.below(100_000)),
        1 => format!("{word}-{}.{extension}", date(random)),
        _ => format!("{word}_{:04x}.{extension}", random.below(65_536)),
    }
}

/// What may follow a directory.
fn tail(random: &mut Random) -> String {
    match random.below(3) {
        0 => file(random),
        1 => format!("{}/{}", random.pick(&WORDS), file(random)),
        _ => format!("{}/{}/{}", random.pick(&WORDS), date(random), file(random)),
    }
}

fn path(random: &mut Random) -> String {
    format!("{}/{}", directory(random), file(random))
}

fn restriction(mix: Mix, random: &mut Random) -> String {
    let kind = random.below(100);
    match (mix, kind) {
        (Mix::M3, _) => format!(
            "*{}{:03}*{}{:03}*",
            random.pick(&WORDS),
            random.below(1_000),
            random.pick(&WORDS),
            random.below(1_000)
        ),
        (Mix::M1, 0..50) | (Mix::M2, 0..60) => format!("{}/*", directory(random)),
        (Mix::M1, 50..60) => format!("{}/", directory(random)),
        (Mix::M1, 60..90) | (Mix::M2, 60..80) => path(random),
        (Mix::M1, _) | (Mix::M2, 80..90) => {
            format!("{}/{}*", directory(random), &random.pick(&WORDS)[..2])
        }
        (Mix::M2, 90..98) => match random.below(2) {
            0 => format!(
                "tenant-{:05}/logs/*/20{:02}-{:02}-*/part-*.parquet",
                random.below(20_000),
                20 + random.below(7),
                1 + random.below(12)
            ),
            _ => format!(
                "{}/*/{}-*.{}",
                directory(random),
                random.pick(&WORDS),
                random.pick(&EXTENSIONS)
            ),
        },
        (Mix::M2, _) => format!(
            "*/{}/*-{:04x}.{}",
            random.pick(&WORDS),
            random.below(65_536),
            random.pick(&EXTENSIONS)
        ),
    }
}
