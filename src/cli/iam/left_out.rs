//! What an import leaves out, for people and for programs.

use serde::Serialize;

use super::read::{Beyond, Kind, Read};
use crate::{
    analysis::iam::Note,
    cli::output::{Failure, Output},
    escape::escape,
};

/// How many notes are shown.
const MOST_SHOWN: usize = 20;
/// How many actions a note names.
const NAMED: usize = 4;

/// Allowed actions that are left out, in JSON.
#[derive(Serialize)]
pub(super) struct BeyondJson<'j> {
    place: &'j str,
    action: &'j str,
    example: &'j str,
    kind: &'static str,
}

/// A note in JSON.
#[derive(Serialize)]
pub(super) struct NoteJson<'j> {
    place: &'j str,
    message: &'j str,
}

impl<'j> From<&'j Beyond> for BeyondJson<'j> {
    fn from(Beyond { place, text, example, kind }: &'j Beyond) -> Self {
        let kind = match kind {
            Kind::S3 => "s3",
            Kind::Service => "service",
            Kind::Part => "part",
        };
        Self { place, action: text, example, kind }
    }
}

impl<'j> From<&'j Note> for NoteJson<'j> {
    fn from(Note { place, message }: &'j Note) -> Self {
        Self { place, message }
    }
}

/// Says what is left out.
pub(super) fn note(read: &Read, more: &[Note], output: &mut Output<'_>) -> Result<(), Failure> {
    let notes = lines(read, more);
    for line in notes.iter().take(MOST_SHOWN) {
        output.note(format_args!("{line}"))?;
    }
    if notes.len() > MOST_SHOWN {
        let more = notes.len() - MOST_SHOWN;
        output.note(format_args!("and {more} more (all with `--format json`)"))?;
    }
    Ok(())
}

/// The notes, one for all actions of a kind in a statement.
pub(super) fn lines(read: &Read, more: &[Note]) -> Vec<String> {
    let mut lines = Vec::new();
    let field = |beyond: &Beyond| beyond.place.split('[').take(2).collect::<Vec<_>>().join("[");
    let is_whole = |beyond: &Beyond| beyond.text.contains(['*', '?']) && beyond.kind == Kind::S3;
    let mut rest = &read.beyond[..];
    while let Some(first) = rest.first() {
        if is_whole(first) {
            lines.push(format!(
                "{}: `{}` allows what no connection gives, such as `{}`: that is left out",
                escape(&first.place),
                escape(&first.text),
                escape(&first.example)
            ));
            rest = &rest[1..];
            continue;
        }
        let alike = |beyond: &&Beyond| {
            beyond.kind == first.kind && field(beyond) == field(first) && !is_whole(beyond)
        };
        let count = rest.iter().take_while(alike).count();
        let (group, behind) = rest.split_at(count);
        let mut names: Vec<_> =
            group.iter().take(NAMED).map(|beyond| format!("`{}`", escape(&beyond.text))).collect();
        if count > NAMED {
            names.push(format!("{} more", count - NAMED));
        }
        let why = match first.kind {
            Kind::S3 => "what no connection gives",
            Kind::Service => "of other services",
            Kind::Part => "parts of uploads, and uploads are not allowed here",
        };
        lines.push(format!("{}: left out, {why}: {}", escape(&field(first)), names.join(", ")));
        rest = behind;
    }
    let notes = read.notes.iter().chain(more);
    lines.extend(notes.map(|note| format!("{}: {}", escape(&note.place), escape(&note.message))));
    lines
}
