//! What can be wrong with a restriction's text, in words for its author.

use std::fmt;

use super::{
    Dialect, MAX_GLOB_ALTERNATIVES, MAX_GLOB_NESTING, MAX_GLOB_TOKENS, MAX_RESTRICTION_LEN,
    Pattern, Restriction, Token,
    help::{self, Help},
};
use crate::path::{MAX_BUCKET_LEN, MAX_PATH_LEN, MIN_BUCKET_LEN, dot_segment, is_bucket_byte};

/// What is wrong with a restriction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RestrictionErrorKind {
    /// There is no text.
    Empty,
    /// The text is longer than [`MAX_RESTRICTION_LEN`].
    TooLong,
    /// A `\` stands before a character that needs no escape.
    Escape,
    /// It starts with `/`.
    LeadingSlash,
    /// It starts with a protocol, such as `s3://`, or with `arn:`.
    Protocol,
    /// A segment is `.` or `..`.
    DotSegment,
    /// It holds a control character.
    Control,
    /// The bucket has a character that no bucket's name has.
    BucketCharacter,
    /// The bucket is shorter or longer than a bucket's name can be.
    BucketLength,
    /// It has more literal bytes than a path can have.
    LongerThanPath,
    /// In a glob, a `\` stands before a character that needs no escape.
    GlobEscape,
    /// A glob ends with `/`.
    GlobTrailingSlash,
    /// `**` is not a whole segment of a glob.
    GlobStarStar,
    /// A class of a glob has no `]`, nothing in it, or a bracket or `\` in it.
    GlobClass,
    /// A class of a glob holds a character that is not ASCII.
    GlobClassNotAscii,
    /// A class of a glob has `/` in it, itself or in a range.
    GlobClassSlash,
    /// A range in a class runs backwards.
    GlobRange,
    /// A `{` of a glob has no `}`, or a `}` no `{`.
    GlobBrace,
    /// Braces of a glob have one alternative alone.
    GlobOneAlternative,
    /// Braces of a glob have a range such as `1..12` in them, which is not read.
    GlobBraceRange,
    /// An alternative in braces is empty.
    GlobEmptyAlternative,
    /// Braces are nested deeper than [`MAX_GLOB_NESTING`].
    GlobNesting,
    /// Braces and `**` make more than [`MAX_GLOB_ALTERNATIVES`] alternatives.
    GlobAlternatives,
    /// An alternative has more than [`MAX_GLOB_TOKENS`] steps.
    GlobTokens,
}

impl RestrictionErrorKind {
    /// The name of the limit that was passed, if one was.
    pub const fn limit(self) -> Option<&'static str> {
        match self {
            Self::TooLong => Some("limit.restriction_length"),
            Self::GlobNesting => Some("limit.glob_nesting"),
            Self::GlobAlternatives => Some("limit.glob_alternatives"),
            Self::GlobTokens => Some("limit.glob_tokens"),
            _ => None,
        }
    }
}

/// What is wrong with a text, before it is said to its author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) kind: RestrictionErrorKind,
    pub(super) at: usize,
}

impl Refused {
    pub(super) fn new(kind: RestrictionErrorKind, at: usize) -> Self {
        Self { kind, at }
    }
}

/// A restriction that cannot be read, or that no path could ever match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictionError {
    kind: RestrictionErrorKind,
    at: usize,
    help: Box<Help>,
}

impl RestrictionError {
    pub(super) fn new(refused: Refused, text: &str, dialect: Dialect) -> Self {
        let help = Box::new(help::of_error(refused, text, dialect));
        Self { kind: refused.kind, at: refused.at, help }
    }

    /// What is wrong.
    pub fn kind(&self) -> RestrictionErrorKind {
        self.kind
    }

