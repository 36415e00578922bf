//! Restrictions: one line of a connection's list, its text form, and the reference matcher.
//!
//! A restriction's text becomes [`Token`]s (`plain`, `glob`), a list of tokens is a
//! [`Pattern`], and [`Pattern::matches`] is the specification that everything faster must equal.
//! What is refused is told with what to write instead (`kind`, `help`, `error`), and what is read and
//! hardly meant is doubted (`signs`, `doubt`).

mod check;
mod doubt;
mod error;
mod glob;
mod group;
mod help;
mod kind;
mod placeholder;
mod plain;
mod reference;
mod rewrite;
mod seen;
mod signs;
mod token;

use std::fmt;

use self::kind::Refused;
pub use self::{
    doubt::Doubt,
    error::RestrictionError,
    kind::{
        MAX_GLOB_ALTERNATIVES, MAX_GLOB_NESTING, MAX_GLOB_TOKENS, MAX_RESTRICTION_LEN,
        RestrictionErrorKind,
    },
    signs::DoubtKind,
    token::{ByteSet, Pattern, Token},
};
pub(crate) use self::{
    help::{Help, Part},
    rewrite::as_glob,
};

/// How a restriction's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `*` is the only wildcard and stands for any run of bytes, `/` included.
    Plain,
    /// Segment-aware: `*`, `**`, `?`, `[a-z]`, `{a,b}`.
    Glob,
}

/// One line of a connection's list of path restrictions.
///
/// | text | matches |
/// |---|---|
/// | `Algorithmia/team.jpg` | exactly that path |
/// | `Algorithmia/*` | every path that starts with `Algorithmia/`, at any depth |
/// | `Algorithmia/` | the same as `Algorithmia/*` |
/// | `Algorithmia*` | every path that starts with `Algorithmia`, other buckets included |
/// | `*` | everything |
/// | `logs/*/part-*.parquet` | `*` anywhere stands for any run of bytes, possibly empty |
///
/// `\*` and `\\` are a literal star and backslash. Everything else means itself.
///
/// ```
/// use pathward::Restriction;
///
/// let restriction = Restriction::parse("Algorithmia/")?;
/// assert!(restriction.matches(b"Algorithmia/a/b.csv"));
/// assert!(!restriction.matches(b"Algorithmia2/a/b.csv"));
/// assert_eq!(restriction.to_string(), "Algorithmia/*");
///
/// let glob = Restriction::parse_glob("logs/{app,web}/**/*.gz")?;
/// assert!(glob.matches(b"logs/app/2026/01/x.gz"));
/// assert!(!glob.matches(b"logs/db/x.gz"));
/// # Ok::<(), pathward::RestrictionError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Restriction {
    text: Box<str>,
    dialect: Dialect,
    patterns: Box<[Pattern]>,
}

impl Restriction {
    /// Reads a restriction in the plain form.
    ///
    /// # Errors
    ///
    /// The text is empty or longer than 4,096 bytes; a `\` stands before something else than `*`
    /// or `\`; or no path could ever match it: it starts with `/` or `s3://`, has a `.` or `..`
    /// segment, a control byte, a bucket that cannot be, or more literal bytes than a path has.
    pub fn parse(text: &str) -> Result<Self, RestrictionError> {
        Self::parse_as(Dialect::Plain, text)
    }

    /// Reads a restriction in one of the forms, as [`parse`](Self::parse) or
    /// [`parse_glob`](Self::parse_glob) does.
    ///
    /// # Errors
    ///
    /// As those.
    pub fn parse_as(dialect: Dialect, text: &str) -> Result<Self, RestrictionError> {
        Self::read(dialect, text).map_err(|refused| RestrictionError::new(refused, text, dialect))
    }

    /// Reads a restriction, and says nothing of what to do where it is refused.
    fn read(dialect: Dialect, text: &str) -> Result<Self, Refused> {
        check::check_text(text)?;
        let patterns: Box<[Pattern]> = match dialect {
            Dialect::Plain => {
                let pattern = plain::read(text)?;
                check::check_reachable(&pattern, text)?;
                [pattern].into()
            }
            Dialect::Glob => glob::read(text, true)?.into(),
        };
        Ok(Self { text: text.into(), dialect, patterns })
    }

