//! What starts with a prefix: everything that may be shown, in order and once, and nothing that tells of the rest.

use super::{
    listing::{NO_ALIASES, has_aliases},
    reading::etag,
    report::{Done, Outcome, done, offered, passed, same},
    trial::{ALL, Trial},
    view::View,
};
use crate::executor::{PrefixEntry, PrefixRequest, PrefixStart};

pub(super) const NO_PREFIXES: Outcome =
    Ok(Done::Skipped("the executor does not offer lists by prefix"));

/// Keys that have others beside them, above them, and in them.
const KEYS: [&str; 14] = [
    "@/a.b",
    "@/a/1",
    "@/a/2/3",
    "@/a/2/4",
    "@/a0",
    "@/b",
    "@/b!",
    "@/c d/2",
    "@/c%2F",
    "@/c/1",
    "@/d/x",
    "@/e/f/g/h",
    "@/z",
    "@/\u{fc}/1",
];

/// Folders, and what is within a segment, a key, both, and nothing.
const PREFIXES: [&str; 14] = [
    "@",
    "@/",
    "@/a",
    "@/a/",
    "@/a/2",
    "@/a/2/",
    "@/b",
    "@/c",
    "@/c/1",
    "@/d/",
    "@/e/f",
    "@/a/2/3/",
    "@/nothing",
    "@/\u{fc}",
];

/// What is to be shown of these keys, in order: those that are taken together with a star.
fn wanted(keys: &[&str], prefix: &str, is_delimited: bool, after: Option<&str>) -> Vec<String> {
    let folder = |key: &str| {
        let slash = key.strip_prefix(prefix)?.find('/').filter(|_| is_delimited)?;
        Some(key[..=prefix.len() + slash].to_owned())
    };
    let is_behind = |key: &str| {
        after.is_none_or(|after| {
            key > after && folder(after).is_none_or(|folder| !key.starts_with(&folder))
        })
    };
    let mut keys: Vec<&str> = keys.iter().copied().filter(|key| key.starts_with(prefix)).collect();
    keys.sort_unstable();
    let keys = keys.into_iter().filter(|key| is_behind(key));
    let mut entries: Vec<String> =
        keys.map(|key| folder(key).map_or_else(|| key.to_owned(), |folder| folder + "*")).collect();
    entries.dedup();
    entries
}

/// All that is shown, whatever its pages.
async fn all(
    view: &View<'_>,
    prefix: &str,
    is_delimited: bool,
    after: Option<&str>,
    limit: usize,
) -> Result<(String, Vec<String>), String> {
    let what = format!(
        "what starts with {prefix:?}, after {after:?}, taken together: {is_delimited}, in pages of {limit}"
    );
    let start =
        after.map_or(PrefixStart::First, |after| PrefixStart::After(view.key(after).into()));
    let pages = done(&what, view.prefix_pages(prefix, is_delimited, start, limit).await?)?;
    Ok((what, pages.concat()))
}

/// Whether the entries are these: in this order, where the server lists keys in the order of their bytes.
fn same_entries(
    what: &str,
    mut came: Vec<String>,
    mut wanted: Vec<String>,
    is_ordered: bool,
) -> Result<(), String> {
    if !is_ordered {
        came.sort_unstable();
        wanted.sort_unstable();
    }
    same(what, &came, &wanted)
}

const NO_ORDER: Outcome =
    Ok(Done::Skipped("the server does not list keys in the order of their bytes"));

/// Whether the server lists keys in the order of their bytes, as S3 does.
async fn is_ordered(view: &View<'_>) -> Result<bool, String> {
    Ok(all(view, "@/", false, None, 1_000).await?.1.is_sorted())
}

/// Whether the executor has lists by prefix at all.
async fn are_offered(view: &View<'_>) -> Result<bool, String> {
    let page = view.prefix_pages("@/", false, PrefixStart::First, 1).await?;
    Ok(offered("list by prefix", page)?.is_some())
}

