//! Texts that are hardly meant: each kind is warned of when a policy is loaded, as a restriction and as
//! a deny, and ordinary texts load without a word.

#![expect(clippy::panic, reason = "a test that fails panics")]

use pathward::{
    Dialect, Policy, Restriction,
    analysis::{self, States},
    restriction::DoubtKind as Kind,
};

/// The kinds of doubt about a text.
fn kinds(dialect: Dialect, text: &str) -> Vec<Kind> {
    let read =
        Restriction::parse_as(dialect, text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    read.doubts().iter().map(|doubt| doubt.kind()).collect()
}

const PLACEHOLDERS: &[&str] = &[
    "acme-data/home/${USER}/",
    "acme-data/home/$USER/",
    "acme-data/home/%USERNAME%/",
    "acme-data/home/<user>/*",
    "acme-data/home/{user}/",
    "acme-data/home/{{user}}/",
    "acme-data/home/{{ user.name }}/x",
    "acme-data/home/${aws:username}/*",
    "acme-data/${aws:PrincipalTag/team}/*",
    "acme-data/${s3:prefix}",
    "acme-data/$user/",
    "acme-data/home/$userName",
    "acme-data/$env:USERNAME/x",
    "acme-data/$(whoami)/",
    "acme-data/#{user}/",
    "acme-data/%{user}/",
    "acme-data/%(user)s/x",
    "acme-data/user-$USER/*",
    "acme-data/$USER.csv",
    "acme-data/$HOME",
    "acme-data/{0}/x",
    "acme-data/{tenant_id}/*",
    "acme-data/<tenant-id>/",
    "acme-data/<Your Name>/",
    "acme-data/logs/%Y/%m/%d/*",
    "acme-data/logs-%Y-%m-%d.csv",
    "acme-data/%u/",
    "acme-data/YYYY/MM/DD/",
    "acme-data/dt=YYYY-MM-DD/*",
    "acme-data/logs/yyyy/",
    "acme-data/%USERPROFILE%",
    "acme-data/${USER:-x}/",
    "acme-data/...",
    "acme-data/.../x",
    "acme-data/…",
    "acme-data/$TENANT_ID-private/",
    "*/${USER}/*",
    "acme-data/%appdata%/x",
];

const PERCENT: &[&str] = &[
    "acme-data/my%20secret/",
    "acme-data/caf%C3%A9/",
    "acme-data/a%2Fb",
    "acme-data/a%2fb/",
    "acme-data/%20x",
    "acme-data/x%20",
    "acme-data/100%25/",
    "acme-data/%E6%97%A5%E6%9C%AC/",
    "acme-data/a%2Bb",
    "acme-data/a%26b/*",
    "acme-data/%5Btmp%5D/",
    "acme-data/a%3Ab",
    "acme-data/a%2520b",
    "acme-data/na%C3%AFve.csv",
    "acme-data/%7Euser/",
    "acme-data/%28old%29/",
    "*%20*",
    "acme-data/caf%E9/",
    "acme-data/a%23b",
    "acme-data/a%3Fb",
    "acme-data/%F0%9F%A6%80/*",
    "acme-data/Program%20Files/x",
];

const GROUPS: &[&str] = &[
    "acme-data/+(secret|private)/**",
    "acme-data/@(keys|tokens)",
    "acme-data/@(keys|tokens)/**",
    "acme-data/!(public)/**",
    "acme-data/!(public|open)/**",
    "acme-data/?(x)secret/**",
    "acme-data/*(a|b)/**",
    "acme-data/(secret|private)/**",
    "**/+([0-9])/**",
    "**/@(.env|.npmrc)",
    "acme-data/+(secret)/**",
    "acme-data/x?(s)",
    "acme-data/x@(a|b)y",
    "acme-data/@(a|b|c)/@(d|e)",
    "acme-data/*.@(key|pem)",
    "acme-data/*.(key|pem)",
    "acme-data/+(a/b|c)/**",
    "acme-data/!(*.csv)",
    "acme-data/@([a-z])/**",
];

const TWO_PATHS: &[&str] = &[
    "acme-data/a/*, acme-data/b/*",
    "acme-data/a/*;acme-data/b/*",
    "acme-data/a/*,acme-data/b/*",
    "acme-data/a/,acme-data/b/",
    "acme-data/a/* acme-data/b/*",
    "acme-data/a/ acme-data/b/",
    "acme-data/a.csv acme-data/b.csv",
    "acme-data/a, acme-data/b",
    "acme-data/a/* , acme-logs/b/*",
    "acme-data/a/*; acme-logs/b/*",
    "acme-data/a/*|acme-data/b/*",
    "acme-data/a | acme-data/b",
    "*.csv, *.json",
    "*.csv,*.json",
    "*.csv *.json",
    "acme-data/a/*, s3://acme-data/b/*",
    "acme-data/a s3://acme-data/b",
    "acme-data/a, arn:aws:s3:::acme-data/b",
    "acme-data/in/*,",
    "acme-data/in/;",
    "acme-data/in/*, ",
    "acme-data/a,acme-data/b,acme-data/c",
    "acme-data/in/*   acme-data/out/*",
    "acme-data/a/*, acme-data/b/*;",
];

const INVISIBLE: &[(&str, &str)] = &[
    ("acme-data/my\u{a0}secret/", "U+00A0"),
    ("acme-data/my\u{2009}secret/", "U+2009"),
    ("acme-data/my\u{202f}secret/", "U+202F"),
    ("acme-data/my\u{3000}secret/", "U+3000"),
    ("acme-data/my\u{1680}secret/", "U+1680"),
    ("acme-data/my\u{2000}x/", "U+2000"),
    ("acme-data/my\u{2003}x/", "U+2003"),
    ("acme-data/my\u{200a}x/", "U+200A"),
    ("acme-data/my\u{205f}x/", "U+205F"),
    ("acme-data/se\u{200b}cret/", "U+200B"),
    ("acme-data/\u{feff}secret/", "U+FEFF"),
    ("acme-data/se\u{ad}cret/", "U+00AD"),
    ("acme-data/\u{202e}terces/", "U+202E"),
    ("acme-data/\u{202a}x", "U+202A"),
    ("acme-data/\u{2066}x\u{2069}", "U+2066"),
    ("acme-data/\u{200e}x", "U+200E"),
    ("acme-data/\u{200f}x", "U+200F"),
    ("acme-data/se\u{2060}cret", "U+2060"),
    ("acme-data/se\u{200d}cret", "U+200D"),
    ("acme-data/se\u{200c}cret", "U+200C"),
    ("acme-data/a\u{2800}b", "U+2800"),
    ("acme-data/a\u{3164}b", "U+3164"),
    ("acme-data/a\u{e0041}b", "U+E0041"),
    ("acme-data/a\u{fe0f}b", "U+FE0F"),
    ("acme-data/a\u{85}b", "U+0085"),
    ("acme-data/a\u{2028}b", "U+2028"),
    ("acme-data/secret\u{a0}/", "U+00A0"),
    ("acme-data/x\u{a0}", "U+00A0"),
    ("acme-data/a\u{180e}b", "U+180E"),
    ("acme-data/a\u{34f}b", "U+034F"),
];

const LOOK_ALIKE: &[(&str, &str)] = &[
    ("acme-data/ｓｅｃｒｅｔ/", "U+FF53"),
    ("acme-data/ｓecret/", "U+FF53"),
    ("acme-data\u{2f}secret\u{ff0f}x", "U+FF0F"),
    ("acme-data/secret\u{2215}x", "U+2215"),
    ("acme-data/secret\u{2044}x", "U+2044"),
    ("acme-data/secret\u{29f8}x", "U+29F8"),
    ("acme-data/secret/\u{ff0a}", "U+FF0A"),
    ("acme-data/secret/\u{2217}", "U+2217"),
    ("acme-data/\u{204e}", "U+204E"),
    ("acme-data/s\u{435}cret/", "U+0435"),
    ("acme-data/\u{455}ecret/", "U+0455"),
    ("acme-data/secr\u{435}t/", "U+0435"),
    ("acme-data/\u{410}dmin/", "U+0410"),
    ("acme-data/pr\u{456}vate/", "U+0456"),
    ("acme-data/my\u{2010}secret/", "U+2010"),
    ("acme-data/my\u{2011}secret/", "U+2011"),
    ("acme-data/\u{39f}wner/", "U+039F"),
    ("acme-data/t\u{3bf}ken/", "U+03BF"),
    ("acme-data/con\u{fb01}g/", "U+FB01"),
    ("acme-data/o\u{fb03}ce/", "U+FB03"),
    ("acme-data/x\u{ff0e}csv", "U+FF0E"),
    ("acme-data/x\u{2024}csv", "U+2024"),
    ("acme-data/\u{212a}eys/", "U+212A"),
    ("acme-data/a\u{ff3f}b", "U+FF3F"),
];

const GLOB_SIGNS: &[&str] = &[
    "acme-data/in/[0-9]*",
    "acme-data/{a,b}/x",
    "acme-data/report?.csv",
    "acme-data/[!a]*",
    "acme-data/{a,b}",
    "acme-data/??/x",
    "acme-data/{1..3}/",
    "acme-data/x[1]",
    "acme-data/{01..12}/*",
    "acme-data/*.{csv,json}",
    "acme-data/[Ss]ecret/",
    "acme-data/a?b/c",
    "*.[ch]",
    "acme-data/{a,{b,c}}/",
    "acme-data/[[:digit:]]/",
    "acme-data/file-?",
    "acme-data/[^x]",
    "*/{.env,.npmrc}",
    "acme-data/[a-f0-9]*/",
    "acme-data/20[12][0-9]/",
];

#[test]
fn texts_that_are_hardly_meant_are_doubted() {
    let plain = |texts: &[&str], kind: Kind| {
        for text in texts {
            assert_eq!(kinds(Dialect::Plain, text), [kind], "{text:?}");
        }
    };
    plain(PLACEHOLDERS, Kind::Placeholder);
    plain(PERCENT, Kind::Percent);
    plain(
        TWO_PATHS.iter().copied().filter(|t| !t.ends_with(' ')).collect::<Vec<_>>().as_slice(),
        Kind::TwoPaths,
    );
    plain(GLOB_SIGNS, Kind::GlobSigns);
    plain(&["acme-data/x ", "acme-data/in/ "], Kind::Space);
    for (texts, kind) in [(INVISIBLE, Kind::Invisible), (LOOK_ALIKE, Kind::LookAlike)] {
        for (text, name) in texts {
            assert_eq!(kinds(Dialect::Plain, text), [kind], "{text:?}");
            let doubts = Restriction::parse(text).expect("a restriction").doubts();
            assert!(doubts[0].message().contains(name), "{text:?}: {}", doubts[0].message());
        }
    }
    for text in GROUPS {
        assert_eq!(kinds(Dialect::Glob, text), [Kind::GlobSigns], "{text:?}");
        // Without `glob:` it is no group either.
        if Restriction::parse(text).is_ok() {
            assert!(kinds(Dialect::Plain, text).contains(&Kind::GlobSigns), "{text:?}");
        }
    }
    for (text, kind) in [
        ("acme-data/{1..3,5}/**", Kind::GlobSigns),
        ("acme-data/{a..e,x}/**", Kind::GlobSigns),
        ("acme-data/home/<user>/**", Kind::Placeholder),
        ("acme-data/home/$USER/**", Kind::Placeholder),
        ("acme-data/%USERNAME%/**", Kind::Placeholder),
        ("acme-data/logs/%Y/%m/**", Kind::Placeholder),
        ("acme-data/...", Kind::Placeholder),
        ("**/my%20secret/**", Kind::Percent),
        ("acme-data/caf%C3%A9/**", Kind::Percent),
        ("acme-data/a/*, acme-data/b/*", Kind::TwoPaths),
        ("acme-data/a.csv;acme-data/b.csv", Kind::TwoPaths),
        ("acme-data/{a,b}/*.csv,", Kind::TwoPaths),
        ("acme-data/my\u{a0}secret/**", Kind::Invisible),
        ("**/\u{200b}secret/**", Kind::Invisible),
        ("**/s\u{435}cret/**", Kind::LookAlike),
        ("**/secret/\u{ff0a}", Kind::LookAlike),
    ] {
        assert_eq!(kinds(Dialect::Glob, text), [kind], "{text:?}");
    }
}

/// Ordinary texts, as policies and buckets have them. None of them is doubted.
const ORDINARY: &[&str] = &[
    "Algorithmia/team.jpg",
    "Algorithmia/*",
    "Algorithmia/",
    "Algorithmia*",
    "*",
    "*.csv",
    "logs/*/2026-*/part-*.parquet",
    "acme-data/**",
    "**/.env",
    "*/.ssh/*",
    "*/.git/*",
    "acme-data/Smith, John/cv.pdf",
    "acme-data/Smith, John/",
    "acme-data/a, b and c/",
    "acme-data/x;y/z",
    "acme-data/My Documents/",
    "acme-data/report (1).pdf",
    "acme-data/report (final) v2/",
    "acme-data/50% off/",
    "acme-data/100%/x",
    "acme-data/5%/",
    "acme-data/C++/src/",
    "acme-data/a+b",
    "acme-data/My+song+(live).mp3",
    "acme-data/Hello!(1).txt",
    "acme-data/wow!/",
    "acme-data/$RECYCLE.BIN/",
    "acme-data/$Recycle.Bin/",
    "acme-data/dir_$folder$",
    "acme-data/Foo$Bar.class",
    "acme-data/price$/",
    "acme-data/C$/",
    "acme-data/cash$money/",
    "acme-data/$5-deals/",
    "acme-data/[2026",
    "acme-data/a]b",
    "acme-data/a{b",
    "acme-data/a}b",
    "acme-data/dt=2026-01-01/",
    "acme-data/ts=2026-01-01 12%3A00%3A00/",
    "acme-data/ts=2026-01-01%2012%3A00/",
    "acme-data/name=a%2Fb/x",
    "acme-data/user@example.org/",
    "acme-data/@angular/core/",
    "acme-data/@types/",
    "acme-data/a@2x.png",
    "acme-data/#1/",
    "acme-data/C#/",
    "acme-data/~ada/",
    "acme-data/~$doc.docx",
    "acme-data/a&b/",
    "acme-data/AT&T/",
    "acme-data/a=b/",
    "acme-data/a:b",
    "acme-data/12:30:00.log",
    "acme-data/it's/",
    "acme-data/Bob\u{2019}s files/",
    "acme-data/\"quoted\"/",
    "acme-data/Report \u{2013} 2024.pdf",
    "acme-data/Report \u{2014} final/",
    "acme-data/über/",
    "acme-data/café/",
    "acme-data/naïve/",
    "acme-data/日本語/",
    "acme-data/資料（最新）.pdf",
    "acme-data/レポート＿２０２４/",
    "acme-data/山田\u{3000}太郎/",
    "acme-data/한국어 파일/",
    "acme-data/Отчёты/",
    "acme-data/сосо/",
    "acme-data/Документы 2024/",
    "acme-data/Ελληνικά/",
    "acme-data/العربية/",
    "acme-data/می\u{200c}خواهم/",
    "acme-data/हिन्दी/",
    "acme-data/👨\u{200d}👩\u{200d}👧/",
    "acme-data/❤\u{fe0f}/",
    "acme-data/1\u{fe0f}\u{20e3}/",
    "acme-data/e\u{301}t\u{e9}/",
    "acme-data/a..b/",
    "acme-data/v1..v2.diff",
    "acme-data/a...b",
    "acme-data/wait...txt",
    "acme-data/YYYYMM/",
    "acme-data/yyyymmdd.csv",
    "acme-data/%",
    "acme-data/100%s/",
    "acme-data/50%ab",
    "acme-data/50%41",
    "acme-data/a%b",
    "acme-data/<",
    "acme-data/a<b",
    "acme-data/a>b/",
    "acme-data/<3/",
    "acme-data/a|b",
    "acme-data/()/",
    "acme-data/f(x)",
    "acme-data/f(x, y)/",
    "acme-data/*(1).csv",
    "acme-data/*(copy)*",
    "acme-data/* - *.pdf",
    "acme-data/{3F2504E0-4F89-41D3-9A0C-0305E82C3301}/",
    "acme-data/a b c/",
    "acme-data/a  b",
    "acme-data/reports/All reports/2024.pdf",
    "acme-data/x/y z/w",
    "acme-data/Vol. 1/",
    "acme-data/No. 5, part 2/x",
    "acme-data/1,000/",
    "acme-data/1;2;3.csv",
    "acme-data/a,b.csv",
    "acme-data/lat=1.5,lon=2.5/",
    "my_bucket/x",
    "my.bucket/x",
    "Algorithmia/2026/01/Report.PDF",
    "acme-data//x",
    "acme-data/x//",
    r"acme-data/a\*b",
    r"acme-data/a\\b",
    "acme-data/-x/",
    "acme-data/_/",
    "acme-data/.hidden/",
    "acme-data/.x*",
    "acme-data/\u{1f980}/",
    "acme-data/µm/",
    "acme-data/Ω/",
    "acme-data/x² + y²/",
    "acme-data/½/",
    "acme-data/100 €/",
    "acme-data/€uro/",
    "acme-data/a\u{2026}b",
    "acme-data/__USER__/",
    "acme-data/user/",
    "acme-data/USER/",
    "acme-data/home/*/",
    "acme-data/*/private/*",
    "*/node_modules/*",
    "*.pem",
    "*/id_rsa",
    "acme-data/s3:/x",
    "acme-data/Mr. & Mrs./",
];

const ORDINARY_GLOBS: &[&str] = &[
    "logs/{app,web}/**/*.gz",
    "**/.env",
    "**/.git/**",
    "**/*.pem",
    "**/node_modules/**",
    "acme-data/**",
    "acme-data/*.csv",
    "acme-data/[0-9]*/**",
    "acme-data/{a,b}/**",
    "acme-data/?.csv",
    "**/v1/**",
    "**/id_rsa",
    "**/id_rsa*",
    "acme-data/report (1).pdf",
    "acme-data/*(1).csv",
    "acme-data/C++/**",
    "acme-data/@angular/**",
    "acme-data/$RECYCLE.BIN/**",
    "acme-data/Smith, John/**",
    "acme-data/50% off/**",
    "acme-data/{a, b}/**",
    "acme-data/a..b/**",
    "acme-data/{1.0..rc,2}/x",
    "acme-data/[!a-c]*",
    "acme-data/日本語/**",
    "acme-data/wow!/**",
    "**/My Documents/**",
    "**/*.{key,pem}",
    "acme-data/*/*/x",
    r"acme-data/\{user\}/**",
    r"acme-data/\[x\]/**",
    "acme-data/ts=2026%3A00/**",
    "**",
    "acme-data/{app,web}-{1,2}/*.log",
    "**/[Ss]ecrets/**",
];

/// With the text as a restriction, and as a deny beside one that gives everything.
fn policies(dialect: Dialect, text: &str) -> [String; 2] {
    let text = serde_json::to_string(text).expect("text");
    let entry = match dialect {
        Dialect::Plain => text,
        Dialect::Glob => format!("{{ glob: {text} }}"),
    };
    let start = "connections:\n  - id: s3+t\n    owner: ada\n    restrictions:";
    [format!("{start} [{entry}]\n"), format!("{start} [\"*\"]\n    deny: [{entry}]\n")]
}

/// The codes of what is said when a policy is loaded.
fn said(text: &str) -> Vec<String> {
    let policy = Policy::from_yaml("p.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
    let open = analysis::left_open(&policy, States::new(1 << 12));
    let warnings = policy.warnings().iter().map(|w| format!("{} {}", w.code(), w.message()));
    warnings.chain(open.iter().map(|f| format!("{} {}", f.code, f.message))).collect()
}

#[test]
fn ordinary_texts_load_without_a_word() {
    let texts = ORDINARY.iter().map(|text| (Dialect::Plain, *text));
    let globs = ORDINARY_GLOBS.iter().map(|text| (Dialect::Glob, *text));
    let mut wrong = Vec::new();
    let all: Vec<_> = texts.chain(globs).collect();
    for (dialect, text) in &all {
        for doubt in kinds(*dialect, text) {
            wrong.push(format!("{text:?} is doubted: {doubt:?}"));
        }
        let [allow, _] = policies(*dialect, text);
        let said = said(&allow);
        wrong.extend((!said.is_empty()).then(|| format!("{text:?}: {said:?}")));
    }
    println!("doubts: {} ordinary texts", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.len() >= 170);
}

#[test]
fn every_doubt_is_a_warning_of_the_policy() {
    let all = [PLACEHOLDERS, PERCENT, TWO_PATHS, GLOB_SIGNS].concat();
    let characters = [INVISIBLE, LOOK_ALIKE].concat();
    let plain = all.iter().copied().chain(characters.iter().map(|(text, _)| *text));
    let texts: Vec<(Dialect, &str)> = plain
        .map(|text| (Dialect::Plain, text))
        .chain(GROUPS.iter().map(|text| (Dialect::Glob, *text)))
        .collect();
    for (dialect, text) in &texts {
        for policy in policies(*dialect, text) {
            let kinds = kinds(*dialect, text);
            let said = said(&policy);
            for kind in kinds {
                assert!(
                    said.iter().any(|said| said.starts_with(kind.code())),
                    "{text:?}: {said:?}"
                );
            }
        }
    }
    println!("doubts: {} doubted texts", texts.len());
    assert!(texts.len() >= 150);
}
