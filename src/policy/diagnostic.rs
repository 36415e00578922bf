//! What is wrong with a policy, in words and with the line, for its author.

use std::fmt;

use super::{Fix, Location};
use crate::escape::{self, escape};

/// Whether a policy loads in spite of a [`Diagnostic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// It does not.
    Error,
    /// It does, and something in it is probably not meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is wrong in a file.
///
/// `Display` is the form for people, as the Rust compiler has it, without a line feed at its end:
///
/// ```text
/// error: unknown field `dney` of a connection
///  --> policy.yaml:6:5
///   |
/// 6 |     dney: [reports/secret/]
///   |     ^^^^
/// help: did you mean `deny`?
/// ```
///
/// Everything from the file is escaped as by [`escape`](crate::escape::escape).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub(super) severity: Severity,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) note: Option<String>,
    pub(super) help: Option<String>,
    /// The help for somebody who sees a form, where it differs.
    pub(super) form_help: Option<String>,
    pub(super) fixes: Vec<Fix>,
    pub(super) location: Location,
    pub(super) snippet: Snippet,
}

impl Diagnostic {
    /// Whether it keeps the policy from loading.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What kind of mistake it is: stable, such as `policy.unknown_field`. A limit that was passed
    /// has the limit's name, such as `limit.rules`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong. Escaped.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Another place that belongs to it, such as the first of two definitions. Escaped.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What to do about it. Escaped.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// What to do about it, for somebody who sees a form with the texts and not the file: without what
    /// YAML needs around them. Escaped.
    #[cfg(feature = "store")]
    pub(crate) fn help_in_form(&self) -> Option<&str> {
        self.form_help.as_deref().or(self.help())
    }

    /// The changes that [`help`](Self::help) says, in its order. With any of them nothing is wrong
    /// any more where this is: each was tried.
    ///
    /// ```
    /// use pathward::Policy;
    ///
    /// let text = "connections: [{ id: s3+a, owner: ana, restrictions: [/reports/*] }]";
    /// let errors = Policy::from_yaml("p.yaml", text).unwrap_err();
    /// let fix = &errors.diagnostics()[0].fixes()[0];
    /// assert_eq!(fix.shown(), "reports/*");
    /// assert!(Policy::from_yaml("p.yaml", &fix.apply(text).unwrap()).is_ok());
    /// ```
    pub fn fixes(&self) -> &[Fix] {
        &self.fixes
    }

    /// Where it is. Line 0 stands for the file as a whole.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The line and the place in it.
    pub fn snippet(&self) -> &Snippet {
        &self.snippet
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.location.line.to_string();
        let margin = line.len();
        writeln!(f, "{}: {}", self.severity, self.message)?;
        let file = escape(&self.location.file);
        match self.location.line {
            0 => write!(f, " --> {file}")?,
            line => write!(f, "{:margin$}--> {file}:{line}:{}", "", self.location.column)?,
        }
        match &self.snippet {
            Snippet::None => {}
            Snippet::Hidden => {
                write!(f, "\n{:margin$} |\n{line} | (not shown: there may be a secret in it)", "")?;
            }
            Snippet::Line { text, at, len } => {
                write!(f, "\n{:margin$} |\n{line} | {text}\n{:margin$} | {:at$}", "", "", "")?;
                write!(f, "{:^<len$}", "")?;
            }
        }
        for (name, text) in [("note", &self.note), ("help", &self.help)] {
            if let Some(text) = text {
                write!(f, "\n{name}: {text}")?;
            }
        }
        Ok(())
    }
}

/// What is shown of the line that a [`Diagnostic`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snippet {
    /// Nothing: it is about a file as a whole.
    None,
    /// Nothing, because there may be a secret in the line.
    Hidden,
    /// The line.
    Line {
        /// Its text, escaped, and cut (`…`) where it is longer than a terminal is wide.
        text: String,
        /// How many characters of `text` stand before the place.
        at: usize,
        /// How many characters the place has; at least one.
        len: usize,
    },
}

/// How many characters of a line are shown at most.
const WIDTH: usize = 160;
/// How many are shown before the place when the line is longer.
const BEFORE: usize = 60;

impl Snippet {
    /// The line around `from..to`, which are bytes of the text. Takes no longer for a long line.
    pub(super) fn cut(text: &str, from: usize, to: usize) -> Self {
        let (Some(before), Some(after)) = (text.get(..from), text.get(from..)) else {
            return Self::None;
        };
        let in_line = |c: &char| !matches!(c, '\n' | '\r');
        let mut left: Vec<char> = before.chars().rev().take_while(in_line).take(WIDTH).collect();
        let mut right: Vec<char> = after.chars().take_while(in_line).take(WIDTH + 1).collect();
        let mut shown = String::new();
        if left.len() + right.len() > WIDTH {
            if left.len() > BEFORE {
                left.truncate(BEFORE);
                shown.push('…');
            }
            right.truncate(WIDTH - left.len());
        }
        left.iter().rev().for_each(|c| escape::push(&mut shown, *c));
        let at = shown.chars().count();
        let marked = text.get(from..to).map_or(0, |marked| marked.chars().take(WIDTH).count());
        let mut len = 0;
        for (n, character) in right.iter().enumerate() {
            escape::push(&mut shown, *character);
            if n < marked {
                len = shown.chars().count() - at;
            }
        }
        let cut = after.chars().nth(right.len());
        if cut.is_some_and(|next| in_line(&next)) {
            shown.push('…');
        }
        let text = shown.trim_end().to_owned();
        Self::Line { text, at, len: len.max(1) }
    }
}

/// Everything that is wrong with a policy. At least one of them is an error.
///
/// `Display` is all of them, as [`Diagnostic`] shows each, with an empty line between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) more: usize,
}

impl PolicyErrors {
    /// Everything that was found, in the order of the files; warnings among them.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The errors alone; there is at least one.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|found| found.severity == Severity::Error)
    }

    /// How many more there are than [`MAX_DIAGNOSTICS`](super::MAX_DIAGNOSTICS) of one file.
    pub fn more(&self) -> usize {
        self.more
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, diagnostic) in self.diagnostics.iter().enumerate() {
            if n > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\n\nand {more} more like these"),
        }
    }
}

impl std::error::Error for PolicyErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, from: usize, to: usize) -> (String, usize, usize) {
        match Snippet::cut(text, from, to) {
            Snippet::Line { text, at, len } => (text, at, len),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_caret_stands_under_what_is_escaped() {
        assert_eq!(line("x\nab\u{202e}c d\ny", 2, 8), (r"ab\u{202e}c d".into(), 0, 11));
        assert_eq!(line("\ta: b", 1, 2), (r"\ta: b".into(), 2, 1));
        assert_eq!(line("a:", 2, 2), ("a:".into(), 2, 1));
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let long = format!("{}here{}", "a".repeat(1_000), "b".repeat(1_000));
        let (text, at, len) = line(&long, 1_000, 1_004);
        assert_eq!((text.chars().count(), at, len), (WIDTH + 2, BEFORE + 1, 4));
        assert!(text.starts_with("…a") && text.ends_with("b…") && text.contains("ahereb"));
    }
}