    /// Where in the text it is wrong, in bytes.
    pub fn at(&self) -> usize {
        self.at
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

impl fmt::Display for RestrictionError {
    /// What is wrong, without the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use RestrictionErrorKind as Kind;
        match self.kind {
            Kind::Empty => f.write_str("a restriction is empty"),
            Kind::TooLong => write!(
                f,
                "a restriction is longer than {MAX_RESTRICTION_LEN} bytes (limit.restriction_length)"
            ),
            Kind::Escape | Kind::GlobEscape => {
                f.write_str("`\\` stands before a character that it cannot escape")
            }
            Kind::LeadingSlash => f.write_str("a restriction starts with `/`, which no path does"),
            Kind::Protocol => f.write_str("a restriction starts with a protocol, or is an ARN"),
            Kind::DotSegment => f.write_str("a segment is `.` or `..`, which no path has"),
            Kind::Control => f.write_str("a control character, which no path has"),
            Kind::BucketCharacter => {
                f.write_str("the bucket has a character that no bucket's name has")
            }
            Kind::BucketLength => write!(
                f,
                "the bucket's name does not have {MIN_BUCKET_LEN} to {MAX_BUCKET_LEN} characters"
            ),
            Kind::LongerThanPath => {
                write!(f, "more than {MAX_PATH_LEN} literal bytes, which is longer than any path")
            }
            Kind::GlobTrailingSlash => f.write_str("a glob ends with `/`"),
            Kind::GlobStarStar => f.write_str("`**` is not a whole segment"),
            Kind::GlobClass => f.write_str(
                "a class is not closed, has nothing in it, or has a bracket or `\\` in it",
            ),
            Kind::GlobClassNotAscii => f.write_str("a class holds a character that is not ASCII"),
            Kind::GlobClassSlash => f.write_str("a class has `/` in it, itself or in a range"),
            Kind::GlobRange => f.write_str("a range in a class runs backwards"),
            Kind::GlobBrace => f.write_str("braces do not pair"),
            Kind::GlobOneAlternative => f.write_str("braces have one alternative alone"),
            Kind::GlobBraceRange => f.write_str("a range in braces, which is not read"),
            Kind::GlobEmptyAlternative => f.write_str("an alternative in braces is empty"),
            Kind::GlobNesting => write!(
                f,
                "braces are nested more than {MAX_GLOB_NESTING} deep (limit.glob_nesting)"
            ),
            Kind::GlobAlternatives => write!(
                f,
                "braces and `**` make more than {MAX_GLOB_ALTERNATIVES} alternatives \
                 (limit.glob_alternatives)"
            ),
            Kind::GlobTokens => write!(
                f,
                "a glob has more than {MAX_GLOB_TOKENS} characters and wildcards after its \
                 literal start (limit.glob_tokens)"
            ),
        }
    }
}

impl std::error::Error for RestrictionError {}

/// What holds for the text of both forms, before it is read.
pub(super) fn check_text(text: &str) -> Result<(), Refused> {
    let fail = |kind, at| Err(Refused::new(kind, at));
    if text.is_empty() {
        return fail(RestrictionErrorKind::Empty, 0);
    }
    if text.len() > MAX_RESTRICTION_LEN {
        return fail(RestrictionErrorKind::TooLong, MAX_RESTRICTION_LEN);
    }
    if text.starts_with('/') {
        return fail(RestrictionErrorKind::LeadingSlash, 0);
    }
    if let Some(at) = text.bytes().position(|byte| byte < 0x20 || byte == 0x7f) {
        return fail(RestrictionErrorKind::Control, at);
    }
    if text.starts_with("arn:") {
        return fail(RestrictionErrorKind::Protocol, 0);
    }
    let protocol = text.split("://").next().unwrap_or_default();
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '_' | '.' | '-');
    if text[protocol.len()..].starts_with("://") && protocol.chars().all(of_name) {
        return fail(RestrictionErrorKind::Protocol, 0);
    }
    Ok(())
}

/// Refuses a pattern that no path could match, which can only be a mistake.
pub(super) fn check_reachable(pattern: &Pattern, text: &str) -> Result<(), Refused> {
    let fail = |kind, at| Err(Refused::new(kind, at));
    if pattern.prefix().starts_with(b"/") {
        return fail(RestrictionErrorKind::LeadingSlash, 0);
    }
    if pattern.min_len() > MAX_PATH_LEN {
        return fail(RestrictionErrorKind::LongerThanPath, 0);
    }
    if has_dot_segment(pattern) {
        let at = dot_segment(text.as_bytes()).unwrap_or(0);
        return fail(RestrictionErrorKind::DotSegment, at);
    }
    let prefix = pattern.prefix();
    let whole = matches!(pattern.tokens(), [] | [Token::Literal(_)]);
    let slash = prefix.iter().position(|byte| *byte == b'/');
    let bucket = &prefix[..slash.unwrap_or(prefix.len())];
    if let Some(at) = bucket.iter().position(|byte| !is_bucket_byte(*byte)) {
        return fail(RestrictionErrorKind::BucketCharacter, at);
    }
    let complete = slash.is_some() || whole;
    if bucket.len() > MAX_BUCKET_LEN || complete && bucket.len() < MIN_BUCKET_LEN {
        return fail(RestrictionErrorKind::BucketLength, 0);
    }
    Ok(())
}

/// Whether a segment that no wildcard touches is `.` or `..`.
fn has_dot_segment(pattern: &Pattern) -> bool {
    // A wildcard becomes a byte that is neither a dot nor a slash.
    let sample: Vec<u8> = pattern
        .tokens()
        .iter()
        .flat_map(|token| match token {
            Token::Literal(bytes) => bytes.to_vec(),
            Token::One(_) | Token::Run(_) => vec![b'x'],
        })
        .collect();
    dot_segment(&sample).is_some()
}
