//! What authors of policies get to read when they make a mistake.
//!
//! Each `policy_errors/NAME.yaml` holds one mistake (or a few), and `NAME.txt` beside it what is
//! said about it: the errors, or the warnings of a policy that loads. `PATHWARD_BLESS=1` writes the
//! `.txt` files anew; read the difference before you commit it.

use std::{fs, path::Path};

use pathward::Policy;

#[test]
fn every_mistake_is_explained() {
    let folder = Path::new("tests/policy_errors");
    let bless = std::env::var_os("PATHWARD_BLESS").is_some();
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 35, "only {} mistakes", names.len());

    let mut wrong = Vec::new();
    for path in names {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let said = said(&name, &text);
        // A secret in these files always has this word in it, and nothing that is shown may.
        assert!(!said.contains("HUSH"), "{name} shows a secret:\n{said}");
        let expected = path.with_extension("txt");
        if bless {
            fs::write(&expected, said).expect("written");
        } else if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{name}: this is said now:\n{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}\nPATHWARD_BLESS=1 accepts this", wrong.join("\n"));
}

fn said(name: &str, text: &str) -> String {
    match Policy::from_yaml(name, text) {
        Ok(policy) => {
            let warnings: Vec<_> = policy.warnings().iter().map(ToString::to_string).collect();
            assert!(!warnings.is_empty(), "{name} has no mistake in it");
            format!("{}\n", warnings.join("\n\n"))
        }
        Err(errors) => {
            assert!(errors.errors().next().is_some(), "{name}: errors without an error");
            format!("{errors}\n")
        }
    }
}

/// Every single mistake near a secret: a character missing, replaced or put in.
#[test]
fn no_slip_of_the_pen_shows_a_secret() {
    let policies = [
        "connections:\n  - id: s3+a\n    owner: o\n    credentials:\n      access_key_id: HUSH1\n      secret_access_key: HUSH+2/x\n    access: read-only\n",
        "connections:\n  - { id: s3+a, owner: o, credentials: { secret: HUSH }, access: all }\n",
        "connections:\n  - id: s3+a\n    owner: o\n    endpoint: https://user:HUSH@host\n    deny: x\n",
        "users:\n  - name: o\n    keys:\n      - id: k\n        key: HUSH\n        access: none\n",
        "users:\n  - name: o\n    keys:\n      - { id: k, sha256: HUSH, access: none }\n",
        "connections:\n- id: s3+a\n  owner: o\n  credentials:\n    env: HUSH-\n    file: \"HUSH\"\n",
    ];
    let mut leaks = Vec::new();
    for policy in policies {
        for at in 0..policy.len() {
            let (before, rest) = policy.split_at(at);
            let behind = &rest[1..];
            let signs = " :-\"'{}[]*&!#,|>\t\n@%x".chars();
            let changed =
                signs.flat_map(|c| [format!("{before}{c}{behind}"), format!("{before}{c}{rest}")]);
            for text in changed.chain([format!("{before}{behind}")]) {
                if let Err(errors) = Policy::from_yaml("policy.yaml", &text)
                    && errors.to_string().contains("HUSH")
                {
                    leaks.push(format!("{text}\n{errors}\n"));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}

/// Secrets in fields whose names say nothing, alone and in what a policy that loads shows.
#[test]
fn what_has_the_form_of_a_secret_is_shown_nowhere() {
    const ID: &str = "AKIAIOSFODNN7EXAMPLE";
    const KEY: &str = "wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY";
    const SLASHED: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const SHORT: &str = "hunter2";
    let fields = [
        format!("pw: {SHORT}"),
        format!("sas: {SHORT}"),
        format!("private: {SHORT}"),
        format!("access_id: {ID}"),
        format!("name: {ID}"),
        format!("name: {KEY}"),
        format!("name: {SLASHED}"),
        format!("{KEY}: x"),
        format!("region: {KEY}"),
        format!("region: {SLASHED}"),
        format!("access: {KEY}"),
        format!("access: [{ID}]"),
        format!("keys: {KEY}"),
        format!("default: {KEY}"),
        format!("endpoint: \"https://host/?x={SHORT}\""),
        format!("endpoint: \"host?{SHORT}\""),
        format!("restrictions: {KEY}"),
        format!("restrictions: [/{KEY}]"),
        format!("restrictions: [*{KEY}]"),
        format!("credentials: {{ profile: {ID} }}"),
        format!("credentials: {{ profile: \"{ID}:{KEY}\" }}"),
        format!("credentials: {{ profile: {} }}", &KEY[1..]),
        format!("credentials: {{ profile: \"{SHORT}=\" }}"),
        format!("credentials: {{ profile: aws_secret_access_key={SHORT} }}"),
        format!("credentials: {{ profile: \" {SHORT}\" }}"),
        format!("credentials: {{ env: {KEY} }}"),
        format!("credentials: {{ env: {SHORT}! }}"),
        format!("credentials: {{ file: {KEY} }}"),
    ];
    for field in fields {
        for id in ["s3+a".to_owned(), format!("s4+{KEY}")] {
            let text = format!("connections:\n  - id: {id}\n    owner: o\n    {field}\n");
            let said = match Policy::from_yaml("policy.yaml", &text) {
                Ok(policy) => panic!("{field}: {:?}", policy.connections()),
                Err(errors) => errors.to_string(),
            };
            for secret in [ID, KEY, &KEY[1..20], SLASHED, SHORT] {
                assert!(!said.contains(secret), "{field}:\n{said}");
            }
        }
    }
    for profile in ["saha", "my-profile", "AWS Admin", "steph@example.org", "a.b_c"] {
        let text = format!(
            "connections: [{{ id: s3+a, owner: o, credentials: {{ profile: {profile} }} }}]"
        );
        assert!(Policy::from_yaml("policy.yaml", &text).is_ok(), "{profile}");
    }
}
