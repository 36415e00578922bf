//! What to do about a text that is refused or doubted, with texts to write instead.
//!
//! A text to write gets into a [`Help`] in one way, [`Help::write`], which reads it first: what is
//! not read is not said. So help that is followed is never refused.

use std::{borrow::Cow, fmt::Write};

use super::{
    Dialect, Restriction,
    kind::{Refused, RestrictionErrorKind as Kind},
    placeholder::placeholder,
    rewrite,
    signs::find,
};

/// What to do: words, and texts to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Help {
    parts: Vec<Part>,
    text: String,
}

/// A part of a help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Words.
    Words(Cow<'static, str>),
    /// Words that lead to a text to write, and the text.
    Write(&'static str, Restriction),
}

impl Help {
    /// Help without a text to write.
    pub(super) fn words(words: impl Into<Cow<'static, str>>) -> Self {
        Self::default().and(words)
    }

    /// More words.
    pub(super) fn and(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        let words = words.into();
        self.text.push_str(&words);
        self.parts.push(Part::Words(words));
        self
    }

    /// `lead` and the text in backticks, if the text is read and nothing in it is doubted.
    pub(super) fn write(
        mut self,
        lead: &'static str,
        dialect: Dialect,
        text: impl AsRef<str>,
    ) -> Self {
        let Some(read) = sound(dialect, text.as_ref()) else { return self };
        if self.instead().any(|known| *known == read) {
            return self;
        }
        // Writing to a `String` cannot fail.
        let _ = write!(self.text, "{lead}`{}`", read.text());
        self.parts.push(Part::Write(lead, read));
        self
    }

    /// As [`Help::write`], with the first text that is read and not doubted.
    pub(super) fn write_first<T: AsRef<str>>(
        self,
        lead: &'static str,
        dialect: Dialect,
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        match texts.into_iter().find(|text| sound(dialect, text.as_ref()).is_some()) {
            Some(text) => self.write(lead, dialect, text),
            None => self,
        }
    }

    /// All of it in words.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Its parts in their order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The texts to write.
    pub(super) fn instead(&self) -> impl Iterator<Item = &Restriction> {
        self.parts.iter().filter_map(|part| match part {
            Part::Write(_, text) => Some(text),
            Part::Words(_) => None,
        })
    }

    /// Whether it has a text to write.
    pub(super) fn has_text(&self) -> bool {
        self.instead().next().is_some()
    }
}

/// A text that is read and not doubted. A text that is long is nothing to write from a screen.
fn sound(dialect: Dialect, text: &str) -> Option<Restriction> {
    const LONG: usize = 200;
    let read = (text.len() <= LONG).then(|| Restriction::read(dialect, text).ok())??;
    find(dialect, text).is_empty().then_some(read)
}

const STARTS: &str = "a path starts with its bucket";
const MADE_OF: &str = "a path starts with its bucket, which is made of A-Z a-z 0-9 . _ -";

/// What to do about a text that is refused.
pub(super) fn of_error(refused: Refused, text: &str, dialect: Dialect) -> Help {
    // What is too long is not looked through.
    if refused.kind == Kind::TooLong {
        return Help::words(
            "shorten the text: a path has at most 255 bytes of bucket and 1,024 of key",
        );
    }
    match refused.kind {
        Kind::Empty => Help::words("name a path").write(", or for everything write ", dialect, all(dialect)),
        Kind::TooLong | Kind::LongerThanPath => {
            Help::words("shorten the text: a path has at most 255 bytes of bucket and 1,024 of key")
        }
        Kind::Escape | Kind::GlobEscape => escape(refused.at, text, dialect),
        Kind::LeadingSlash => {
            let rest = text.trim_start_matches('/');
            let help = Help::words(STARTS).write(": write ", dialect, rest);
            match rest.is_empty() {
                true => help.write("; for everything write ", dialect, all(dialect)),
                false => help,
            }
        }
        Kind::Protocol => protocol(text, dialect),
        Kind::DotSegment => Help::words("name the path itself, without `.` and `..` segments").write(
            ": write ",
            dialect,
            rewrite::without_dots(text).unwrap_or_default(),
        ),
        Kind::Control => control(text, dialect),
        Kind::BucketCharacter => bucket(text, dialect),
        Kind::BucketLength => {
            let help = Help::words(format!("{STARTS}, which has three characters at least"));
            match dialect {
                Dialect::Plain if !text.contains(['/', '*']) => {
                    help.write("; for all that starts so write ", dialect, format!("{text}*"))
                }
                Dialect::Glob if !text.starts_with("**") => help.write(
                    "; for folders of this name in any bucket write ",
                    dialect,
                    format!("**/{text}"),
                ),
                _ => help,
            }
        }
        Kind::GlobTrailingSlash => {
            let text = text.trim_end_matches('/');
            Help::words("for everything in a folder a glob ends with `/**`").write(
                ": write ",
                dialect,
                format!("{text}/**"),
            )
        }
        Kind::GlobStarStar => star_star(text),
        Kind::GlobClass => Help::words("a class has its characters between `[` and `]`")
            .write(": write ", dialect, rewrite::without_posix(text).unwrap_or_default())
            .write("; for a bracket itself write ", dialect, rewrite::escaped(text, &['[', ']'])),
        Kind::GlobClassNotAscii => Help::words("a class has ASCII characters; others are alternatives")
            .write(": write ", dialect, rewrite::class_as_braces(text, refused.at).unwrap_or_default()),
        Kind::GlobClassSlash => {
            Help::words("a class never matches `/`, which ends a segment: leave it out, and write a range that spans it as its parts")
                .write_first(": write ", dialect, rewrite::without_slash_in_class(text))
        }
        Kind::GlobRange => Help::words("the smaller character stands first").write(
            ": write ",
            dialect,
            rewrite::turned_range(text, refused.at).unwrap_or_default(),
        ),
        Kind::GlobBrace => Help::words("each `{` has its `}`").write(
            "; for braces themselves write ",
            dialect,
            rewrite::escaped(text, &['{', '}']),
        ),
        Kind::GlobOneAlternative => one_alternative(refused.at, text, dialect),
        Kind::GlobBraceRange => Help::words("name the values").write(
            ": write ",
            dialect,
            rewrite::spelled_range(text, refused.at).unwrap_or_default(),
        ),
        Kind::GlobEmptyAlternative => Help::words(
            "readers of globs disagree about empty alternatives: name both cases",
        )
        .write(": write ", dialect, rewrite::without_empty(text).unwrap_or_default()),
        Kind::GlobNesting | Kind::GlobAlternatives | Kind::GlobTokens => {
            Help::words("make several restrictions of it")
        }
    }
}

/// The text for everything.
fn all(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Plain => "*",
        Dialect::Glob => "**",
    }
}

