//! What can be wrong with a restriction's text.

use std::fmt;

use crate::path::{MAX_BUCKET_LEN, MAX_PATH_LEN, MIN_BUCKET_LEN};

/// The longest text of a restriction, in bytes.
pub const MAX_RESTRICTION_LEN: usize = 4_096;
/// The most alternatives that the braces and `**` of one glob may make.
pub const MAX_GLOB_ALTERNATIVES: usize = 64;
/// How deep braces may be nested.
pub const MAX_GLOB_NESTING: usize = 8;
/// The most steps (literal bytes, characters of a class, runs) of an alternative behind its
/// literal start.
pub const MAX_GLOB_TOKENS: usize = 256;

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

impl fmt::Display for RestrictionErrorKind {
    /// What is wrong, as it is said to the author.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use RestrictionErrorKind as Kind;
        match self {
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
