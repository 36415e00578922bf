//! `graph`: what is drawn, in every format, and what is not.

use serde_json::json;

use super::{Folder, Ran};

const HOSTILE: &str = r#"
connections:
  - id: s3+h
    owner: '<b>&"steph'
    endpoint: https://s3.example
    restrictions:
      - 'pub/<script>alert("1")</script>&amp;/'
      - "pub/\\*\u202e\u2028\uFFFF/"
      - "pub/tab'--></svg>]]>"
      - 'pub/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZZ'
      - 'pub/日本語日本語日本語日本語日本語/日本語日本語日本語日本語'
    deny:
      - { path: '*"];evil[label="x', access: [write] }
      - { path: 'pub/<script>*\\N', access: [read] }
"#;

fn graph(args: &str) -> Ran {
    Folder::new().ask(&format!("graph {args}"))
}

#[test]
fn text_is_a_tree() {
    let ran = graph("s3+saha");
    let expected = "\
s3+saha://  list
└─ Algorithmia/  list
   ├─ team.jpg  read
   ├─ data/  read *
   │  └─ secret/  denied *
   └─ out/  read, write, delete *
";
    assert_eq!((ran.code, &*ran.out, &*ran.err), (0, expected, ""));
    assert_eq!(graph("s3+all").out, "s3+all://  read, write, delete *\n");
    let under = graph("s3+saha --under Algorithmia/da");
    assert_eq!(
        under.out,
        "s3+saha://Algorithmia/da  list\n└─ ta/  read *\n   └─ secret/  denied *\n"
    );
    let write = graph("s3+saha --access write,delete");
    assert_eq!(
        write.out,
        "s3+saha://  nothing\n└─ Algorithmia/out/  write, delete *\n(write, delete alone)\n"
    );
    assert_eq!(graph("s3+saha --under other/").out, "s3+saha://other/  nothing\n");
}

#[test]
fn the_only_connection_needs_no_name() {
    let folder =
        Folder::with("connections:\n  - id: s3+a\n    owner: steph\n    restrictions: [pub/]\n");
    for command in ["graph", "graph --as steph", "export iam", "export iam --as steph"] {
        let named = format!("{command} s3+a");
        let (ran, named) = (folder.ask(command), folder.ask(&named));
        assert_eq!((ran.code, &ran.out), (0, &named.out), "{command}: {}", ran.err);
        assert!(!ran.out.is_empty());
    }
    assert_eq!(folder.ask("graph --as dana").code, 2);
}

#[test]
fn what_makes_no_difference_is_named_and_not_drawn() {
    let folder = Folder::with(
        "connections:\n  - id: s3+a\n    owner: steph\n    restrictions:\n      - pub/\n      - pub/a/\n",
    );
    let ran = folder.ask("graph s3+a");
    assert_eq!(ran.out, "s3+a://  list\n└─ pub/  read *\n");
    let note =
        "note: restriction `pub/a/` (policy.yaml:6:9) makes no difference, and is not drawn\n";
    assert_eq!((ran.code, &*ran.err), (0, note));
    let json = folder.ask("graph s3+a --format json");
    assert_eq!((&*json.err, &json.json()["idle"]), ("", &json!([1])));
}

#[test]
fn json_has_the_places_and_the_ways() {
    let graph = graph("s3+saha --format json").json();
    assert_eq!(graph["connection"], "s3+saha");
    assert_eq!(graph["ways"][3], json!({ "from": 3, "to": 4, "texts": ["secret/"] }));
    let denied = json!({ "given": ["read"], "denied": ["read"], "shut": true });
    let place = json!({ "here": denied, "below": denied, "lists": false, "rules": [1, 3] });
    assert_eq!(graph["places"][4], place);
    assert_eq!(graph["rules"][3]["text"], "Algorithmia/data/secret/");
    assert_eq!(graph["places"].as_array().map(Vec::len), Some(6));
}

#[test]
fn a_file_is_what_its_name_says() {
    let folder = Folder::new();
    let read = |name: &str| std::fs::read_to_string(folder.0.path().join(name)).expect("a file");
    let ran = folder.ask("graph s3+saha -o saha.svg");
    assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", ""));
    let svg = folder.ask("graph s3+saha --format svg").out;
    assert_eq!(svg, read("saha.svg"));
    well_formed(&svg);
    for text in [
        ">team.jpg<",
        ">denied<",
        "prefers-color-scheme:dark",
        "deny `Algorithmia/data/secret/` (policy.yaml:11:9) (read-write)",
        "restriction `Algorithmia/data/*` (policy.yaml:8:9) (read-only)",
    ] {
        assert!(svg.contains(text), "{text}\n{svg}");
    }
    folder.ask("graph s3+saha -o saha.gv");
    folder.ask("graph s3+saha -o saha --format dot");
    assert!(read("saha.gv").starts_with("digraph \"s3+saha of steph\" {\n"), "{}", read("saha.gv"));
    assert_eq!(read("saha.gv"), read("saha"));
    assert_eq!(read("saha"), folder.ask("graph s3+saha --format dot").out);
    // Neither the policy nor a part of it can be written over.
    let ran = folder.ask("graph s3+saha -o policy.yaml --format svg");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(read("policy.yaml").contains("s3+saha"));
    assert_eq!(folder.ask("graph s3+saha -o nowhere/x.svg").code, 1);
    folder.ask("graph s3+saha -o saha.json");
    assert_eq!(read("saha.json"), folder.ask("graph s3+saha --format json").out);
    folder.ask("graph s3+saha -o saha.TXT");
    assert_eq!(read("saha.TXT"), folder.ask("graph s3+saha").out);
    folder.ask("graph s3+saha -o plain");
    assert_eq!(read("plain"), svg);
    // It was SVG, whatever the name said.
    let ran = folder.ask("graph s3+saha -o x.png");
    assert_eq!((ran.code, &*ran.out), (2, ""));
    assert!(ran.err.contains("`x.png` ends in none of") && ran.err.contains("`.svg`, `.dot`"));
    assert!(!folder.0.path().join("x.png").exists());
    for (format, same) in [("svg", "saha.svg"), ("text", "saha.TXT")] {
        assert_eq!(folder.ask(&format!("graph s3+saha -o x.png --format {format}")).code, 0);
        assert_eq!(read("x.png"), read(same));
    }
}