/// `\` before a character that it does not escape: a separator of Windows, an escape of a shell or a
/// regular expression, or a backslash that is meant.
fn escape(at: usize, text: &str, dialect: Dialect) -> Help {
    let decoded = rewrite::decoded(text);
    if decoded != text {
        return Help::words("escapes of other languages are not read")
            .write(": write ", dialect, &decoded)
            .write("; for a backslash itself write ", dialect, rewrite::doubled(text, dialect));
    }
    let escaped = text.get(at + 1..).and_then(|rest| rest.chars().next());
    if escaped.is_none_or(|c| c.is_alphanumeric() || c == '_') {
        return Help::words("folders are separated with `/`")
            .write_first(": write ", dialect, rewrite::slashes(text))
            .write("; for a backslash itself write ", dialect, rewrite::doubled(text, dialect));
    }
    Help::words("the character means itself, without `\\`")
        .write(": write ", dialect, rewrite::unescaped(text, dialect))
        .write("; for a backslash itself write ", dialect, rewrite::doubled(text, dialect))
}

/// A URI or an ARN: of one that names a bucket, the path.
fn protocol(text: &str, dialect: Dialect) -> Help {
    let named = rewrite::of_arn(text).map(str::to_owned).or_else(|| rewrite::of_uri(text));
    let help = |words: &'static str| Help::words(words);
    let path = |name: &str| match (name.contains('/') || name.contains('*'), dialect) {
        (true, _) => name.to_owned(),
        (false, Dialect::Plain) => format!("{name}/"),
        (false, Dialect::Glob) => format!("{name}/**"),
    };
    let written = match &named {
        Some(name) => {
            help("a restriction is a path of its connection").write(": write ", dialect, path(name))
        }
        None => Help::default(),
    };
    if written.has_text() {
        return written;
    }
    let lower = text.to_ascii_lowercase();
    help(if lower.starts_with("arn:") && lower.contains("accesspoint") {
        "an access point is no bucket: a restriction is a path, which starts with the bucket behind it"
    } else if lower.starts_with("arn:") {
        "a restriction is a path of its connection, which starts with its bucket: no ARN"
    } else if lower.starts_with("file:") {
        "a file of a machine is no path: a path starts with its bucket"
    } else {
        "a restriction is a path of its connection, which starts with its bucket"
    })
}

