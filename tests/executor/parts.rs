//! Uploads in parts, as their callers have them: what goes out for each, and what a server that fails leaves.

use std::time::Duration;

use pathward::{
    engine::{AbortUpload, CompleteUpload, CopyPart, CreateUpload, ListParts, UploadPart},
    executor::{
        Algorithm, Checksum, InvalidParts, Made, Part, PartCopy, PartNumber, PartUpload, Sum,
        UploadId,
    },
};

use super::{
    Body, BodyError, ExecuteError, Executor, Metadata, ReadConditions, Setup, WriteConditions,
    backend::{Fault, Request, percent_decode},
    owned,
};

/// What is there before an upload, and is there until it is complete.
const OLD: &[u8] = b"what was there before";

fn number(number: u16) -> PartNumber {
    PartNumber::new(number).expect("a number")
}

fn part(at: u16, bytes: &[u8]) -> PartUpload {
    let body = Body::from_bytes(bytes.to_vec().into());
    PartUpload { number: number(at), body, length: bytes.len() as u64, checksums: Vec::new() }
}

fn named(parts: &[(u16, &str)]) -> Vec<Part> {
    parts.iter().map(|(at, tag)| Part { number: number(*at), etag: (*tag).into() }).collect()
}

impl Setup {
    async fn create_upload(&self, path: &str) -> Result<UploadId, ExecuteError> {
        let metadata = Metadata { content_type: Some("text/canary".into()), ..Metadata::default() };
        self.s3.create_upload(self.approve(CreateUpload { path: owned(path) }), metadata).await
    }

    async fn upload_part(
        &self,
        path: &str,
        id: &UploadId,
        part: PartUpload,
    ) -> Result<u64, ExecuteError> {
        let approved = self.approve(UploadPart { path: owned(path) });
        self.s3.upload_part(approved, id, part).await.map(|stored| stored.size)
    }

    async fn copy_part(&self, from: &str, to: &str, id: &UploadId) -> Result<Made, ExecuteError> {
        let copy = CopyPart { source: owned(from), destination: owned(to) };
        let part = PartCopy {
            number: number(7),
            range: Some((2, 5)),
            conditions: ReadConditions::default(),
        };
        self.s3.copy_part(self.approve(copy), id, part).await
    }

    async fn complete_upload(
        &self,
        path: &str,
        id: &UploadId,
        parts: Vec<Part>,
    ) -> Result<Made, ExecuteError> {
        let approved = self.approve(CompleteUpload { path: owned(path) });
        self.s3.complete_upload(approved, id, parts, WriteConditions::default()).await
    }

    async fn abort_upload(&self, path: &str, id: &UploadId) -> Result<(), ExecuteError> {
        self.s3.abort_upload(self.approve(AbortUpload { path: owned(path) }), id).await
    }
}

/// Every request is for the key that was decided on, and has the server's own name of the upload.
#[tokio::test]
async fn keys_and_names_of_uploads_go_out_as_they_are() {
    let setup = Setup::new().await;
    setup.backend.put("pub/from?versionId=1", OLD);
    for key in ["a", "a b+c", "ü/%2F//x", "?uploadId=x", "uploads"] {
        let path = format!("pub/{key}");
        setup.backend.forget_requests();
        let id = setup.create_upload(&path).await.expect("begun");
        setup.upload_part(&path, &id, part(3, b"content")).await.expect("sent");
        // Never held as a whole.
        setup.upload_part(&path, &id, part(4, &vec![7; 1 << 20])).await.expect("streamed");
        setup.copy_part("pub/from?versionId=1", &path, &id).await.expect("copied");
        let made = setup.complete_upload(&path, &id, named(&[(3, "\"3\""), (7, "\"<7>\"")])).await;
        assert_eq!(made.expect("made").etag.as_deref(), Some("\"m\""));
        let requests = setup.backend.requests();
        let methods: Vec<_> = requests.iter().map(|request| request.method.as_str()).collect();
        assert_eq!(methods, ["POST", "PUT", "PUT", "PUT", "POST"]);
        for request in &requests {
            assert_eq!(request.bucket_and_key(), (b"pub".to_vec(), key.as_bytes().to_vec()));
        }
        assert_eq!(requests[0].query("uploads").as_deref(), Some(""));
        assert_eq!(requests[0].header("content-type"), Some("text/canary"));
        assert!(
            requests[1..]
                .iter()
                .all(|request| request.query("uploadId").as_deref() == Some(id.as_str()))
        );
        assert_eq!(requests[1].query("partNumber").as_deref(), Some("3"));
        let source = requests[3].header("x-amz-copy-source").expect("a source");
        assert_eq!(percent_decode(source), b"pub/from?versionId=1");
        assert!(!source.contains('?'), "{source}");
        assert_eq!(requests[3].header("x-amz-copy-source-range"), Some("bytes=2-5"));
        let body = String::from_utf8(requests[4].body.clone()).expect("text");
        assert!(
            body.contains(
                "<Part><PartNumber>7</PartNumber><ETag>&quot;&lt;7&gt;&quot;</ETag></Part>"
            )
        );
    }
    // A name that a server may give is never a part of anything else.
    let id = UploadId::new("a/b?c&d=e%2F+ ~\u{fc}").expect("a name");
    setup.backend.forget_requests();
    assert_eq!(setup.abort_upload("pub/a", &id).await, Err(ExecuteError::NoSuchUpload));
    let requests = setup.backend.requests();
    assert_eq!(requests[0].query("uploadId").as_deref(), Some(id.as_str()));
    assert!(!format!("{id:?}").contains("a/b"));
}

