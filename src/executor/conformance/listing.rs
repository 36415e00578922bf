//! Listings: everything that may be shown, once, and nothing that tells of what may not.

use super::{
    objects::strings,
    report::{Done, Outcome, passed, same},
    trial::{ALL, Trial},
    view::View,
};
use crate::executor::{DirectoryPage, PageRequest, Want};

/// However large its pages are, they make the same directory.
pub(super) async fn pages(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write_all(&["@/a", "@/b/1", "@/b/2/3", "@/b.", "@/b0", "@/c", "@/d/1", "@/z"]).await?;
    view.create_directory("@/e/").await?;
    let folders = ["b/", "d/", "e/"];
    let files = ["a", "b.", "b0", "c", "z"];
    let mut all = [&folders[..], &files[..]].concat();
    all.sort_unstable();
    for (want, names) in
        [(Want::All, &all[..]), (Want::Folders, &folders[..]), (Want::Files, &files[..])]
    {
        for limit in [1, 2, 3, 4, 8, 1_000] {
            let what = format!("{want:?} of @/ in pages of {limit}");
            same(&what, &view.list("@/", want, limit).await?, &strings(names))?;
        }
    }
    // With rules that name them one by one there is more to put together.
    let rules = "restrictions: ['@/a', '@/b/2/*', '@/b0', '@/d/', '@/e/', '@/z']";
    let view = trial.view(&format!("{ALL}\n{rules}"))?;
    for limit in [1, 2, 3, 1_000] {
        let names = view.list("@/", Want::All, limit).await?;
        let what = format!("a narrowed @/ in pages of {limit}");
        same(&what, &names, &strings(&["a", "b/", "b0", "d/", "e/", "z"]))?;
    }
    let page = view
        .page("@/", PageRequest { after: None, want: Want::Files, limit: 1_000, brief: false })
        .await?;
    let sizes: Vec<u64> = page.files.iter().map(|file| file.size).collect();
    same("the sizes of files in @/", &sizes, &vec![10, 10, 10])?;
    passed()
}

/// A directory is there when something is in it, or its own marker.
pub(super) async fn directories(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    view.write_all(&["@/file", "@/full/x", "@/half2/x"]).await?;
    view.create_directory("@/marked/").await?;
    let cases = [
        ("@/", true),
        ("@/full/", true),
        ("@/marked/", true),
        ("@/file/", false),
        ("@/half/", false),
    ];
    for (path, is_there) in cases {
        for limit in [0, 1, 100] {
            let page = view
                .page(path, PageRequest { after: None, want: Want::All, limit, brief: false })
                .await?;
            same(&format!("whether {path} is there, limit {limit}"), &page.exists, &is_there)?;
            if limit == 0 {
                let is_empty = page.folders.is_empty() && page.files.is_empty();
                same(&format!("{path}: no entries where none are asked for"), &is_empty, &true)?;
            }
        }
    }
    same("list @/marked/", &view.list("@/marked/", Want::All, 10).await?, &strings(&[]))?;
    passed()
}

/// Connections that hide `x/draft…` and what is in it, and show something else. Each with the directories that
/// it lists.
const HIDING: [(&str, &[&str]); 4] = [
    ("restrictions: ['@/x/', '@/y/']\ndeny: ['@/x/draft*', '@/y/draft*']", &["@/", "@/x/", "@/y/"]),
    ("restrictions: ['@/*.csv']", &["@/", "@/x/", "@/y/", "@/x/draft-2/"]),
    ("restrictions: ['@/x/', '@/y']\ndeny: ['@/x/*draft*']", &["@/", "@/x/"]),
    ("restrictions: [{ glob: '@/*/[a-c]*' }]", &["@/", "@/x/", "@/y/"]),
];

/// What may not be shown makes no difference: to no entry, to no count, to where a page ends, nor to whether a
/// directory is there.
pub(super) async fn hidden(trial: &Trial<'_>) -> Outcome {
    let everything = trial.view(ALL)?;
    let mut before: Option<Vec<String>> = None;
    for added in [&[][..], &["@/x/draft-1"], &["@/x/draft-2/er/1", "@/x/draft-2/er/2"]] {
        everything.write_all(added).await?;
        let mut said = Vec::new();
        for (rules, directories) in HIDING {
            let view = trial.view(&format!("{ALL}\n{rules}"))?;
            for path in directories {
                for limit in [0, 1, 100] {
                    for want in [Want::All, Want::Folders, Want::Files] {
                        let request = PageRequest { after: None, want, limit, brief: false };
                        // A page may end early, with a mark that is for nobody's eyes.
                        let page = view.page(path, request).await?;
                        let DirectoryPage { exists, folders, files, .. } = page;
                        let files: Vec<String> = files.into_iter().map(|file| file.name).collect();
                        said.push(format!(
                            "{path} {want:?}, limit {limit}, {rules}: {exists} {folders:?} {files:?}"
                        ));
                    }
                }
            }
        }
        if let Some(before) = &before {
            for (now, before) in said.iter().zip(before) {
                same(&format!("with {added:?}, which are hidden"), now, before)?;
            }
        }
        before = Some(said);
    }
    passed()
}

