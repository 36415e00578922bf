//! JSON that is not a line each: what `jq` prints, and files of CloudTrail, `{"Records": […]}`.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufReader, Read},
};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The most bytes of one record.
const MOST: u64 = 4 << 20;
/// The fields of a file that hold its records.
const HOLDERS: [&str; 2] = ["Records", "Events"];

/// What a reading ends with that was given up; nobody sees it.
const ENDED: &str = "ended";

/// What is in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// One record after the other.
    Records,
    /// Lists of records, in brackets or in one of the fields that hold them.
    Lists,
}

/// Whether an input that starts so is a document, and no lines.
pub(super) fn of(start: &[u8]) -> Option<Document> {
    let start = start.trim_ascii_start();
    match start.first()? {
        b'[' => Some(Document::Lists),
        b'{' => {
            let behind = &start[1..];
            let next = behind.trim_ascii_start();
            let holds = |name: &&str| {
                next.strip_prefix(b"\"")
                    .and_then(|rest| rest.strip_prefix(name.as_bytes()))
                    .is_some_and(|rest| rest.starts_with(b"\""))
            };
            let gap = &behind[..behind.len() - next.len()];
            match HOLDERS.iter().any(holds) {
                true => Some(Document::Lists),
                false if gap.contains(&b'\n') && !next.is_empty() => Some(Document::Records),
                false => None,
            }
        }
        _ => None,
    }
}

/// Reads a document, and gives each record, as JSON. Ends with the first failure of `each`.
///
/// Memory does not grow with the document.
///
/// # Errors
///
/// That it is no such JSON, with its line; or what `each` failed with.
pub(super) fn read<E>(
    document: Document,
    input: impl Read,
    each: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), Result<E, String>> {
    let left = Cell::new(MOST);
    let (visible, failed) = (Cell::new(false), Cell::new(None));
    let input = Limited { input: BufReader::new(input), left: &left, visible: &visible };
    let mut give = |record: &RawValue| {
        left.set(MOST);
        match each(record.get().as_bytes()) {
            Ok(()) => true,
            Err(error) => {
                failed.set(Some(error));
                false
            }
        }
    };
    let mut json = serde_json::Deserializer::from_reader(input);
    loop {
        visible.set(false);
        let read = Given { document, give: &mut give, is_top: true }.deserialize(&mut json);
        match read {
            Ok(()) => {}
            // Nothing but white space came.
            Err(error) if error.is_eof() && !visible.get() => return Ok(()),
            Err(error) => {
                return Err(match failed.take() {
                    Some(failed) => Ok(failed),
                    None => Err(format!("it is no JSON of a log: {error}")),
                });
            }
        }
    }
}

/// An input of which no record has more than so many bytes.
struct Limited<'l, R> {
    input: R,
    left: &'l Cell<u64>,
    /// Whether something else than white space came.
    visible: &'l Cell<bool>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(into)?;
        let left = self.left.get().checked_sub(bytes as u64);
        let too_long = || io::Error::other(format!("a record has more than {MOST} bytes"));
        self.left.set(left.ok_or_else(too_long)?);
        if into[..bytes].iter().any(|byte| !byte.is_ascii_whitespace()) {
            self.visible.set(true);
        }
        Ok(bytes)
    }
}

/// A value whose records are given on.
struct Given<'g> {
    document: Document,
    give: &'g mut dyn FnMut(&RawValue) -> bool,
    is_top: bool,
}

impl<'de> DeserializeSeed<'de> for Given<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.document {
            Document::Records => {
                let record: Box<RawValue> = Deserialize::deserialize(deserializer)?;
                match (self.give)(&record) {
                    true => Ok(()),
                    false => Err(Error::custom(ENDED)),
                }
            }
            Document::Lists => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Given<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(record) = access.next_element::<Box<RawValue>>()? {
            if !(self.give)(&record) {
                return Err(Error::custom(ENDED));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(name) = access.next_key::<String>()? {
            let Self { document, ref is_top, .. } = self;
            match *is_top && HOLDERS.contains(&&*name) {
                true => {
                    let give = &mut *self.give;
                    access.next_value_seed(Given { document, give, is_top: false })?;
                }
                false => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, String> {
        let document = of(text.as_bytes()).expect(text);
        let mut found = Vec::new();
        let read = read::<()>(document, text.as_bytes(), &mut |record| {
            found.push(String::from_utf8_lossy(record).replace(char::is_whitespace, ""));
            Ok(())
        });
        read.map(|()| found).map_err(|error| error.expect_err("no failure"))
    }

    #[test]
    fn records_of_documents_are_found() {
        let records =
            |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (text, expected) in [
            (r#"{"Records":[]}"#, records(&[])),
            (r#"{"Records":[{"a":1},{"b":"]}"}]}"#, records(&[r#"{"a":1}"#, r#"{"b":"]}"}"#])),
            ("{ \"Records\" : [\n {\"a\": [1]}\n ]\n}\n", records(&[r#"{"a":[1]}"#])),
            (
                r#"{"Records":[{"a":1}],"x":{"y":[2]}}{"Records":[{"b":2}]}"#,
                records(&[r#"{"a":1}"#, r#"{"b":2}"#]),
            ),
            ("[{\"a\":1}]\n[]\n[{\"b\":2}]", records(&[r#"{"a":1}"#, r#"{"b":2}"#])),
            ("{\n\"a\": 1\n}\n{\n\"b\": 2\n}\n", records(&[r#"{"a":1}"#, r#"{"b":2}"#])),
        ] {
            assert_eq!(all(text), Ok(expected), "{text}");
        }
        for text in [r#"{"Records":[{"a":1}"#, "[{\"a\":1},", "{\n\"a\":", "[1 2]"] {
            assert!(
                all(text).is_err_and(|error| error.contains("it is no JSON of a log: ")),
                "{text}"
            );
        }
        for text in [r#"{"op":"read"}"#, "read pub/a", "", "{\"Recordsets\":[]}", "{", "{\n"] {
            assert_eq!(of(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_failure_ends_the_reading_and_a_record_is_bounded() {
        let mut count = 0;
        let ended = read(Document::Lists, &b"[1,2,3]"[..], &mut |_| {
            count += 1;
            if count == 2 { Err("enough") } else { Ok(()) }
        });
        assert_eq!((ended, count), (Err(Ok("enough")), 2));
        let long = format!("[\"{}\"]", "x".repeat(MOST as usize));
        let ended = read::<()>(Document::Lists, long.as_bytes(), &mut |_| Ok(()));
        assert!(ended.is_err_and(|error| error.is_err_and(|error| error.contains("more than"))));
        // But not a document of many.
        let many = format!("[{}1]", "\"xxxxxxxxxxxxxxxx\",".repeat(400_000));
        assert_eq!(read::<()>(Document::Lists, many.as_bytes(), &mut |_| Ok(())), Ok(()));
    }
}
