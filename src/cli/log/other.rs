//! Lines of formats that are known and not read: which it is, and what to do.

use super::access::is_time;

/// What a text is that cannot be read. No other line of it can be, either.
pub(super) fn known(line: &[u8]) -> Option<&'static str> {
    let has = |text: &str| memchr::memmem::find(line, text.as_bytes()).is_some();
    if is_text_log(line) {
        return Some(
            "it is the text log of `pathward serve`, which is for people: start it with `--log-format json`, and give \
             that log",
        );
    }
    if has(" beast: 0x") {
        return Some(
            "it is the log of Ceph's gateway, which names requests and no operations: give its operations log (`rgw \
             enable ops log`), which is JSON, or lines of OP and path",
        );
    }
    if is_of_web(line) {
        return Some(
            "it is the access log of a web server, which names requests and no operations of S3: give the S3 server \
             access log, CloudTrail, or lines of OP and path",
        );
    }
    if line.starts_with(b"#Version: ") || line.starts_with(b"#Fields: ") {
        return Some(
            "it is a log of CloudFront or of another web server: give the S3 server access log or CloudTrail",
        );
    }
    if line.starts_with(b"\"") || line.starts_with(b"bucketowner,") {
        return Some(
            "it is a table (CSV), as an inventory or a query gives it: give lines of OP and `bucket/key`",
        );
    }
    if is_listing(line) {
        return Some(
            "it is what `aws s3 ls` prints, which does not name the bucket: give lines of OP and `bucket/key`",
        );
    }
    None
}

/// What to do about lines that end otherwise than lines do.
pub(in super::super) fn ends(line: &[u8]) -> Option<&'static str> {
    if line.contains(&0) {
        return Some("where NUL bytes separate the lines, give `--null`");
    }
    line.contains(&b'\r').then_some("where nothing else ends the lines, use `tr '\\r' '\\n'`")
}

/// `2026-02-06 00:00:38       1234 raw/a.csv`.
fn is_listing(line: &[u8]) -> bool {
    let mut parts = line.split(|byte| *byte == b' ').filter(|part| !part.is_empty());
    let digits = |part: Option<&[u8]>, sign: u8| {
        part.is_some_and(|part| part.iter().all(|byte| byte.is_ascii_digit() || *byte == sign))
    };
    line.len() > 20
        && line[4] == b'-'
        && line[13] == b':'
        && digits(parts.next(), b'-')
        && digits(parts.next(), b':')
        && digits(parts.next(), b'0')
}

/// `2026-11-29T12:00:00.000000Z  INFO pathward::decision: …`, whatever a terminal or a collector put in it.
fn is_text_log(line: &[u8]) -> bool {
    let levels = ["ERROR", " WARN", " INFO", "DEBUG", "TRACE"];
    memchr::memmem::find_iter(line, b"pathward").any(|at| {
        let (before, from) = line.split_at(at);
        let is_target = from.starts_with(b"pathward::") || from.starts_with(b"pathward: ");
        let is_level = |level: &&str| memchr::memmem::find(before, level.as_bytes()).is_some();
        is_target && before.len() < 256 && levels.iter().any(is_level) && has_date(before)
    })
}

fn has_date(bytes: &[u8]) -> bool {
    bytes.windows(11).any(|part| {
        let digit = |at: usize| part[at].is_ascii_digit();
        [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(digit)
            && part[4] == b'-'
            && part[7] == b'-'
            && part[10] == b'T'
    })
}

/// `192.0.2.3 - - [06/Feb/2026:00:00:38 +0000] "GET / HTTP/1.1" 200 1`.
fn is_of_web(line: &[u8]) -> bool {
    let mut parts = line.splitn(5, |byte| *byte == b' ').skip(2);
    let (_, Some(time)) = (parts.next(), parts.next()) else { return false };
    time.strip_prefix(b"[").is_some_and(is_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_not_read_are_known() {
        for (line, part) in [
            (
                "2026-11-29T12:00:00.123456Z  INFO pathward::decision: decision_id=1 op=\"read\"",
                "--log-format json",
            ),
            (
                "\u{1b}[2m2026-11-29T12:00:00.1Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m \u{1b}[2mpathward::gateway\u{1b}[0m: x",
                "--log-format json",
            ),
            ("pathward-1  | 2026-11-29T12:00:00.1Z  WARN pathward::store: x", "--log-format json"),
            (
                "Nov 29 12:00:00 host pathward[7]: 2026-11-29T12:00:00.1Z  INFO pathward::decision: op=\"read\"",
                "--log-format json",
            ),
            ("192.0.2.3 - - [06/Feb/2026:00:00:38 +0000] \"GET / HTTP/1.1\" 200 1", "a web server"),
            (
                "2026-02-06T00:00:38.1+0000 7f1 1 beast: 0x7f1: 192.0.2.3 - ada [06/Feb/2026:00:00:38.123 +0000] \"GET /b/k HTTP/1.1\" 200",
                "Ceph",
            ),
            ("#Version: 1.0", "CloudFront"),
            ("\"lake\",\"raw/a.csv\",\"12\"", "CSV"),
            ("2026-02-06 00:00:38       1234 raw/a.csv", "aws s3 ls"),
        ] {
            assert!(known(line.as_bytes()).is_some_and(|said| said.contains(part)), "{line}");
        }
        for line in
            ["", "read pub/a", "pub/pathward::decision", "read INFO/pathward::x", "read a [b] c"]
        {
            assert_eq!(known(line.as_bytes()), None, "{line}");
        }
        assert!(ends(b"a\0b").is_some_and(|help| help.contains("--null")));
        assert!(ends(b"a\rb").is_some_and(|help| help.contains("tr ")));
        assert_eq!(ends(b"read pub/a"), None);
    }
}
