//! `export iam` and `import iam`: what they print, what they refuse, and how they end.

use serde_json::{Value, json};

use super::Folder;

const POLICY: &str = "\
connections:
  - id: s3+saha
    owner: steph
    restrictions:
      - Algorithmia/team.jpg
      - Algorithmia/reports/
      - { path: Algorithmia/out/, access: read-write }
    deny:
      - Algorithmia/reports/draft-*
  - id: s3+globs
    owner: steph
    restrictions:
      - { glob: 'logs/*/[ab].gz' }
      - 'pub/what?/${x}/\\*'
    deny:
      - { glob: 'logs/?/a.gz' }
  - id: s3+bare
    owner: steph
    restrictions: [pub]
  - id: s3+raw
    owner: steph
    restrictions: ['Algorithmia*', '*.csv', Algorithmia/x]
";

fn folder() -> Folder {
    Folder::with(POLICY)
}

#[test]
fn a_connection_is_a_policy() {
    let ran = folder().ask("export iam s3+saha");
    assert_eq!(ran.code, 0);
    let policy: Value = serde_json::from_str(&ran.out).expect("JSON");
    let all = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:DeleteObject",
    ];
    let expected = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": [
                    "arn:aws:s3:::Algorithmia/reports/*",
                    "arn:aws:s3:::Algorithmia/team.jpg",
                ],
            },
            { "Effect": "Allow", "Action": all, "Resource": "arn:aws:s3:::Algorithmia/out/*" },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::Algorithmia",
                "Condition": {
                    "StringLike": { "s3:prefix": ["out/*", "reports/*", "team.jpg"] },
                },
            },
            {
                "Effect": "Deny",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": "arn:aws:s3:::Algorithmia/reports/draft-*",
            },
        ],
    });
    assert_eq!(policy, expected);
    let compact = folder().ask("export iam s3+saha --compact");
    assert_eq!(
        ran.err,
        format!(
            "\
note: read: equal
note: write: equal
note: delete: equal
note: listed names: wider, the IAM policy alone has Algorithmia/team.jpga
note: the root shows no bucket of which only prefixes may be listed: S3 is asked for a bucket without a prefix
note: {} characters: fits an inline policy of a user (2048), a session policy (2048), an inline policy of a group (5120), a managed policy (6144), an inline policy of a role (10240)
",
            compact.out.trim_end().chars().count()
        )
    );
}

#[test]
fn what_iam_cannot_say_is_said() {
    let ran = folder().ask("export iam s3+globs");
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("arn:aws:s3:::pub/what${?}/${$}{x}/${*}"), "{}", ran.out);
    assert!(ran.out.contains("arn:aws:s3:::logs/*/?.gz"), "{}", ran.out);
    let (allow, deny) =
        ("`logs/*/[ab].gz` (policy.yaml:13:17)", "`logs/?/a.gz` (policy.yaml:16:17)");
    for line in [
        format!("note: {allow} is more than IAM can say: the IAM policy says more\n"),
        format!("note: {deny} is more than IAM can say: the IAM policy leaves it out\n"),
    ] {
        assert!(ran.err.contains(&line), "{line}{}", ran.err);
    }
    assert!(ran.err.contains("note: read: wider, the IAM policy alone has logs/"), "{}", ran.err);
    assert_eq!(folder().ask("export iam s3+globs --fail-on-difference").code, 4);
    assert_eq!(folder().ask("export iam s3+saha --fail-on-difference").code, 0);

    let ran = folder().ask("export iam s3+globs --round narrower");
    assert!(
        ran.err
            .contains(&format!("{allow} is more than IAM can say: the IAM policy leaves it out"))
    );
    assert!(
        ran.err.contains(&format!("{deny} is more than IAM can say: the IAM policy says more"))
    );
    assert!(ran.err.contains("note: read: narrower, the IAM policy has not logs/"), "{}", ran.err);
    assert_eq!(folder().ask("export iam s3+globs --states 1").code, 1);
}

#[test]
fn stars_in_buckets_are_stars_in_buckets() {
    let json = folder().ask("export iam s3+raw --format json").json();
    assert_eq!(
        json["policy"]["Statement"],
        json!([
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": ["arn:aws:s3:::*.csv", "arn:aws:s3:::Algorithmia*"],
            },
            { "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::*" },
        ])
    );
    assert_eq!(
        json["relations"][0],
        json!({
            "of": "read", "relation": "equal", "wider": null, "narrower": null
        })
    );
    assert_eq!(json["relations"][3]["of"], "list");
    assert_eq!((&json["hides_buckets"], &json["inexact"]), (&json!(false), &json!([])));
    assert_eq!(
        json["fits"],
        json!({ "inline": true, "inline_group": true, "inline_role": true, "session": true, "managed": true })
    );
}