/// However large its pages are, they make what starts with a prefix, in order and each entry once.
pub(super) async fn pages(trial: &Trial<'_>) -> Outcome {
    let view = trial.view(ALL)?;
    if !are_offered(&view).await? {
        return NO_PREFIXES;
    }
    view.write_all(&KEYS).await?;
    let narrow = trial.view(&format!("{ALL}\ndeny: ['@/nothing-of-this']"))?;
    let is_ordered = is_ordered(&view).await?;
    for view in [&view, &narrow] {
        for prefix in PREFIXES {
            for is_delimited in [false, true] {
                for limit in [1, 2, 3, 7, 1_000] {
                    let (what, came) = all(view, prefix, is_delimited, None, limit).await?;
                    let wanted = wanted(&KEYS, prefix, is_delimited, None);
                    same_entries(&what, came, wanted, is_ordered)?;
                }
            }
        }
        let request =
            PrefixRequest { start: PrefixStart::First, is_delimited: false, limit: 1_000 };
        let page = done("list by prefix", view.prefix_page("@/a/", request).await?)?;
        for entry in page.entries {
            let PrefixEntry::Object(object) = entry else { continue };
            same(&format!("the size of {}", object.key), &object.size, &10)?;
            if let Some(said) = object.etag {
                let path = object.key.replacen(&view.key("@"), "@", 1);
                same(&format!("the tag of {path}"), &&*said, &etag(view, &path).await?.as_str())?;
            }
        }
    }
    if !is_ordered {
        return NO_ORDER;
    }
    passed()
}

/// A page begins behind a text, which is a key, or between keys, or before or behind all; where keys are taken
/// together, behind all of those that it is among.
pub(super) async fn behind(trial: &Trial<'_>) -> Outcome {
    const BETWEEN: [&str; 12] = [
        "@/a",
        "@/a/",
        "@/a/0",
        "@/a/2",
        "@/a/2/",
        "@/a/3",
        "@/b/",
        "@/c/",
        "@/d/w",
        "@/e/",
        "@/y",
        "@/\u{fc}/",
    ];
    let view = trial.view(ALL)?;
    if !are_offered(&view).await? {
        return NO_PREFIXES;
    }
    view.write_all(&KEYS).await?;
    if !is_ordered(&view).await? {
        return NO_ORDER;
    }
    let narrow = trial.view(&format!("{ALL}\nrestrictions: ['@/']\ndeny: ['@/a/1', '@/b']"))?;
    let shown: Vec<&str> = KEYS.into_iter().filter(|key| !["@/a/1", "@/b"].contains(key)).collect();
    for (view, keys) in [(&view, &KEYS[..]), (&narrow, &shown[..])] {
        // Before everything, and behind.
        let texts = KEYS.iter().chain(&BETWEEN).chain(&["!", "@", "@/", "@0", "~~"]);
        for after in texts {
            for (prefix, is_delimited, limit) in [
                ("@/", false, 1_000),
                ("@/", false, 2),
                ("@/", true, 1_000),
                ("@/", true, 2),
                ("@/a", true, 1_000),
                ("@/a/", false, 1_000),
                ("@/a/", true, 1),
            ] {
                let (what, came) = all(view, prefix, is_delimited, Some(after), limit).await?;
                same(&what, &came, &wanted(keys, prefix, is_delimited, Some(after)))?;
            }
        }
    }
    passed()
}

/// Rules of each kind.
const RULES: [&str; 6] = [
    "restrictions: ['@/x/a.csv', '@/z/1/2/c.csv', '@/x0']",
    "restrictions: ['@/x/', '@/y/']\ndeny: ['@/x/draft*', '@/y/draft*']",
    "restrictions: ['@/*.csv']",
    "restrictions: [{ glob: '@/*/[a-c]*' }]",
    "restrictions: ['@/x/']\ndeny: ['@/x/deep/']",
    "restrictions: ['@/']\ndeny: ['@/x/', '@/y/draft.csv']",
];

/// What may be shown is, whatever is hidden beside it; and nothing else is.
pub(super) async fn shown(trial: &Trial<'_>) -> Outcome {
    let everything = trial.view(ALL)?;
    if !are_offered(&everything).await? {
        return NO_PREFIXES;
    }
    let keys = [
        "@/x/a.csv",
        "@/x/deep/1",
        "@/x/draft-1",
        "@/x/draft-2/1",
        "@/x/final",
        "@/x0",
        "@/y/b",
        "@/y/draft.csv",
        "@/z.csv",
        "@/z/1/2/c.csv",
    ];
    everything.write_all(&keys).await?;
    let shown: [&[&str]; 6] = [
        &["@/x/a.csv", "@/x0", "@/z/1/2/c.csv"],
        &["@/x/a.csv", "@/x/deep/1", "@/x/final", "@/y/b"],
        &["@/x/a.csv", "@/y/draft.csv", "@/z.csv", "@/z/1/2/c.csv"],
        &["@/x/a.csv", "@/y/b"],
        &["@/x/a.csv", "@/x/draft-1", "@/x/draft-2/1", "@/x/final"],
        &["@/x0", "@/y/b", "@/z.csv", "@/z/1/2/c.csv"],
    ];
    let prefixes = [
        "@",
        "@/",
        "@/x",
        "@/x/",
        "@/x/a",
        "@/x/a.csv",
        "@/x/d",
        "@/x/draft-2/",
        "@/x0",
        "@/y/",
        "@/y",
        "@/z",
        "@/z/1/",
        "@/z/1/2/c",
    ];
    let is_ordered = is_ordered(&everything).await?;
    for (rules, shown) in RULES.into_iter().zip(shown) {
        let view = trial.view(&format!("{ALL}\n{rules}"))?;
        for prefix in prefixes {
            for is_delimited in [false, true] {
                let wanted = wanted(shown, prefix, is_delimited, None);
                if wanted.is_empty() {
                    // It may be one that is not to be asked for at all.
                    continue;
                }
                for limit in [1, 2, 1_000] {
                    let (what, came) = all(&view, prefix, is_delimited, None, limit).await?;
                    let what = format!("{what}, {rules}");
                    same_entries(&what, came, wanted.clone(), is_ordered)?;
                }
            }
        }
    }
    passed()
}

