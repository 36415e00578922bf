//! `diff`: what is newly allowed, what no longer, and policies in git.

use super::Folder;

const OLD: &str = "\
connections:
  - id: s3+saha
    owner: steph
    restrictions:
      - Algorithmia/team.jpg
      - Algorithmia/data/*
    deny:
      - Algorithmia/data/secret/
  - id: s3+gone
    owner: steph
    restrictions: [pub/]
";
const NEW: &str = "\
connections:
  - id: s3+saha
    owner: steph
    credentials: { profile: other }
    restrictions:
      - Algorithmia/data/
      - { path: Algorithmia/out/, access: read-write }
      - Algorithmia*
  - id: s3+new
    owner: dana
    restrictions: [pub/dana/]
";

fn folder() -> Folder {
    let folder = Folder::with(OLD);
    folder.file("new.yaml", NEW.as_bytes());
    folder
}

#[test]
fn changes_are_named_with_a_path_each() {
    let ran = folder().run(["diff", "policy.yaml", "new.yaml"]);
    assert_eq!((ran.code, &*ran.err), (0, ""));
    assert_eq!(
        ran.out,
        "\
s3+new of dana, a new connection
  + read-only  pub/dana/ (new.yaml:11:20), all of it, such as pub/dana/

s3+gone of steph, which is gone
  - read-only  pub/ (policy.yaml:11:20), all of it, such as pub/a

s3+saha of steph
  ! credentials: none -> profile other
  + read-write  Algorithmia/out/ (new.yaml:7:17), all of it, such as Algorithmia/out/
  + read-only  Algorithmia* (new.yaml:8:9), a part of it, such as Algorithmia/d
  + read-only  no longer denied: Algorithmia/data/secret/ (policy.yaml:8:9), all of it, such as Algorithmia/data/secret/

4 newly allowed, 1 no longer
"
    );
}

#[test]
fn the_gate_fails_on_what_is_new_and_on_nothing_else() {
    let folder = folder();
    for (args, code) in [
        (["diff", "policy.yaml", "new.yaml", "--no-new-access"], 4),
        (["check-no-new-access", "policy.yaml", "new.yaml", "--show=1"], 4),
        (["diff", "policy.yaml", "policy.yaml", "--no-new-access"], 0),
    ] {
        assert_eq!(folder.run(args).code, code, "{args:?}");
    }
    folder.file("less.yaml", OLD.replace("      - Algorithmia/team.jpg\n", "").as_bytes());
    let ran = folder.run(["check-no-new-access", "policy.yaml", "less.yaml"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.ends_with("0 newly allowed, 1 no longer\n"), "{}", ran.out);
    let ran = folder.run(["check-no-new-access", "less.yaml", "policy.yaml"]);
    assert_eq!(ran.code, 4);
    // Other credentials are another place.
    let other = OLD.replace("owner: steph", "owner: steph\n    credentials: { profile: x }");
    folder.file("other.yaml", other.as_bytes());
    assert_eq!(folder.run(["check-no-new-access", "policy.yaml", "other.yaml"]).code, 4);
    assert_eq!(folder.run(["diff", "policy.yaml", "missing.yaml"]).code, 3);
}

#[test]
fn another_spelling_is_no_difference() {
    let folder = folder();
    let other = OLD
        .replace("Algorithmia/data/*", "Algorithmia/data/**\n      - Algorithmia/data/x/*")
        .replace("[pub/]", "[{ glob: pub/** }, pub/*]");
    folder.file("other.yaml", other.as_bytes());
    let ran = folder.run(["diff", "policy.yaml", "other.yaml", "--no-new-access"]);
    assert_eq!((ran.code, &*ran.out), (0, "no difference: both allow the same\n"));
}

#[test]
fn keys_that_may_do_more_are_new_access() {
    let users = |access: &str, last: &str| {
        let hash = format!("{}{last}", "0123456789abcdef".repeat(4).split_at(63).0);
        format!(
            "{OLD}users:\n  - name: steph\n    keys:\n      - {{ id: laptop, sha256: {hash}, access: {access} }}\n"
        )
    };
    let folder = folder();
    folder.file("none.yaml", OLD.as_bytes());
    folder.file("read.yaml", users("read-only", "1").as_bytes());
    folder.file("write.yaml", users("read-write", "1").as_bytes());
    folder.file("other.yaml", users("read-only", "2").as_bytes());
    let some = |names: &str| users(&format!("read-only, connections: [{names}]"), "1");
    folder.file("one.yaml", some("s3+saha").as_bytes());
    folder.file("two.yaml", some("s3+pub, s3+saha").as_bytes());
    for (old, new, code) in [
        ("none.yaml", "read.yaml", 4),
        ("read.yaml", "write.yaml", 4),
        ("read.yaml", "other.yaml", 4),
        ("write.yaml", "read.yaml", 0),
        ("read.yaml", "none.yaml", 0),
        ("one.yaml", "read.yaml", 4),
        ("one.yaml", "two.yaml", 4),
        ("two.yaml", "one.yaml", 0),
        ("read.yaml", "two.yaml", 0),
        ("none.yaml", "one.yaml", 4),
    ] {
        let ran = folder.run(["check-no-new-access", old, new]);
        assert_eq!(ran.code, code, "{old} {new}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("! key laptop of steph: "), "{}", ran.out);
    }
    let said = folder.run(["diff", "one.yaml", "two.yaml"]).out;
    assert!(
        said.contains("read-only -> read-only, reaches s3+pub, s3+saha, reached s3+saha\n"),
        "{said}"
    );
    let json = folder.run(["diff", "read.yaml", "one.yaml", "--format", "json"]).json();
    assert_eq!(json["keys"][0]["connections"], serde_json::json!(["s3+saha"]));
}

#[test]
fn json_has_every_change() {
    let json = folder().run(["diff", "policy.yaml", "new.yaml", "--format", "json"]).json();
    assert_eq!((&json["equal"], &json["new_access"]), (&false.into(), &true.into()));
    let saha = &json["connections"][2];
    assert_eq!((&saha["connection"], &saha["change"]), (&"s3+saha".into(), &"changed".into()));
    let change = &saha["opened"][2];
    assert_eq!(change["cause"], "deny");
    assert_eq!(change["rule"]["text"], "Algorithmia/data/secret/");
    assert_eq!(change["rule"]["id"], 2);
    assert_eq!((&change["extent"], &change["access"][0]), (&"whole".into(), &"read".into()));
    assert_eq!(change["witness"], "Algorithmia/data/secret/");
    assert_eq!(saha["opened_total"], 3);
}

/// Git, without what the machine's own configuration would add.
pub(super) fn git(folder: &Folder, arguments: &[&str]) {
    let ran = std::process::Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder.0.path())
        .output()
        .expect("git runs");
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// It was said that git knows no such revision.
#[test]
fn without_a_repository_that_is_what_is_said() {
    let folder = folder();
    let run = |name: &str, value: &std::ffi::OsStr| {
        let mut command = folder.command();
        command.args(["diff", "git:HEAD:policy.yaml", "policy.yaml"]).env(name, value);
        super::ran(&mut command)
    };
    // Whatever is above the folder of tests.
    let above = folder.0.path().parent().expect("a folder");
    let ran = run("GIT_CEILING_DIRECTORIES", above.as_os_str());
    assert_eq!((ran.code, &*ran.out), (2, ""));
    assert_eq!(
        ran.err,
        "error: `git:HEAD:policy.yaml`: this folder is in no git repository: run it in one that has the policy, \
         or name a file or a folder without `git:`\n"
    );
    let ran = run("PATH", folder.0.path().as_os_str());
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("there is no `git` in the PATH"), "{}", ran.err);
}

#[test]
fn policies_are_read_from_git() {
    let folder = folder();
    std::fs::create_dir(folder.0.path().join("all")).expect("a folder");
    folder.file("all/one.yaml", OLD.as_bytes());
    folder.file("all/one.test.yaml", b"not: a policy");
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "-m", "old"]);
    folder.file("policy.yaml", NEW.as_bytes());
    folder.file("all/one.yaml", NEW.as_bytes());
    for (old, new, code) in [
        ("git:HEAD:policy.yaml", "policy.yaml", 4),
        ("git:HEAD:all", "all", 4),
        ("git:HEAD:all/", "git:HEAD:policy.yaml", 0),
        ("git:HEAD:new.yaml", "policy.yaml", 0),
        // Names, and no patterns: git once took them for its own.
        ("git:HEAD::(glob)new.yaml", "policy.yaml", 2),
        ("git:HEAD:[n]ew.yaml", "policy.yaml", 2),
        ("git:NOWHERE:policy.yaml", "policy.yaml", 2),
        ("git:--help:policy.yaml", "policy.yaml", 2),
        ("git:HEAD:missing.yaml", "policy.yaml", 2),
        ("git:policy.yaml", "policy.yaml", 2),
        ("git:HEAD:all/one.test.yaml", "policy.yaml", 3),
    ] {
        let ran = folder.run(["diff", old, new, "--no-new-access"]);
        assert_eq!(ran.code, code, "{old} {new}: {}{}", ran.out, ran.err);
    }
    let ran = folder.run(["diff", "git:HEAD:all", "all"]);
    assert!(ran.out.contains("(git:HEAD:all/one.yaml:8:9), all of it"), "{}", ran.out);
    // The whole of the folder that one is in.
    git(&folder, &["rm", "--quiet", "--cached", "new.yaml", "policy.yaml"]);
    git(&folder, &["commit", "--quiet", "-m", "one folder"]);
    let inner = folder
        .command()
        .current_dir(folder.0.path().join("all"))
        .args(["diff", "git:HEAD:", "one.yaml"])
        .output()
        .expect("runs");
    assert_eq!(inner.status.code(), Some(0), "{}", String::from_utf8_lossy(&inner.stderr));
    assert!(String::from_utf8_lossy(&inner.stdout).contains("newly allowed"));
}
