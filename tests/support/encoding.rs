//! How keys are written on the wire of S3: in targets, in listings, in XML.

use std::fmt::Write as _;

pub fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    bytes
}

/// The keys of the body of a deletion of many.
pub fn deleted_keys(body: &str) -> Vec<String> {
    let keys = body.split("<Key>").skip(1);
    keys.map(|rest| unescape_xml(rest.split("</Key>").next().unwrap())).collect()
}

pub fn url_encode(key: &[u8], percent_spaces: bool) -> String {
    let mut text = String::new();
    for byte in key {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b'*' => {
                text.push(char::from(*byte));
            }
            b' ' if !percent_spaces => text.push('+'),
            _ => write!(text, "%{byte:02X}").unwrap(),
        }
    }
    text
}

pub fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape_xml(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    // Any character may be written by its number.
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("&#x") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';').unwrap() + at;
        let number = u32::from_str_radix(&rest[at + 3..end], 16).unwrap();
        out.push(char::from_u32(number).unwrap());
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out.replace("&apos;", "'").replace("&amp;", "&")
}

pub const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, to go on with.
pub fn hash(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
