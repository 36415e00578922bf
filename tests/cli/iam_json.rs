//! The JSON of `export iam`, as text, against an evaluator of IAM's that starts from the JSON: the ARN split at its
//! colons, one field of the statement after the other. Over paths made of the signs that IAM and JSON give a
//! meaning to.

use serde_json::Value;

use super::Folder;

/// A field that is one text or a list of them.
fn texts(json: &Value) -> Vec<&str> {
    match json {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// `*`, `?`, `${*}`, `${?}`, `${$}`: the characters of a value, from behind; short texts alone.
fn is_like(pattern: &[char], value: &[char]) -> bool {
    match (pattern, value) {
        ([], value) => value.is_empty(),
        (['$', '{', sign, '}', rest @ ..], value) => value
            .split_first()
            .is_some_and(|(first, behind)| first == sign && is_like(rest, behind)),
        (['*', rest @ ..], value) => (0..=value.len()).any(|n| is_like(rest, &value[n..])),
        (['?', rest @ ..], value) => !value.is_empty() && is_like(rest, &value[1..]),
        ([sign, rest @ ..], value) => value
            .split_first()
            .is_some_and(|(first, behind)| first == sign && is_like(rest, behind)),
    }
}

/// "arn:partition:service:region:account-id:resource", segment by segment.
fn is_resource(pattern: &str, resource: &str) -> bool {
    let arn = format!("arn:aws:s3:::{resource}");
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    pattern == "*"
        || (pattern.splitn(6, ':').count() == 6
            && pattern
                .splitn(6, ':')
                .zip(arn.splitn(6, ':'))
                .all(|(a, b)| is_like(&chars(a), &chars(b))))
}

fn is_allowed(policy: &Value, action: &str, resource: &str) -> bool {
    let applies = |statement: &&Value| {
        statement.get("Condition").is_none()
            && texts(&statement["Action"]).contains(&action)
            && texts(&statement["Resource"]).iter().any(|pattern| is_resource(pattern, resource))
    };
    let statements = policy["Statement"].as_array().expect("a list");
    let effects: Vec<_> = statements.iter().filter(applies).map(|s| s["Effect"].as_str()).collect();
    effects.contains(&Some("Allow")) && !effects.contains(&Some("Deny"))
}

/// A restriction in single quotes of YAML.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[test]
fn the_json_of_an_export_says_what_the_connection_does() {
    let pieces = [
        "a", "/", "*", "?", "$", "{", "}", ":", "\"", "\\\\", "\\*", "%2F", " ", "é", "${", "${*}",
        "'", "&", "\u{ad}",
    ];
    let bytes = [
        "a", "/", "*", "?", "$", "{", "}", ":", "\"", "\\", "%2F", " ", "é", "x", "'", "&",
        "\u{ad}",
    ];
    let mut seed = 29_u64;
    let mut below = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n
    };
    let (mut compared, mut allowed) = (0, 0);
    for round in 0..60 {
        let (mut yaml, mut near) = (String::new(), Vec::new());
        for (list, most) in [("restrictions", 3), ("deny", 2)] {
            yaml.push_str(&format!("    {list}:\n"));
            for _ in 0..=below(most) {
                let mut text = "pub/".to_owned();
                (0..1 + below(4)).for_each(|_| text.push_str(pieces[below(pieces.len())]));
                yaml.push_str(&format!("      - {}\n", quoted(&format!("{text}x"))));
                near.push(text.replace("\\*", "*").replace("\\\\", "\\"));
            }
        }
        let keys = if round % 5 == 0 { "    keys: plain\n" } else { "" };
        let folder = Folder::with(&format!(
            "connections:\n  - id: s3+x\n    owner: o\n    access: read-write\n{keys}{yaml}"
        ));
        let exported = folder.ask("export iam s3+x --compact");
        if exported.code == 4 {
            continue;
        }
        assert_eq!(exported.code, 0, "{} {yaml}", exported.err);
        for access in ["read", "write", "delete"] {
            assert!(exported.err.contains(&format!("note: {access}: equal\n")), "{}", exported.err);
        }
        let policy: Value = serde_json::from_str(&exported.out).expect("JSON");
        let mut paths = String::new();
        for _ in 0..60 {
            let mut path =
                if below(3) == 0 { "pub/".to_owned() } else { near[below(near.len())].clone() };
            (0..below(3)).for_each(|_| path.push_str(bytes[below(bytes.len())]));
            path.push('x');
            paths.push_str(&format!("{path}\n"));
        }
        folder.file("paths", paths.as_bytes());
        for (operation, action) in [("read", "s3:GetObject"), ("write", "s3:PutObject")] {
            let ran = folder.ask(&format!("check s3+x {operation} --batch paths --ignore-invalid"));
            let lines = ran.lines();
            assert_eq!(lines.len(), 60, "{}", ran.err);
            for (line, path) in lines.iter().zip(paths.lines()) {
                let is_ours = line.starts_with("allow");
                if line.starts_with("invalid") {
                    continue;
                }
                assert_eq!(
                    is_allowed(&policy, action, path),
                    is_ours,
                    "{path} {line} {} {yaml}",
                    exported.out
                );
                compared += 1;
                allowed += usize::from(is_ours);
            }
        }
    }
    println!("{compared} decisions, {allowed} of them allowed");
    assert!(compared > 3_000 && allowed > compared / 20);
}
