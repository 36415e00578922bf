//! `import iam` of policies as people have them: from consoles, tools, templates and documentation.

mod files;

use serde_json::{Value, json};

use super::{Folder, Ran};

fn import(file: &[u8]) -> Ran {
    let folder = Folder::new();
    folder.file("i.json", file);
    folder.run(["import", "iam", "i.json", "--owner", "ada", "--id", "s3+x"])
}

/// A policy of these statements.
fn policy(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// What is imported, without its head: `access`, `restrictions` and `deny`, one rule a line.
fn rules(ran: &Ran, of: &str) -> Vec<String> {
    assert_eq!(ran.code, 0, "{of}\n{}", ran.err);
    for access in ["read", "write", "delete"] {
        assert!(ran.err.contains(&format!("note: {access}: equal\n")), "{of}\n{}", ran.err);
    }
    let lines = ran.out.lines().skip(3);
    lines.map(|line| line.trim().to_owned()).filter(|line| line != "restrictions:").collect()
}

fn is(statements: &str, expected: &[&str], notes: &[&str]) {
    let ran = import(policy(statements).as_bytes());
    assert_eq!(rules(&ran, statements), expected, "{statements}");
    for note in notes {
        assert!(ran.err.contains(note), "{statements}: {note}\n{}", ran.err);
    }
    if notes.is_empty() {
        assert!(!ran.err.contains("left out"), "{statements}\n{}", ran.err);
    }
}

/// What is said of a policy that is refused, with exit code 3.
fn refused(file: &[u8], expected: &str) {
    let ran = import(file);
    assert_eq!((ran.code, &*ran.out), (3, ""), "{}", String::from_utf8_lossy(file));
    let said = ran.err.replace('\n', " ");
    assert!(said.contains(expected), "{}: {expected}\n{}", String::from_utf8_lossy(file), ran.err);
    assert!(!said.contains("quote it") && said.contains("  help: "), "{said}");
}

const ALLOW: &str = r#""Effect":"Allow","Action":"s3:GetObject""#;
const DENY: &str = r#""Effect":"Deny","Action":"s3:GetObject""#;

#[test]
fn what_no_connection_gives_is_left_out_and_said() {
    // AWS's own.
    is(
        r#"{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}"#,
        &["access: read-write", "- \"*\""],
        &["such as `s3:", "left out, of other services: `s3-object-lambda:*`"],
    );
    is(
        r#"{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*"],"Resource":"*"}"#,
        &["- \"*\""],
        &["`s3:Describe*` allows what no connection gives, such as `s3:DescribeJob`"],
    );
    is(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
        &["access: read-write", "- \"*\""],
        &["`*` allows"],
    );
    is(
        r#"{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},
           {"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:ListRoles"],"Resource":"*"}"#,
        &["access: read-write", "- \"*\""],
        &[
            "Statement[0].NotAction: of all that it allows",
            "Statement[1].Action: left out, of other services: `iam:",
        ],
    );
    // Modules for Terraform, the CDK, and backup tools.
    is(
        r#"{"Effect":"Allow","Action":["s3:GetObject*","s3:GetBucket*","s3:List*","s3:DeleteObject*","s3:PutObject","s3:PutObjectLegalHold","s3:PutObjectRetention","s3:PutObjectTagging","s3:PutObjectVersionTagging","s3:Abort*"],"Resource":["arn:aws:s3:::acme","arn:aws:s3:::acme/*"]}"#,
        &["access: read-write", "- acme/*"],
        &[
            "left out, what no connection gives: `s3:PutObjectLegalHold`, `s3:PutObjectRetention`, `s3:PutObjectTagging`, `s3:PutObjectVersionTagging`",
        ],
    );
    is(
        r#"{"Effect":"Allow","Action":["ec2:DescribeVolumes","ec2:CreateSnapshot"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}},
           {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::velero/*"}"#,
        &["access: read-write", "- velero/*"],
        &["left out, of other services: `ec2:DescribeVolumes`, `ec2:CreateSnapshot`"],
    );
    is(
        r#"{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":{"Fn::GetAtt":["Key","Arn"]}},
           {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme/*"}"#,
        &["- acme/*"],
        &["of other services"],
    );
    // MinIO, RustFS, Ceph; and what was in AWS's list once.
    is(
        r#"{"Effect":"Allow","Action":["admin:*"]},{"Effect":"Allow","Action":["kms:*"]},{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}"#,
        &["access: read-write", "- \"*\""],
        &["`admin:*`", "`kms:*`"],
    );
    is(
        r#"{"Effect":"Allow","Action":["s3:GetObject","s3:HeadBucket","s3:ListenBucketNotification","s3:GetBucketEncryption","s3:PutBucketLifecycle"],"Resource":["arn:aws:s3:::acme/*"]}"#,
        &["- acme/*"],
        &["`s3:HeadBucket`, `s3:ListenBucketNotification`"],
    );
    // Bucket-level actions, however many; other things of S3.
    let many = [
        "GetBucketWebsite",
        "PutBucketCORS",
        "GetReplicationConfiguration",
        "PutMetricsConfiguration",
        "GetBucketAbac",
        "CreateJob",
        "DescribeMultiRegionAccessPointOperation",
        "UpdateBucketMetadataJournalTableConfiguration",
        "PauseReplication",
        "GetAccountPublicAccessBlock",
        "PutStorageLensConfiguration",
        "GetDataAccess",
        "TagResource",
        "GetObjectAnnotation",
    ];
    let many: Vec<String> = many.iter().map(|name| format!("\"s3:{name}\"")).collect();
    is(
        &format!(
            r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}},{{"Effect":"Allow","Action":[{}],"Resource":"*"}}"#,
            many.join(",")
        ),
        &["- acme/*"],
        &["`s3:GetReplicationConfiguration`, `s3:PutMetricsConfiguration`, 10 more"],
    );
    is(
        &format!(
            r#"{{{ALLOW},"Resource":["arn:aws:s3:::acme/*","arn:aws:s3:us-east-1:111122223333:accesspoint/ap/object/*","arn:aws:s3::111122223333:accesspoint/x.mrap/object/*","arn:aws:s3-object-lambda:us-east-1:111122223333:accesspoint/l","arn:aws:s3express:us-east-1:1:bucket/b--use1-az4--x-s3","arn:aws:sqs:us-east-1:1:q"]}}"#
        ),
        &["- acme/*"],
        &[
            "Resource[1]: `arn:aws:s3:us-east-1:111122223333:accesspoint/ap/object/*` is an access point",
            "of the service `s3-object-lambda`",
            "of the service `sqs`",
        ],
    );
    // A deny of what no connection gives takes nothing.
    is(
        &format!(
            r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}},{{"Effect":"Deny","Action":["s3:DeleteBucket","s3:PutBucketPolicy","s3:*Acl","iam:*"],"Resource":"*"}}"#
        ),
        &["- acme/*"],
        &[],
    );
    is(
        &format!(
            r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}},{{"Effect":"Deny","NotAction":["s3:*"],"Resource":"*","Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"false"}}}}}}"#
        ),
        &["- acme/*"],
        &[],
    );
    // A part of uploads is no access.
    is(
        r#"{"Effect":"Allow","Action":["s3:GetObject","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"],"Resource":"arn:aws:s3:::acme/*"}"#,
        &["- acme/*"],
        &[
            "left out, parts of uploads, and uploads are not allowed here: `s3:AbortMultipartUpload`",
        ],
    );
    // What may be listed under which condition is not read.
    is(
        &format!(
            r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}},{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::acme","Condition":{{"IpAddress":{{"aws:SourceIp":"192.0.2.0/24"}}}}}}"#
        ),
        &["- acme/*"],
        &["what may be listed by `IpAddress` on `aws:SourceIp` is left out"],
    );
    is(
        &format!(
            r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}},{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::acme","Condition":{{"StringLike":{{"s3:prefix":["${{aws:username}}/*"]}}}}}}"#
        ),
        &["- acme/*"],
        &["what may be listed by `${aws:username}/*` is left out"],
    );
}

#[test]
fn a_buckets_own_arn_is_no_object() {
    for (resources, expected) in [
        (r#"["arn:aws:s3:::acme","arn:aws:s3:::acme/*"]"#, &["- acme/*"][..]),
        (r#"["arn:aws:s3:::acme/*","arn:aws:s3:::acme"]"#, &["- acme/*"]),
        (r#"["arn:aws:s3:::acme/","arn:aws:s3:::acme/*"]"#, &["- acme/*"]),
        (
            r#"["arn:aws:s3:::acme","arn:aws:s3:::acme/in/*","arn:aws:s3:::other"]"#,
            &["- acme/in/*"],
        ),
        (r#"["arn:aws:s3:::acme*"]"#, &["- acme*"]),
        (
            r#"["arn:aws:s3:::acme","arn:aws:s3:::acme/drop/","arn:aws:s3:::acme/drop/*"]"#,
            &["- acme/drop/*"],
        ),
        (r#"["arn:aws:s3:::acme/a?c/x","arn:aws:s3:::acme/a*"]"#, &["- acme/a*"]),
        (r#"["arn:aws:s3:::acme/${aws:username}/*","arn:aws:s3:::acme/*"]"#, &["- acme/*"]),
        (r#"["arn:*:s3:::acme/*","arn:aws:s3:::acme/b"]"#, &["- acme/*", "- acme/b"]),
        (r#"["arn:aws:s3:*:*:acme/*"]"#, &["- acme/*"]),
        (r#""arn:aws-cn:s3:::acme/*""#, &["- acme/*"]),
    ] {
        is(&format!(r#"{{{ALLOW},"Resource":{resources}}}"#), expected, &[]);
    }
    let both = format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}}"#);
    is(
        &format!(
            r#"{both},{{"Effect":"Deny","Action":["s3:DeleteObject","s3:GetObject"],"Resource":["arn:aws:s3:::acme","arn:aws:s3:::acme/locked/*"]}}"#
        ),
        &["- acme/*", "deny:", "- acme/locked/*"],
        &[],
    );
    // The usual mistake is said, as an error where nothing else is allowed.
    is(
        &format!(r#"{both},{{{ALLOW},"Resource":"arn:aws:s3:::other"}}"#),
        &["- acme/*"],
        &[
            "Statement[1].Resource: `other` is a bucket, and the actions are on objects: it gives none",
        ],
    );
    refused(
        policy(&format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::other"}}"#)).as_bytes(),
        "`other` is a bucket, and the actions are on objects",
    );
}

#[test]
fn what_others_cover_makes_no_difference() {
    let all = format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}}"#);
    for more in [
        // A condition, a variable or a marker of what is allowed anyway.
        &*format!(
            r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/in/*","Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}}}"#
        ),
        &format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/home/${{aws:username}}/*"}}"#),
        &format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/home/"}}"#),
        &format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/????/x"}}"#),
        &format!(r#"{{{ALLOW},"NotResource":"*"}}"#),
        // A deny of what is not allowed.
        &format!(r#"{{{DENY},"Resource":"arn:aws:s3:::other/${{aws:username}}/*"}}"#),
        &format!(
            r#"{{{DENY},"Resource":"arn:aws:s3:::other/*","Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}"#
        ),
        &format!(r#"{{{DENY},"Resource":"arn:aws:s3:::other/dir/"}}"#),
        &format!(r#"{{{DENY},"NotResource":["arn:aws:s3:::acme","arn:aws:s3:::acme/*"]}}"#),
        r#"{"Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::acme","arn:aws:s3:::acme/*"]}"#,
        r#"{"Effect":"Deny","Action":"s3:ListBucket","Resource":"arn:aws:s3:::other"}"#,
        r#"{"Effect":"Deny","Action":"s3:ListAllMyBuckets","Resource":"*"}"#,
        r#"{"Effect":"Deny","Action":"s3:GetBucketLocation","Resource":"*"}"#,
        r#"{"Effect":"Deny","Action":"s3:AbortMultipartUpload","Resource":"*"}"#,
    ] {
        is(&format!("{all},{more}"), &["- acme/*"], &[]);
    }
}

#[test]
fn what_is_turned_round_is_said_where_it_can_be() {
    for (statements, expected) in [
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","NotResource":["arn:aws:s3:::secret","arn:aws:s3:::secret/*"]}"#.to_owned(),
            &["- \"*\"", "deny:", "- secret/*"][..],
        ),
        (
            r#"{"Effect":"Allow","NotAction":"s3:DeleteObject","Resource":"arn:aws:s3:::acme/*"}"#.to_owned(),
            &["access: [read, write]", "- acme/*"],
        ),
        (
            r#"{"Effect":"Allow","NotAction":["s3:Put*","s3:Delete*"],"NotResource":"arn:aws:s3:::secret/*"}"#.to_owned(),
            &["- \"*\"", "deny:", "- secret/*"],
        ),
        (
            r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"},{"Effect":"Deny","NotAction":["s3:Get*","s3:List*"],"Resource":"arn:aws:s3:::fixed/*"}"#.to_owned(),
            &["access: [read, write]", "- \"*\"", "deny:", "- { path: fixed/*, access: [write, delete] }"],
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{"Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::aaa","arn:aws:s3:::aaa/*","arn:aws:s3:::bbb","arn:aws:s3:::bbb/x/*"]}"#.to_owned(),
            &["- aaa/*", "- bbb/x/*"],
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::aaa/*","arn:aws:s3:::ccc/*"]},{"Effect":"Deny","Action":"s3:GetObject","NotResource":"arn:aws:s3:::aaa*"}"#.to_owned(),
            &["- aaa/*"],
        ),
    ] {
        let ran = import(policy(&statements).as_bytes());
        assert_eq!(rules(&ran, &statements), expected, "{statements}");
    }
    // And refused where it cannot.
    let part = format!(
        r#"{{{ALLOW},"Resource":"arn:aws:s3:::*.csv"}},{{{DENY},"NotResource":"arn:aws:s3:::acme/*"}}"#
    );
    refused(policy(&part).as_bytes(), "what it leaves of `*.csv` is no list of restrictions");
    let clash = format!(
        r#"{{{ALLOW},"NotResource":"arn:aws:s3:::acme/*"}},{{{ALLOW},"Resource":"arn:aws:s3:::acme/x"}}"#
    );
    refused(policy(&clash).as_bytes(), "another statement allows some of what this one leaves out");
    let variable = format!(r#"{{{ALLOW},"NotResource":"arn:aws:s3:::acme/${{aws:username}}/*"}}"#);
    refused(policy(&variable).as_bytes(), "`${aws:username}` is a variable");
}

/// To leave them out would give more than IAM does, or other objects.
#[test]
fn what_makes_a_difference_is_refused() {
    let all = format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/*"}}"#);
    for (more, said) in [
        (
            format!(r#"{{{DENY},"Resource":"arn:aws:s3:::acme/*","Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}"#),
            "`Bool` on `aws:SecureTransport`, and without this deny more would be allowed than IAM allows",
        ),
        (
            r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24"]},"Bool":{"aws:ViaAWSService":false}}}"#.to_owned(),
            "`NotIpAddress` on `aws:SourceIp`, `Bool` on `aws:ViaAWSService`",
        ),
        (
            format!(r#"{{{DENY},"Resource":"arn:aws:s3:::acme/${{aws:username}}/*"}}"#),
            "`${aws:username}` is a variable",
        ),
        (
            format!(r#"{{{DENY},"Resource":"arn:aws:s3:::acme/a?"}}"#),
            "`?` is any one character",
        ),
        (
            format!(r#"{{{DENY},"Resource":"arn:aws:s3:::acme/dir/"}}"#),
            "the marker of a directory alone",
        ),
        (
            format!(r#"{{{DENY},"Resource":"arn:aws:s3:*:*:acme/*"}}"#),
            "has wildcards for its region and account",
        ),
        (
            r#"{"Effect":"Deny","Action":"s3:ListBucket","Resource":"arn:aws:s3:::acme","Condition":{"StringNotLike":{"s3:prefix":["in/*"]}}}"#.to_owned(),
            "a denied listing",
        ),
        (
            r#"{"Effect":"Deny","Action":"s3:ListBucket","Resource":"arn:aws:s3:::acme","Condition":{"StringLike":{"s3:prefix":["in/*"]}}}"#.to_owned(),
            "a denied listing",
        ),
        (
            r#"{"Effect":"Deny","NotAction":"s3:GetObject","Resource":"*"}"#.to_owned(),
            "a denied listing",
        ),
        (
            format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::other/*","Condition":{{"StringEquals":{{"aws:ResourceAccount":"111122223333"}}}}}}"#),
            "`StringEquals` on `aws:ResourceAccount`, and without it more would be allowed",
        ),
        (
            format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::other/dir/"}}"#),
            "the marker of a directory alone",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::acme/*"},{"Effect":"Deny","Action":"s3:AbortMultipartUpload","Resource":"*"}"#.to_owned(),
            "a part of uploads is denied, and uploads are not",
        ),
    ] {
        refused(policy(&format!("{all},{more}")).as_bytes(), said);
    }
    // A deny of listings beside restrictions that do not name their buckets.
    refused(
        policy(&format!(r#"{{{ALLOW},"Resource":"*"}},{{"Effect":"Deny","Action":"s3:ListAllMyBuckets","Resource":"*"}}"#)).as_bytes(),
        "a denied listing",
    );
}

#[test]
fn slips_stay_errors_and_say_what_is_meant() {
    for (action, help) in [
        ("s3:GetObjects", "write `s3:GetObject`, or take it out"),
        ("s3:PutObjets", "write `s3:PutObject`"),
        ("s3:DeleteObject s", "take it out"),
        (
            "s3:HeadObject",
            "`s3:HeadObject` is an operation and no action: `s3:GetObject` allows it",
        ),
        ("s3:ListObjects", "`s3:ListBucket` allows it"),
        ("s3:ListBuckets", "`s3:ListAllMyBuckets` allows it"),
        ("s3:CreateMultipartUpload", "`s3:PutObject` allows it"),
        ("s3:UploadPart", "`s3:PutObject` allows it"),
        ("s3:CopyObject", "`s3:PutObject` allows it"),
        ("s3:Read*", "take it out"),
        ("s3.GetObject", "write `s3:GetObject`"),
        ("GetObject", "write `s3:GetObject`"),
        ("ss3:GetObject", "write `s3:GetObject`"),
        ("*:GetObject", "write `s3:GetObject`"),
        ("", "take it out"),
    ] {
        for effect in ["Allow", "Deny"] {
            let statement = format!(
                r#"{{{ALLOW},"Resource":"*"}},{{"Effect":"{effect}","Action":["s3:GetObject","{action}"],"Resource":"arn:aws:s3:::acme/*"}}"#
            );
            refused(policy(&statement).as_bytes(), help);
        }
    }
    for (statement, said) in [
        (
            r#"{"Effect":"allow","Action":"s3:GetObject","Resource":"*"}"#,
            "neither `Allow` nor `Deny`",
        ),
        (
            r#"{"Effect":"Allow","Actions":"s3:GetObject","Resource":"*"}"#,
            "help: write `Action`, or take it out",
        ),
        (
            r#"{"Effect":"Allow","action":"s3:GetObject","Resource":"*"}"#,
            "help: write `Action`, or take it out",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resources":"*"}"#,
            "help: write `Resource`, or take it out",
        ),
        (r#"{"Effect":"Allow","Action":"s3:GetObject"}"#, "Statement[0].Resource"),
        (r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#, "Statement[0].Action"),
        (
            r#"{"Effect":"Allow","Action":["s3:GetObject",7],"Resource":"*"}"#,
            "a number, `true` or `false` where a text belongs",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"acme/*"}"#,
            "write `arn:aws:s3:::acme/*` if that is meant",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"s3://acme/*"}"#,
            "write `arn:aws:s3:::acme/*`",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1:111122223333:acme/*"}"#,
            "has a region or an account, which no bucket has",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3::acme/*"}"#,
            "write `arn:aws:s3:::acme/*`",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::<bucket>/*"}"#,
            "no bucket has the name `<bucket>`",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::$BUCKET/*"}"#,
            "no bucket has the name `$BUCKET`",
        ),
        (r#""x""#, "a text where an object belongs"),
    ] {
        refused(policy(statement).as_bytes(), said);
    }
}
