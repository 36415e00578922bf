//! Every checked-in input of the fuzz targets, through the target's body.
//!
//! `fuzz/corpus/TARGET` are inputs made by hand; `fuzz/regressions/TARGET` are those that once
//! failed, each with its cause in the `README.md` there.

use std::path::Path;

use pathward::internal;

#[test]
fn the_corpus_holds() {
    type Body = fn(&[u8]);
    let targets: &[(&str, Body)] = &[
        ("restriction_text", internal::restriction_text),
        ("policy_yaml", internal::policy_yaml),
        ("path_parsing", internal::path_parsing),
        ("decide_vs_reference", internal::decide_vs_reference),
        ("listing_plan", internal::listing_plan),
        ("algebra", internal::algebra),
        #[cfg(feature = "cli")]
        ("iam_import", internal::iam_import),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, body) in targets {
        assert!(root.join(format!("fuzz_targets/{name}.rs")).exists(), "{name} is a target");
        let mut run = 0;
        for kind in ["corpus", "regressions"] {
            // A target has no regressions until it has had one.
            let Ok(entries) = std::fs::read_dir(root.join(kind).join(name)) else { continue };
            for entry in entries {
                let path = entry.expect("an entry").path();
                let data = std::fs::read(&path).expect("a readable file");
                println!("{}", path.display());
                body(&data);
                run += 1;
            }
        }
        assert!(run >= 3, "{name} has a corpus");
    }
}
