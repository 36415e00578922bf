//! Logs of AWS, of other servers, and our own.

use super::*;

// ---- the logs of AWS ------------------------------------------------------------------------

#[test]
fn the_server_access_log_is_read() {
    let folder = folder();
    let get = |key: &str, path: &str, status: &str| {
        access("REST.GET.OBJECT", key, &format!("\"GET {path} HTTP/1.1\""), status)
    };
    let log = [
        get("raw/a%2520b.csv", "/lake/raw/a%20b.csv", "200 -"),
        get("raw/c.csv", "/raw/c.csv", "206 -"),
        get("raw/gone.csv", "/raw/gone.csv", "404 NoSuchKey"),
        get("secret/x", "/secret/x", "403 AccessDenied"),
        get("raw/d", "/raw/d", "503 SlowDown"),
        get("raw/e", "/raw/e?versionId=1", "200 -"),
        access(
            "REST.PUT.PART",
            "out/big",
            "\"PUT /out/big?partNumber=1&uploadId=x HTTP/1.1\"",
            "200 -",
        ),
        access("REST.COPY.OBJECT_GET", "raw/from", "\"PUT /out/to HTTP/1.1\"", "200 -"),
        access("REST.COPY.OBJECT", "out/to", "\"PUT /out/to HTTP/1.1\"", "200 -"),
        access("BATCH.DELETE.OBJECT", "tmp/x%2520y", "-", "204 -"),
        access("REST.POST.MULTI_OBJECT_DELETE", "-", "\"POST /lake?delete HTTP/1.1\"", "200 -"),
        access(
            "REST.GET.BUCKET",
            "-",
            "\"GET /?list-type=2&prefix=logs%2F2026%2F HTTP/1.1\"",
            "200 -",
        ),
        access("REST.GET.LOCATION", "-", "\"GET /?location HTTP/1.1\"", "200 -"),
        access("S3.EXPIRE.OBJECT", "old", "-", "- -"),
    ]
    .concat();
    let ran = suggest(&folder, log.as_bytes(), "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        suggested(&ran),
        [
            "lake/logs/2026/",
            "{ path: lake/out/big, access: [write] }",
            "{ path: lake/out/to, access: [write] }",
            "\"lake/raw/a b.csv\"",
            "lake/raw/c.csv",
            "lake/raw/from",
            "{ path: \"lake/tmp/x y\", access: [delete] }",
        ],
        "{}",
        ran.out
    );
    for line in [
        "# denied, and not opened: 1 s3.denied\n",
        "# no use: 1 read of what was not there (`--missing`)\n",
    ] {
        assert!(ran.out.contains(line), "{line}{}", ran.out);
    }
    for part in [
        "note: read as the S3 server access log\n",
        "note: 5 operations left out, which no connection gives or which failed: 1 REST.GET.LOCATION, 1 REST.GET.OBJECT \
         of a version, 1 REST.GET.OBJECT that failed (503 SlowDown), 1 REST.POST.MULTI_OBJECT_DELETE, 1 S3.EXPIRE.OBJECT\n",
        "note: 1 key read as percent-encoded twice",
        "note: 14 lines: 9 records, 5 left out\n",
    ] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
    let ran = suggest(&folder, log.as_bytes(), "--missing");
    assert!(ran.out.starts_with("# s3+lake of ada: 8 uses;"), "{}", ran.out);
    assert!(!ran.out.contains("no use"), "{}", ran.out);
    let json = suggest(&folder, log.as_bytes(), "--format json").json();
    assert_eq!(json["formats"], json!(["s3-access-log"]));
    assert_eq!((&json["left_out"], &json["decoded_twice"]), (&json!(5), &json!(1)));
    assert_eq!(json["connections"][0]["missing"], 1);
    // What S3 allowed, and the policy would not.
    let ran = run_with(&folder, "replay --policy new.yaml --log -", log.as_bytes());
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("no longer: deny.no_match, was s3.allowed"), "{}", ran.out);
    // The log of a bucket that the connection has nothing of.
    let other = log.replace(" lake [", " pond [").replace("/lake/", "/pond/");
    let ran = suggest(&folder, other.as_bytes(), "");
    assert!(ran.out.contains("# s3+lake of ada: 0 uses"), "{}", ran.out);
    assert!(ran.out.contains("8 of them allowed in the log, and not today"), "{}", ran.out);
}