#[test]
fn names_are_text_whatever_they_are() {
    let folder = Folder::with(HOSTILE);
    let ran = folder.ask("graph s3+h --format svg");
    assert_eq!(ran.code, 0, "{}", ran.err);
    well_formed(&ran.out);
    assert!(!ran.out.contains("<script") && !ran.out.contains('\u{202e}'), "{}", ran.out);
    assert!(!ran.out.contains('\u{ffff}') && ran.out.contains(r"\u{ffff}"), "{}", ran.out);
    // Shortened in the picture, whole in its title.
    let long = "A".repeat(82);
    assert!(ran.out.contains(&format!("/{long}ZZ")) || ran.out.contains(&long), "{}", ran.out);
    let shown = ran.out.lines().filter(|line| line.starts_with("<text"));
    assert!(shown.clone().all(|line| !line.contains(&long)) && shown.count() > 8);

    let dot = folder.ask("graph s3+h --format dot").out;
    // In quotes there is nothing that ends them, and outside nothing that is not ours.
    let mut outside = String::new();
    let (mut is_quoted, mut characters) = (false, dot.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' if is_quoted => {
                let escaped = characters.next().expect("what is escaped");
                assert!(matches!(escaped, '\\' | '"' | 'n'), "{escaped}\n{dot}");
            }
            '"' => is_quoted = !is_quoted,
            '&' => assert!(characters.as_str().starts_with("amp;"), "{dot}"),
            other if !is_quoted => outside.push(other),
            _ => {}
        }
    }
    assert!(!is_quoted && !outside.contains("evil") && !outside.contains("script"), "{dot}");
    let text = folder.ask("graph s3+h").out;
    assert!(text.contains(r"\*\u{202e}\u{2028}"), "{text}");
}

/// Every tag is closed, and every `&` starts an entity.
fn well_formed(svg: &str) {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{text}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{svg}"),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().expect("a name")),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert_eq!(open, Vec::<&str>::new());
    for entity in svg.split('&').skip(1) {
        let is_known =
            ["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known));
        assert!(is_known, "{entity}");
    }
}

#[test]
fn what_is_too_large_says_what_to_do() {
    let ran = graph("s3+saha --max-nodes 4");
    assert_eq!((ran.code, &*ran.out), (1, ""));
    let message = "error: `s3+saha` has 5 places, and 4 are drawn at most: draw a part with `--under PREFIX` or \
                   `--access ACCESS`, or write `--max-nodes N` (up to 1000)\n";
    assert_eq!(ran.err, message);
    assert_eq!(graph("s3+saha --max-nodes 5").code, 0);
    let folder = Folder::new();
    assert_eq!(folder.ask("graph s3+saha --max-nodes 4 -o x.svg").code, 1);
    assert!(!folder.0.path().join("x.svg").exists());
    let starred = Folder::with(
        "connections:\n  - id: s3+a\n    owner: steph\n    restrictions: ['pub/*a*b', 'pub/*b*a*']\n",
    );
    let ran = starred.ask("graph s3+a --states 1");
    assert_eq!((ran.code, &*ran.out), (1, ""), "{}", ran.err);
    assert!(ran.err.contains("was not decided within 1 states"), "{}", ran.err);
    assert_eq!(starred.ask("graph s3+a").code, 0);
    let ran = graph("s3+saha --max-nodes 4 --format json");
    let error: serde_json::Value = serde_json::from_str(&ran.err).expect("JSON");
    assert_eq!((ran.code, &error["error"]["exit"]), (1, &json!(1)));
    assert_eq!(graph("s3+saha --max-nodes 1001").code, 2);
}

#[test]
fn wrong_questions_are_2_and_wrong_policies_3() {
    for (args, part) in [
        ("graph s3+nobody", "the policy has no connection `s3+nobody`; there is `s3+saha`"),
        ("graph", "name one of the connections: there is `s3+saha`"),
        ("graph --as nobody", "there is none at all"),
        ("graph s3+shared", "2 owners have a connection `s3+shared`"),
        ("graph s3+saha://Algorithmia/", "write `--under PREFIX`"),
        ("graph s3+saha --access list", "list"),
        ("inspect --format svg", "are for `graph` alone"),
        ("graph s3+saha --format sarif", "is for `lint` alone"),
    ] {
        let ran = Folder::new().ask(args);
        assert_eq!(ran.code, 2, "{args}: {}", ran.err);
        assert!(ran.err.contains(part), "{args}: {}", ran.err);
    }
    assert_eq!(graph("s3+shared --as dana").out, "s3+shared://  list\n└─ pub/dana/  read *\n");
    assert_eq!(Folder::with("connections: 1\n").ask("graph s3+a").code, 3);
}