#[test]
fn what_cannot_be_exported_ends_with_a_code() {
    let folder = folder();
    for (args, code) in [
        ("export iam s3+bare", 4),
        ("export iam s3+missing", 2),
        ("export iam s3+saha://Algorithmia/x", 2),
        ("export iam s3+saha --as dana", 2),
        ("export", 2),
    ] {
        assert_eq!(folder.ask(args).code, code, "{args}");
    }
    assert_eq!(folder.run(["export", "iam", "s3+saha", "--policy", "missing.yaml"]).code, 3);
    // What is too large is written, and said.
    let entries: String = (0..400).map(|n| format!("      - pub/tenant-{n}/\n")).collect();
    let many = format!("connections:\n  - id: s3+x\n    owner: o\n    restrictions:\n{entries}");
    folder.file("many.yaml", many.as_bytes());
    let ran = folder.run(["export", "iam", "s3+x", "--policy", "many.yaml"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.err.contains(
            " characters: is too large for an inline policy of a user (2048), a session policy (2048), an \
             inline policy of a group (5120), a managed policy (6144), an inline policy of a role (10240)\n"
        ),
        "{}",
        ran.err
    );
}

#[test]
fn an_exported_policy_comes_back() {
    let folder = folder();
    for name in ["saha", "raw"] {
        let exported = folder.ask(&format!("export iam s3+{name}"));
        folder.file("iam.json", exported.out.as_bytes());
        let id = format!("s3+{name}");
        let ran = folder.run(["import", "iam", "iam.json", "--owner", "steph", "--id", &id]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.err.starts_with("note: read: equal\nnote: write: equal\nnote: delete: equal\n")
        );
        folder.file("back.yaml", ran.out.as_bytes());
        // The same connection alone.
        let lines: Vec<&str> = POLICY.lines().collect();
        let start = lines.iter().position(|line| line.ends_with(&id)).expect("it is there");
        let end = lines[start + 1..].iter().position(|line| line.starts_with("  - "));
        let end = end.map_or(lines.len(), |end| start + 1 + end);
        let alone = format!("connections:\n{}\n", lines[start..end].join("\n"));
        folder.file("alone.yaml", alone.as_bytes());
        let diff = folder.run(["diff", "alone.yaml", "back.yaml"]);
        assert_eq!(diff.out, "no difference: both allow the same\n", "{}", ran.out);
    }
}

#[test]
fn an_import_is_a_policy_file() {
    let folder = folder();
    folder.file(
        "iam.json",
        br#"{"Version": "2012-10-17", "Statement": [
            {"Sid": "in", "Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::pub/in/*"},
            {"Effect": "Allow", "Action": ["s3:getobject", "s3:ListBucket"],
             "Resource": ["arn:aws:s3:::pub", "arn:aws:s3:::pub/${*}/\u202e*", "*"]},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::pub",
             "Condition": {"StringEquals": {"s3:prefix": ["", "in/"], "s3:delimiter": "/"}}},
            {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pub/secret*"},
            {"Effect": "Deny", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::pub/x"}
        ]}"#,
    );
    let ran = folder.run(["import", "iam", "iam.json", "--owner", "true"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.out,
        r#"connections:
  - id: s3+imported
    owner: "true"
    restrictions:
      - { path: pub/in/*, access: [write] }
      - "pub/\\*/\U0000202e*"
      - "*"
    deny:
      - { path: pub/secret*, access: [read] }
      - pub/x
"#
    );
    let json = folder.run(["import", "iam", "iam.json", "--owner", "o", "--format=json"]).json();
    assert_eq!((&json["restrictions"], &json["deny"]), (&json!(3), &json!(2)));
}

/// YAML has no U+FFFE and U+FFFF unless they are escaped.
#[test]
fn an_import_can_be_loaded_whatever_its_keys_are() {
    let folder = folder();
    for hidden in ["\u{fffe}", "\u{ffff}", "\u{feff}", "\u{2029}", "\u{1ffff}"] {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": format!("arn:aws:s3:::pub/a{hidden}b"),
            },
        });
        folder.file("iam.json", policy.to_string().as_bytes());
        let ran = folder.run(["import", "iam", "iam.json", "--owner", "o", "--id", "s3+t"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        folder.file("new.yaml", ran.out.as_bytes());
        let path = format!("pub/a{hidden}b");
        for (path, code) in [(&*path, 0), ("pub/ab", 5)] {
            let ran = folder.run(["check", "--policy", "new.yaml", "s3+t", "read", path]);
            assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        }
    }
}

#[test]
fn what_no_connection_says_is_refused_with_its_place() {
    let folder = folder();
    let statement =
        |fields: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{{fields}}}]}}"#);
    let allow = |resource: &str| {
        statement(&format!(r#""Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}""#))
    };
    for (policy, place, message) in [
        (
            allow("arn:aws:s3:::pub/${aws:username}/*"),
            "Statement[0].Resource[0]",
            "`${aws:username}` is a variable",
        ),
        (allow("arn:aws:s3:::pub/a?c"), "Statement[0].Resource[0]", "`?` is any one character"),
        (
            allow("arn:aws:s3:::pub/dir/"),
            "Statement[0].Resource[0]",
            "the marker of a directory alone",
        ),
        (allow("arn:aws:s3:::pub"), "Statement[0].Resource", "`pub` is a bucket"),
        (allow("arn:aws:s3:::pub/../x"), "Statement[0].Resource[0]", "is no restriction"),
        (allow("arn:aws:sqs:::pub"), "Statement", "allows no object"),
        (allow("arn:minio:s3:::pub/*"), "Statement[0].Resource[0]", "is no bucket and no object"),
        (allow("arn:aws:s3::pub/*"), "Statement[0].Resource[0]", "is no bucket and no object"),
        (
            allow("arn:aws:s3:::pub/${*}/x").replace("2012", "2013"),
            "Version",
            "it is none that there is",
        ),
        (
            allow("arn:aws:s3:::pub/${*}/x").replace(r#""Version":"2012-10-17","#, ""),
            "Statement[0].Resource[0]",
            "`${` means nothing in the version",
        ),
        (
            statement(
                r#""Effect":"Allow","NotAction":"s3:PutObject","Action":"s3:GetObject","Resource":"*""#,
            ),
            "Statement[0]",
            "it has both `Action` and `NotAction`",
        ),
        (
            statement(r#""Effect":"Allow","Action":"s3:GetObject","NotResource":"*""#),
            "Statement",
            "allows no object",
        ),
        (
            statement(r#""Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*""#),
            "Statement[0].Principal",
            "this is a bucket's policy",
        ),
        (
            statement(r#""Effect":"Allow","Action":["s3:GetObjects","kms:*"],"Resource":"*""#),
            "Statement[0].Action[0]",
            "there is no action `s3:GetObjects`",
        ),
        (
            statement(r#""Effect":"Allow","Action":"s3:GetObjectAcl","Resource":"*""#),
            "Statement",
            "allows no object",
        ),
        (
            statement(
                r#""Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::pub/*","arn:aws-cn:s3:::pub/*"]"#,
            ),
            "Statement[0].Resource[1]",
            "is in the partition `aws-cn`, and others are in `aws`",
        ),
        (
            statement(
                r#""Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#,
            ),
            "Statement[0].Condition",
            "no connection knows the condition `Bool` on `aws:SecureTransport`, and without it more would be allowed",
        ),
        (
            statement(
                r#""Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringLike":{"aws:userid":"x"}}"#,
            ),
            "Statement[0].Condition",
            "no connection knows the condition `StringLike` on `aws:userid`",
        ),
        (
            statement(
                r#""Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"s3:delimiter":"/"}}"#,
            ),
            "Statement[0].Condition",
            "are conditions of listings",
        ),
        (
            statement(r#""Effect":"Allow","Effect":"Deny","Action":"s3:GetObject","Resource":"*""#),
            "Statement[0]",
            "`Effect` is there twice",
        ),
        (
            statement(r#""Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::pub""#),
            "Statement",
            "allows no object",
        ),
        (
            r#"{"PolicyName":"x"}"#.into(),
            "the file",
            "it has names of policies, and no `Statement`",
        ),
        ("[1".into(), "the file", "it is not JSON"),
    ] {
        folder.file("iam.json", policy.as_bytes());
        let ran = folder.run(["import", "iam", "iam.json", "--owner", "steph"]);
        assert_eq!((ran.code, &*ran.out), (3, ""), "{policy}");
        assert!(ran.err.contains(message), "{policy}: {}", ran.err);
        assert!(
            ran.err.contains(&format!("  --> iam.json: {place}\n  help: ")),
            "{policy}: {}",
            ran.err
        );
    }
    for args in [["missing.json", "s3+x"], ["iam.json", "s3"]] {
        let ran = folder.run(["import", "iam", args[0], "--owner", "steph", "--id", args[1]]);
        assert_eq!(ran.code, if args[1] == "s3" { 2 } else { 3 }, "{}", ran.err);
    }
}

/// What the policy of a key in China named meant nothing there: every ARN was one of `aws`.
#[test]
fn resources_are_in_the_partition_of_the_region() {
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ] {
        let folder = Folder::with(&format!(
            "connections:\n  - {{ id: s3+x, owner: o, region: {region}, restrictions: [pub/] }}\n"
        ));
        let ran = folder.ask("export iam s3+x");
        for resource in ["pub/*", "pub"] {
            let arn = format!("\"arn:{partition}:s3:::{resource}\"");
            assert!(ran.out.contains(&arn), "{arn} {}", ran.out);
        }
        folder.file("iam.json", ran.out.as_bytes());
        let ran = folder.run(["import", "iam", "iam.json", "--owner", "o"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
}

/// `s3:*`, `s3:Get*` and `s3:GetObject*` are in most policies there are. They were refused; now what a
/// connection gives of them is imported, and what it does not give is said.
#[test]
fn actions_with_wildcards_are_what_a_connection_gives_of_them() {
    let folder = folder();
    let import = |statements: &str| {
        let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        folder.file("iam.json", policy.as_bytes());
        folder.run(["import", "iam", "iam.json", "--owner", "o"])
    };
    let both = r#"["arn:aws:s3:::pub", "arn:aws:s3:::pub/*"]"#;
    let left_out = |action: &str, example: &str| {
        format!(
            "note: Statement[0].Action[0]: `{action}` allows what no connection gives, such as \
             `{example}`: that is left out\n"
        )
    };
    for (action, access, example) in [
        ("s3:*", "    access: read-write\n", Some("s3:BypassGovernanceRetention")),
        ("*", "    access: read-write\n", Some("s3:BypassGovernanceRetention")),
        ("*:*", "    access: read-write\n", Some("s3:BypassGovernanceRetention")),
        ("S3:get*", "", Some("s3:GetObjectAcl")),
        ("s3:Get*Version\",\"s3:GetObject\",\"s3:ListBucket", "", Some("s3:GetObjectVersion")),
        ("s3:GetObjec?\",\"s3:ListBucket", "", None),
    ] {
        let ran =
            import(&format!(r#"{{"Effect":"Allow","Action":["{action}"],"Resource":{both}}}"#));
        assert_eq!(ran.code, 0, "{action}: {}", ran.err);
        let expected = format!(
            "connections:\n  - id: s3+imported\n    owner: o\n{access}    restrictions:\n      - pub/*\n"
        );
        assert_eq!(ran.out, expected, "{action}");
        let first = action.split('"').next().unwrap_or_default();
        let note = example.map(|example| left_out(first, example)).unwrap_or_default();
        assert!(ran.err.starts_with(&format!("{note}note: ")), "{action}: {}", ran.err);
        assert!(ran.err.contains("read: equal\nnote: write: equal\nnote: delete: equal\n"));
    }
    let allow = r#"{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::*"]}"#;
    // A deny takes what there is, and needs no note. What is no bucket hides no bucket's names.
    let ran = import(&format!(
        r#"{allow},{{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::pub/secret/*"}}"#
    ));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.ends_with("    deny:\n      - pub/secret/*\n"), "{}", ran.out);
    assert!(!ran.err.contains("no connection gives"), "{}", ran.err);
    // Nothing of the bucket can be read: then a connection lists nothing of it either.
    let ran = import(&format!(r#"{allow},{{"Effect":"Deny","Action":"s3:*","Resource":{both}}}"#));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("note: listed names: equal\n"), "{}", ran.err);
    // Its objects can be read, and not listed.
    for statement in [
        r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::pub"}"#,
        r#"{"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::pub","arn:aws:s3:::pub/a*"]}"#,
        r#"{"Effect":"Deny","Action":"s3:List*","Resource":"arn:aws:s3:::pub*"}"#,
    ] {
        let ran = import(&format!("{allow},{statement}"));
        assert_eq!(ran.code, 3, "{statement}");
        let help = "error: a denied listing: what may be listed follows from what may be read\n  --> iam.json: Statement[1].Action\n";
        assert!(ran.err.starts_with(help), "{}", ran.err);
    }
    let ran = folder.run(["import", "iam", "iam.json", "--owner", "o", "--format=json"]);
    assert_eq!(ran.code, 3);
    let ran = import(&format!(r#"{{"Effect":"Allow","Action":"s3:Get*","Resource":{both}}}"#));
    assert_eq!(ran.code, 0);
    let json = folder.run(["import", "iam", "iam.json", "--owner", "o", "--format=json"]).json();
    assert_eq!(
        json["left_out"],
        json!([{ "place": "Statement[0].Action[0]", "action": "s3:Get*", "example": "s3:GetObjectAcl", "kind": "s3" }])
    );
}

/// Policies of one MiB that once took all memory (every bucket of a statement with every prefix of it), or
/// minutes (every field compared with every other); and a file without an end.
#[test]
fn hostile_policies_take_little_time() {
    let folder = folder();
    let list = |texts: &mut dyn Iterator<Item = String>| texts.collect::<Vec<_>>().join("\",\"");
    let buckets = list(&mut (0..15_000).map(|n| format!("arn:aws:s3:::b{n:06x}")));
    let prefixes = list(&mut (0..50_000).map(|n| format!("{n:x}")));
    let product = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::pub/*"}},
            {{"Effect":"Allow","Action":"s3:ListBucket","Resource":["{buckets}"],
              "Condition":{{"StringLike":{{"s3:prefix":["{prefixes}"]}}}}}}]}}"#
    );
    let fields: Vec<String> = (0..90_000).map(|n| format!("\"{n:x}\":1")).collect();
    let fields = format!("{{\"Statement\":[],{}}}", fields.join(","));
    let deep = "[".repeat(1 << 19);
    for (policy, code, said) in [
        (&product, 1, "note: listed names: not decided within 524288 states"),
        (
            &product.replace("Allow\",\"Action\":\"s3:List", "Deny\",\"Action\":\"s3:List"),
            1,
            "listed names: ",
        ),
        (&fields, 3, "90001 problems in iam.json"),
        (&deep, 3, "it is not JSON: recursion limit exceeded"),
    ] {
        folder.file("iam.json", policy.as_bytes());
        let start = std::time::Instant::now();
        let ran = folder.run(["import", "iam", "iam.json", "--owner", "o"]);
        assert!(start.elapsed().as_secs() < 10, "{said}: {:?}", start.elapsed());
        assert_eq!(ran.code, code, "{}", &ran.err[..ran.err.len().min(2_000)]);
        assert!(ran.err.contains(said), "{said}");
    }
    if cfg!(unix) {
        let ran = folder.run(["import", "iam", "/dev/zero", "--owner", "o"]);
        assert_eq!(ran.code, 3);
        assert!(ran.err.contains("it is longer than 1048576 bytes"), "{}", ran.err);
    }
}

#[test]
fn a_policy_comes_from_standard_input() {
    let folder = folder();
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::pub/*"}}"#;
    folder.file("iam.json", policy.as_bytes());
    let mut command = folder.command();
    let file = std::fs::File::open(folder.0.path().join("iam.json")).expect("it is there");
    let output = command.args(["import", "iam", "-", "--owner", "o"]).stdin(file).output();
    let output = output.expect("runs");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("      - pub/*\n"));
}

/// What an executor cannot do with such a key although the connection gives it.
#[test]
fn what_a_key_cannot_do_is_said() {
    for (count, is_hidden) in [(256, false), (257, true)] {
        let entries: String = (0..count).map(|n| format!("      - pub/many/{n:03}/\n")).collect();
        let folder = Folder::with(&format!(
            "connections:\n  - id: s3+x\n    owner: o\n    restrictions:\n{entries}"
        ));
        let ran = folder.ask("export iam s3+x");
        let note = "note: what is above pub/many/ cannot be listed: in that folder are more places";
        assert_eq!(ran.err.contains(note), is_hidden, "{}", ran.err);
        let json = folder.ask("export iam s3+x --format json").json();
        let folder = is_hidden.then_some("pub/many/");
        assert_eq!(json["hides_folder"].as_str(), folder);
    }
}
