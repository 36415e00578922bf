//! What the file is that a policy comes in, and policies that are none of a user or role.

use super::*;

#[test]
fn what_consoles_leave_empty_says_nothing() {
    for text in [
        r#"{"ID":"","Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":["s3:GetObject"],"NotAction":[],"Resource":["arn:aws:s3:::acme/*"],"NotResource":[],"Condition":{}}]}"#,
        r#"{"Id":null,"Version":"2012-10-17","Statement":[{"Sid":null,"Effect":"Allow","Action":["s3:GetObject"],"NotAction":null,"Resource":["arn:aws:s3:::acme/*"],"NotResource":null,"Condition":null}]}"#,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{},"NotPrincipal":[],"Action":"s3:GetObject","Resource":"arn:aws:s3:::acme/*","Condition":{"StringLike":{}}}]}"#,
        r#"{"Version":"","Id":"x","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme/*"}}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:::acme/*"]}]}"#,
    ] {
        let ran = import(text.as_bytes());
        assert_eq!(rules(&ran, text), ["- acme/*"], "{text}");
    }
}

/// What the tools of AWS and others print has the document somewhere in it.
#[test]
fn the_document_is_found_in_what_tools_print() {
    let document = policy(&format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/in/*"}}"#));
    let json: Value = serde_json::from_str(&document).expect("JSON");
    let text = json!(document);
    let encoded: String = document
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let trust = json!({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]});
    let statement = json["Statement"][0].clone();
    for (file, under) in [
        (document.clone(), ""),
        (json!({"RoleName":"r","PolicyName":"p","PolicyDocument":json}).to_string(), "PolicyDocument"),
        (json!({"UserName":"u","PolicyName":"p","PolicyDocument":encoded}).to_string(), "PolicyDocument"),
        (json!({"PolicyVersion":{"Document":json,"VersionId":"v1","IsDefaultVersion":true,"CreateDate":"2026-01-01"}}).to_string(), "PolicyVersion.Document"),
        (json!({"PolicyVersion":{"Document":text}}).to_string(), "PolicyVersion.Document"),
        (json!({"Role":{"AssumeRolePolicyDocument":trust,"RolePolicyList":[{"PolicyName":"p","PolicyDocument":json}]}}).to_string(), "Role.RolePolicyList[0].PolicyDocument"),
        (json!({"Resources":{"P":{"Type":"AWS::IAM::Policy","Properties":{"PolicyDocument":json}}}}).to_string(), "Resources.P.Properties.PolicyDocument"),
        (json!({"values":{"root_module":{"resources":[{"type":"aws_iam_policy","values":{"policy":text}}]}}}).to_string(), "values.root_module.resources[0].values.policy"),
        (json!([json]).to_string(), "[0]"),
        (json!([statement]).to_string(), ""),
        (statement.to_string(), ""),
        (encoded.clone(), ""),
        (format!("\"{encoded}\"\n"), ""),
        (text.to_string(), ""),
        (format!("\n\n  {document}  \n\0\0"), ""),
    ] {
        let ran = import(file.as_bytes());
        assert_eq!(rules(&ran, &file), ["- acme/in/*"], "{file}");
        let note = format!("note: the policy is what is under `{under}`\n");
        assert_eq!(ran.err.contains(&note), !under.is_empty(), "{file}: {}", ran.err);
    }
    // With a place, an error has it.
    let wrong = document.replace("s3:GetObject", "s3:GetObjects");
    let wrong: Value = serde_json::from_str(&wrong).expect("JSON");
    refused(
        json!({"PolicyDocument":wrong}).to_string().as_bytes(),
        "--> i.json: PolicyDocument: Statement[0].Action[0]",
    );
    let several = json!({"UserPolicyList":[{"PolicyDocument":json},{"PolicyDocument":json}]});
    refused(
        several.to_string().as_bytes(),
        "there are 2 policies in it: `UserPolicyList[0].PolicyDocument`, `UserPolicyList[1].PolicyDocument`",
    );
}

#[test]
fn files_are_read_however_they_are_encoded() {
    let document = policy(&format!(r#"{{{ALLOW},"Resource":"arn:aws:s3:::acme/é/*"}}"#));
    let utf16 = |mark: &[u8], big: bool| -> Vec<u8> {
        let units = document.encode_utf16();
        let bytes =
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        mark.iter().copied().chain(bytes).collect()
    };
    for file in [
        [b"\xef\xbb\xbf", document.as_bytes()].concat(),
        utf16(b"\xff\xfe", false),
        utf16(b"\xfe\xff", true),
        utf16(b"", false),
        utf16(b"", true),
        document.replace(',', ",\r\n").into_bytes(),
    ] {
        let ran = import(&file);
        assert_eq!(rules(&ran, "encoded"), ["- \"acme/é/*\""]);
    }
    for (file, said) in [
        (&b"\x1f\x8b\x08\0\0\0"[..], "it is packed with gzip"),
        (b"PK\x03\x04", "it is packed with zip"),
        (b"\xff\xfe{", "it is not UTF-16 throughout"),
        (b"{\"Version\":\"\xff\"}", "it is not UTF-8"),
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"<GetRolePolicyResponse><PolicyDocument>%7B%7D</PolicyDocument></GetRolePolicyResponse>", "it is XML or HTML"),
        (b"{'Version': '2012-10-17', 'Statement': []}", "JSON has double quotes"),
        (b"resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({})\n}\n", "it is a file of Terraform"),
        (b"AWSTemplateFormatVersion: 2010-09-09\nResources:\n", "it is YAML, as templates are"),
        (b"Version: 2012-10-17\nStatement:\n  - Effect: Allow\n", "it is YAML, as templates are"),
        (b"{\"Version\":\"2012-10-17\",}", "it is not JSON"),
        (b"[]", "a list where a policy belongs"),
        (b"{\"statement\":[{\"actions\":[\"s3:GetObject\"]}]}", "Terraform's own words"),
        (b"{\"AttachedPolicies\":[{\"PolicyName\":\"p\"}]}", "it has names of policies"),
        (b"{\"Version\":\"2012-10-17\"}", "it has no `Statement`"),
        (b"{\"Version\":\"2012-10-17\",\"Statements\":[]}", "it has `Statements` and no `Statement`"),
        (b"{\"Version\":\"2012-10-17\",\"Statement\":[]}", "it has no statement"),
    ] {
        refused(file, said);
    }
}

#[test]
fn policies_of_others_and_templates_are_named() {
    let bucket = r#"{"Sid":"public","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme/*"}"#;
    for file in [
        policy(bucket),
        json!({"Policy":policy(bucket)}).to_string(),
        policy(&bucket.replace("\"Principal\"", "\"NotPrincipal\"")),
        policy(&bucket.replace("\"*\"", r#"{"AWS":["arn:aws:iam::111122223333:user/ada"]}"#)),
    ] {
        refused(file.as_bytes(), "this is a bucket's policy, with a `Principal`");
    }
    refused(
        policy(r#"{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}"#).as_bytes(),
        "this is the trust policy of a role",
    );
    refused(
        json!({"Role":{"RoleName":"r","AssumeRolePolicyDocument":{"Statement":[]}}})
            .to_string()
            .as_bytes(),
        "its own policies are not in it",
    );
    for (resource, what) in [
        (r#"{"Fn::Sub":"arn:aws:s3:::${DataBucket}/in/*"}"#, "`Fn::Sub`"),
        (r#"[{"Fn::Join":["",[{"Fn::GetAtt":["B","Arn"]},"/*"]]}]"#, "`Fn::Join`"),
        (r#"{"Ref":"BucketArn"}"#, "`Ref`"),
        (r#"[{"Fn::If":["Prod","a","b"]},{"Ref":"AWS::NoValue"}]"#, "`Fn::If`"),
        (r#"{"Fn::ImportValue":"bucket"}"#, "`Fn::ImportValue`"),
        (r#""arn:aws:s3:::${DataBucket}/*""#, "`${DataBucket}`"),
        (r#""arn:${AWS::Partition}:s3:::acme/*""#, "`${AWS::Partition}`"),
        (r#""${aws_s3_bucket.data.arn}/*""#, "`${aws_s3_bucket.data.arn}`"),
        (r#""arn:aws:s3:::${var.bucket}/${aws:username}/*""#, "`${var.bucket}`"),
        (r#""arn:aws:s3:::${self:custom.bucket}/*""#, "`${self:custom.bucket}`"),
        (r#""arn:aws:s3:::{{ bucket }}/*""#, "`{{ bucket }}`"),
    ] {
        let file = policy(&format!(r#"{{{ALLOW},"Resource":{resource}}}"#));
        refused(file.as_bytes(), &format!("{what} is what a template has in place of a value"));
        let ran = import(file.as_bytes());
        assert!(ran.err.ends_with("1 problem in i.json\n"), "{}", ran.err);
    }
    for statement in [
        r#"{"Effect":{"Ref":"Effect"},"Action":"s3:GetObject","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":{"Fn::Split":[",","x"]},"Resource":"*"}"#,
        r#"{"Fn::If":["Prod",{},{}]}"#,
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Fn::If":["x",{},{}]}}"#,
    ] {
        refused(policy(statement).as_bytes(), "is what a template has in place of a value");
    }
}

/// Programs find all of it in the answer.
#[test]
fn json_says_what_was_left_out() {
    let folder = Folder::new();
    let statements = r#"{"Effect":"Allow","Action":["s3:Get*","ec2:RunInstances","s3:ListMultipartUploadParts"],"Resource":["arn:aws:s3:::acme/*","arn:aws:sqs:us-east-1:1:q"]}"#;
    let file = json!({"PolicyDocument":policy(statements)}).to_string();
    folder.file("i.json", file.as_bytes());
    let json = folder.run(["import", "iam", "i.json", "--owner", "ada", "--format", "json"]).json();
    assert_eq!(json["under"], "PolicyDocument");
    let kinds: Vec<_> =
        json["left_out"].as_array().expect("a list").iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds, ["s3", "service", "part"]);
    assert_eq!(json["left_out"][1]["example"], "ec2:RunInstances");
    assert_eq!(json["notes"][0]["place"], "Statement[0].Resource[1]");
}
