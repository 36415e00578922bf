//! `lint`: how findings are shown, left out and counted.

use super::Folder;

const POLICY: &str = "\
connections:
  - id: s3+saha
    owner: steph
    restrictions:
      - Algorithmia*
      - pub/
      - pub/data/
    deny:
      - pub/secret
  - id: s3+out
    owner: steph
    access: read-write
    restrictions:
      - pub/out/
";

#[test]
fn findings_name_the_place_the_path_and_the_fix() {
    let ran = Folder::with(POLICY).ask("lint");
    assert_eq!((ran.code, &*ran.err), (4, ""));
    assert_eq!(
        ran.out,
        "\
note: `s3+out` gives write at `pub/out/`, where `s3+saha` of the same owner does not (lint.overlap)
  --> policy.yaml:2:5
  connection: s3+saha of steph
  help: give both the same access there, or keep their paths apart

warning: `Algorithmia*` crosses the bucket's name: it matches in every bucket whose name starts with `Algorithmia`, such as `Algorithmia-private/a` (lint.crosses_buckets)
  --> policy.yaml:5:9
  connection: s3+saha of steph
  help: for that bucket alone write `Algorithmia/`

warning: `pub/data/` allows nothing that is not allowed already, by `pub/` in line 6 (lint.shadowed)
  --> policy.yaml:7:9
  connection: s3+saha of steph
  help: take it out: nothing changes

warning: `pub/secret` denies that path alone, and nothing below it: `pub/secret/a` is still allowed (lint.not_directory)
  --> policy.yaml:9:9
  connection: s3+saha of steph
  help: if it is a folder write `pub/secret/`

0 errors, 3 warnings, 1 note
"
    );
}

#[test]
fn what_is_ignored_is_counted_and_fails_nothing() {
    let folder = Folder::with(POLICY);
    let all = "--ignore lint.crosses_buckets --ignore lint.shadowed --ignore lint.not_directory";
    for (args, code, ends) in [
        (all.to_owned(), 0, "0 errors, 0 warnings, 1 note; 3 ignored\n"),
        (format!("{all} --fail-level note"), 4, "1 note; 3 ignored\n"),
        (format!("{all} --fail-level note --ignore lint.overlap@s3+saha"), 0, "; 4 ignored\n"),
        (format!("{all} --fail-level note --ignore lint.overlap@s3+out"), 4, "1 note; 3 ignored\n"),
        ("--fail-level error".to_owned(), 0, "3 warnings, 1 note\n"),
        ("--fail-level never".to_owned(), 0, "3 warnings, 1 note\n"),
        ("--ignore lint.shadowed@s3+out".to_owned(), 4, "3 warnings, 1 note\n"),
    ] {
        let ran = folder.ask(&format!("lint {args}"));
        assert_eq!(ran.code, code, "{args}: {}", ran.out);
        assert!(ran.out.ends_with(ends), "{args}: {}", ran.out);
    }
    for args in ["--ignore lint.nothing", "--ignore lint.shadowed@ftp+x", "--format junit"] {
        assert_eq!(folder.ask(&format!("lint {args}")).code, 2, "{args}");
    }
}

#[test]
fn what_is_not_decided_is_an_error_and_no_finding() {
    let policy =
        POLICY.replace("      - pub/data/\n", "      - \"logs/*a*\"\n      - \"logs/*a*b*c\"\n");
    let policy = policy.replace("      - Algorithmia*\n", "").replace("pub/secret", "pub/x.y");
    let ran = Folder::with(&policy).ask("lint --states 1 --fail-level never");
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("not decided within 1 states"), "{}", ran.err);
}

#[test]
fn json_and_sarif_have_the_same_findings() {
    let folder = Folder::with(POLICY);
    let json = folder.ask("lint --format json").json();
    let findings = json["findings"].as_array().expect("a list");
    assert_eq!((findings.len(), &json["ignored"]), (4, &0.into()));
    assert_eq!(findings[2]["code"], "lint.shadowed");
    assert_eq!(findings[2]["by"][0]["text"], "pub/");
    assert_eq!((&findings[2]["line"], &findings[2]["connection"]), (&7.into(), &"s3+saha".into()));
    assert_eq!(findings[3]["witness"], "pub/secret/a");
    let ran = folder.ask("lint --format sarif");
    assert_eq!(ran.code, 4);
    let sarif = ran.json();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().expect("a list");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
    for (finding, result) in findings.iter().zip(results) {
        assert_eq!((&finding["code"], &finding["level"]), (&result["ruleId"], &result["level"]));
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "policy.yaml");
        assert_eq!(place["region"]["startLine"], finding["line"]);
    }
    assert_eq!(folder.ask("validate --format sarif").code, 2);
}

/// That the comparison of connections ends at 2,000 pairs was said as a question that more states would answer.
#[test]
fn pairs_that_were_not_compared_are_said() {
    let connections = |count: usize| {
        let connection = |n: usize| {
            let access = if n.is_multiple_of(2) { "read-only" } else { "read-write" };
            format!("  - {{ id: s3+c{n}, owner: o, access: {access}, restrictions: [pub/{n}/] }}\n")
        };
        let connections: String = (0..count).map(connection).collect();
        Folder::with(&format!("connections:\n{connections}"))
    };
    let ran = connections(70).ask("lint");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let folder = connections(140);
    let ran = folder.ask("lint");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(
        ran.err,
        "note: lint.overlap: not all pairs of connections were compared, which ends at 2,000 pairs or at \
         the budget; `--ignore lint.overlap` does without\n"
    );
    assert_eq!(folder.ask("lint --ignore lint.overlap").code, 0);
    assert_eq!(folder.ask("lint --format json").json()["uncompared"], true);
}

/// `validate` says of denies what they leave open, and warns of what is hardly meant.
#[test]
fn what_denies_leave_open_is_said_by_validate_too() {
    let policy = "\
connections:
  - id: s3+t
    owner: ada
    restrictions: [acme-data/]
    deny:
      - { glob: \"**/secrets\" }
      - acme-data/**/.env
      - acme-data/my%20files/
";
    let folder = Folder::with(policy);
    let ran = folder.ask("validate");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("3 warnings"), "{}", ran.out);
    for says in [
        "warning: `**/secrets` denies that path alone, and nothing below it: `acme-data/secrets/a` is still allowed\n --> policy.yaml:6:17\nhelp: if it is a folder write `**/secrets/**`",
        "`acme-data/.env` is still allowed",
        "`acme-data/my files/` is another path",
    ] {
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
    let json = folder.ask("validate --format json").json();
    let found = json["policies"][0]["diagnostics"].as_array().expect("a list").clone();
    let codes: Vec<_> = found.iter().map(|found| found["code"].as_str().expect("a code")).collect();
    assert_eq!(codes, ["policy.percent", "lint.not_directory", "lint.star_star"]);
    assert!(
        found
            .iter()
            .all(|found| found["severity"] == "warning" && found["line"].as_u64() > Some(5))
    );
    let ran = Folder::with(&policy.replace("**/secrets", "**/secrets/**"))
        .ask("lint --ignore policy.percent");
    assert_eq!(ran.code, 4, "{}", ran.out);
    assert!(
        !ran.out.contains("not_directory") && ran.out.contains("lint.star_star"),
        "{}",
        ran.out
    );
}