    /// Reads a restriction in the glob form, where `*` and `?` stay in a segment.
    ///
    /// | text | matches |
    /// |---|---|
    /// | `*` | any run of characters without `/`, possibly empty |
    /// | `?` | one character that is not `/` |
    /// | `**`, as a whole segment | any number of segments; last: everything below |
    /// | `[a-z]`, `[!a-z]` | one character in the class, or not in it; never `/` |
    /// | `{a,b}` | either |
    /// | `\x` | the character `x`, where `x` has a meaning of its own |
    ///
    /// What `**` makes and no path can be is left out: of `**/v1/**` that there is no folder before
    /// `v1`, because no bucket has two characters. What braces make is not: `{a,logs}/x` is refused,
    /// as `a/x` is.
    ///
    /// ```
    /// use pathward::Restriction;
    ///
    /// let glob = Restriction::parse_glob("**/v1/**")?;
    /// assert!(glob.matches(b"api/v1/x") && glob.matches(b"api/old/v1/x"));
    /// assert!(Restriction::parse_glob("{a,logs}/x").is_err());
    /// # Ok::<(), pathward::RestrictionError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Restriction::parse`], and whatever readers of globs disagree about: `**` within a
    /// segment, empty alternatives, classes that are empty or not ASCII, a `/` at the end,
    /// unbalanced brackets, more than [`MAX_GLOB_ALTERNATIVES`] alternatives.
    pub fn parse_glob(text: &str) -> Result<Self, RestrictionError> {
        Self::parse_as(Dialect::Glob, text)
    }

    /// The text as its author wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How the text is read.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What the text means: it matches what any of these patterns matches. A plain restriction
    /// has one.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether this restriction matches these bytes: the specification, not the fast way.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(path))
    }
}

impl fmt::Display for Restriction {
    /// A plain restriction in its one canonical spelling (`dir/` is `dir/*`, `**` is `*`), which
    /// reads back as the same restriction; a glob as it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.dialect, &*self.patterns) {
            (Dialect::Plain, [pattern]) => plain::write(pattern, f),
            _ => f.write_str(&self.text),
        }
    }
}

impl fmt::Debug for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.dialect, self.text)
    }
}

#[doc(hidden)]
pub mod unchecked {
    //! The two grammars without the checks that some path could match, for exhaustive tests over
    //! alphabets in which no bucket is long enough.
    use super::{Dialect, Pattern, Restriction, RestrictionError};

    /// The pattern of a plain text.
    ///
    /// # Errors
    ///
    /// A `\` before anything else than `*` or `\`.
    pub fn plain(text: &str) -> Result<Pattern, RestrictionError> {
        let refused = |refused| RestrictionError::new(refused, text, Dialect::Plain);
        super::plain::read(text).map_err(refused)
    }

    /// The patterns of a glob, all that `**` makes among them.
    ///
    /// # Errors
    ///
    /// Whatever readers of globs disagree about, and the limits.
    pub fn glob(text: &str) -> Result<Vec<Pattern>, RestrictionError> {
        let refused = |refused| RestrictionError::new(refused, text, Dialect::Glob);
        super::glob::read(text, false).map_err(refused)
    }

    /// A plain restriction that need not match any path.
    ///
    /// # Errors
    ///
    /// As [`plain`].
    pub fn plain_restriction(text: &str) -> Result<Restriction, RestrictionError> {
        let patterns = [plain(text)?].into();
        Ok(Restriction { text: text.into(), dialect: Dialect::Plain, patterns })
    }

    /// A glob that need not match any path.
    ///
    /// # Errors
    ///
    /// As [`glob`].
    pub fn glob_restriction(text: &str) -> Result<Restriction, RestrictionError> {
        let patterns = glob(text)?.into();
        Ok(Restriction { text: text.into(), dialect: Dialect::Glob, patterns })
    }
}
