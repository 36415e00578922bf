//! The command, run as a program.
#![cfg(feature = "cli")]
#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod batch;
#[cfg(all(feature = "portal", feature = "embedded"))]
#[path = "../support/tls.rs"]
mod certificates;
mod check;
#[cfg(all(target_os = "linux", feature = "gateway", feature = "embedded"))]
mod costs;
mod diff;
mod explain;
mod files;
mod graph;
#[cfg(feature = "gateway")]
mod hostile;
#[cfg(all(feature = "portal", feature = "embedded"))]
mod https;
mod iam;
mod iam_corpus;
mod iam_json;
mod iam_policies;
mod lint;
mod logs;
mod never;
mod recipe;
mod replay;
#[cfg(all(feature = "store", feature = "gateway", target_os = "linux"))]
mod revoked;
#[cfg(feature = "gateway")]
mod serve;
#[cfg(feature = "gateway")]
mod server_key;
#[cfg(all(target_os = "linux", feature = "gateway", feature = "embedded"))]
#[path = "../common/slow.rs"]
mod slow;
#[cfg(all(feature = "store", feature = "gateway"))]
mod store;
mod suggest;
#[cfg(all(feature = "gateway", feature = "embedded"))]
mod tls;
#[cfg(all(feature = "executor", feature = "embedded"))]
mod uploads;
mod version1;

use std::{
    ffi::OsStr,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// The policy that most tests ask about. Lines and columns are asserted on.
pub(crate) const POLICY: &str = "\
connections:
  - id: s3+saha
    owner: steph
    default: true
    access: read-only
    restrictions:
      - Algorithmia/team.jpg
      - Algorithmia/data/*
      - { path: Algorithmia/out/, access: read-write }
    deny:
      - Algorithmia/data/secret/
  - id: s3+plain
    owner: steph
    endpoint: https://s3.example
    keys: plain
    credentials: { profile: saha }
    restrictions:
      - pub/*
  - id: s3+shared
    owner: steph
    restrictions:
      - pub/*
  - id: s3+shared
    owner: dana
    restrictions:
      - pub/dana/*
  - id: s3+all
    owner: steph
    access: read-write
  - id: s3+tree
    owner: steph
    restrictions:
      - { path: pub/a/b/, access: read-write }
";

/// What a run of the command left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }
}

/// A folder with a policy in it.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self::with(POLICY)
    }

    pub(crate) fn with(policy: &str) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        folder.file("policy.yaml", policy.as_bytes());
        folder
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// `pathward`, run in the folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pathward"));
        command.current_dir(self.0.path()).env_remove("PATHWARD_FORMAT").stdin(Stdio::null());
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        ran(self.command().args(args))
    }

    /// The same, with the arguments as one text with spaces, and `--policy policy.yaml`.
    pub(crate) fn ask(&self, args: &str) -> Ran {
        self.run(args.split_whitespace().chain(["--policy", "policy.yaml"]))
    }

    /// The same, with bytes on standard input.
    pub(crate) fn feed(&self, args: &str, input: &[u8]) -> Ran {
        let mut child = self
            .command()
            .args(args.split_whitespace().chain(["--policy", "policy.yaml"]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_vec();
        // A run that refuses the question reads nothing.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("ends");
        feeder.join().expect("fed");
        collect(output)
    }
}

fn ran(command: &mut Command) -> Ran {
    collect(command.output().expect("runs"))
}

fn collect(output: std::process::Output) -> Ran {
    let text = |bytes| String::from_utf8(bytes).expect("all output is UTF-8");
    Ran {
        code: output.status.code().expect("no signal ended it"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