#[test]
fn of_several_connections_one_is_to_be_named() {
    let folder = Folder::with(TWO);
    let log = access("REST.GET.OBJECT", "a", "\"GET /a HTTP/1.1\"", "200 -");
    for log in [
        log.clone(),
        json!({"Records":[trail("GetObject", &json!({"bucketName":"lake","key":"a"}))]})
            .to_string(),
    ] {
        let ran = suggest(&folder, log.as_bytes(), "");
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("of which connection: say it with `--connection`"), "{}", ran.err);
        let ran = suggest(&folder, log.as_bytes(), "--connection s3+lake");
        assert_eq!((ran.code, suggested(&ran)), (0, vec!["lake/a".into()]), "{}", ran.err);
    }
}

#[test]
fn cloudtrail_is_read_as_files_and_as_lines() {
    let folder = folder();
    let records: Vec<Value> = vec![
        trail("GetObject", &json!({"bucketName":"lake","key":"raw/a b%20.csv"})),
        trail(
            "PutObject",
            &json!({"bucketName":"lake","key":"out/x","Host":"lake.s3.amazonaws.com"}),
        ),
        trail(
            "CopyObject",
            &json!({"bucketName":"lake","key":"out/y","x-amz-copy-source":"lake/raw/fr%20om"}),
        ),
        trail("ListObjects", &json!({"bucketName":"lake","prefix":"logs/","list-type":"2"})),
        trail("DeleteObjects", &json!({"bucketName":"lake","delete":""})),
        trail("GetBucketLocation", &json!({"bucketName":"lake"})),
        json!({"eventSource":"kms.amazonaws.com","eventName":"Decrypt","requestParameters":null}),
    ];
    let mut lines = String::new();
    records.iter().for_each(|record| writeln!(lines, "{record}").expect("a string"));
    let file = json!({ "Records": records });
    let pretty = serde_json::to_string_pretty(&file).expect("JSON");
    let each = records.iter().map(|one| serde_json::to_string_pretty(one).expect("JSON") + "\n");
    for (log, what) in [
        (file.to_string(), "as it is stored"),
        (pretty, "`jq .`"),
        (lines.clone(), "one a line"),
        (lines.replace('\n', "\r\n"), "one a line, from Windows"),
        (json!(records).to_string(), "`jq .Records`"),
        (each.collect(), "`jq .Records[]`"),
        (format!("\u{feff}{file}"), "with a mark"),
        (
            format!("{}{}", json!({"Records": records[..2]}), json!({"Records": records[2..]})),
            "`zcat` of two",
        ),
    ] {
        let ran = suggest(&folder, log.as_bytes(), "");
        assert_eq!(ran.code, 0, "{what}: {}", ran.err);
        assert_eq!(
            suggested(&ran),
            [
                "lake/logs/",
                "{ path: lake/out/x, access: [write] }",
                "{ path: lake/out/y, access: [write] }",
                "\"lake/raw/a b%20.csv\"",
                "\"lake/raw/fr om\"",
            ],
            "{what}: {}",
            ran.out
        );
        assert!(ran.err.contains("note: read as CloudTrail\n"), "{what}: {}", ran.err);
        assert!(ran.err.contains("7 lines: 4 records, 3 left out"), "{what}: {}", ran.err);
        assert!(
            ran.err.contains("1 DeleteObjects, whose keys CloudTrail does not have"),
            "{what}: {}",
            ran.err
        );
    }
    // A file that is cut, or longer than any buffer.
    let ran = suggest(&folder, &file.to_string().as_bytes()[..200], "");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("it is no JSON of a log: EOF"), "{}", ran.err);
    let many: Vec<Value> = (0..4_000)
        .map(|n| trail("GetObject", &json!({"bucketName":"lake","key":format!("raw/{n}")})))
        .collect();
    let ran = suggest(&folder, json!({ "Records": many }).to_string().as_bytes(), "");
    assert_eq!((ran.code, suggested(&ran)), (0, vec!["lake/raw/".into()]), "{}", ran.err);
    assert!(ran.err.contains("4000 lines: 4000 records"), "{}", ran.err);
}

