//! What is read and hardly meant: texts that other programs read in another way, and characters that
//! are taken for others.
//!
//! A text is doubted for what it shows, whatever it stands beside. It may be meant: S3 has objects
//! with any name. So this looks for what authors of such texts elsewhere mean by them, and not for
//! every odd name: `Smith, John/`, `50% off/`, `report (1).pdf`, `C++/` and `$RECYCLE.BIN/` are
//! ordinary.

use std::ops::Range;

use super::{
    Dialect, Restriction,
    group::Group,
    help::Help,
    rewrite,
    seen::{is_invisible, is_look_alike},
    signs::{DoubtKind, find},
};
use crate::escape::{is_hidden, taken_for};

/// A doubt about a text that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    kind: DoubtKind,
    at: usize,
    message: String,
    help: Help,
}

impl Doubt {
    /// What kind it is.
    pub fn kind(&self) -> DoubtKind {
        self.kind
    }

    /// Where in the text the reason for it stands, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is the matter. Text of the restriction is in it as it is: escape it for a terminal.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        self.help.text()
    }

    /// The texts that [`help`](Self::help) says to write, in its order: each was read.
    pub fn instead(&self) -> impl Iterator<Item = &Restriction> {
        self.help.instead()
    }

    /// What to do about it, in words and texts.
    pub(crate) fn help_parts(&self) -> &Help {
        &self.help
    }
}

impl Restriction {
    /// What is hardly meant in its text: at most one doubt of each kind.
    ///
    /// ```
    /// use pathward::{Restriction, restriction::DoubtKind};
    ///
    /// let doubts = Restriction::parse("reports/my%20folder/")?.doubts();
    /// assert_eq!(doubts[0].kind(), DoubtKind::Percent);
    /// let instead: Vec<_> = doubts[0].instead().map(Restriction::text).collect();
    /// assert_eq!(instead, ["reports/my folder/"]);
    /// assert!(Restriction::parse("reports/my folder (50%)/")?.doubts().is_empty());
    /// # Ok::<(), pathward::RestrictionError>(())
    /// ```
    pub fn doubts(&self) -> Vec<Doubt> {
        let (dialect, text) = (self.dialect(), self.text());
        let doubt = |(kind, at): (DoubtKind, Range<usize>)| {
            let found = text.get(at.clone()).unwrap_or_default();
            let (message, help) = said(kind, text, found, at.start, dialect);
            Doubt { kind, at: at.start, message, help }
        };
        find(dialect, text).into_iter().map(doubt).collect()
    }
}