/// A directory, and the names in it.
type Directory = (&'static str, &'static [&'static str]);

/// What may be shown is, whatever is hidden beside it.
pub(super) async fn shown(trial: &Trial<'_>) -> Outcome {
    let everything = trial.view(ALL)?;
    let all = ["@/x/a.csv", "@/x/draft-1", "@/x/final", "@/y/b", "@/y/draft.csv", "@/z/1/2/c.csv"];
    everything.write_all(&all).await?;
    let cases: [(&str, &[Directory]); 4] = [
        (HIDING[0].0, &[("@/", &["x/", "y/"]), ("@/x/", &["a.csv", "final"]), ("@/y/", &["b"])]),
        (
            HIDING[1].0,
            &[("@/", &["x/", "y/", "z/"]), ("@/x/", &["a.csv"]), ("@/y/", &["draft.csv"])],
        ),
        (HIDING[2].0, &[("@/", &["x/"]), ("@/x/", &["a.csv", "final"])]),
        (HIDING[3].0, &[("@/", &["x/", "y/"]), ("@/x/", &["a.csv"]), ("@/y/", &["b"])]),
    ];
    for (rules, directories) in cases {
        let view = trial.view(&format!("{ALL}\n{rules}"))?;
        for (path, names) in directories {
            for limit in [1, 100] {
                let what = format!("{path} in pages of {limit}, {rules}");
                same(&what, &view.list(path, Want::All, limit).await?, &strings(names))?;
            }
        }
    }
    passed()
}

/// Objects whose names a server that reads `a//b` as `a/b` does not tell apart.
pub(super) const ALIASES: [&str; 2] = ["@/d//x", "@/d/a\\b"];

/// Writes them, if this place keeps them apart.
pub(super) async fn has_aliases(view: &View<'_>) -> Result<bool, String> {
    for path in ALIASES {
        let kept = view.write(path, b"an alias").await.is_ok();
        if !kept || view.read(path).await?.is_err() {
            return Ok(false);
        }
    }
    Ok(view.read("@/d/x").await?.is_err() && view.read("@/d/a/b").await?.is_err())
}

pub(super) const NO_ALIASES: Outcome =
    Ok(Done::Skipped("the server takes no keys such as `a//b`, or takes them for others"));

/// With `keys: plain` some names are none. They are not shown, and make no difference.
pub(super) async fn aliases(trial: &Trial<'_>) -> Outcome {
    let exact = trial.view(ALL)?;
    let plain = trial.view("access: read-write\nkeys: plain")?;
    exact.write("@/d/plain", b"one that is shown").await?;
    let mut before = Vec::new();
    for limit in [0, 1, 100] {
        before.push(
            plain
                .page("@/d/", PageRequest { after: None, want: Want::All, limit, brief: false })
                .await?,
        );
    }
    if !has_aliases(&exact).await? {
        return NO_ALIASES;
    }
    for (limit, before) in [0, 1, 100].into_iter().zip(before) {
        let request = PageRequest { after: None, want: Want::All, limit, brief: false };
        let now = plain.page("@/d/", request).await?;
        let shown = (now.exists, now.folders, now.files);
        let before = (before.exists, before.folders, before.files);
        same(&format!("@/d/ with names that are none, limit {limit}"), &shown, &before)?;
    }
    let names = plain.list("@/d/", Want::All, 100).await?;
    same("@/d/ with `keys: plain`", &names, &strings(&["plain"]))?;
    passed()
}

/// At the root are the buckets in which something is reached, and no others.
pub(super) async fn root(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(&format!("{ALL}\nrestrictions: ['@/x/']"))?;
    let bucket = view.path("@/x")?.bucket().to_vec();
    let bucket = String::from_utf8_lossy(&bucket).into_owned();
    view.write("@/x/a", b"").await?;
    let page = view
        .page("", PageRequest { after: None, want: Want::All, limit: 100, brief: false })
        .await?;
    same("whether the root is there", &page.exists, &true)?;
    same("the buckets", &page.folders, &vec![bucket])?;
    same("files at the root", &page.files, &Vec::new())?;
    passed()
}
