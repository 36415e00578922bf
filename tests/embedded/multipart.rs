//! Uploads in parts.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::{Server, decode, disk::files, over_both, refused};

const MIB: usize = 1024 * 1024;

async fn start(server: &Server, bucket: &str, key: &str) -> String {
    let start = server.client.create_multipart_upload().bucket(bucket).key(key);
    let start = start.content_type("text/csv").metadata("who", "steph").send().await.unwrap();
    start.upload_id().unwrap().to_owned()
}

async fn part(
    server: &Server,
    bucket: &str,
    key: &str,
    id: &str,
    number: i32,
    bytes: &[u8],
) -> CompletedPart {
    let upload = server.client.upload_part().bucket(bucket).key(key).upload_id(id);
    let upload = upload.part_number(number).body(bytes.to_vec().into()).send().await.unwrap();
    CompletedPart::builder().part_number(number).e_tag(upload.e_tag().unwrap()).build()
}

/// Completes an upload: its tag, or the code of the refusal.
async fn complete(
    server: &Server,
    bucket: &str,
    key: &str,
    id: &str,
    parts: &[&CompletedPart],
) -> Result<String, String> {
    let parts = parts.iter().copied().cloned().collect();
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = server.client.complete_multipart_upload().bucket(bucket).key(key);
    match complete.upload_id(id).multipart_upload(parts).send().await {
        Ok(completed) => Ok(completed.e_tag().unwrap().to_owned()),
        refusal => Err(refused(refusal).1),
    }
}