/// What is said of what was found at a place.
fn said(kind: DoubtKind, text: &str, found: &str, at: usize, dialect: Dialect) -> (String, Help) {
    match kind {
        DoubtKind::Space => (
            "the text ends with a space".to_owned(),
            Help::words("the space belongs to the path; take it out if it is not meant").write(
                ": write ",
                dialect,
                text.trim_end_matches(' '),
            ),
        ),
        DoubtKind::Invisible => {
            let names = names(text.chars().filter(|c| is_invisible(*c)));
            let what = match text.chars().any(is_hidden) {
                true => "has what cannot be seen in it",
                false => "has what looks like a space in it and is none",
            };
            (
                format!("the text {what}: {names}"),
                Help::words("it belongs to the path; take it out if it is not meant").write(
                    ": write ",
                    dialect,
                    rewrite::visible(text).trim(),
                ),
            )
        }
        DoubtKind::LookAlike => {
            let alike = text.char_indices().filter(|(at, c)| is_look_alike(text, *at, *c));
            let names = names(alike.map(|(_, c)| c));
            (
                format!("the text has characters in it that are taken for others: {names}"),
                Help::words("it matches paths that have the very same characters").write(
                    "; if what it looks like is meant write ",
                    dialect,
                    rewrite::visible(text),
                ),
            )
        }
        DoubtKind::GlobSigns => glob_signs_said(text, found, at, dialect),
        DoubtKind::Placeholder => {
            let (message, help) = if found.starts_with('.') || found == "…" {
                let folder = text.get(..at).unwrap_or_default();
                let folder =
                    if dialect == Dialect::Glob { format!("{folder}**") } else { folder.into() };
                let help = Help::words("name what is meant");
                let message =
                    format!("`{found}` is read as it is written, and stands for nothing else");
                (message, help.write("; for everything below write ", dialect, folder))
            } else if found.contains(':') && found.starts_with("${") {
                let message = format!(
                    "variables of IAM are not known here: nothing is put in place of `{found}`"
                );
                (message, Help::words("name what is meant, in an entry for each"))
            } else {
                let message =
                    format!("nothing is put in place of `{found}`, which is read as it is written");
                (message, Help::words("name what is meant, in an entry for each"))
            };
            (message, help)
        }
        DoubtKind::Percent => {
            let decoded = rewrite::percent_decoded(text);
            let message = match &decoded {
                Some(decoded) => format!(
                    "escapes such as `{found}` are not undone in a restriction: `{decoded}` is \
                     another path"
                ),
                None => format!("escapes such as `{found}` are not undone in a restriction"),
            };
            let help = Help::words("name the characters themselves, if they are meant");
            (message, help.write(": write ", dialect, decoded.unwrap_or_default()))
        }
        DoubtKind::TwoPaths => {
            let (first, rest) =
                (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
            let is_separator = |c: char| matches!(c, ',' | ';' | '|') || c.is_whitespace();
            let (first, second) =
                (first.trim_end_matches(is_separator), rest.trim_start_matches(is_separator));
            if second.is_empty() {
                let sign = rest.trim();
                return (
                    format!("the text ends with a `{sign}`, which belongs to the path"),
                    Help::words("each path is an entry of its own")
                        .write(": write ", dialect, first),
                );
            }
            (
                "the text is one path, and looks like two".to_owned(),
                Help::words("each path is an entry of its own")
                    .write(": write ", dialect, first)
                    .write(" and ", dialect, second),
            )
        }
    }
}

/// What is said of signs that other readers of globs know.
fn glob_signs_said(text: &str, found: &str, at: usize, dialect: Dialect) -> (String, Help) {
    if let Some(group) = Group::at(text, at) {
        let sign = group.sign.map(String::from).unwrap_or_default();
        let help = match group.sign {
            Some('!') => Help::words("name what is meant; there is no glob for everything else"),
            _ => Help::words("name the alternatives"),
        };
        let braces = rewrite::as_glob(&group.as_braces(text));
        let help = match group.sign {
            Some('!' | '*' | '?') => help,
            _ if dialect == Dialect::Plain && !braces.contains(['{', '[', '?']) => {
                help.write(": write ", Dialect::Plain, group.as_braces(text))
            }
            _ if dialect == Dialect::Plain => help.write(": write ", Dialect::Glob, braces),
            _ => help.write(": write ", dialect, braces),
        };
        return (format!("`{sign}(…)` is read as it is written, and is no group here"), help);
    }
    if dialect == Dialect::Glob {
        let help = Help::words("name the values");
        return (
            format!("`{found}` is read as it is written: ranges in braces are not read"),
            help,
        );
    }
    let name = match found.chars().next() {
        Some('[') => "[…]",
        Some('{') => "{…}",
        _ => "?",
    };
    let glob = rewrite::as_glob(text);
    let spelled = rewrite::spelled_range(&glob, at);
    (
        format!("`{name}` means itself here, where `*` is the only wildcard"),
        Help::words("the text matches paths that have these very characters").write_first(
            "; if a glob is meant, write ",
            Dialect::Glob,
            [Some(glob), spelled].into_iter().flatten(),
        ),
    )
}

/// The names of up to four characters.
fn names(of: impl Iterator<Item = char>) -> String {
    const MOST: usize = 4;
    let mut found: Vec<char> = Vec::new();
    for character in of {
        if !found.contains(&character) && found.len() <= MOST {
            found.push(character);
        }
    }
    let more = if found.len() > MOST { " and more" } else { "" };
    let name = |c: &char| match taken_for(*c).filter(|other| other.is_ascii() && *other != " ") {
        Some(other) => format!("U+{:04X}, which is no `{other}`", u32::from(*c)),
        None => format!("U+{:04X}", u32::from(*c)),
    };
    found.iter().take(MOST).map(name).collect::<Vec<_>>().join(", ") + more
}
