//! No other code can make an approval, use one twice, or approve an operation of its own.
//!
//! Each file in `fail` has a twin in `pass` that differs in nothing but the
//! thing that is wrong, so that none of them fails for a typo; what the compiler says is pinned.

#[test]
fn approvals_cannot_be_forged() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}

/// Every failure has its passing twin, and none is without one.
#[test]
fn every_failure_has_a_twin() {
    let names = |directory: &str| -> Vec<_> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        let mut names: Vec<_> = std::fs::read_dir(root)
            .expect("the directory is there")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name.to_string_lossy().ends_with(".rs"))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("pass"), names("fail"));
}
