//! What `pathward serve --demo` has to show: some objects, and what of them is allowed.
//!
//! What is allowed is that of Algorithmia's guide: a connection `s3+saha` that reaches a picture, a
//! table and the reports of one bucket, and may write in one folder. Beside them lies what it
//! must not reach.

use bytes::Bytes;

use super::{Embedded, EmbeddedError};

/// The user whose code the demo's policy is for.
pub const OWNER: &str = "demo";
/// The bucket that the policy opens in part. There is a second one, which it does not open.
pub const BUCKET: &str = "Algorithmia";

/// A JPEG of 160 by 96 pixels.
const TEAM: &[u8] = include_bytes!("demo/team.jpg");
/// What the guide's program reads: eight rows, with quotes, commas and letters beyond ASCII.
const TEST_DATA: &[u8] = include_bytes!("demo/test_data.csv");

const SALARIES: &[u8] = b"name,salary\nAda Nilsen,91000\nEmeka Obi,88000\n";
const PLANS: &[u8] = b"Nothing here is reachable by way of the demo's connection.\n";

/// Puts the demo's objects, unless its bucket is there: a folder keeps what was written to it.
///
/// # Errors
///
/// The disk fails.
pub async fn fill(server: &Embedded) -> Result<(), EmbeddedError> {
    if server.has_bucket(BUCKET) {
        return Ok(());
    }
    let csv = "text/csv";
    for (bucket, key, content_type, bytes) in [
        ("Algorithmia-private", "plans.txt", "text/plain", PLANS),
        (BUCKET, "private/salaries.csv", csv, SALARIES),
        (BUCKET, "team.jpg", "image/jpeg", TEAM),
        (BUCKET, "test_data.csv", csv, TEST_DATA),
        // As S3's console makes a folder: an object of no bytes.
        (BUCKET, "out/", "application/x-directory", b""),
    ] {
        server.put(bucket, key, content_type, Bytes::from_static(bytes)).await?;
    }
    for month in 1..=3 {
        let key = format!("reports/2026/2026-{month:02}.csv");
        server.put(BUCKET, &key, csv, report(month).into()).await?;
    }
    Ok(())
}

/// A report of a month: a line for each day.
fn report(month: u32) -> String {
    let days = [31, 28, 31][month as usize - 1];
    let mut text = "day,orders,revenue\n".to_owned();
    for day in 1..=days {
        let orders = 40 + (day * 7 + month * 13) % 25;
        text += &format!("2026-{month:02}-{day:02},{orders},{}.50\n", orders * 12);
    }
    text
}

/// What the demo's connection reaches, as Algorithmia's guide has it: a picture, a table and the
/// reports of one bucket; and one folder that it may write in.
#[cfg(feature = "store")]
pub fn restrictions() -> Vec<crate::store::DraftRule> {
    use crate::{access::AccessSet, store::DraftRule};

    let path = |key: &str| DraftRule::path(format!("{BUCKET}/{key}"));
    let mut written = path("out/");
    written.access = Some(AccessSet::READ_WRITE);
    vec![path("team.jpg"), path("test_data.csv"), path("reports/"), written]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "store")]
    #[test]
    fn the_restrictions_decide() {
        use crate::{
            Caller, ConnectionId, Engine, Path,
            engine::{DeleteObject, ReadObject, WriteObject},
            store::Draft,
        };

        let draft = Draft { restrictions: Some(restrictions()), ..Draft::new("saha") };
        let engine = Engine::new(draft.check(OWNER).unwrap());
        let saha = ConnectionId::parse("s3+saha").unwrap();
        let demo = Caller::with_full_permission(OWNER);
        let reads = |text: &str| {
            let path = Path::new(text).unwrap();
            engine.approve(demo, &saha, ReadObject { path }).is_ok()
        };
        let writes = |text: &str| {
            let path = || Path::new(text).unwrap();
            let write = engine.approve(demo, &saha, WriteObject { path: path() }).is_ok();
            let delete = engine.approve(demo, &saha, DeleteObject { path: path() }).is_ok();
            assert_eq!(write, delete);
            write
        };
        for text in ["team.jpg", "test_data.csv", "reports/2026/2026-01.csv", "out/x"] {
            assert!(reads(&format!("Algorithmia/{text}")), "{text}");
            assert_eq!(writes(&format!("Algorithmia/{text}")), text == "out/x", "{text}");
        }
        for text in ["Algorithmia/private/salaries.csv", "Algorithmia-private/plans.txt"] {
            assert!(!reads(text) && !writes(text), "{text}");
        }
    }

    #[test]
    fn the_picture_and_the_table_are_such() {
        assert!(TEAM.starts_with(b"\xff\xd8\xff") && TEAM.ends_with(b"\xff\xd9"));
        let table = std::str::from_utf8(TEST_DATA).unwrap();
        assert_eq!(table.lines().count(), 9);
        assert_eq!(report(2).lines().count(), 29);
    }
}
