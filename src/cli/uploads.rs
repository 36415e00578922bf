//! `pathward uploads`: which uploads in parts have not ended, and ending them.

use std::{
    ffi::OsString,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use serde::Serialize;

use super::{
    exit::Exit,
    output::{Failure, Format, Output, escape_bytes},
    server::ServerArgs,
};
use crate::{
    engine::{AbortUpload, Approved, Caller, Decision, Engine, ListUploads, Operate, Outcome},
    escape::escape,
    executor::{ExecuteError, Executor, S3, UnfinishedUpload},
    path::Path,
    policy::ConnectionId,
};

/// How many uploads the server is asked for at once.
const PAGE: usize = 1_000;

/// Lists uploads in parts that have not ended, and ends old ones.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward uploads s3+lake --policy policy.yaml --under lake/
  pathward uploads s3+lake --policy policy.yaml --under lake/in/ --older-than 7d --abort

An upload in parts that was broken off, because a program or this gateway was killed, keeps its parts
with the server: they take room, are in no listing, and are paid for. Here are those whose paths the
connection may write.

A bucket's uploads are not marked: which of them this gateway began, and which somebody else did who
still goes on, cannot be told apart. So --abort wants an age, and one that no upload that goes on has.
S3 itself ends them by a rule for the lifecycle of the bucket, AbortIncompleteMultipartUpload.

Exit codes: 0 fine, 1 the server could not be asked or could not end all, 2 no such connection or prefix,
3 the policy does not load, 5 the connection may write nothing there.")]
pub struct UploadsArgs {
    #[command(flatten)]
    server: ServerArgs,

    /// What the paths start with: a bucket, and what keys start with
    #[arg(long, value_name = "BUCKET/[PREFIX]")]
    under: OsString,

    /// Only those that began at least so long ago: a number and `m`, `h`, `d` or `w`, such as `7d`
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,

    /// End them, without an object: what was stored of them goes
    #[arg(long, requires = "older_than")]
    abort: bool,
}

/// Reads a length of time, of at least a minute.
fn age(text: &str) -> Result<Duration, String> {
    let units = [('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];
    let unit = |last: char| units.iter().find(|(unit, _)| *unit == last);
    let read = || {
        let last = text.chars().last()?;
        let (_, seconds) = unit(last)?;
        let digits = text.strip_suffix(last)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = digits.parse().ok().filter(|count| is_number && *count > 0)?;
        count.checked_mul(*seconds).map(Duration::from_secs)
    };
    read().ok_or_else(|| "write a number and `m`, `h`, `d` or `w`, such as `7d`".to_owned())
}

/// An upload that was found, and what became of it.
#[derive(Debug)]
struct Found {
    upload: UnfinishedUpload,
    /// How long ago it began, where the server says when.
    age: Option<Duration>,
    aborted: Option<Result<(), ExecuteError>>,
}

/// What the command works with.
struct Asked<'a> {
    engine: Engine,
    executor: S3,
    owner: &'a str,
    id: ConnectionId<'a>,
    under: Path<'static>,
}

pub(super) fn run(args: &UploadsArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let target = args.server.target()?;
    let under = args.under.as_encoded_bytes();
    let slash = if under.contains(&b'/') { &b""[..] } else { b"/" };
    let under = Path::from_vec([under, slash].concat()).map_err(|error| {
        Failure::question(format!("`{}` is no prefix: {error}", escape_bytes(under)))
    })?;
    let policy = args.server.policy()?;
    let owner = args.server.owner(&policy, &target.id)?;
    let executor = args.server.executor()?;
    let engine = Engine::new(policy);
    let asked = Asked { engine, executor, owner: &owner, id: target.id, under };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut found = Vec::new();
    let ended = runtime.block_on(asked.all(args, &mut found));
    let fails = found.iter().any(|found| matches!(found.aborted, Some(Err(_))));
    output.decided = if fails || ended.is_err() { Exit::Error } else { Exit::Fine };
    match output.format {
        Format::Text => write_text(&asked, args, &found, output)?,
        Format::Json => output.json(&UploadsJson::new(&asked, &found))?,
    }
    // What was found before a failure is shown before it.
    ended.map(|()| output.decided)
}

impl Asked<'_> {
    fn approve<Op: Operate>(&self, operation: Op) -> Result<Approved<Op>, Decision<'_>> {
        let owner = Caller::with_full_permission(self.owner);
        self.engine.approve(owner, &self.id, operation)
    }

    /// All uploads that are old enough, and ends them where that is wanted.
    async fn all(&self, args: &UploadsArgs, found: &mut Vec<Found>) -> Result<(), Failure> {
        let failed = |error: ExecuteError| match error {
            ExecuteError::Missing => {
                Failure::Said(Exit::Error, "there is no such bucket".to_owned())
            }
            error => Failure::Said(Exit::Error, error.to_string()),
        };
        let mut after = None;
        loop {
            let list = ListUploads { path: self.under.clone() };
            let approved = self.approve(list).map_err(|denied| match denied.outcome() {
                Outcome::Deny => {
                    let words = format!("the connection may write nothing there: {denied}");
                    Failure::Said(Exit::Denied, words)
                }
                _ => Failure::question(denied.to_string()),
            })?;
            let page = self.executor.list_uploads(approved, after, PAGE).await.map_err(failed)?;
            for upload in page.uploads {
                let age =
                    upload.initiated.and_then(|then| SystemTime::now().duration_since(then).ok());
                // One of which it is not known when it began is none that is old.
                if args.older_than.is_some_and(|least| age.is_none_or(|age| age < least)) {
                    continue;
                }
                let aborted = match args.abort {
                    true => self.abort(&upload).await,
                    false => None,
                };
                found.push(Found { upload, age, aborted });
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn abort(&self, upload: &UnfinishedUpload) -> Option<Result<(), ExecuteError>> {
        let path = Path::from_vec(self.path_of(upload).into_bytes()).ok()?;
        let approved = self.approve(AbortUpload { path }).ok()?;
        Some(match self.executor.abort_upload(approved, &upload.id).await {
            // Somebody else has ended it meanwhile.
            Err(ExecuteError::NoSuchUpload) => Ok(()),
            aborted => aborted,
        })
    }

    fn path_of(&self, upload: &UnfinishedUpload) -> String {
        format!("{}/{}", String::from_utf8_lossy(self.under.bucket()), upload.key)
    }
}

fn write_text(
    asked: &Asked<'_>,
    args: &UploadsArgs,
    found: &[Found],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    for one in found {
        let began = match one.upload.initiated {
            Some(then) if then >= UNIX_EPOCH => httpdate::fmt_http_date(then),
            _ => "at a time that is not known".to_owned(),
        };
        let path = asked.path_of(&one.upload);
        write!(output.out, "{}  begun {began}", escape(&path))?;
        match &one.aborted {
            None => writeln!(output.out)?,
            Some(Ok(())) => writeln!(output.out, "  aborted")?,
            Some(Err(error)) => writeln!(output.out, "  NOT aborted: {error}")?,
        }
    }
    let under = escape_bytes(asked.under.as_bytes());
    let what = match args.older_than {
        Some(_) => "of that age ",
        None => "",
    };
    match found.len() {
        0 => output.note(format_args!("no unfinished upload {what}under `{under}`")),
        count if !args.abort => output
            .note(format_args!("{count} unfinished {what}under `{under}`; some may still go on")),
        _ => Ok(()),
    }
}

/// The answer of `uploads` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct UploadsJson<'j> {
    connection: String,
    owner: &'j str,
    under: String,
    uploads: Vec<UploadJson>,
}

#[derive(Serialize)]
struct UploadJson {
    path: String,
    id: String,
    initiated: Option<u64>,
    age: Option<u64>,
    aborted: Option<bool>,
    error: Option<String>,
}

impl<'j> UploadsJson<'j> {
    fn new(asked: &Asked<'j>, found: &[Found]) -> Self {
        let upload = |one: &Found| {
            let since = one.upload.initiated.and_then(|then| then.duration_since(UNIX_EPOCH).ok());
            UploadJson {
                path: asked.path_of(&one.upload),
                id: one.upload.id.as_str().to_owned(),
                initiated: since.map(|since| since.as_secs()),
                age: one.age.map(|age| age.as_secs()),
                aborted: one.aborted.as_ref().map(Result::is_ok),
                error: match &one.aborted {
                    Some(Err(error)) => Some(error.to_string()),
                    _ => None,
                },
            }
        };
        Self {
            connection: asked.id.to_string(),
            owner: asked.owner,
            under: String::from_utf8_lossy(asked.under.as_bytes()).into_owned(),
            uploads: found.iter().map(upload).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_as_they_are_written() {
        for (text, seconds) in [
            ("1m", Some(60)),
            ("36h", Some(129_600)),
            ("7d", Some(604_800)),
            ("2w", Some(1_209_600)),
            ("", None),
            ("d", None),
            ("0d", None),
            ("7", None),
            ("-7d", None),
            ("+7d", None),
            ("7 d", None),
            ("7D", None),
            ("7\u{663}d", None),
            ("99999999999999999999d", None),
            ("999999999999999999w", None),
        ] {
            assert_eq!(age(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
