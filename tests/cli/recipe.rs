//! `policies/ci.sh`, as CI of a repository of policies runs it.

use std::{fs, path::Path, process::Command};

use super::{Folder, diff::git};

/// The policies of this repository, copied into a repository of their own.
fn repository() -> Folder {
    let folder = Folder::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    fs::create_dir(folder.0.path().join("policies")).expect("a folder");
    for entry in fs::read_dir(from).expect("policies").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name().into_string().expect("plain names");
        if name.ends_with(".yaml") || name.ends_with(".sh") {
            let text = fs::read(entry.path()).expect("a file");
            folder.file(&format!("policies/{name}"), &text);
        }
    }
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "-m", "before"]);
    folder
}

fn ci(folder: &Folder, new_access: &str) -> (Option<i32>, String) {
    let ran = Command::new("sh")
        .args(["policies/ci.sh", "policies", "HEAD", "reports"])
        .env("PATHWARD", env!("CARGO_BIN_EXE_pathward"))
        .env("NEW_ACCESS", new_access)
        .current_dir(folder.0.path())
        .output()
        .expect("sh runs");
    let [out, err] =
        [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (ran.status.code(), out + &err)
}

/// It was a complaint of the shell.
#[test]
fn the_recipe_says_how_it_is_run() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/ci.sh");
    for args in [&[][..], &["policies"], &["policies", "HEAD", "reports", "more"]] {
        let ran = Command::new("sh").arg(&script).args(args).output().expect("sh runs");
        let says = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{says}");
        assert!(says.starts_with("usage: ") && says.contains("FOLDER BASE [REPORTS]"), "{says}");
    }
}

#[test]
fn the_recipe_stops_what_it_should() {
    let folder = repository();
    let site = folder.0.path().join("policies/static-site.yaml");
    let before = fs::read_to_string(&site).expect("a policy");
    let with = |line: &str| {
        before.replacen("    restrictions:\n", &format!("    restrictions:\n{line}"), 1)
    };

    let (code, text) = ci(&folder, "");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("no difference"), "{text}");
    for report in ["reports/lint.sarif", "reports/tests.xml"] {
        assert!(fs::metadata(folder.0.path().join(report)).expect(report).len() > 100, "{report}");
    }

    // New access, which a reviewer may agree to.
    fs::write(&site, with("      - elsewhere/new/\n")).expect("written");
    let (code, text) = ci(&folder, "");
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("+ ") && text.contains("elsewhere/new/"), "{text}");
    let (code, text) = ci(&folder, "agreed");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("1 newly allowed"), "{text}");

    // A finding, a test that fails, and a policy that does not load, which nobody can agree to.
    fs::write(&site, with("      - { path: \"*\", access: read-write }\n")).expect("written");
    let (code, text) = ci(&folder, "agreed");
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("(lint."), "{text}");
    // Whatever fails first, the rest is shown.
    assert!(text.contains(" expectations met") && text.contains(" newly allowed"), "{text}");

    fs::write(&site, &before).expect("written");
    let tests = folder.0.path().join("policies/static-site.test.yaml");
    let text = fs::read_to_string(&tests).expect("tests");
    assert!(text.contains(": deny"), "the test's own premise");
    fs::write(&tests, text.replacen(": deny", ": allow", 1)).expect("written");
    let (code, text) = ci(&folder, "agreed");
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("1 failed"), "{text}");

    fs::write(&site, "connections: [").expect("written");
    assert_eq!(ci(&folder, "agreed").0, Some(3));
}
