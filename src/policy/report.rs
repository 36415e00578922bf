//! Collecting what is wrong in one file.

use std::{ops::Range, sync::Arc};

use super::{Diagnostic, Location, Severity, diagnostic::Snippet, secrets};
use crate::escape::escape;

/// How many diagnostics of one file are kept; beyond it they are only counted.
pub const MAX_DIAGNOSTICS: usize = 1_000;

/// A piece of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    /// Its first byte.
    pub(super) from: u32,
    /// The byte behind it.
    pub(super) to: u32,
    /// The line that it starts in, from 1.
    pub(super) line: u32,
    /// The character of the line that it starts at, from 1.
    pub(super) column: u32,
}

impl Span {
    /// The file as a whole.
    pub(super) const FILE: Self = Self { from: 0, to: 0, line: 0, column: 0 };

    pub(super) fn range(self) -> Range<usize> {
        self.from as usize..self.to as usize
    }

    /// The part of it that starts `at` bytes in and has one character, if it is of one line.
    pub(super) fn character(self, text: &str, at: usize) -> Option<Self> {
        let before = text.get(self.range())?.get(..at)?;
        let from = self.range().start + at;
        let len = text.get(from..)?.chars().next().map_or(0, char::len_utf8);
        Some(Self {
            from: u32::try_from(from).ok()?,
            to: u32::try_from(from + len).ok()?,
            line: self.line,
            column: self.column + u32::try_from(before.chars().count()).ok()?,
        })
    }
}

/// Something that is wrong, before its line is cut out.
#[derive(Debug)]
pub(super) struct Found {
    severity: Severity,
    code: &'static str,
    span: Span,
    message: String,
    note: Option<String>,
    help: Option<String>,
}

impl Found {
    /// What to write instead.
    pub(super) fn help(&mut self, help: impl AsRef<str>) -> &mut Self {
        self.help = Some(shown(help.as_ref()));
        self
    }

    /// Another place that belongs to it.
    pub(super) fn note(&mut self, note: impl AsRef<str>) -> &mut Self {
        self.note = Some(shown(note.as_ref()));
        self
    }
}

/// Everything that was found in one file so far.
#[derive(Debug)]
pub(super) struct Report<'t> {
    pub(super) file: Arc<str>,
    pub(super) text: &'t str,
    found: Vec<Found>,
    /// Where the next one goes when there are too many.
    spare: Option<Found>,
    more: usize,
    errors: usize,
    hidden: Vec<Range<usize>>,
}

impl<'t> Report<'t> {
    pub(super) fn new(file: Arc<str>, text: &'t str) -> Self {
        Self { file, text, found: vec![], spare: None, more: 0, errors: 0, hidden: vec![] }
    }

    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl AsRef<str>,
    ) -> &mut Found {
        self.errors += 1;
        self.push(Severity::Error, code, span, message.as_ref())
    }

    pub(super) fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl AsRef<str>,
    ) -> &mut Found {
        self.push(Severity::Warning, code, span, message.as_ref())
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: &str,
    ) -> &mut Found {
        let message = shown(message);
        let found = Found { severity, code, span, message, note: None, help: None };
        if self.is_full() {
            self.more += 1;
            return self.spare.insert(found);
        }
        self.found.push_mut(found)
    }

    /// No line that this touches is shown by any diagnostic.
    pub(super) fn hide(&mut self, span: Span) {
        self.hidden.push(span.range());
    }

    /// Whether there is an error.
    pub(super) fn failed(&self) -> bool {
        self.errors > 0
    }

    /// Whether what is found from now on is only counted.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= MAX_DIAGNOSTICS
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    pub(super) fn location(&self, span: Span) -> Location {
        Location { file: Arc::clone(&self.file), line: span.line, column: span.column }
    }

    /// The diagnostics, in the order of the file, and how many more there are.
    pub(super) fn finish(mut self) -> (Vec<Diagnostic>, usize) {
        self.found.sort_by_key(|found| found.span.from);
        let (file, text, hidden) = (self.file, self.text, self.hidden);
        let diagnostics = self
            .found
            .into_iter()
            .map(|found| Diagnostic {
                severity: found.severity,
                code: found.code,
                snippet: snippet(text, found.span, &hidden),
                message: found.message,
                note: found.note,
                help: found.help,
                location: Location {
                    file: Arc::clone(&file),
                    line: found.span.line,
                    column: found.span.column,
                },
            })
            .collect();
        (diagnostics, self.more)
    }
}

/// What is said, escaped, and without anything that has the form of a secret.
fn shown(text: &str) -> String {
    escape(&secrets::redact(text)).into_owned()
}

fn snippet(text: &str, span: Span, hidden: &[Range<usize>]) -> Snippet {
    if span.line == 0 {
        return Snippet::None;
    }
    if secrets::in_line(text, span) {
        return Snippet::Hidden;
    }
    if hidden.is_empty() {
        return Snippet::cut(text, span.range().start, span.range().end);
    }
    let bytes = text.as_bytes();
    let at = span.range().start.min(bytes.len());
    let (before, after) = bytes.split_at(at);
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |feed| feed + 1);
    let end = memchr::memchr2(b'\n', b'\r', after).map_or(bytes.len(), |feed| at + feed);
    if hidden.iter().any(|secret| secret.start <= end && start <= secret.end) {
        return Snippet::Hidden;
    }
    Snippet::cut(text, at, span.range().end)
}