over_both! {
    async fn parts_are_copied(server: &Server) {
        let (bucket, key) = (&server.bucket().await, "made of copies");
        let source: Vec<u8> = (0..=255).cycle().take(5 * MIB + 7).collect();
        let put = server.client.put_object().bucket(bucket).key("from ü");
        put.body(source.clone().into()).send().await.unwrap();
        let id = &start(server, bucket, key).await;
        let copy = |number| {
            let copy = server.client.upload_part_copy().bucket(bucket).key(key).upload_id(id);
            copy.part_number(number).copy_source(format!("{bucket}/from%20%C3%BC"))
        };
        let mut parts = Vec::new();
        for (number, range) in [(1, Some("bytes=3-5242885")), (2, None), (3, Some("bytes=7-7"))] {
            let copied = copy(number).set_copy_source_range(range.map(Into::into)).send().await;
            let copied = copied.unwrap().copy_part_result.unwrap();
            let part = CompletedPart::builder().part_number(number);
            parts.push(part.e_tag(copied.e_tag().unwrap()).build());
        }
        for (range, code) in [
            ("bytes=0-5242887", "InvalidRange"),
            ("bytes=2-1", "InvalidRange"),
            ("bytes=2-", "InvalidArgument"),
            ("2-3", "InvalidArgument"),
        ] {
            let copied = copy(4).copy_source_range(range).send().await;
            assert_eq!(refused(copied).1, code, "{range}");
        }
        let unmet = copy(4).copy_source_if_match("\"other\"").send().await;
        assert_eq!(refused(unmet), (412, "PreconditionFailed".to_owned()));
        let none = copy(10_001).send().await;
        assert_eq!(refused(none).1, "InvalidArgument");
        let none = copy(4).upload_id("none").send().await;
        assert_eq!(refused(none), (404, "NoSuchUpload".to_owned()));
        let none = copy(4).copy_source(format!("{bucket}/none")).send().await;
        assert_eq!(refused(none), (404, "NoSuchKey".to_owned()));
        let listed = server.client.list_parts().bucket(bucket).key(key).upload_id(id);
        assert_eq!(listed.send().await.unwrap().parts().len(), 3, "nothing of what was refused");
        complete(server, bucket, key, id, &parts.iter().collect::<Vec<_>>()).await.unwrap();
        let whole = [&source[3..5_242_886], &source, &source[7..8]].concat();
        assert!(server.get(bucket, key).await == whole);
    }

    async fn parts_become_an_object(server: &Server) {
        let bucket = &server.bucket().await;
        let key = "odd // key+ü";
        let id = &start(server, bucket, key).await;
        let (one, two) = (vec![b'a'; 5 * MIB], vec![b'b'; 5 * MIB + 1]);
        // In any order, some twice, some left out at the end.
        let third = part(server, bucket, key, id, 30, b"end").await;
        let second = part(server, bucket, key, id, 2, &two).await;
        part(server, bucket, key, id, 1, b"overwritten").await;
        let first = part(server, bucket, key, id, 1, &one).await;
        part(server, bucket, key, id, 10_000, b"left out").await;
        assert_eq!(server.keys(bucket).await, [""; 0], "nothing before it is complete");

        let list = server.client.list_parts().bucket(bucket).key(key).upload_id(id);
        let listed = list.clone().max_parts(2).send().await.unwrap();
        let numbers: Vec<_> = listed.parts().iter().map(|p| p.part_number().unwrap()).collect();
        assert_eq!((numbers, listed.is_truncated()), (vec![1, 2], Some(true)));
        assert_eq!(listed.parts()[1].size(), Some(5 * MIB as i64 + 1));
        let marker = listed.next_part_number_marker().unwrap();
        let listed = list.part_number_marker(marker).send().await.unwrap();
        assert_eq!((listed.parts().len(), listed.is_truncated()), (2, Some(false)));

        let all = [&first, &second, &third];
        let tag = complete(server, bucket, key, id, &all).await.unwrap();
        assert_eq!(tag, format!("\"{}-3\"", expected(&all)));
        let got = server.client.get_object().bucket(bucket).key(key).send().await.unwrap();
        assert_eq!(got.content_type(), Some("text/csv"));
        assert_eq!(got.metadata().unwrap()["who"], "steph");
        assert_eq!(got.e_tag(), Some(&*tag));
        let bytes = got.body.collect().await.unwrap().to_vec();
        assert!(bytes == [&one[..], &two, b"end"].concat());
        let range = server.client.get_object().bucket(bucket).key(key);
        let range = range.range(format!("bytes={}-{}", 5 * MIB - 2, 5 * MIB + 1)).send().await;
        assert_eq!(range.unwrap().body.collect().await.unwrap().to_vec(), b"aabb");
        assert_eq!(complete(server, bucket, key, id, &all).await, Err("NoSuchUpload".into()));
    }

    async fn parts_that_do_not_fit(server: &Server) {
        let (bucket, key) = (&server.bucket().await, "k");
        let id = &start(server, bucket, key).await;
        let small = part(server, bucket, key, id, 1, b"small").await;
        let other = part(server, bucket, key, id, 2, b"other").await;
        let refuses = async |parts: &[&CompletedPart]| {
            complete(server, bucket, key, id, parts).await.unwrap_err()
        };
        assert_eq!(refuses(&[]).await, "MalformedXML");
        assert_eq!(refuses(&[&other, &small]).await, "InvalidPartOrder");
        assert_eq!(refuses(&[&small, &small]).await, "InvalidPartOrder");
        assert_eq!(refuses(&[&small, &other]).await, "EntityTooSmall");
        let missing = CompletedPart::builder().part_number(3).e_tag("\"x\"").build();
        assert_eq!(refuses(&[&missing]).await, "InvalidPart");
        let wrong = CompletedPart::builder().part_number(1).e_tag(other.e_tag().unwrap()).build();
        assert_eq!(refuses(&[&wrong]).await, "InvalidPart");
        for number in [0, 10_001, -1] {
            let upload = server.client.upload_part().bucket(bucket).key(key).upload_id(id);
            let upload = upload.part_number(number).body(b"x".to_vec().into()).send().await;
            assert_eq!(refused(upload).1, "InvalidArgument", "{number}");
        }
        assert_eq!(server.keys(bucket).await, [""; 0]);
        complete(server, bucket, key, id, &[&other]).await.expect("one part may be small");
        assert_eq!(server.get(bucket, key).await, b"other");
    }

    async fn an_upload_is_of_its_bucket_and_key(server: &Server) {
        let (bucket, other) = (&server.bucket().await, &server.bucket().await);
        let id = &start(server, bucket, "k").await;
        let first = part(server, bucket, "k", id, 1, b"x").await;
        for (bucket, key, id) in [(bucket, "other", &**id), (other, "k", id), (bucket, "k", "x")] {
            let upload = server.client.upload_part().bucket(bucket).key(key).upload_id(id);
            let upload = upload.part_number(1).body(b"y".to_vec().into()).send().await;
            assert_eq!(refused(upload).1, "NoSuchUpload");
            let list = server.client.list_parts().bucket(bucket).key(key).upload_id(id);
            assert_eq!(refused(list.send().await).1, "NoSuchUpload");
            let completed = complete(server, bucket, key, id, &[&first]).await;
            assert_eq!(completed, Err("NoSuchUpload".into()));
            let abort = server.client.abort_multipart_upload().bucket(bucket).key(key);
            assert_eq!(refused(abort.upload_id(id).send().await).1, "NoSuchUpload");
        }
        complete(server, bucket, "k", id, &[&first]).await.unwrap();
    }

    async fn uploads_are_listed_until_they_end(server: &Server) {
        let (client, bucket) = (&server.client, &server.bucket().await);
        let mut started = Vec::new();
        for key in ["a", "b/1", "b/2", "b/2", "ü c"] {
            started.push((key.to_owned(), start(server, bucket, key).await));
        }
        started.sort();
        let (mut listed, mut key, mut id) = (Vec::new(), None, None);
        loop {
            let list = client.list_multipart_uploads().bucket(bucket).max_uploads(2);
            let list = list.encoding_type("url".into());
            let list = list.set_key_marker(key).set_upload_id_marker(id).send().await.unwrap();
            listed.extend(list.uploads().iter().map(|upload| {
                (decode(upload.key().unwrap()), upload.upload_id().unwrap().to_owned())
            }));
            key = list.next_key_marker().map(decode);
            id = list.next_upload_id_marker().map(str::to_owned);
            if list.is_truncated() == Some(false) {
                break;
            }
        }
        assert_eq!(listed, started);
        let list = client.list_multipart_uploads().bucket(bucket).prefix("b/").send().await;
        assert_eq!(list.unwrap().uploads().len(), 3);

        for (key, id) in &started {
            part(server, bucket, key, id, 1, b"x").await;
            let abort = client.abort_multipart_upload().bucket(bucket).key(key).upload_id(id);
            abort.clone().send().await.unwrap();
            assert_eq!(refused(abort.send().await).1, "NoSuchUpload");
        }
        let list = client.list_multipart_uploads().bucket(bucket).send().await.unwrap();
        assert!(list.uploads().is_empty());
        assert_eq!(server.keys(bucket).await, [""; 0]);
        if let Some(folder) = &server.folder {
            assert_eq!(files(folder.path()), 0, "the parts are gone");
        }
    }
}

/// The MD5 of the MD5s of parts, in hex.
fn expected(parts: &[&CompletedPart]) -> String {
    use md5::{Digest as _, Md5};
    let mut md5 = Md5::new();
    for part in parts {
        let tag = part.e_tag().unwrap().trim_matches('"');
        let byte = |at| u8::from_str_radix(&tag[at..at + 2], 16).unwrap();
        md5.update((0..32).step_by(2).map(byte).collect::<Vec<_>>());
    }
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
