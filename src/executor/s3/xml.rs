//! Answers of servers, read: XML with one meaning, and no more of it than an answer of its kind can have.
//!
//! What could be read in two ways is not read at all: an answer that was cut short is none, and no key has a
//! comment in it. What one element says that nobody can read (a date of the year 10000, a reference to nothing)
//! is not said, and the rest is.

use std::borrow::Cow;

use xmlparser::{ElementEnd, Token, Tokenizer};

/// How deep elements lie in one another at most. An answer of S3 has four or five.
const MAX_DEPTH: usize = 16;
/// The most attributes of an element. An answer of S3 has the name spaces of its first.
const MAX_ATTRIBUTES: usize = 16;

/// What an answer says once for each of many things.
const ENTRIES: [&str; 7] =
    ["Contents", "CommonPrefixes", "Bucket", "Deleted", "Error", "Part", "Upload"];

/// An answer: its elements in the order in which they start.
#[derive(Debug)]
pub(super) struct Document<'a>(Vec<Parsed<'a>>);

#[derive(Debug)]
struct Parsed<'a> {
    prefix: &'a str,
    name: &'a str,
    /// As it is written; what stands between elements is no text.
    text: &'a str,
    has_text: bool,
    has_elements: bool,
    /// Where the elements inside end.
    end: usize,
}

impl<'a> Document<'a> {
    /// Reads these bytes, if they are XML with one meaning, with at most so many elements, and so many entries
    /// among them.
    pub(super) fn read(answer: &'a [u8], most: usize, mut entries: usize) -> Option<Self> {
        let text = std::str::from_utf8(answer).ok()?;
        let mut elements: Vec<Parsed<'a>> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut attributes = 0;
        for token in Tokenizer::from(text) {
            match token.ok()? {
                Token::ElementStart { prefix, local, .. } => {
                    // There is one outermost element.
                    if open.is_empty() && !elements.is_empty() {
                        return None;
                    }
                    if let Some(parent) = open.last() {
                        elements[*parent].has_elements = true;
                    }
                    attributes = 0;
                    open.push(elements.len());
                    elements.push(Parsed {
                        prefix: prefix.as_str(),
                        name: local.as_str(),
                        text: "",
                        has_text: false,
                        has_elements: false,
                        end: 0,
                    });
                    if ENTRIES.contains(&local.as_str()) {
                        entries = entries.checked_sub(1)?;
                    }
                    if elements.len() > most || open.len() > MAX_DEPTH {
                        return None;
                    }
                }
                Token::Attribute { .. } => {
                    attributes += 1;
                    if attributes > MAX_ATTRIBUTES {
                        return None;
                    }
                }
                Token::ElementEnd { end: ElementEnd::Open, .. } => {}
                Token::ElementEnd { end: ElementEnd::Empty, .. } => {
                    let end = elements.len();
                    elements[open.pop()?].end = end;
                }
                Token::ElementEnd { end: ElementEnd::Close(prefix, local), .. } => {
                    let end = elements.len();
                    let closed = &mut elements[open.pop()?];
                    closed.end = end;
                    if (closed.prefix, closed.name) != (prefix.as_str(), local.as_str())
                        || (closed.has_text && closed.has_elements)
                    {
                        return None;
                    }
                }
                Token::Text { text } => {
                    let element = &mut elements[*open.last()?];
                    element.text = text.as_str();
                    // Indentation is no text.
                    element.has_text |=
                        text.as_str().bytes().any(|byte| !byte.is_ascii_whitespace());
                }
                // Readers leave them out of a text, as if they were not there.
                Token::Cdata { .. } => return None,
                Token::Comment { .. } | Token::ProcessingInstruction { .. } => {
                    if !open.is_empty() {
                        return None;
                    }
                }
                Token::Declaration { .. } => {}
                // No answer has a type of its own, with entities and the like.
                Token::DtdStart { .. }
                | Token::EmptyDtd { .. }
                | Token::DtdEnd { .. }
                | Token::EntityDeclaration { .. } => return None,
            }
        }
        (!elements.is_empty() && open.is_empty()).then_some(Self(elements))
    }

    /// The outermost element.
    pub(super) fn root(&self) -> Element<'_> {
        Element { document: &self.0, place: 0 }
    }
}

/// One element of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'d> {
    document: &'d [Parsed<'d>],
    place: usize,
}

impl<'d> Element<'d> {
    fn parsed(self) -> &'d Parsed<'d> {
        &self.document[self.place]
    }

    /// Its name, without the prefix of a name space.
    pub(super) fn name(self) -> &'d str {
        self.parsed().name
    }

    /// The elements in it.
    pub(super) fn children(self) -> impl Iterator<Item = Element<'d>> {
        let end = self.parsed().end;
        let mut place = self.place + 1;
        std::iter::from_fn(move || {
            let child = (place < end).then_some(Element { document: self.document, place })?;
            place = child.parsed().end;
            Some(child)
        })
    }

    /// The elements in it that have this name.
    pub(super) fn all(self, name: &str) -> impl Iterator<Item = Element<'d>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The element in it that has this name. Of two neither is the one.
    pub(super) fn one(self, name: &str) -> Option<Element<'d>> {
        let mut all = self.all(name);
        all.next().filter(|_| all.next().is_none())
    }

    /// What it says; `None` if it has elements in it, or a reference to nothing.
    pub(super) fn text(self) -> Option<Cow<'d, str>> {
        let parsed = self.parsed();
        if parsed.has_elements { None } else { unescaped(parsed.text) }
    }

    /// What the one element in it of this name says.
    pub(super) fn says(self, name: &str) -> Option<Cow<'d, str>> {
        self.one(name)?.text()
    }
}

