//! `explain`: the answer of `check`, and why.

use super::Folder;

fn shown(question: &str) -> (i32, String) {
    let ran = Folder::new().ask(&format!("explain {question}"));
    assert_eq!(ran.err, "", "{question}");
    (ran.code, ran.out)
}

#[test]
fn a_denial_names_the_nearest_restriction_and_the_byte() {
    let (code, text) = shown("s3+saha read Algorithmia/data2/x");
    assert_eq!(code, 5);
    assert_eq!(
        text,
        "\
deny   s3+saha read Algorithmia/data2/x  deny.no_match

read at Algorithmia/data2/x: deny.no_match
  nearest: Algorithmia/data/* (policy.yaml:8:9) parts ways at byte 16: expected \"/\", the path has \"2\"
  no match: Algorithmia/team.jpg (policy.yaml:7:9) parts ways at byte 12: expected \"t\", the path has \"d\"
  no match: Algorithmia/out/ (policy.yaml:9:17) parts ways at byte 12: expected \"o\", the path has \"d\"
  deny, no match: Algorithmia/data/secret/ (policy.yaml:11:9) parts ways at byte 16: expected \"/\", the path has \"2\"
  to allow it: add { path: \"Algorithmia/data2/x\", access: [read] } to `restrictions`; opens nothing else
"
    );
}

#[test]
fn a_restriction_without_the_access_is_told_from_one_that_does_not_match() {
    let (code, text) = shown("s3+saha write Algorithmia/data/x");
    assert_eq!(code, 5);
    assert!(text.contains(
        "\n  matches, without write: Algorithmia/data/* (policy.yaml:8:9), which gives read-only\n  \
         nearest: Algorithmia/out/ (policy.yaml:9:17) parts ways at byte 12: expected \"o\""
    ), "{text}");
}

#[test]
fn what_allows_and_what_denies_is_named() {
    let (code, text) = shown("s3+saha read Algorithmia/data/x");
    assert_eq!(code, 0);
    assert!(text.contains("\n  allows: Algorithmia/data/* (policy.yaml:8:9)\n"), "{text}");
    assert!(!text.contains("nearest"), "{text}");
    let (code, text) = shown("s3+saha read Algorithmia/data/secret/x");
    assert_eq!(code, 5);
    assert!(text.contains("\n  denies: Algorithmia/data/secret/ (policy.yaml:11:9)\n"), "{text}");
    assert!(text.contains("\n  allows: Algorithmia/data/* (policy.yaml:8:9)\n"), "{text}");
}

#[test]
fn listings_name_what_leads_below_and_trees_what_spoils_them() {
    let (code, text) = shown("s3+saha list Algorithmia/data");
    assert_eq!(code, 0);
    assert!(text.contains("read at some path below Algorithmia/data/: allowed.rule"), "{text}");
    assert!(text.contains("  denies some of it: Algorithmia/data/secret/"), "{text}");
    assert!(text.contains("  allows everything below: Algorithmia/data/*"), "{text}");
    let (code, text) = shown("s3+tree delete-tree pub/a");
    assert_eq!(code, 5);
    assert!(text.contains("  allows some of it: pub/a/b/"), "{text}");
    assert!(text.contains("  no restriction gives delete at every path below\n"), "{text}");
    let (code, _) = shown("s3+saha delete-tree Algorithmia/out");
    assert_eq!(code, 0);
}

#[test]
fn a_copy_is_explained_at_both_ends() {
    let (code, text) = shown("s3+saha copy other/x --to Algorithmia/data/y");
    assert_eq!(code, 5);
    assert!(text.contains("\nread at other/x: deny.no_match\n"), "{text}");
    assert!(text.contains("\nwrite at Algorithmia/data/y: deny.access\n"), "{text}");
}

#[test]
fn refusals_before_any_rule_say_so() {
    for (question, code, says) in [
        ("s3+all read-acl pub/x", 5, "permissions change only where the connection is configured"),
        ("s3+all read pub/x --key-access none", 5, "key does not carry this access"),
        ("s3+plain read pub//x", 2, "may read this path"),
        ("s3+all read /pub", 2, "leave the first `/` out"),
    ] {
        let (exit, text) = shown(question);
        assert_eq!(exit, code, "{text}");
        assert!(text.contains(says) && !text.contains("nearest"), "{text}");
    }
    let ran = Folder::new().ask("explain s3+nobody read pub/x");
    assert_eq!(ran.code, 5);
    assert!(ran.out.contains("the caller has no such connection"), "{}", ran.out);
}

#[test]
fn json_has_every_rule() {
    let ran = Folder::new().ask("explain s3+saha read Algorithmia/data2/x --format json");
    let json = ran.json();
    assert_eq!((ran.code, &json["reason"]), (5, &"deny.no_match".into()));
    let need = &json["needs"][0];
    assert_eq!((&need["scope"], &need["nearest"]), (&"here".into(), &1.into()));
    assert_eq!(need["considered_total"], 4);
    let near = &need["considered"][1];
    assert_eq!(near["rule"]["text"], "Algorithmia/data/*");
    assert_eq!((&near["fit"], &near["carries"]), (&"apart".into(), &true.into()));
    assert_eq!(
        near["parting"],
        serde_json::json!(
            {"at": 16, "agreed": 16, "expected": "text", "expected_text": "/", "found": "2"}
        )
    );
}

#[test]
fn of_thousands_of_rules_only_the_interesting_are_shown() {
    use std::fmt::Write;
    let mut policy =
        String::from("connections:\n  - id: s3+a\n    owner: steph\n    restrictions:\n");
    for n in 0..3_000 {
        writeln!(policy, "      - bucket{n}/data/*").expect("a string");
    }
    let folder = Folder::with(&policy);
    let ran = folder.ask("explain s3+a read bucket2999/date");
    assert_eq!(ran.code, 5);
    assert!(ran.out.contains("\n  nearest: bucket2999/data/* (policy.yaml:3004:9)"), "{}", ran.out);
    assert!(ran.out.contains("  and 2997 of 3000 rules more"), "{}", ran.out);
    assert!(ran.lines().len() < 10, "{}", ran.out);
    let json = folder.ask("explain s3+a read bucket2999/date --format json").json();
    assert_eq!(json["needs"][0]["considered"].as_array().map(Vec::len), Some(3_000));
}

/// What would turn a decision is tried: the policy is changed so, and asked again.
#[test]
fn what_would_turn_it_does_and_its_example_shows_what_else() {
    for (question, lines) in [
        (
            "s3+saha read Algorithmia/data2/x",
            &[
                "to allow it: add { path: \"Algorithmia/data2/x\", access: [read] } to `restrictions`; opens nothing else",
            ][..],
        ),
        (
            "s3+saha write Algorithmia/data/x",
            &[
                "to allow it: add { path: \"Algorithmia/data/x\", access: [write] } to `restrictions`; opens nothing else",
                "to allow it: give write to Algorithmia/data/* (policy.yaml:8:9); opens more, such as Algorithmia/data/",
            ],
        ),
        (
            "s3+saha read Algorithmia/data/secret/x",
            &[
                "to allow it: take out Algorithmia/data/secret/ (policy.yaml:11:9); opens more, such as Algorithmia/data/secret/",
            ],
        ),
        (
            "s3+saha read Algorithmia/data/x",
            &[
                "to deny it: add { path: \"Algorithmia/data/x\", access: [read] } to `deny`; closes nothing else",
                "to deny it: take out Algorithmia/data/* (policy.yaml:8:9); closes more, such as Algorithmia/data/",
            ],
        ),
        (
            "s3+saha read Algorithmia/team.jpg",
            &[
                "to deny it: add { path: \"Algorithmia/team.jpg\", access: [read] } to `deny`; closes nothing else",
                "to deny it: take out Algorithmia/team.jpg (policy.yaml:7:9); closes nothing else",
            ],
        ),
        (
            "s3+saha write Algorithmia/data/secret/x*y",
            &[
                "to allow it: take out Algorithmia/data/secret/ (policy.yaml:11:9), and add { path: 'Algorithmia/data/secret/x\\*y', access: [write] } to `restrictions`; opens nothing else",
                "to allow it: take out Algorithmia/data/secret/ (policy.yaml:11:9), and give write to Algorithmia/data/* (policy.yaml:8:9); opens more, such as Algorithmia/data/",
            ],
        ),
        (
            "s3+saha list logs",
            &[
                "to allow it: add { path: \"logs/\", access: [read] } to `restrictions`; opens more, such as logs/a",
            ],
        ),
        // Of a listing that is allowed, and of a tree that may not be deleted, nothing was said.
        (
            "s3+saha list Algorithmia",
            &[
                "to deny it: add { path: \"Algorithmia/\", access: [read] } to `deny`; closes all that is below for read, and nothing elsewhere",
                "to deny it: take out Algorithmia/team.jpg (policy.yaml:7:9), and take out Algorithmia/data/* (policy.yaml:8:9), and take out Algorithmia/out/ (policy.yaml:9:17); closes all that is below for read, and nothing elsewhere",
            ],
        ),
        (
            "s3+tree delete-tree pub/a",
            &[
                "to allow it: add { path: \"pub/a/\", access: [delete] } to `restrictions`; opens all that is below for delete, and nothing elsewhere",
            ],
        ),
        ("s3+tree delete-tree pub/a/b", &[]),
        ("s3+plain read pub//x", &[]),
        ("s3+all read-acl pub/x", &[]),
    ] {
        let (_, text) = shown(question);
        let said: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("  "))
            .filter(|l| l.starts_with("to "))
            .collect();
        assert_eq!(said, lines, "{question}");
    }
    let json = Folder::new().ask("explain s3+saha write Algorithmia/data/x --format json").json();
    let remedies = &json["needs"][0]["remedies"];
    assert_eq!(remedies[0]["change"][0]["restriction"], "Algorithmia/data/x");
    assert_eq!(
        (&remedies[0]["also"], &remedies[0]["decided"]),
        (&serde_json::Value::Null, &true.into())
    );
    assert_eq!(remedies[1]["change"][0]["step"], "widen");
    assert_eq!(remedies[1]["change"][0]["rule"]["id"], 1);
    assert_eq!(remedies[1]["also"], "Algorithmia/data/");
}
