//! Policies in git: `git:REV:PATH`, read by git itself, so that nothing is checked out.

use std::{
    ffi::OsStr,
    io::{self, Read},
    path::Path,
    process::{Command, Stdio},
};

use super::{
    exit::Exit,
    output::{Failure, escape_bytes},
    question,
};
use crate::policy::{MAX_FILE_SIZE, Policy, is_policy_file};

/// The most bytes of a folder's policies in git, which are read before any of them is looked at: twice what
/// the rules of a policy can have.
const MAX_FOLDER_SIZE: usize = 8 * MAX_FILE_SIZE;

/// Loads a policy: a file, a folder, or either of them as a git revision has it.
pub(super) fn load(source: &OsStr) -> Result<Policy, Failure> {
    if !source.as_encoded_bytes().starts_with(b"git:") {
        return question::load(Path::new(source));
    }
    let Some(text) = source.to_str() else {
        let shown = escape_bytes(source.as_encoded_bytes()).into_owned();
        return Err(Failure::question(format!(
            "`{shown}` is not UTF-8, which names of policies in git have to be"
        )));
    };
    let named = text.strip_prefix("git:").unwrap_or_default();
    let Some((revision, path)) = named.split_once(':').filter(|(rev, _)| !rev.is_empty()) else {
        return Err(Failure::question(format!(
            "`{}` names no policy in git: write `git:REV:PATH`, such as `git:HEAD:policy.yaml`",
            escape_bytes(text.as_bytes())
        )));
    };
    let path = if path.is_empty() { "." } else { path };
    git(&["rev-parse", "--git-dir"]).map_err(|error| no_repository(text, error))?;
    let commit = git(&[
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        &format!("{revision}^{{commit}}"),
    ])
    .map_err(|_| failed(text, "git knows no such revision here"))?;
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    // `DIR/` would list what is in it.
    let trimmed = path.trim_end_matches('/');
    let folder = if matches!(trimmed, "." | "") { here(text, &commit)? } else { None };
    let object = match folder {
        Some(tree) => {
            Object { kind: "tree".into(), hash: tree, name: String::new(), mode: "040000".into() }
        }
        None => list(text, &["ls-tree", "-z", &commit, "--", trimmed])?
            .pop()
            .ok_or_else(|| failed(text, "there is no such file or folder in that revision"))?,
    };
    let loaded = match object.kind.as_str() {
        "blob" => Policy::from_bytes(text, &object.read(text)?),
        "tree" => {
            let (mut files, mut size) = (Vec::new(), 0);
            for entry in list(text, &["ls-tree", "-z", "--full-tree", &object.hash])? {
                if is_policy_file(&entry.name) && entry.kind == "blob" {
                    let bytes = entry.read(text)?;
                    size += bytes.len();
                    if size > MAX_FOLDER_SIZE {
                        let most = MAX_FOLDER_SIZE >> 20;
                        return Err(Failure::Said(
                            Exit::Policy,
                            format!(
                                "error: `{}`: the folder has more than {most} MiB of policies",
                                escape_bytes(text.as_bytes())
                            ),
                        ));
                    }
                    files.push((entry.name.clone(), bytes));
                }
            }
            Policy::from_files(text, files)
        }
        _ => return Err(failed(text, "it is neither a file nor a folder in that revision")),
    };
    loaded.map_err(|errors| Failure::Said(Exit::Policy, errors.to_string()))
}

/// The tree of the folder that the command runs in, where the whole of it is meant.
fn here(source: &str, commit: &str) -> Result<Option<String>, Failure> {
    let prefix = git(&["rev-parse", "--show-prefix"])?;
    let prefix = String::from_utf8_lossy(&prefix).trim().trim_end_matches('/').to_owned();
    let tree = git(&[
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        &format!("{commit}:{prefix}"),
    ])
    .map_err(|_| failed(source, "this folder is not in that revision"))?;
    Ok(Some(String::from_utf8_lossy(&tree).trim().to_owned()))
}

/// A file or folder of a revision.
struct Object {
    mode: String,
    kind: String,
    hash: String,
    name: String,
}

impl Object {
    fn read(&self, source: &str) -> Result<Vec<u8>, Failure> {
        if self.mode == "120000" {
            let name = escape_bytes(self.name.as_bytes()).into_owned();
            return Err(failed(
                source,
                &format!("`{name}` is a symbolic link, which is not followed in git"),
            ));
        }
        git(&["cat-file", "blob", &self.hash])
    }
}

/// What `git ls-tree -z` says: `mode kind hash<TAB>name<NUL>`.
fn list(source: &str, arguments: &[&str]) -> Result<Vec<Object>, Failure> {
    let listed = git(arguments)?;
    let mut objects = Vec::new();
    for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let parts = line.split_once('\t').and_then(|(head, name)| {
            let mut words = head.split(' ').map(str::to_owned);
            Some(Object {
                mode: words.next()?,
                kind: words.next()?,
                hash: words.next()?,
                name: name.to_owned(),
            })
        });
        objects
            .push(parts.ok_or_else(|| failed(source, "git answers in a way that is not known"))?);
    }
    Ok(objects)
}

/// Runs git in the current folder. What it complains of is passed on, escaped.
fn git(arguments: &[&str]) -> Result<Vec<u8>, Failure> {
    let unexpected = |what: String| Failure::Said(Exit::Error, what);
    let mut child = Command::new("git")
        // `:(glob)x` and `[ab]` are names.
        .arg("--literal-pathspecs")
        .args(arguments)
        // One of its messages is looked at.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::question(
                "there is no `git` in the PATH, which reads `git:REV:PATH`: install it, or name a file or a \
                 folder",
            ),
            _ => unexpected(format!("cannot run `git`: {error}")),
        })?;
    let mut out = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        // One byte more than a policy may have, so that one that is too large is told as such.
        pipe.take(MAX_FILE_SIZE as u64 + 1)
            .read_to_end(&mut out)
            .map_err(|error| unexpected(format!("cannot read what `git` says: {error}")))?;
    }
    let ended = child
        .wait_with_output()
        .map_err(|error| unexpected(format!("cannot run `git`: {error}")))?;
    if ended.status.success() || out.len() > MAX_FILE_SIZE {
        return Ok(out);
    }
    let says = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Err(Failure::question(format!("git: {}", crate::escape::escape(&says))))
}

/// What is said where git does not work in this folder.
fn no_repository(source: &str, error: Failure) -> Failure {
    match error {
        Failure::Said(Exit::Question, says) if says.contains("not a git repository") => failed(
            source,
            "this folder is in no git repository: run it in one that has the policy, or name a file or a \
             folder without `git:`",
        ),
        other => other,
    }
}

fn failed(source: &str, why: &str) -> Failure {
    Failure::question(format!("`{}`: {why}", escape_bytes(source.as_bytes())))
}