/// A text without its references: XML's own five, and those to characters that XML has.
fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    let Some((before, rest)) = text.split_once('&') else { return Some(Cow::Borrowed(text)) };
    let mut whole = before.to_owned();
    for part in rest.split('&') {
        let (name, behind) = part.split_once(';')?;
        whole.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let (digits, radix) = match number.strip_prefix('x') {
                    Some(digits) => (digits, 16),
                    None => (number, 10),
                };
                let is_number = digits.chars().all(|digit| digit.is_digit(radix));
                let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
                char::from_u32(code).filter(
                    |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..),
                )?
            }
        });
        whole.push_str(behind);
    }
    Some(Cow::Owned(whole))
}

/// A text as an element has it.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '\n', '\r', '\t']) {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '&' => whole.push_str("&amp;"),
            '<' => whole.push_str("&lt;"),
            '>' => whole.push_str("&gt;"),
            '"' => whole.push_str("&quot;"),
            '\'' => whole.push_str("&apos;"),
            '\n' | '\r' | '\t' => whole.push_str(&format!("&#{};", u32::from(char))),
            char => whole.push(char),
        }
    }
    Cow::Owned(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sound(answer: &[u8], most: usize, entries: usize) -> bool {
        Document::read(answer, most, entries).is_some()
    }

    #[test]
    fn elements_are_found_by_their_names() {
        let text =
            b"<L xmlns='x'><Key>a&amp;&#233;&#x22;</Key><C><Key>1</Key><Key>2</Key></C> <C/>\
                     <Size> 5</Size><Bad>&bad;</Bad></L>";
        let document = Document::read(text, 99, 99).unwrap();
        let root = document.root();
        assert_eq!(root.name(), "L");
        assert_eq!(root.says("Key").as_deref(), Some("a&\u{e9}\""));
        assert_eq!(root.all("C").count(), 2);
        assert_eq!(
            root.children().map(Element::name).collect::<Vec<_>>(),
            ["Key", "C", "C", "Size", "Bad"]
        );
        let first = root.all("C").next().unwrap();
        // Of two neither is the one, and what has elements in it says nothing.
        assert_eq!((first.says("Key"), first.text(), root.says("C")), (None, None, None));
        assert_eq!(first.all("Key").filter_map(Element::text).collect::<String>(), "12");
        assert_eq!(root.says("Size").as_deref(), Some(" 5"));
        assert!(root.one("Bad").is_some() && root.says("Bad").is_none());
    }

    #[test]
    fn references_are_to_characters() {
        for (text, says) in [
            ("a", Some("a")),
            ("&lt;&gt;&apos;&#65;&#x1F600;", Some("<>'A\u{1f600}")),
            ("&amp;amp;", Some("&amp;")),
            ("a&bad;b", None),
            ("a&#xd800;b", None),
            ("a&#99999999999;b", None),
            ("a&#+65;", None),
            ("a&#1;", None),
            ("a&#xffff;", None),
            ("a&amp", None),
            ("&", None),
        ] {
            assert_eq!(unescaped(text).as_deref(), says, "{text}");
        }
    }

    #[test]
    fn what_has_one_meaning_is_let_through() {
        for sound in [
            "<a/>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"x\"><b>c &amp; d</b>\n <b/></a>\n",
            "<!-- of a server --><a><b xmlns:xsi='x' xsi:type='y'></b></a><!-- the end -->",
            "<x:a><x:b> </x:b></x:a>",
        ] {
            assert!(is_sound(sound.as_bytes(), 3, 9), "{sound}");
        }
    }

    #[test]
    fn no_more_entries_come_than_are_taken() {
        let with = |count: usize| {
            let halves = (count / 2, count - count / 2);
            let (objects, prefixes) = (
                "<Contents><Key>k</Key></Contents>".repeat(halves.0),
                "<CommonPrefixes/>".repeat(halves.1),
            );
            format!("<ListBucketResult>{objects}{prefixes}</ListBucketResult>")
        };
        for (count, fits) in [(0, true), (1_000, true), (1_001, false), (4_000, false)] {
            assert_eq!(is_sound(with(count).as_bytes(), 20_000, 1_000), fits, "{count}");
        }
    }

    #[test]
    fn what_could_be_read_otherwise_is_not() {
        for unsound in [
            "",
            " ",
            "text",
            "<a>",
            "<a><b></a>",
            "<a></b>",
            "<a></a></a>",
            "</a>",
            "<a/><b/>",
            "<a/>text",
            "<a><b>c<!-- d -->e</b></a>",
            "<a><b><![CDATA[c]]></b></a>",
            "<a><b><?c d?></b></a>",
            "<a>b<c/></a>",
            "<a><c/>b</a>",
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a b='c' b/>",
            "<a><b>c",
            "<a",
            "<a b='",
        ] {
            assert!(!is_sound(unsound.as_bytes(), 9, 9), "{unsound}");
        }
        assert!(!is_sound(b"<a>\xff</a>", 9, 9));
        assert!(is_sound(b"<a><b/><b/></a>", 3, 9) && !is_sound(b"<a><b/><b/></a>", 2, 9));
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(is_sound(nested(MAX_DEPTH).as_bytes(), 99, 9));
        assert!(!is_sound(nested(MAX_DEPTH + 1).as_bytes(), 99, 9));
        let with = |count: usize| format!("<a{}/>", " b=''".repeat(count));
        assert!(is_sound(with(MAX_ATTRIBUTES).as_bytes(), 1, 9));
        assert!(!is_sound(with(MAX_ATTRIBUTES + 1).as_bytes(), 1, 9));
    }
}
