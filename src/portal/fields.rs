//! The fields of a form or of a query, as they were sent.

use std::fmt;

/// How many fields one form has at most: that of a data source has eight, and three for each
/// restriction.
const MAX_FIELDS: usize = 8_192;

/// Names and values, in the order in which they came. `Debug` shows no value: some are secrets.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. `None` where there are too many: a form without its
    /// last fields would be another one, without its denies.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if fields.len() == MAX_FIELDS {
                return None;
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Some(Self(fields))
    }

    /// The value of a field; nothing where there is none. Of several, the last: a box that is ticked
    /// stands behind what it is without that.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Whether a box is ticked.
    pub(super) fn is_ticked(&self, name: &str) -> bool {
        self.get(name) == "yes"
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A text as it stands in an address, between two `/` or as a value.
pub(super) fn in_address(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        // In a path, a `+` is a plus.
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let fields = Fields::read(b"a=1&b=%2B+%26&a=2&box=yes&empty=&%C3%BC=%F0%9F%A6%80").unwrap();
        assert_eq!(fields.get("a"), "2");
        assert_eq!(fields.get("b"), "+ &");
        assert_eq!(fields.get("none"), "");
        assert_eq!(fields.get("ü"), "🦀");
        assert!(fields.is_ticked("box") && !fields.is_ticked("a") && !fields.is_ticked("empty"));
        assert_eq!(fields.iter().filter(|(name, _)| *name == "a").count(), 2);
        assert_eq!(Fields::read(&b"a&".repeat(MAX_FIELDS)).unwrap().iter().count(), MAX_FIELDS);
        assert!(Fields::read(&b"a&".repeat(MAX_FIELDS + 1)).is_none());
        assert!(!format!("{fields:?}").contains('🦀'));
    }

    #[test]
    fn what_stands_in_an_address_stays_what_it_is() {
        assert_eq!(in_address("s3+a/b c?d#e&ü"), "s3%2Ba%2Fb%20c%3Fd%23e%26%C3%BC");
    }
}
