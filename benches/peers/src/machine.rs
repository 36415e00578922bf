//! Where and with what it was measured.

use std::{
    collections::{HashSet, VecDeque},
    env, fs,
    process::Command,
    thread,
};

/// The versions of everything, as they were compiled in.
const LOCK: &str = include_str!("../Cargo.lock");

/// Machine, versions, date and command, by name, in the order in which results show them.
pub(crate) fn about(rounds: usize) -> Vec<(String, String)> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let behind =
        if arguments.is_empty() { String::new() } else { format!(" -- {}", arguments.join(" ")) };
    let folder = env!("CARGO_MANIFEST_DIR");
    let commit = output("git", &["-C", folder, "rev-parse", "--short", "HEAD"]);
    // Pathward's own code and these benchmarks; not what they write.
    let changed = output("git", &["-C", folder, "status", "--porcelain", "--", "../../src", "src"]);
    let with = if changed.is_empty() { "" } else { ", with changes" };
    [
        (
            "command",
            format!("cargo run --release --manifest-path benches/peers/Cargo.toml{behind}"),
        ),
        ("date", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("cpu", field("/proc/cpuinfo", "model name")),
        ("cores", thread::available_parallelism().map_or(0, usize::from).to_string()),
        ("caches", caches()),
        ("memory", field("/proc/meminfo", "MemTotal")),
        ("kernel", format!("Linux {}", file("/proc/sys/kernel/osrelease"))),
        ("load before", file("/proc/loadavg")),
        ("rounds", rounds.to_string()),
        ("rustc", env!("PEERS_RUSTC").to_owned()),
        ("pathward commit", format!("{commit}{with}")),
        ("crates", versions()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The version of a crate, by `Cargo.lock`: that of the nearest dependency of this name, since
/// there may be others of it farther down.
pub(crate) fn version(name: &str) -> Option<&'static str> {
    let mut waiting = VecDeque::from(["peers"]);
    let mut seen = HashSet::new();
    while let Some(dependency) = waiting.pop_front() {
        // `name`, or `name version` where there are several.
        let (found, wanted) = dependency.split_once(' ').unwrap_or((dependency, ""));
        let package = LOCK.split("[[package]]").find(|package| {
            field_of(package, "name") == Some(found)
                && field_of(package, "version").is_some_and(|version| version.starts_with(wanted))
        })?;
        if found == name {
            return field_of(package, "version");
        }
        let dependencies =
            package.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
        waiting.extend(dependencies.filter(|dependency| seen.insert(*dependency)));
    }
    None
}

/// A field of a package in the lock file.
fn field_of(package: &'static str, name: &str) -> Option<&'static str> {
    package
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
}

/// The crates of all engines, with their versions.
fn versions() -> String {
    let mut names: Vec<&str> =
        crate::engines::ALL.iter().flat_map(|entry| entry.about.crates).copied().collect();
    names.sort_unstable();
    names.dedup();
    let versions: Vec<String> =
        names.into_iter().map(|name| format!("{name} {}", version(name).unwrap_or("?"))).collect();
    versions.join(", ")
}

/// The sizes of the first core's caches, as Linux names them.
fn caches() -> String {
    let sizes: Vec<String> = (0..)
        .map(|index| format!("/sys/devices/system/cpu/cpu0/cache/index{index}"))
        .take_while(|folder| fs::exists(folder).unwrap_or(false))
        .map(|folder| {
            let [level, kind, size] =
                ["level", "type", "size"].map(|name| file(&format!("{folder}/{name}")));
            format!("L{level} {} {size}", kind.to_lowercase())
        })
        .collect();
    sizes.join(", ")
}

/// A file's text on one line; empty when it cannot be read.
fn file(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().replace('\n', " ")
}

/// What stands behind a name and a colon in a file of such lines.
fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
        .map_or_else(String::new, |value| value.trim().to_owned())
}

/// What a command prints, on one line; empty when it fails.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().replace('\n', " "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let parts = version("globset").unwrap().split('.').count();
        assert_eq!(parts, 3);
        assert_eq!(version("no-such-crate"), None);
        assert!(!versions().contains('?'));
    }
}
