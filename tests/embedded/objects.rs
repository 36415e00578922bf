//! Buckets and objects.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ChecksumMode, Delete, MetadataDirective, ObjectIdentifier},
};

use super::{Server, over_both, refused};

over_both! {
    async fn buckets_come_and_go(server: &Server) {
        let client = &server.client;
        for name in ["Algorithmia", "my_bucket", "a.b-c", "xn--old", "192.168.0.1"] {
            client.create_bucket().bucket(name).send().await.expect(name);
            client.head_bucket().bucket(name).send().await.expect(name);
            client.get_bucket_location().bucket(name).send().await.expect(name);
        }
        let twice = client.create_bucket().bucket("my_bucket").send().await;
        assert_eq!(refused(twice), (409, "BucketAlreadyOwnedByYou".to_owned()));
        let listed = client.list_buckets().send().await.unwrap();
        let names: Vec<_> = listed.buckets().iter().map(|bucket| bucket.name().unwrap()).collect();
        assert_eq!(names, ["192.168.0.1", "Algorithmia", "a.b-c", "my_bucket", "xn--old"]);

        server.put("my_bucket", "k", b"x").await;
        let full = client.delete_bucket().bucket("my_bucket").send().await;
        assert_eq!(refused(full), (409, "BucketNotEmpty".to_owned()));
        client.delete_object().bucket("my_bucket").key("k").send().await.unwrap();
        client.create_multipart_upload().bucket("my_bucket").key("k").send().await.unwrap();
        client.delete_bucket().bucket("my_bucket").send().await.unwrap();
        let gone = client.head_bucket().bucket("my_bucket").send().await;
        assert_eq!(refused(gone).0, 404);
        let gone = client.list_objects_v2().bucket("my_bucket").send().await;
        assert_eq!(refused(gone), (404, "NoSuchBucket".to_owned()));
        let gone = client.put_object().bucket("my_bucket").key("k").send().await;
        assert_eq!(refused(gone), (404, "NoSuchBucket".to_owned()));
        client.create_bucket().bucket("my_bucket").send().await.unwrap();
        let uploads = client.list_multipart_uploads().bucket("my_bucket").send().await.unwrap();
        assert!(uploads.uploads().is_empty(), "uploads went with their bucket");
    }

    async fn an_object_keeps_what_is_said_of_it(server: &Server) {
        let (client, bucket) = (&server.client, &server.bucket().await);
        let put = client.put_object().bucket(bucket).key("k").content_type("text/csv");
        let put = put.content_encoding("gzip").cache_control("no-store").metadata("who", "steph");
        let put = put.content_disposition("inline").content_language("de");
        let put = put.body(ByteStream::from_static(b"hello")).send().await.unwrap();
        assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));

        let got = client.get_object().bucket(bucket).key("k").send().await.unwrap();
        assert_eq!(got.content_type(), Some("text/csv"));
        assert_eq!(got.content_encoding(), Some("gzip"));
        assert_eq!(got.cache_control(), Some("no-store"));
        assert_eq!(got.content_disposition(), Some("inline"));
        assert_eq!(got.content_language(), Some("de"));
        assert_eq!(got.metadata().unwrap()["who"], "steph");
        assert_eq!(got.e_tag(), put.e_tag());
        assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");

        let copy = client.copy_object().bucket(bucket).key("c").copy_source(format!("{bucket}/k"));
        copy.send().await.unwrap();
        let head = client.head_object().bucket(bucket).key("c").send().await.unwrap();
        assert_eq!(head.content_type(), Some("text/csv"));
        assert_eq!(head.metadata().unwrap()["who"], "steph");
        assert_eq!(head.e_tag(), put.e_tag());

        let copy = client.copy_object().bucket(bucket).key("k").copy_source(format!("{bucket}/k"));
        assert_eq!(refused(copy.clone().send().await), (400, "InvalidRequest".to_owned()));
        let copy = copy.metadata_directive(MetadataDirective::Replace).content_type("text/plain");
        copy.metadata("by", "dana").send().await.unwrap();
        let head = client.head_object().bucket(bucket).key("k").send().await.unwrap();
        assert_eq!(head.content_type(), Some("text/plain"));
        assert_eq!(head.metadata().unwrap()["by"], "dana");
        assert_eq!(head.content_encoding(), None);
        assert_eq!(server.get(bucket, "k").await, b"hello");

        for source in ["/missing", "/k?versionId=1"] {
            let copy = client.copy_object().bucket(bucket).key("x");
            let copy = copy.copy_source(format!("{bucket}{source}")).send().await;
            assert_eq!(refused(copy).0, 404, "{source}");
        }
        let copy = client.copy_object().bucket(bucket).key("x").copy_source("no-bucket/k");
        assert_eq!(refused(copy.send().await), (404, "NoSuchBucket".to_owned()));
        let copy = client.copy_object().bucket(bucket).key("x").copy_source(format!("{bucket}/k"));
        let copy = copy.copy_source_if_match("\"other\"").send().await;
        assert_eq!(refused(copy), (412, "PreconditionFailed".to_owned()));
    }

    async fn what_is_missing_is_missing(server: &Server) {
        let (client, bucket) = (&server.client, &server.bucket().await);
        let get = client.get_object().bucket(bucket).key("k").send().await;
        assert_eq!(refused(get), (404, "NoSuchKey".to_owned()));
        let head = client.head_object().bucket(bucket).key("k").send().await;
        assert_eq!(refused(head).0, 404);
        client.delete_object().bucket(bucket).key("k").send().await.expect("no error, as in S3");
        server.put(bucket, "k", b"").await;
        assert_eq!(server.get(bucket, "k").await, b"");
        server.put(bucket, "k", b"later").await;
        assert_eq!(server.get(bucket, "k").await, b"later");
    }

    async fn ranges(server: &Server) {
        let (client, bucket) = (&server.client, &server.bucket().await);
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        server.put(bucket, "k", &bytes).await;
        let last = bytes.len() - 1;
        for (range, from, to) in [
            ("bytes=0-0", 0, 0),
            ("bytes=5-9", 5, 9),
            ("bytes=1048570-1048585", 1_048_570, 1_048_585),
            ("bytes=1000-2900000", 1000, 2_900_000),
            ("bytes=2999999-", last, last),
            ("bytes=2999990-9999999", 2_999_990, last),
            ("bytes=-7", last - 6, last),
            ("bytes=-9999999", 0, last),
        ] {
            let get = client.get_object().bucket(bucket).key("k").range(range).send().await;
            let get = get.unwrap_or_else(|error| panic!("{range}: {error:?}"));
            let expected = format!("bytes {from}-{to}/{}", bytes.len());
            assert_eq!(get.content_range(), Some(&*expected));
            assert_eq!(get.content_length(), Some((to - from + 1) as i64));
            assert!(get.body.collect().await.unwrap().to_vec() == bytes[from..=to], "{range}");
        }
        let get = client.get_object().bucket(bucket).key("k").range("bytes=3000000-").send().await;
        assert_eq!(refused(get), (416, "InvalidRange".to_owned()));
        assert!(server.get(bucket, "k").await == bytes);
    }

    async fn conditions(server: &Server) {
        let (client, bucket) = (&server.client, &server.bucket().await);
        let get = || client.get_object().bucket(bucket).key("k");
        let put = || client.put_object().bucket(bucket).key("k");
        assert_eq!(refused(put().if_match("\"x\"").send().await), (404, "NoSuchKey".to_owned()));
        let first = put().if_none_match("*").send().await.unwrap();
        let tag = first.e_tag().unwrap();
        let taken = put().if_none_match("*").send().await;
        assert_eq!(refused(taken), (412, "PreconditionFailed".to_owned()));
        assert_eq!(refused(put().if_match("\"x\"").send().await).0, 412);
        put().if_match(tag).send().await.unwrap();

        get().if_match(tag).send().await.unwrap();
        assert_eq!(refused(get().if_match("\"x\"").send().await).0, 412);
        assert_eq!(refused(get().if_none_match(tag).send().await).0, 304);
        get().if_none_match("\"x\"").send().await.unwrap();
        let modified = *get().send().await.unwrap().last_modified().unwrap();
        assert_eq!(refused(get().if_modified_since(modified).send().await).0, 304);
        get().if_unmodified_since(modified).send().await.unwrap();
        let before = aws_sdk_s3::primitives::DateTime::from_secs(modified.secs() - 10);
        get().if_modified_since(before).send().await.unwrap();
        assert_eq!(refused(get().if_unmodified_since(before).send().await).0, 412);
        // The tag counts more than the date.
        get().if_match(tag).if_unmodified_since(before).send().await.unwrap();

        let delete = client.delete_object().bucket(bucket).key("k");
        assert_eq!(refused(delete.clone().if_match("\"x\"").send().await).0, 412);
        delete.if_match(tag).send().await.unwrap();
    }

    async fn many_go_at_once(server: &Server) {
        let (client, bucket) = (&server.client, &server.bucket().await);
        let keys = ["a", "a/", " a", "a&b", "<", "ü", "a\nb", "stays"];
        for key in keys {
            server.put(bucket, key, key.as_bytes()).await;
        }
        let named = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
        let all = keys[..7].iter().copied().chain(["missing"]);
        let delete = Delete::builder().set_objects(Some(all.map(named).collect()));
        let delete = client.delete_objects().bucket(bucket).delete(delete.build().unwrap());
        let deleted = delete.send().await.unwrap();
        assert_eq!(deleted.deleted().len(), 8);
        assert!(deleted.errors().is_empty());
        assert_eq!(server.keys(bucket).await, ["stays"]);

        let long = "k".repeat(1025);
        let delete = Delete::builder().objects(named(&long)).objects(named("stays")).quiet(true);
        let delete = client.delete_objects().bucket(bucket).delete(delete.build().unwrap());
        let deleted = delete.send().await.unwrap();
        assert!(deleted.deleted().is_empty(), "quiet");
        assert_eq!(deleted.errors()[0].code(), Some("KeyTooLongError"));
        assert_eq!(server.keys(bucket).await, [""; 0]);
    }

    async fn digests_are_checked(server: &Server) {
        let (client, bucket) = (&server.client, &server.bucket().await);
        let put = || {
            let body = ByteStream::from_static(b"hello");
            client.put_object().bucket(bucket).key("k").body(body)
        };
        let wrong = put().content_md5("XrY7u+Ae7tCTyyK7j1rNww==").send().await;
        assert_eq!(refused(wrong), (400, "BadDigest".to_owned()));
        let wrong = put().content_md5("short").send().await;
        assert_eq!(refused(wrong), (400, "InvalidDigest".to_owned()));
        assert_eq!(refused(put().checksum_crc32("AAAAAA==").send().await).1, "BadDigest");
        assert_eq!(server.keys(bucket).await, [""; 0], "nothing is stored");

        put().content_md5("XUFAKrxLKna5cZ2REBfFkg==").send().await.unwrap();
        for algorithm in [
            ChecksumAlgorithm::Crc32,
            ChecksumAlgorithm::Crc32C,
            ChecksumAlgorithm::Sha1,
            ChecksumAlgorithm::Sha256,
        ] {
            let put = put().checksum_algorithm(algorithm.clone()).send().await;
            let put = put.unwrap_or_else(|error| panic!("{algorithm}: {error:?}"));
            let get = client.get_object().bucket(bucket).key("k");
            let get = get.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
            assert_eq!(get.checksum_crc32(), put.checksum_crc32());
            assert_eq!(get.checksum_crc32_c(), put.checksum_crc32_c());
            assert_eq!(get.checksum_sha1(), put.checksum_sha1());
            assert_eq!(get.checksum_sha256(), put.checksum_sha256());
            let some = [put.checksum_crc32(), put.checksum_crc32_c(), put.checksum_sha1()];
            assert!(some.iter().flatten().count() == 1 || put.checksum_sha256().is_some());
            assert_eq!(get.body.collect().await.unwrap().to_vec(), b"hello");
        }
    }
}