#[test]
fn logs_of_other_servers_are_read() {
    let folder = folder();
    for (log, format) in [
        (
            r#"{"version":"1","deploymentid":"x","time":"2026-02-06T00:00:00Z","trigger":"incoming","api":{"name":"GetObject","bucket":"lake","object":"raw/a","status":"OK","statusCode":200,"timeToResponse":"1ms"},"requestPath":"/lake/raw/a","accessKey":"ada"}"#,
            "minio-audit",
        ),
        (
            r#"{"bucket":"lake","object":"raw/a","time":"2026-02-06T00:00:00Z","user":"ada","operation":"get_obj","uri":"GET /lake/raw/a HTTP/1.1","http_status":"200","error_code":"","bytes_sent":1,"trans_id":"tx"}"#,
            "ceph-ops",
        ),
        (
            r#"{"schema_version_id":"V_1_0","bucket_name":"lake","operation":"REST.GET.OBJECT","key":"raw/a","request_uri":"GET /raw/a HTTP/1.1","http_status":"200"}"#,
            "s3-access-log",
        ),
        (
            r#"{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"bucketName":"lake","key":"raw/a"}}}"#,
            "cloudtrail",
        ),
    ] {
        let ran = suggest(&folder, log.as_bytes(), "--format json");
        let json = ran.json();
        assert_eq!((ran.code, &json["formats"]), (0, &json!([format])), "{log}");
        assert_eq!(json["connections"][0]["restrictions"][0]["text"], "lake/raw/a", "{log}");
    }
}

#[test]
fn formats_that_are_not_read_are_named() {
    let folder = folder();
    for (log, said) in [
        (
            "2026-11-29T12:00:00.123456Z  INFO pathward::decision: decision_id=1 request_id=\"r\" op=\"read\" bucket=\"lake\"\n",
            "line 1: it is the text log of `pathward serve`, which is for people: start it with `--log-format json`",
        ),
        (
            "\u{1b}[2m2026-11-29T12:00:00.1Z\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m \u{1b}[2mpathward::gateway\u{1b}[0m\u{1b}[2m:\u{1b}[0m listening\n",
            "it is the text log of `pathward serve`",
        ),
        (
            "Nov 29 12:00:00 host pathward[7]: 2026-11-29T12:00:00.1Z  INFO pathward::decision: op=\"read\"\n",
            "it is the text log of `pathward serve`",
        ),
        (
            "192.0.2.3 - - [06/Feb/2026:00:00:38 +0000] \"GET /lake/a HTTP/1.1\" 200 5 \"-\" \"curl\"\n",
            "it is the access log of a web server",
        ),
        (
            "2026-02-06T00:00:38.1+0000 7f1 1 beast: 0x7f1: 192.0.2.3 - ada [06/Feb/2026:00:00:38.123 +0000] \"GET /lake/a HTTP/1.1\" 200 5\n",
            "it is the log of Ceph's gateway",
        ),
        ("\"lake\",\"raw/a.csv\",\"12\"\n", "it is a table (CSV)"),
        ("2026-02-06 00:00:38       1234 raw/a.csv\n", "it is what `aws s3 ls` prints"),
        ("#Version: 1.0\n", "it is a log of CloudFront"),
    ] {
        for args in ["", "--op read", "--ignore-invalid"] {
            for command in ["suggest", "replay --old policy.yaml"] {
                let ran = folder.feed(&format!("{command} --log - {args}"), log.as_bytes());
                assert_eq!((ran.code, &*ran.out), (2, ""), "{command} {args} {log}{}", ran.err);
                assert!(ran.err.contains(said), "{command} {args}: {}", ran.err);
                assert!(!ran.err.contains("holds a byte"), "{}", ran.err);
            }
        }
    }
    // What a collector put in front of our JSON is passed over.
    let line = decision(1, "read", "raw/a", "allow", &json!({}));
    let ran = suggest(&folder, format!("pathward-1  | {line}").as_bytes(), "");
    assert_eq!((ran.code, suggested(&ran)), (0, vec!["lake/raw/a".into()]), "{}", ran.err);
}