/// Nothing is asked for what cannot be.
#[tokio::test]
async fn parts_in_no_order_reach_no_server() {
    let setup = Setup::new().await;
    let id = UploadId::new("x").expect("a name");
    for parts in [vec![], named(&[(2, "a"), (1, "b")]), named(&[(1, "a"), (1, "a")])] {
        let made = setup.complete_upload("pub/a", &id, parts).await;
        assert_eq!(made, Err(ExecuteError::InvalidParts(InvalidParts::Order)));
    }
    let long = "t".repeat(300);
    let made = setup.complete_upload("pub/a", &id, named(&[(1, &long)])).await;
    assert_eq!(made, Err(ExecuteError::InvalidParts(InvalidParts::Missing)));
    let too_large = PartUpload { length: (5 << 30) + 1, ..part(1, b"") };
    assert_eq!(setup.upload_part("pub/a", &id, too_large).await, Err(ExecuteError::TooLarge));
    assert!(setup.backend.requests().is_empty());
    assert_eq!([0, 10_001].map(PartNumber::new), [None, None]);
    assert_eq!(["", &"x".repeat(1_025)].map(UploadId::new), [None, None]);
}

/// A part with another checksum, or of another length, has no last byte for the server.
#[tokio::test]
async fn a_part_is_whole_or_not_at_all() {
    let setup = Setup::hasty().await;
    setup.backend.bucket("pub");
    let id = setup.create_upload("pub/a").await.expect("begun");
    for size in [100, 1 << 20] {
        let bytes = vec![7; size];
        for algorithm in Algorithm::ALL {
            let sum = Sum::new(algorithm).finish();
            let wrong = Checksum::new(algorithm, sum.as_bytes()).expect("a checksum");
            let sent = PartUpload { checksums: vec![wrong], ..part(1, &bytes) };
            let mismatch = ExecuteError::Body(BodyError::Mismatch);
            assert_eq!(setup.upload_part("pub/a", &id, sent).await, Err(mismatch), "{algorithm:?}");
        }
        for length in [size as u64 - 1, size as u64 + 1] {
            let sent = PartUpload { length, ..part(1, &bytes) };
            let stored = setup.upload_part("pub/a", &id, sent).await;
            assert!(matches!(stored, Err(ExecuteError::Body(_))), "{stored:?}");
        }
    }
    let made = setup.complete_upload("pub/a", &id, named(&[(1, "\"1\"")])).await;
    // The server takes what it has, which is nothing.
    assert!(made.is_ok());
    assert_eq!(setup.backend.get(b"pub/a").map(|stored| stored.len), Some(0));
}

