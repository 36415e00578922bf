//! Whether an answer is the XML that it has to be, before the S3 client reads it.
//!
//! The client's reader takes what is not well formed for what it could be: an answer that was cut short
//! for a whole one, a key with a comment in it for the part before that. And a few bytes of an answer may
//! become hundreds in memory. This reads by the tokens that the client reads by, and lets through
//! what has one meaning, and no more elements than an answer of its kind can have.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// How deep elements lie in one another at most. An answer of S3 has four or five.
const MAX_DEPTH: usize = 16;
/// The most attributes of an element. An answer of S3 has the name spaces of its first.
const MAX_ATTRIBUTES: usize = 16;

/// An element that is open.
struct Open<'a> {
    name: (&'a str, &'a str),
    has_text: bool,
    has_elements: bool,
}

/// What an answer says once for each of many things.
const ENTRIES: [&str; 5] = ["Contents", "CommonPrefixes", "Bucket", "Deleted", "Error"];

/// Whether these bytes are XML with one meaning, no more than so many elements, and no more than so many
/// entries among them.
pub(super) fn is_sound(answer: &[u8], most: usize, entries: usize) -> bool {
    std::str::from_utf8(answer).is_ok_and(|text| reads(text, most, entries).is_some())
}

fn reads(text: &str, most: usize, mut entries: usize) -> Option<()> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let (mut elements, mut attributes) = (0, 0);
    for token in Tokenizer::from(text) {
        match token.ok()? {
            Token::ElementStart { prefix, local, .. } => {
                (elements, attributes) = (elements + 1, 0);
                if let Some(parent) = open.last_mut() {
                    parent.has_elements = true;
                }
                let name = (prefix.as_str(), local.as_str());
                open.push(Open { name, has_text: false, has_elements: false });
                if ENTRIES.contains(&local.as_str()) {
                    entries = entries.checked_sub(1)?;
                }
                if elements > most || open.len() > MAX_DEPTH {
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
                open.pop()?;
            }
            Token::ElementEnd { end: ElementEnd::Close(prefix, local), .. } => {
                let closed = open.pop()?;
                if closed.name != (prefix.as_str(), local.as_str())
                    || (closed.has_text && closed.has_elements)
                {
                    return None;
                }
            }
            Token::Text { text } => {
                // Indentation is no text.
                let is_text = text.as_str().bytes().any(|byte| !byte.is_ascii_whitespace());
                open.last_mut()?.has_text |= is_text;
            }
            // Parts that the client's reader leaves out of a text, as if they were not there.
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
    (elements > 0 && open.is_empty()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
