//! What can be wrong with a restriction's text, in words for its author.

use std::fmt;

use super::{
    MAX_GLOB_ALTERNATIVES, MAX_GLOB_NESTING, MAX_GLOB_TOKENS, MAX_RESTRICTION_LEN, Pattern, Token,
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
    /// A `{` has no `}`, a `}` no `{`, or there is one alternative in them alone.
    GlobBrace,
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

/// A restriction that cannot be read, or that no path could ever match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictionError {
    kind: RestrictionErrorKind,
    at: usize,
    help: String,
}

impl RestrictionError {
    pub(super) fn new(kind: RestrictionErrorKind, at: usize, text: &str) -> Self {
        Self { kind, at, help: help(kind, text) }
    }

    /// What is wrong.
    pub fn kind(&self) -> RestrictionErrorKind {
        self.kind
    }

    /// Where in the text it is wrong, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What to write instead.
    pub fn help(&self) -> &str {
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
            Kind::GlobBrace => f.write_str("braces do not pair, or have one alternative alone"),
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

fn help(kind: RestrictionErrorKind, text: &str) -> String {
    use RestrictionErrorKind as Kind;
    match kind {
        Kind::Empty => "write `*` for everything, or name a path".into(),
        Kind::TooLong | Kind::LongerThanPath => {
            "a path has at most 255 bytes of bucket and 1,024 of key; shorten the restriction"
                .into()
        }
        Kind::Escape => {
            "write `\\\\` for a backslash and `\\*` for a star; nothing else needs a `\\`".into()
        }
        Kind::GlobEscape => "write `\\\\` for a backslash; `* ? [ ] { } , !` can be escaped".into(),
        Kind::LeadingSlash => match text.trim_start_matches('/') {
            "" => "a path starts with its bucket; write `*` for everything".into(),
            rest => format!("a path starts with its bucket: write `{rest}`"),
        },
        Kind::Protocol => {
            // Of `s3://bucket/key` and Amazon's names of resources the end is the path; of a web
            // address only its author knows which part.
            let rest = text.rsplit(":::").next().filter(|_| text.starts_with("arn:"));
            let rest = rest.or_else(|| text.split_once("://").map(|(_, rest)| rest));
            match rest {
                Some(rest) if !text.starts_with("http") => {
                    format!("a restriction is a path of its connection: write `{rest}`")
                }
                _ => "a restriction is a path of its connection: write `bucket/key`".into(),
            }
        }
        Kind::DotSegment => "name the path itself, without `.` and `..` segments".into(),
        Kind::Control => "take the character out; paths with control characters are refused".into(),
        Kind::BucketCharacter => {
            "a path starts with its bucket, which is made of A-Z a-z 0-9 . _ -".into()
        }
        Kind::BucketLength => {
            "a path starts with its bucket: write `bucket/…`, or `bucket*` for all buckets that \
             start so"
                .into()
        }
        Kind::GlobTrailingSlash => "write `dir/**` for everything in a directory".into(),
        Kind::GlobStarStar => {
            "put `/` around `**`, or write one `*` for a part of a segment".into()
        }
        Kind::GlobClass => {
            "write `[a-z]` with the characters themselves, or `\\[` for a bracket outside a class"
                .into()
        }
        Kind::GlobClassNotAscii => "write the characters as alternatives: `{ä,ö,ü}`".into(),
        Kind::GlobClassSlash => {
            "a class never matches `/`, which ends a segment: leave it out, and write a range such as \
             `[.-0]` as its parts"
                .into()
        }
        Kind::GlobRange => "write the smaller character first, as in `[a-z]`".into(),
        Kind::GlobBrace => "write `{a,b}`, or `\\{` and `\\}` for braces themselves".into(),
        Kind::GlobEmptyAlternative => {
            "write the two cases as two restrictions; readers of globs disagree about `{a,}`".into()
        }
        Kind::GlobNesting | Kind::GlobAlternatives | Kind::GlobTokens => {
            "write several restrictions instead".into()
        }
    }
}

/// What holds for the text of both forms, before it is read.
pub(super) fn check_text(text: &str) -> Result<(), RestrictionError> {
    let fail = |kind, at| Err(RestrictionError::new(kind, at, text));
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
pub(super) fn check_reachable(pattern: &Pattern, text: &str) -> Result<(), RestrictionError> {
    let fail = |kind, at| Err(RestrictionError::new(kind, at, text));
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
