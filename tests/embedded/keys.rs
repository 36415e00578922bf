//! Every odd key is itself, and nothing else.

use super::{Server, decode, over_both, refused};

/// Keys that other servers merge, resolve, cut or refuse.
fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "plain",
        "a/b",
        "a//b",
        "a///b",
        "//",
        "/",
        "///",
        "/lead",
        "lead",
        "//lead",
        "trail",
        "trail/",
        "trail//",
        "x",
        "x/",
        "x/y",
        ".",
        "..",
        "./a",
        "../a",
        "a/.",
        "a/..",
        "a/./b",
        "a/../b",
        "a/../../b",
        "...",
        "a/.../b",
        "a\\b",
        "\\",
        "\\\\a",
        "a\\..\\b",
        "a b",
        " a",
        "a ",
        "a  b",
        " / ",
        "a+b",
        "+",
        "a%20b",
        "%41",
        "A",
        "%2F",
        "%2f",
        "a%2Fb",
        "%",
        "%%",
        "%zz",
        "%25",
        "a%00b",
        "?",
        "a?b",
        "a?versionId=1",
        "a#b",
        "#",
        "&",
        "a&b=c",
        "=",
        ";",
        "a;b",
        ":",
        "a:b",
        "@",
        "!",
        "$",
        "'",
        "\"",
        "(",
        ")",
        "*",
        ",",
        "<",
        ">",
        "<a>&amp;</a>",
        "[",
        "]",
        "^",
        "`",
        "{",
        "}",
        "|",
        "~",
        "]]>",
        "&#1;",
        "a\tb",
        "a\nb",
        "a\rb",
        "a\r\nb",
        "\u{0}",
        "a\u{0}b",
        "\u{1}",
        "\u{7f}",
        "\u{1f}x",
        "ü",
        "u\u{308}",
        "Å",
        "A\u{30a}",
        "\u{212b}",
        "ÿ",
        "日本",
        "😀",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{feff}x",
        "\u{200b}",
        "\u{202e}x",
        "e\u{301}",
        "é",
        "CON",
        "nul",
        "a.",
        ".hidden",
        "Case",
        "case",
        "uploads",
        "uploads/",
        "acl",
        "a/?acl",
        "soap",
        "-",
        "--",
        "-rf",
        "x-id=GetObject",
    ]
    .map(str::to_owned)
    .into();
    keys.push("k".repeat(1024));
    keys.push("ü".repeat(512));
    keys.push("/".repeat(1024));
    keys.push(format!("{}/x", "s".repeat(300)));
    keys
}

over_both! {
    async fn odd_keys_stay_as_they_are(server: &Server) {
        let (bucket, keys) = (&server.bucket().await, odd_keys());
        let content = |key: &str| format!("content of {key}").into_bytes();
        for key in &keys {
            server.put(bucket, key, &content(key)).await;
        }
        let mut sorted = keys.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), keys.len(), "the table has a key twice");
        assert_eq!(server.keys(bucket).await, sorted);

        for key in &keys {
            assert_eq!(server.get(bucket, key).await, content(key), "{key:?}");
            let head = server.client.head_object().bucket(bucket).key(key).send().await;
            let length = head.unwrap_or_else(|e| panic!("{key:?}: {e:?}")).content_length();
            assert_eq!(length, Some(content(key).len() as i64), "{key:?}");
            // As a prefix it lists itself first.
            let list = server.client.list_objects_v2().bucket(bucket).prefix(key).max_keys(1);
            let list = list.encoding_type("url".into()).send().await.unwrap();
            assert_eq!(decode(list.contents()[0].key().unwrap()), *key);
            assert_eq!(decode(list.prefix().unwrap()), *key);
        }

        // Copies, from one bucket to another.
        let copies = &server.bucket().await;
        for key in &keys {
            let source: String = format!("{bucket}/{key}").bytes().map(escaped).collect();
            let copy = server.client.copy_object().bucket(copies).key(key).copy_source(source);
            copy.send().await.unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
        }
        assert_eq!(server.keys(copies).await, sorted);
        for key in &keys {
            assert_eq!(server.get(copies, key).await, content(key), "{key:?}");
        }

        // One goes at a time, and takes no other with it.
        for key in &keys {
            let delete = server.client.delete_object().bucket(bucket).key(key).send().await;
            delete.unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
            sorted.retain(|other| other != key);
            assert_eq!(server.keys(bucket).await, sorted, "after {key:?}");
        }
        server.client.delete_bucket().bucket(bucket).send().await.expect("empty");
    }

    async fn keys_that_are_none(server: &Server) {
        let bucket = &server.bucket().await;
        for key in ["k".repeat(1025), format!("{}x", "ü".repeat(512))] {
            let put = server.client.put_object().bucket(bucket).key(&key).send().await;
            assert_eq!(refused(put), (400, "KeyTooLongError".to_owned()));
            let start = server.client.create_multipart_upload().bucket(bucket).key(&key);
            assert_eq!(refused(start.send().await), (400, "KeyTooLongError".to_owned()));
            let source: String = format!("{bucket}/{key}").bytes().map(escaped).collect();
            let copy = server.client.copy_object().bucket(bucket).key("k").copy_source(source);
            assert_eq!(refused(copy.send().await), (400, "KeyTooLongError".to_owned()));
        }
        for target in ["%FF", "a%C3", "%ED%A0%80"] {
            let get = server.client.put_object().bucket(bucket).key("k").customize();
            let target = format!("{}/{bucket}/{target}", server.embedded.endpoint());
            let got = get.interceptor(Target(target)).send().await;
            assert_eq!(refused(got), (400, "InvalidURI".to_owned()), "not UTF-8");
        }
        let copy = server.client.copy_object().bucket(bucket).key("k");
        let copy = copy.copy_source(format!("{bucket}/%FF")).send().await;
        assert_eq!(refused(copy), (400, "InvalidURI".to_owned()));
        let put = server.embedded.put(bucket, &"k".repeat(1025), "text/plain", "x".into()).await;
        assert_eq!(put.unwrap_err().to_string(), "the embedded server refuses the object: KeyTooLongError");
        assert_eq!(server.keys(bucket).await, [""; 0]);
    }
}

fn escaped(byte: u8) -> String {
    if byte == b'/' || byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// Asks for something that the client would not.
#[derive(Debug)]
struct Target(String);

impl aws_sdk_s3::config::Intercept for Target {
    fn name(&self) -> &'static str {
        "Target"
    }

    fn modify_before_signing(
        &self,
        context: &mut aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut<'_>,
        _: &aws_sdk_s3::config::RuntimeComponents,
        _: &mut aws_sdk_s3::config::ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        context.request_mut().set_uri(self.0.as_str())?;
        Ok(())
    }
}