// ---- our own log ----------------------------------------------------------------------------

/// Of a GET of a name there are two lines, where the read found nothing or was denied: the read and the listing of a
/// directory of that name. Neither is a use.
#[test]
fn what_was_not_there_is_no_use() {
    let folder = folder();
    let missing = json!({"upstream_status": 404, "upstream_error": "missing"});
    let done = json!({"upstream_status": 200, "bytes": 7});
    let log = [
        decision(1, "read", "raw/a", "allow", &done),
        decision(2, "read", "gone/x", "allow", &missing),
        decision(2, "list", "gone/x/", "allow", &done),
        decision(3, "stat", "gone/y", "allow", &missing),
        decision(3, "list", "gone/y/", "allow", &done),
        // A denial, with the listing that stood in for it; between them another request.
        decision(4, "read", "hidden/z", "deny", &json!({"nearest_rule": 0})),
        decision(
            5,
            "read",
            "raw/b",
            "allow",
            &json!({"upstream_status": 200, "bytes": 3, "ended": "cut"}),
        ),
        decision(4, "list", "hidden/z/", "allow", &done),
        // Listings of their own.
        decision(6, "list", "logs/", "allow", &done),
        decision(7, "list", "gone/x/", "deny", &json!({})),
    ]
    .concat();
    let ran = suggest(&folder, log.as_bytes(), "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(suggested(&ran), ["lake/logs/", "lake/raw/a", "lake/raw/b"], "{}", ran.out);
    for line in [
        "# no use: 2 reads of what was not there, 3 listings in place of a read (`--missing`)\n",
        "# denied, and not opened: 2 deny.no_match\n",
    ] {
        assert!(ran.out.contains(line), "{line}{}", ran.out);
    }
    let json = suggest(&folder, log.as_bytes(), "--format json").json();
    let one = &json["connections"][0];
    assert_eq!(
        (&one["uses"], &one["missing"], &one["stand_ins"]),
        (&3.into(), &2.into(), &3.into())
    );
    let ran = suggest(&folder, log.as_bytes(), "--missing");
    assert_eq!(
        suggested(&ran),
        [
            "lake/gone/x",
            "lake/gone/x/",
            "lake/gone/y",
            "lake/gone/y/",
            "lake/hidden/z/",
            "lake/logs/",
            "lake/raw/a",
            "lake/raw/b"
        ],
        "{}",
        ran.out
    );
    // All of it is compared.
    let ran = folder.feed("replay --ignore-keys --log -", log.as_bytes());
    assert!(
        ran.out.ends_with("2 of 10 decisions flip: 2 newly allowed, 0 no longer\n"),
        "{}",
        ran.out
    );
    // An old log has no line for the denied read; and nothing but listings.
    let old = decision(8, "list", "raw/", "allow", &done);
    assert_eq!(suggested(&suggest(&folder, old.as_bytes(), "")), ["lake/raw/"]);
    let only = [
        decision(2, "read", "gone/x", "allow", &missing),
        decision(2, "list", "gone/x/", "allow", &done),
    ]
    .concat();
    let ran = suggest(&folder, only.as_bytes(), "");
    assert!(
        ran.out.starts_with("# s3+lake of ada: 0 uses, so that no restriction is needed\n"),
        "{}",
        ran.out
    );
}
