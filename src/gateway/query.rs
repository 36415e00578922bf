//! The query of a request: three parameters, each at most once, and no others.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The parameters that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// `marker`: where a listing goes on.
    pub(super) marker: Option<String>,
    /// `acl`: whether a listing's access control list is wanted. There is none to give.
    pub(super) acl: Option<bool>,
    /// `force`: whether a directory goes with all in it.
    pub(super) force: Option<bool>,
}

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum QueryError {
    /// There is no such parameter for this method.
    Unknown,
    /// A parameter stands twice.
    Twice(&'static str),
    /// A value is not `true` or `false`.
    NotBoolean(&'static str),
    /// A value's escapes are not UTF-8.
    Encoding,
}

impl QueryError {
    pub(super) fn message(&self) -> String {
        match self {
            Self::Unknown => "the query has a parameter that this request does not take; a `?` in \
                              a name is sent as `%3F`"
                .to_owned(),
            Self::Twice(name) => format!("the query has `{name}` more than once"),
            Self::NotBoolean(name) => format!("`{name}` is neither `true` nor `false`"),
            Self::Encoding => "the query's escapes are not UTF-8".to_owned(),
        }
    }
}

impl Query {
    /// Reads a query, of which this request takes the parameters named.
    pub(super) fn read(query: Option<&str>, takes: &[&str]) -> Result<Self, QueryError> {
        let mut read = Self::default();
        for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value)?;
            match decode(name)?.as_str() {
                "marker" if takes.contains(&"marker") => set(&mut read.marker, "marker", value)?,
                "acl" if takes.contains(&"acl") => {
                    set(&mut read.acl, "acl", boolean("acl", &value)?)?;
                }
                "force" if takes.contains(&"force") => {
                    set(&mut read.force, "force", boolean("force", &value)?)?;
                }
                _ => return Err(QueryError::Unknown),
            }
        }
        read.marker = read.marker.filter(|marker| !marker.is_empty());
        Ok(read)
    }
}

fn set<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), QueryError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(QueryError::Twice(name)),
    }
}

fn boolean(name: &'static str, value: &str) -> Result<bool, QueryError> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Ok(true),
        _ if value.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(QueryError::NotBoolean(name)),
    }
}

/// Decodes a form's text: `+` is a space.
fn decode(text: &str) -> Result<String, QueryError> {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| QueryError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_taken_once_where_they_belong() {
        let listing = ["marker", "acl"];
        let read = Query::read(Some("marker=a+b%2Bc&acl=True"), &listing).unwrap();
        assert_eq!((read.marker.as_deref(), read.acl), (Some("a b+c"), Some(true)));
        assert_eq!(Query::read(Some("marker=&acl=false"), &listing).unwrap().marker, None);
        assert_eq!(Query::read(None, &listing), Ok(Query::default()));
        for (query, error) in [
            ("marker=a&marker=b", QueryError::Twice("marker")),
            ("force=true", QueryError::Unknown),
            ("acl", QueryError::NotBoolean("acl")),
            ("marker=%FF", QueryError::Encoding),
            ("y", QueryError::Unknown),
            ("prefix=data/", QueryError::Unknown),
            ("list-type=2&policy", QueryError::Unknown),
        ] {
            assert_eq!(Query::read(Some(query), &listing), Err(error), "{query}");
        }
        assert_eq!(Query::read(Some("%66orce=TRUE"), &["force"]).unwrap().force, Some(true));
    }
}
