//! What of a server's answer does not parse is left out, so that the rest of it is read.
//!
//! The S3 client refuses a whole answer for one date of the year 10000, or a number that it cannot read, also
//! where nobody asks for it. Such an element is overwritten with white space before the client sees it: what it
//! says is then not said. An object without a size is not shown, one without a key has no name.

use aws_smithy_types::{DateTime, date_time::Format, primitive::Parse};
use xmlparser::{ElementEnd, Token, Tokenizer};

/// What nobody here reads, and the client does.
const UNREAD: [&str; 5] = ["CreationDate", "DeleteMarker", "KeyCount", "MaxKeys", "RestoreStatus"];
/// What has text in it and no elements.
const TEXTS: [&str; 12] = [
    "ChecksumAlgorithm",
    "ChecksumType",
    "Code",
    "Delimiter",
    "ETag",
    "EncodingType",
    "Key",
    "LastModified",
    "Size",
    "StartAfter",
    "StorageClass",
    "UploadId",
];

struct Open<'a> {
    start: usize,
    name: &'a str,
    text: &'a str,
    is_mixed: bool,
}

impl Open<'_> {
    /// Whether the client can read what it needs of the element.
    fn is_read(&self) -> bool {
        let is_text = !self.is_mixed && !self.text.contains('&');
        match self.name {
            name if UNREAD.contains(&name) => false,
            "LastModified" => {
                is_text && DateTime::from_str(self.text, Format::DateTimeWithOffset).is_ok()
            }
            "Size" => is_text && i64::parse_smithy_primitive(self.text).is_ok(),
            // Without these what came would pass for all that there is.
            "IsTruncated" | "ContinuationToken" | "NextContinuationToken" => true,
            name => has_references(self.text) && !(self.is_mixed && TEXTS.contains(&name)),
        }
    }
}

/// Overwrites what does not parse of an answer that is XML with one meaning.
pub(super) fn out(answer: &mut [u8]) {
    for (start, end) in unread(answer) {
        if let Some(bytes) = answer.get_mut(start..end) {
            bytes.fill(b' ');
        }
    }
}

fn unread(answer: &[u8]) -> Vec<(usize, usize)> {
    let Ok(text) = std::str::from_utf8(answer) else { return Vec::new() };
    let (mut open, mut unread) = (Vec::<Open<'_>>::new(), Vec::new());
    for token in Tokenizer::from(text).map_while(Result::ok) {
        match token {
            Token::ElementStart { local, span, .. } => {
                if let Some(parent) = open.last_mut() {
                    parent.is_mixed = true;
                }
                let (start, name) = (span.start(), local.as_str());
                open.push(Open { start, name, text: "", is_mixed: false });
            }
            Token::Text { text } => {
                if let Some(element) = open.last_mut() {
                    element.text = text.as_str();
                }
            }
            Token::ElementEnd { end: ElementEnd::Close(..) | ElementEnd::Empty, span } => {
                // The first one is the answer.
                if let Some(element) = open.pop()
                    && !open.is_empty()
                    && !element.is_read()
                {
                    unread.push((element.start, span.end()));
                }
            }
            _ => {}
        }
    }
    unread
}

/// Whether every reference in a text is one of XML's own, or to a character that XML has.
fn has_references(text: &str) -> bool {
    text.split('&').skip(1).all(|rest| {
        let Some((name, _)) = rest.split_once(';') else { return false };
        if matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") {
            return true;
        }
        let Some(number) = name.strip_prefix('#') else { return false };
        let (digits, radix) = match number.strip_prefix('x') {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        let is_number = digits.chars().all(|digit| digit.is_digit(radix));
        let code = u32::from_str_radix(digits, radix);
        let code = code.ok().filter(|_| is_number).and_then(char::from_u32);
        code.is_some_and(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        out(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_does_not_parse_is_left_out_alone() {
        for bad in [
            "<Size>x</Size>",
            "<Size/>",
            "<Size>99999999999999999999</Size>",
            "<Size><a/></Size>",
            "<LastModified>10000-01-01T00:00:00Z</LastModified>",
            "<LastModified>2026-01-01T23:59:60Z</LastModified>",
            "<LastModified></LastModified>",
            "<KeyCount>-5</KeyCount>",
            "<MaxKeys>99999999999999999999</MaxKeys>",
            "<RestoreStatus><IsRestoreInProgress>q</IsRestoreInProgress></RestoreStatus>",
            "<CreationDate>q</CreationDate>",
            "<Key>a&bad;b</Key>",
            "<Key>a&#xd800;b</Key>",
            "<Key>a&#99999999999;b</Key>",
            "<Key>a&amp</Key>",
            "<Key>a<b/></Key>",
            "<Owner><ID>&#1;</ID></Owner>",
        ] {
            let good = "<ETag>&quot;a&#x22;</ETag>";
            let whole = format!("<L><C>{bad}{good}</C></L>");
            let expected = match bad {
                text if text.starts_with("<Owner>") => {
                    format!("<L><C><Owner> </Owner>{good}</C></L>")
                }
                _ => format!("<L><C> {good}</C></L>"),
            };
            assert_eq!(left(&whole), expected, "{bad}");
        }
    }

    #[test]
    fn what_parses_is_left_as_it_is() {
        let good = "<L><IsTruncated>maybe</IsTruncated><ContinuationToken>&bad;</ContinuationToken><Contents><Key>a&amp;&#233;</Key><Size>1</Size>\
                    <LastModified>2026-01-01T00:00:00.000Z</LastModified><Owner><ID>x</ID></Owner>\
                    </Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><Prefix/></L>";
        assert_eq!(left(good), good);
        // The first element is all of it.
        assert_eq!(left("<Size>x</Size>"), "<Size>x</Size>");
    }
}
