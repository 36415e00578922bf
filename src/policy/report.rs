//! Collecting what is wrong in one file.

use std::{borrow::Cow, ops::Range, sync::Arc};

use super::{
    Diagnostic, Location, Severity,
    advice::{Advice, Resolved, Trials},
    diagnostic::Snippet,
    secrets,
};
use crate::escape::escape;

/// What reads a file, and reports what is wrong in it.
pub(super) type Reader = fn(&mut Report<'_>);

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
    pub(super) severity: Severity,
    pub(super) code: &'static str,
    pub(super) span: Span,
    pub(super) message: String,
    /// What to do about it.
    pub(super) advice: Advice,
    /// Nothing of the file was read behind it.
    pub(super) ends: bool,
    note: Option<String>,
}

impl Found {
    /// What to do about it, in words alone.
    pub(super) fn help(&mut self, words: impl Into<Cow<'static, str>>) -> &mut Self {
        self.advise(Advice::words(words))
    }

    /// What to do about it, with texts to write that are tried.
    pub(super) fn advise(&mut self, advice: Advice) -> &mut Self {
        self.advice = advice;
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
    reader: Reader,
    /// Where what is wrong is of interest; everywhere, if it is `None`.
    focus: Option<Range<usize>>,
    pub(super) found: Vec<Found>,
    /// Where the next one goes when there are too many.
    spare: Option<Found>,
    more: usize,
    errors: usize,
    hidden: Vec<Range<usize>>,
}

impl<'t> Report<'t> {
    /// A report about a text. What is said of it is tried with `reader`.
    pub(super) fn new(file: Arc<str>, text: &'t str, reader: Reader) -> Self {
        let (found, hidden) = (Vec::new(), Vec::new());
        Self { file, text, reader, focus: None, found, spare: None, more: 0, errors: 0, hidden }
    }

    /// A report about what is wrong in a part of a text, and about where reading it ends.
    pub(super) fn of_part(text: &'t str, part: Range<usize>, reader: Reader) -> Self {
        Self { focus: Some(part), ..Self::new("".into(), text, reader) }
    }

    /// A report about a file as a whole, of which nothing is read.
    pub(super) fn of_file(file: Arc<str>) -> Self {
        Self::new(file, "", |_| {})
    }

    /// The byte at which reading ended before the file did.
    pub(super) fn ended_at(&self) -> Option<usize> {
        self.found.iter().find(|found| found.ends).map(|found| found.span.range().start)
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

    /// An error behind which nothing of the file is read.
    pub(super) fn end(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl AsRef<str>,
    ) -> &mut Found {
        self.focus = None;
        let found = self.error(code, span, message);
        found.ends = true;
        found
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
        let is_kept = !self.is_full() && !self.is_beside(span);
        let message = if is_kept { shown(message) } else { String::new() };
        let advice = Advice::default();
        let found = Found { severity, code, span, message, advice, ends: false, note: None };
        if !is_kept {
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

    /// Whether what is wrong there is only counted.
    pub(super) fn is_beside(&self, span: Span) -> bool {
        let span = span.range();
        self.focus.as_ref().is_some_and(|part| span.start > part.end || span.end < part.start)
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
        let mut trials = Trials::new(text, self.reader, &self.found);
        let diagnostics = self
            .found
            .iter()
            .map(|found| {
                let snippet = snippet(text, found.span, &hidden);
                let Resolved { help, form, fixes } =
                    trials.resolve(found, snippet != Snippet::Hidden);
                Diagnostic {
                    severity: found.severity,
                    code: found.code,
                    snippet,
                    message: found.message.clone(),
                    note: found.note.clone(),
                    form_help: (form != help).then_some(form),
                    help: (!help.is_empty()).then_some(help),
                    fixes,
                    location: Location {
                        file: Arc::clone(&file),
                        line: found.span.line,
                        column: found.span.column,
                    },
                }
            })
            .collect();
        (diagnostics, self.more)
    }
}

/// What is said, escaped, and without anything that has the form of a secret.
pub(super) fn shown(text: &str) -> String {
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
