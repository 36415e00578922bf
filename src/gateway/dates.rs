//! Dates as they are shown. What formats dates has years for which it fails or panics, and a server
//! says what it likes.

use std::time::SystemTime;

use time::{OffsetDateTime, format_description::BorrowedFormatItem};

/// The last second of the year 9999, since the first of 1970.
const LAST: i64 = 253_402_300_799;

/// The date, if it is one of the years 1970 to 9999, which each form of a date can say.
fn shown(at: SystemTime) -> Option<OffsetDateTime> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok().filter(|seconds| *seconds <= LAST)?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// The value of a header of HTTP.
pub(super) fn http(at: SystemTime) -> Option<String> {
    shown(at).map(|_| httpdate::fmt_http_date(at))
}

/// The date in this form.
pub(crate) fn formatted(at: SystemTime, form: &[BorrowedFormatItem<'_>]) -> Option<String> {
    shown(at)?.format(form).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::format_description;

    use super::*;

    #[test]
    fn dates_that_cannot_be_said_are_not() {
        let last = u64::try_from(LAST).unwrap();
        let day = format_description!("[year]-[month]-[day]");
        let after = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let before = |seconds| SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(seconds));
        for (at, shown) in [
            (after(0), Some(("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01"))),
            (after(last), Some(("Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31"))),
            (after(last + 1), None),
            (after(1 << 62), None),
            (before(1), None),
            (before(1 << 40), None),
            (before(1 << 62), None),
        ] {
            let at = at.unwrap();
            assert_eq!(http(at).as_deref(), shown.map(|(http, _)| http), "{at:?}");
            assert_eq!(formatted(at, day).as_deref(), shown.map(|(_, day)| day), "{at:?}");
        }
    }
}
