//! `pathward suggest`: which restrictions would do for what was used?

mod answer;
mod gather;
mod json;

use std::ffi::OsString;

use clap::{Args, builder::RangedU64ValueParser};

use self::{answer::Answered, gather::Gathered};
use super::{
    exit::Exit,
    log::LogArgs,
    output::{Failure, Format, Output},
    revision::load,
    validate::plural,
};
use crate::{
    analysis::{States, Usage},
    engine::Engine,
    escape::escape,
};

/// Suggests the tightest readable restrictions that allow what was used.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward suggest --policy policies --log decisions.jsonl
  pathward check --policy p.yaml s3+saha read --batch paths.txt | pathward suggest --policy p.yaml --op read --log -
  printf 'read s3+saha://pub/a\\n' | pathward suggest --policy policy.yaml --log -

What is allowed in the log and by the policy of today counts as used. For each connection and access:
  * a key that was used is a restriction; a folder in which `--folder-from` different keys were used is one
    instead;
  * if these are more than `--max`, further folders stand for what is in them: of all choices the one that opens
    the fewest whole buckets, then the fewest folders of the second level, and so on;
  * a folder is never more of it than is granted: where that is `*.csv`, `dir/*.csv` is suggested. Where `--max`
    cannot be had, as few as can be;
  * a listing in which nothing was read keeps what it could show; a directory that was deleted with all in
    it stays deletable. What a listing shows beside what was read, it shows no longer.
That the suggestion opens nothing (with the denies as they are) and covers all that was used is proved.
Standard output is YAML: each block replaces a connection's `restrictions`, and its `access` if the block has
one; the rest is comments.

Unused are restrictions without all of which every use would have been allowed, and denies that never
decided. What was denied opens nothing; `--openings` says, in comments, what would. Nor is a read of what was not
there a use, or the listing that a gateway tries in place of such a read; `--missing` counts both. Denials by an API key's
own permission, of unknown connections or of access control lists are no matter of restrictions.

Who may use a connection decides what is kept of it: read what is suggested.

Of a log of any length 131,072 folders, keys and rules of folders are kept of each connection, and twice as many
while it is read (some 50 MB; 400 MB with the longest names). Of a policy with more than four connections it is an
equal part of four times that for each, whatever is used of the others. Of more, the deepest levels of that connection
are taken together, which is said.

Exit codes: 0 suggested, 1 not decided within the budget, 2 a line cannot be read or is of a connection that nobody
has (0 with --ignore-invalid), nothing was decided, or wrong usage, 3 the policy does not load.")]
pub struct SuggestArgs {
    /// The policy of today: a file, a folder, or one of them in git, `git:REV:PATH`
    #[arg(long, short, value_name = "FILE|DIR")]
    policy: OsString,

    #[command(flatten)]
    log: LogArgs,

    /// How many restrictions an access of a connection may have
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = at_least_one())]
    max: usize,

    /// From how many different keys on a folder is a restriction
    #[arg(long, value_name = "N", default_value_t = Usage::FOLDER_FROM, value_parser = at_least_one())]
    folder_from: usize,

    /// Also say what would allow what was denied
    #[arg(long)]
    openings: bool,

    /// Also count reads of what was not there (404), and the listings that stood in for a read which was denied or found
    /// nothing
    #[arg(long)]
    missing: bool,

    /// How many unused rules of a connection are shown
    #[arg(long, value_name = "N", default_value_t = 40)]
    show: usize,

    /// How many states a question may visit before it is given up
    #[arg(long, value_name = "N", default_value_t = States::default().most())]
    states: usize,
}

/// A number of things, of which there is one. Above a thousand, names of keys could be many in memory.
fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1_000)
}

pub(super) fn run(args: &SuggestArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let engine = Engine::new(load(&args.policy)?);
    let mut gathered = Gathered::new(&engine, args.folder_from, args.openings, args.missing);
    let lines = args.log.read(&[engine.policy()], output, |record, operation| {
        gathered.add(record, operation);
    })?;
    let found = gathered.finish();
    let answered = Answered::new(&found, args.max, States::new(args.states));
    if let Some(wrong) = &answered.wrong {
        return Err(Failure::Said(Exit::Error, wrong.clone()));
    }
    if answered.undecided > 0 {
        output.decided = Exit::Error;
    }
    match output.format {
        Format::Text => answered.write_text(&found, args.show, output)?,
        Format::Json => output.json(&answered.json(&found, &lines))?,
    }
    output.note(format_args!("{lines}"))?;
    let of_lines = args.log.exit(&lines, lines.records - found.unknown, output)?;
    if answered.undecided == 0 {
        output.decided = of_lines;
    }
    for (number, connection, _) in found.all() {
        let Some(depth) = found.used.depth(number) else { continue };
        output.note(format_args!(
            "so much was used of `{}` of `{}` that only the first {} of paths were told apart",
            connection.id(),
            escape(connection.owner()),
            plural(depth, "level")
        ))?;
    }
    output.note_undecided(answered.undecided, args.states)?;
    Ok(output.decided)
}
