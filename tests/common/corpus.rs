//! The checked-in inputs of a fuzz target.
//!
//! `fuzz/corpus/TARGET` are inputs made by hand; `fuzz/regressions/TARGET` are those that once
//! failed, each with its cause in the `README.md` there.

#![expect(clippy::expect_used, reason = "a test that fails panics, and says why")]

use std::path::Path;

/// Gives each of them to the target's body.
pub(crate) fn run(name: &str, body: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    assert!(root.join(format!("fuzz_targets/{name}.rs")).exists(), "{name} is a target");
    let mut run = 0;
    for kind in ["corpus", "regressions"] {
        // A target has no regressions until it has had one.
        let Ok(entries) = std::fs::read_dir(root.join(kind).join(name)) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let data = std::fs::read(&path).expect("a readable file");
            body(&data);
            run += 1;
        }
    }
    assert!(run >= 3, "{name} has a corpus");
}