/// Connections to which all of `HIDDEN` is hidden, each with the prefixes that they list.
const HIDING: [(&str, &[&str]); 4] = [
    (
        "restrictions: ['@/x/', '@/y/']\ndeny: ['@/x/draft*', '@/x/secret/']",
        &["@/", "@/x", "@/x/", "@/x/d", "@/x/s", "@/y/"],
    ),
    ("restrictions: ['@/*.csv']", &["@/", "@/x/", "@/x/d", "@/x/secret/", "@/w"]),
    ("restrictions: ['@/x/a.csv', '@/y/b']", &["@/", "@/x", "@/x/"]),
    ("restrictions: [{ glob: '@/*/[a-c]*' }]", &["@/", "@/x/", "@/y"]),
];
const HIDDEN: [&[&str]; 4] = [
    &[],
    &["@/x/draft-1", "@/z"],
    &["@/w/1", "@/x/draft-2/er/1", "@/x/draft-2/er/2", "@/x/secret/1"],
    &["@/x/draft-3", "@/x/draft-4", "@/x/draft-5", "@/x/secret/2", "@/x/secret/3", "@/w/2"],
];

/// What may not be shown makes no difference: to no entry, nor to which of them are on one page.
pub(super) async fn hidden(trial: &Trial<'_>) -> Outcome {
    let everything = trial.view(ALL)?;
    if !are_offered(&everything).await? {
        return NO_PREFIXES;
    }
    everything.write_all(&["@/x/a.csv", "@/x/c", "@/x/z.csv", "@/y/b", "@/y/e.csv"]).await?;
    let mut before: Option<Vec<String>> = None;
    for added in HIDDEN {
        everything.write_all(added).await?;
        let mut said = Vec::new();
        for (rules, prefixes) in HIDING {
            let view = trial.view(&format!("{ALL}\n{rules}"))?;
            for prefix in prefixes {
                for (is_delimited, limit) in
                    [(false, 1), (false, 2), (false, 1_000), (true, 1), (true, 2), (true, 1_000)]
                {
                    for after in [None, Some("@/x/b")] {
                        let start = after.map_or(PrefixStart::First, |after| {
                            PrefixStart::After(view.key(after).into())
                        });
                        let what = format!("{prefix} after {after:?}, {is_delimited}, {rules}");
                        let pages = view.prefix_pages(prefix, is_delimited, start, limit).await?;
                        // A page may end early, with a mark that is for nobody's eyes.
                        let mut pages = done(&what, pages)?;
                        pages.retain(|entries| !entries.is_empty());
                        said.push(format!("{what}, in pages of {limit}: {pages:?}"));
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

/// With `keys: plain` some names are none. They start with no prefix, and make no difference.
pub(super) async fn aliases(trial: &Trial<'_>) -> Outcome {
    let exact = trial.view(ALL)?;
    if !are_offered(&exact).await? {
        return NO_PREFIXES;
    }
    let plain = trial.view("access: read-write\nkeys: plain")?;
    let narrow = trial.view("access: read-write\nkeys: plain\ndeny: ['@/none']")?;
    exact.write_all(&["@/d/plain", "@/d/z"]).await?;
    if !has_aliases(&exact).await? {
        return NO_ALIASES;
    }
    for view in [&plain, &narrow] {
        for prefix in ["@/", "@/d", "@/d/", "@/d/a", "@/d/p"] {
            for is_delimited in [false, true] {
                for limit in [1, 2, 1_000] {
                    let (what, came) = all(view, prefix, is_delimited, None, limit).await?;
                    let keys = ["@/d/plain", "@/d/z"];
                    let wanted = wanted(&keys, prefix, is_delimited, None);
                    same(&format!("{what}, with `keys: plain`"), &came, &wanted)?;
                }
            }
        }
    }
    passed()
}