/// A control character: of text in several lines, or of an escape that was not meant.
fn control(text: &str, dialect: Dialect) -> Help {
    if text.trim().contains(['\n', '\r', '\t']) {
        let first = text.split(['\n', '\r', '\t']).map(str::trim).find(|part| !part.is_empty());
        return Help::words("each path is an entry of its own; no path has a control character")
            .write_first("; for the first write ", dialect, first);
    }
    Help::words("take the character out; paths with control characters are refused").write(
        ": write ",
        dialect,
        text.chars().filter(|c| !c.is_ascii_control()).collect::<String>(),
    )
}

/// A character that no bucket has. What stands there says what was meant.
fn bucket(text: &str, dialect: Dialect) -> Help {
    if let Some(rest) = text.strip_prefix('!') {
        let is_path = Restriction::read(dialect, rest.trim_start()).is_ok();
        return Help::words(match is_path {
            true => {
                "a `!` does not negate: what is taken away stands under `deny`, without the `!`"
            }
            false => {
                "a `!` does not negate: what is taken away stands under `deny`, and starts with its bucket"
            }
        });
    }
    let bucket = text.split('/').next().unwrap_or_default();
    if let Some((_, name)) = placeholder(bucket) {
        return Help::words(format!("nothing is put in place of `{name}`: name the bucket"));
    }
    let quotes: &[char] = &['"', '\'', '`'];
    if text.starts_with(quotes) && text.ends_with(quotes) && text.len() > 1 {
        let inner = text.trim_matches(quotes);
        return Help::words(MADE_OF).write("; without the quotes in it write ", dialect, inner);
    }
    let seen = rewrite::visible(text);
    if seen != text {
        let help = Help::words(MADE_OF).write(": write ", dialect, seen.trim());
        if help.has_text() {
            return help;
        }
    }
    if text.starts_with('[') && text.ends_with(']') {
        return Help::words(format!("{MADE_OF}; a list of paths has no quotes around it"));
    }
    let is_list = bucket.contains([',', ';']);
    if is_list && !bucket.contains(['{', '[']) {
        return Help::words("each path is an entry of its own").write_first(
            "; for the first write ",
            dialect,
            text.split([',', ';']).map(str::trim).take(1),
        );
    }
    let decoded = rewrite::percent_decoded(text).map(|text| text.trim().to_owned());
    if let Some(decoded) = decoded {
        return Help::words(format!("{MADE_OF}; escapes such as `%20` are not undone"))
            .write(": write ", dialect, decoded);
    }
    let help = Help::words(MADE_OF);
    match dialect {
        Dialect::Plain => {
            help.write("; if a glob is meant, write ", Dialect::Glob, rewrite::as_glob(text))
        }
        Dialect::Glob => help,
    }
}

/// `**` beside other characters of a segment.
fn star_star(text: &str) -> Help {
    let parts: Vec<&str> = text.split([',', ';', ' ']).filter(|part| !part.is_empty()).collect();
    if let [first, second, ..] = parts[..]
        && parts.iter().all(|part| sound(Dialect::Glob, part).is_some())
    {
        return Help::words("each glob is an entry of its own")
            .write(": write ", Dialect::Glob, first)
            .write(" and ", Dialect::Glob, second);
    }
    let stars = rewrite::single_stars(text);
    let below = match stars.ends_with('*') && !stars.ends_with("**") {
        true => format!("{stars}/**"),
        false => String::new(),
    };
    Help::words("`**` is a whole segment, and within one there is `*`")
        .write(": write ", Dialect::Glob, stars)
        .write("; for what is below as well write ", Dialect::Glob, below)
}

/// `{a}`: of templates, or braces that are meant.
fn one_alternative(at: usize, text: &str, dialect: Dialect) -> Help {
    let escaped = rewrite::escaped(text, &['{', '}']);
    let help = match placeholder(text) {
        Some((_, name)) => {
            Help::words(format!("nothing is put in place of `{name}`: name what is meant"))
        }
        None => Help::words("alternatives stand in braces with a `,` between them").write(
            ": write ",
            dialect,
            rewrite::without_braces(text, at).unwrap_or_default(),
        ),
    };
    help.write("; for braces themselves write ", dialect, escaped)
}
