//! What a review says of a draft, and of a change.

use pathward::{
    Access, AccessSet,
    analysis::States,
    manage::{Review, STATES, review},
    store::{Draft, DraftRule},
};

fn draft(restrictions: &[&str], deny: &[&str]) -> Draft {
    let rows = |texts: &[&str]| texts.iter().map(|text| DraftRule::path(*text)).collect();
    let mut draft = Draft::new("t");
    draft.restrictions = Some(rows(restrictions));
    draft.deny = rows(deny);
    draft
}

fn of(draft: &Draft, old: Option<&Draft>) -> Review {
    review("ana", draft, old, STATES)
}

#[test]
fn rows_that_are_well_have_words_while_others_are_not() {
    let review = of(&draft(&["pub/", "/bad", "*", "pub/../x"], &["pub/x/", "a\nb"]), None);
    assert!(!review.is_valid());
    let problems: Vec<_> = review.problems.iter().map(|p| (p.field, p.row)).collect();
    assert_eq!(problems, [("restrictions", Some(1)), ("restrictions", Some(3)), ("deny", Some(1))]);
    let words: Vec<_> =
        review.meanings.iter().map(|m| (m.field, m.row, m.words.as_str())).collect();
    assert_eq!(
        words,
        [
            ("restrictions", Some(0), "everything in the bucket `pub` may be read"),
            ("restrictions", Some(2), "everything, in every bucket, may be read"),
            (
                "deny",
                Some(0),
                "everything in the folder `x` of the bucket `pub` may not be read, written or deleted"
            ),
        ]
    );
    assert!(review.problems.iter().all(|problem| problem.help.is_some()));
    assert!(review.opened.is_empty() && review.findings.is_empty());
}

#[test]
fn findings_stand_at_their_rows() {
    let mut written = draft(&["pub*", "logs/", "logs/x/", "data/[ab]"], &["other/"]);
    written.access = AccessSet::READ_WRITE;
    let review = of(&written, None);
    assert!(review.is_valid());
    let found = |code: &str| {
        let finding = review.findings.iter().find(|finding| finding.code == code);
        finding.unwrap_or_else(|| panic!("no {code} in {:?}", review.findings))
    };
    let crosses = found("lint.crosses_buckets");
    assert_eq!((crosses.field, crosses.row), ("restrictions", Some(0)));
    assert!(crosses.witness.is_some());
    assert_eq!((found("lint.shadowed").row, found("policy.glob_signs").row), (Some(2), Some(3)));
    let idle = found("lint.idle_deny");
    assert_eq!((idle.field, idle.row), ("deny", Some(0)));
    let nothing = Draft::new("t");
    let review = of(&nothing, None);
    assert_eq!(review.meanings.len(), 1);
    assert_eq!((review.meanings[0].field, review.meanings[0].row), ("restrictions", None));
}

/// What is hardly meant stands at its row, and what is to be written has nothing of YAML.
#[test]
fn what_is_hardly_meant_stands_at_its_row() {
    let deny = [
        "pub/secret",
        "pub/**/.env",
        "pub/my%20files/",
        "pub/${USER}/",
        "pub/a\u{a0}b/",
        "pub/a/*, pub/b/*",
        "pub/{a,b}/",
        "pub/s\u{435}cret/",
    ];
    let mut written = draft(&["pub/"], &deny);
    written.deny.push(DraftRule { text: "**/private".to_owned(), glob: true, access: None });
    let review = of(&written, None);
    assert!(review.is_valid(), "{:?}", review.problems);
    for (row, code) in [
        "lint.not_directory",
        "lint.star_star",
        "policy.percent",
        "policy.placeholder",
        "policy.invisible",
        "policy.two_paths",
        "policy.glob_signs",
        "policy.look_alike",
        "lint.not_directory",
    ]
    .into_iter()
    .enumerate()
    {
        let at = |f: &&pathward::manage::Finding| {
            (f.field, f.row) == ("deny", Some(row)) && f.code == code
        };
        let found = review.findings.iter().find(at);
        let found = found.unwrap_or_else(|| panic!("no {code} at {row} in {:?}", review.findings));
        assert!(!found.fix.contains("glob:"), "{}", found.fix);
    }
    let review = of(&draft(&["acme\\\\x", "/acme/x", r"acme\in\x", "{a,b}"], &[]), None);
    let help = |row| {
        let at = review.problems.iter().find(|problem| problem.row == Some(row));
        at.and_then(|problem| problem.help.clone()).unwrap_or_default()
    };
    assert!(help(1).ends_with("write `acme/x`"), "{}", help(1));
    assert!(help(2).contains("write `acme/in/x`"), "{}", help(2));
}

#[test]
fn a_change_says_what_opens_and_what_is_lost() {
    let old = draft(&["pub/a/", "pub/b/"], &["pub/a/locked/"]);
    let mut new = draft(&["pub/a/", "pub/c*"], &[]);
    // Another name is no difference in what is allowed.
    new.label = "renamed".to_owned();
    let review = of(&new, Some(&old));
    let told = |list: &[pathward::manage::Opened]| -> Vec<(Option<String>, bool, String)> {
        list.iter().map(|o| (o.restriction.clone(), o.whole, o.path.clone())).collect()
    };
    assert_eq!(
        told(&review.opened),
        [
            (Some("pub/c*".into()), true, "pub/c".into()),
            (Some("pub/a/locked/".into()), true, "pub/a/locked/".into()),
        ]
    );
    assert!(review.opened[1].words.ends_with("(the deny is gone)"), "{}", review.opened[1].words);
    assert_eq!(told(&review.lost), [(Some("pub/b/".into()), true, "pub/b/".into())]);
    assert_eq!(review.lost[0].access, AccessSet::NONE.with(Access::Read));
    assert_eq!(review.undecided, 0);

    let same = of(&old, Some(&old));
    assert!(same.opened.is_empty() && same.lost.is_empty());

    let mut writes = old.clone();
    writes.access = AccessSet::READ_WRITE;
    let opened = of(&writes, Some(&old)).opened;
    assert!(opened.iter().all(|o| !o.access.contains(Access::Read)));
    assert_eq!(opened.len(), 2);
    assert!(opened[1].words.ends_with("(the restriction gives more)"), "{}", opened[1].words);
    let lost = of(&old, Some(&writes)).lost;
    assert!(lost[1].words.ends_with("(the restriction gives less)"), "{}", lost[1].words);

    let mut moved = old.clone();
    moved.endpoint = Some("https://other.example".to_owned());
    assert!(of(&moved, Some(&old)).findings.iter().any(|f| f.code == "review.endpoint"));
}

#[test]
fn what_is_not_decided_is_said() {
    // With next to no budget, nothing about it can be found out.
    let new = draft(&["a*b*c*d*e*f*g", "*a*b*c*d*e*f"], &["*x*y*z*"]);
    let old = draft(&["b*b*c*d*e*f*g", "*b*b*c*d*e*f"], &["*w*y*z*"]);
    let review = review("ana", &new, Some(&old), States::new(1));
    assert!(review.undecided > 0);
}