/// Whatever goes wrong, and at whatever step: an error, nothing to see before the end, and what was there before whole.
#[tokio::test]
async fn whatever_a_server_does_nothing_is_half_visible() {
    let inside = |code: &str| Fault::Answer {
        status: 200,
        headers: "",
        body: format!("<Error><Code>{code}</Code><Message>canary</Message></Error>"),
    };
    let faults = [
        Fault::Error { status: 500, code: "InternalError", message: "canary" },
        Fault::Error { status: 503, code: "SlowDown", message: "canary" },
        Fault::Error { status: 403, code: "AccessDenied", message: "canary" },
        Fault::Error { status: 404, code: "NoSuchUpload", message: "canary" },
        Fault::Close,
        Fault::CutRequest(10),
        Fault::CutAnswer(5),
        Fault::StallAnswer(5),
        Fault::StallRequest(10),
        Fault::Delay(Duration::from_secs(30)),
        inside("InternalError"),
        inside("SlowDown"),
        Fault::Answer { status: 200, headers: "", body: "canary, and no XML".into() },
    ];
    type Step = (&'static str, fn(&Request) -> bool);
    let steps: [Step; 4] = [
        ("create", |request| request.query("uploads").is_some()),
        ("part", |request| {
            request.query("partNumber").is_some() && request.header("x-amz-copy-source").is_none()
        }),
        ("copy", |request| request.header("x-amz-copy-source").is_some()),
        ("complete", |request| request.method == "POST" && request.query("uploadId").is_some()),
    ];
    let one = |fault: Fault, (name, is_step): Step| async move {
        let setup = Setup::hasty().await;
        setup.backend.put("pub/a", OLD);
        setup.backend.fail(usize::MAX, is_step, fault.clone());
        let does = async {
            let id = setup.create_upload("pub/a").await?;
            setup.upload_part("pub/a", &id, part(1, &vec![7; 1 << 20])).await?;
            setup.copy_part("pub/a", "pub/a", &id).await?;
            setup.complete_upload("pub/a", &id, named(&[(1, "\"1\""), (7, "\"7\"")])).await
        };
        let result = does.await;
        let what = format!("{name}: {fault:?}: {result:?}");
        let is_done = match &fault {
            // Some have no body that could be cut.
            Fault::CutRequest(_) | Fault::StallRequest(_) => matches!(name, "create" | "copy"),
            // A part's answer has nothing in it that anybody reads: its tag is in the head.
            Fault::Answer { .. } | Fault::CutAnswer(_) | Fault::StallAnswer(_) => name == "part",
            _ => false,
        };
        match result {
            Ok(_) => assert!(is_done, "{what}"),
            Err(error) => {
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("canary"), "{shown}");
                // Where it is the answer that is lost, the object may be there, and is whole then.
                let there = setup.backend.get(b"pub/a").expect("never nothing");
                let is_old = there.content == OLD;
                assert!(is_old || (name == "complete" && there.len == 1 << 20), "{what}");
            }
        }
    };
    for step in steps {
        futures_util::future::join_all(faults.iter().map(|fault| one(fault.clone(), step))).await;
    }
}

/// An upload whose name nobody heard of is taken back.
#[tokio::test]
async fn an_upload_that_nobody_waits_for_is_aborted() {
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    let is_create = |request: &Request| request.query("uploads").is_some();
    setup.backend.fail(1, is_create, Fault::Delay(Duration::from_millis(300)));
    let created = tokio::time::timeout(Duration::from_millis(100), setup.create_upload("pub/a"));
    assert!(created.await.is_err(), "it waits");
    setup.s3.settle().await;
    assert_eq!(setup.backend.open_uploads(), 0);
    let requests = setup.backend.requests();
    assert_eq!(requests.last().map(|request| request.method.as_str()), Some("DELETE"));
}

#[tokio::test]
async fn pages_of_parts_come_to_an_end() {
    let setup = Setup::hasty().await;
    setup.backend.put("pub/a", OLD);
    let id = UploadId::new("x").expect("a name");
    let list = |after: Option<u16>| {
        let approved = setup.approve(ListParts { path: owned("pub/a") });
        setup.s3.list_parts(approved, &id, after.map(number), 2)
    };
    let part = |at: &str| {
        format!("<Part><PartNumber>{at}</PartNumber><Size>5</Size><ETag>tag</ETag></Part>")
    };
    let answer = |parts: &str| Fault::Answer {
        status: 200,
        headers: "",
        body: format!("<ListPartsResult><IsTruncated>true</IsTruncated>{parts}</ListPartsResult>"),
    };
    setup.backend.fail(1, |_| true, answer(&(part("1") + &part("9"))));
    let page = list(None).await.expect("a page");
    assert_eq!(page.next, Some(number(9)));
    let first = &page.parts[0];
    assert_eq!((first.number, first.size, first.etag.as_deref()), (number(1), 5, Some("\"tag\"")));
    let request = setup.backend.requests().pop().expect("a request");
    assert_eq!(request.query("max-parts").as_deref(), Some("2"));
    // The last number that there can be is the last part.
    setup.backend.fail(1, |_| true, answer(&part("10000")));
    assert_eq!(list(Some(9)).await.expect("a page").next, None);
    for senseless in ["", &part("9"), &part("0"), &part("10001"), &(part("12") + &part("11"))] {
        // Asked twice.
        setup.backend.fail(2, |_| true, answer(senseless));
        let page = list(Some(9)).await;
        assert!(matches!(page, Err(ExecuteError::Failed { .. })), "{senseless}: {page:?}");
    }
}
