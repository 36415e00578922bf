//! Answers made into others by chance, the same in every run of a seed: other statuses, headers that make
//! no sense, numbers and dates out of range, XML that is cut, doubled, or not well formed.

/// Small numbers that are the same in every run.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    pub fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

const HEADERS: &[&str] = &[
    "content-length",
    "content-type",
    "content-encoding",
    "content-range",
    "accept-ranges",
    "etag",
    "last-modified",
    "date",
    "expires",
    "retry-after",
    "x-amz-retry-after",
    "transfer-encoding",
    "connection",
    "location",
    "x-amz-missing-meta",
    "x-amz-mp-parts-count",
    "x-amz-tagging-count",
    "x-amz-delete-marker",
    "x-amz-object-lock-retain-until-date",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-checksum-crc32",
    "x-amz-version-id",
    "x-amz-meta-\u{7f}",
];

/// What stands in headers, and in elements, that should have a number, a date, a key.
const VALUES: &[&str] = &[
    "",
    " ",
    "-1",
    "0",
    "+5",
    "05",
    "5, 5",
    "1e9",
    "0x10",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "99999999999999999999999999",
    "NaN",
    "true",
    "TRUE",
    "yes",
    "Wed, 31 Dec 1969 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Mon, 01 Jan 0000 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:60 GMT",
    "Sat, 01 Jan 10000 00:00:00 GMT",
    "Sun, 06 Nov 1994 08:49:37. GMT",
    "Sun, 06 Nov 1994 08:49:37.1234567890 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Sun, 06 Növ 1994 08:49:37 GMT",
    "1969-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "0000-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "10000-01-01T00:00:00Z",
    "-262144-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00.999999999999999999Z",
    "2026-01-01",
    "\"",
    "\"\"",
    "W/\"x\"",
    "%",
    "%zz",
    "%00",
    "%ff",
    "%2e%2e/%2e%2e/secret",
    "../../etc/passwd",
    "//",
    "/",
    "d/\u{1}",
    "d/\u{202e}",
    "é\u{301}",
    "d/\u{fffe}",
    "&#0;",
    "&#x110000;",
    "&lt;",
    "&a;",
    "&",
    "<",
    "<a/>",
    "<!-- a -->",
    "<![CDATA[a]]>",
    "<?a?>",
    "]]>",
    "text/html; charset=\"",
    "gzip",
    "url",
    "chunked",
    "close",
    "\t",
    "a\r\nb: c",
];

const STATUSES: &[u16] = &[
    100, 102, 103, 199, 200, 201, 203, 204, 205, 206, 207, 226, 299, 300, 301, 302, 304, 307, 400,
    401, 403, 404, 405, 408, 409, 411, 412, 413, 416, 418, 429, 499, 500, 501, 502, 503, 504, 507,
    599, 600, 777, 999,
];

/// Something else in place of an answer, head and body.
pub fn mangle(dice: &mut Dice, answer: &[u8]) -> Vec<u8> {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..at]).into_owned();
    let mut lines: Vec<Vec<u8>> = head.split("\r\n").map(|line| line.as_bytes().to_vec()).collect();
    let mut body = answer[at + 4..].to_vec();
    let is_head_alone = body.is_empty();
    let mut length = true;
    for _ in 0..=dice.below(2) {
        match dice.below(12) {
            0 => lines[0] = format!("HTTP/1.1 {} -", STATUSES[dice.below(STATUSES.len())]).into(),
            1..=4 => {
                let (name, value) = (dice.one(HEADERS), odd(dice));
                let is_length = name == "content-length";
                length &= !is_length && name != "transfer-encoding";
                // One more, or the one.
                if dice.below(3) > 0 {
                    lines.retain(|line| !is_header(line, name));
                }
                lines.push([name.as_bytes(), b": ", &value].concat());
            }
            5 => lines.truncate(1 + dice.below(lines.len())),
            6..=9 => body = mangled_text(dice, body),
            10 => {
                let at = dice.below(body.len() + 1);
                body.truncate(at);
            }
            _ => {
                let mut all = [lines.join(&b"\r\n"[..]), b"\r\n\r\n".to_vec(), body].concat();
                for _ in 0..=dice.below(4) {
                    let at = dice.below(all.len());
                    all[at] = u8::try_from(dice.below(256)).expect("a byte");
                }
                if dice.below(2) == 0 {
                    all.truncate(dice.below(all.len()));
                }
                return all;
            }
        }
    }
    if length && !is_head_alone {
        lines.retain(|line| !is_header(line, "content-length"));
        lines.push(format!("content-length: {}", body.len()).into());
    }
    [lines.join(&b"\r\n"[..]), b"\r\n\r\n".to_vec(), body].concat()
}

fn is_header(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && line.get(name.len()) == Some(&b':')
}

fn odd(dice: &mut Dice) -> Vec<u8> {
    match dice.below(20) {
        0 => vec![b'9'; 1 + dice.below(2_000)],
        1 => (0..dice.below(12)).map(|_| [0xff, 0x80, 0xc3, b'a'][dice.below(4)]).collect(),
        _ => dice.one(VALUES).as_bytes().to_vec(),
    }
}

/// XML with one text, or one tag, that is another.
fn mangled_text(dice: &mut Dice, body: Vec<u8>) -> Vec<u8> {
    let ends = |byte: u8| -> Vec<usize> {
        let found = body.iter().enumerate().filter(|(_, b)| **b == byte);
        found.map(|(at, _)| at).collect()
    };
    let (opens, closes) = (ends(b'<'), ends(b'>'));
    if opens.is_empty() || closes.is_empty() {
        return odd(dice);
    }
    // A text: from behind a `>` to the next `<`. A tag: the other way.
    let (starts, stops, skip) = match dice.below(2) {
        0 => (&closes, &opens, 1),
        _ => (&opens, &closes, 0),
    };
    let start = starts[dice.below(starts.len())] + skip;
    let Some(stop) = stops.iter().copied().find(|stop| *stop >= start) else { return body };
    let stop = stop + 1 - skip;
    let piece = match dice.below(4) {
        0 => Vec::new(),
        1 => [&body[start..stop], &body[start..stop]].concat(),
        _ => odd(dice),
    };
    [&body[..start], &piece, &body[stop..]].concat()
}
