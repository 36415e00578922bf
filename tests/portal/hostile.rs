//! Text that is made to be something else, in every field and from every place.

use crate::world::World;

const HOSTILE: [&str; 6] = [
    "\"'><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}${7*7}",
    "a\r\nSet-Cookie: x=1\r\n\r\n<script>alert(1)</script>",
    "\u{202e}gpj.exe\u{0}\u{1b}[2J",
];

/// What would be an element, an attribute or a header of its own.
fn assert_text(what: &str, answer: &crate::world::Answer) {
    for broken in ["<script>", "<img", "'><", "onerror=alert(1)>", "\u{202e}"] {
        let stands =
            answer.body.contains(broken) && !(broken == "\u{202e}" && only_in_values(&answer.body));
        assert!(!stands, "{what}: {broken}: {}", answer.body);
    }
    assert!(answer.header("set-cookie").is_none_or(|cookie| !cookie.starts_with("x=")), "{what}");
    assert!(answer.status < 500, "{what}: {}", answer.body);
}

/// A field keeps what was typed into it, byte for byte; elsewhere what is hidden is escaped.
fn only_in_values(body: &str) -> bool {
    body.split('\u{202e}').rev().skip(1).all(|before| {
        let value = before.rfind("value=\"");
        value.is_some_and(|at| !before[at + 7..].contains('"'))
    })
}

#[tokio::test]
async fn in_every_field_of_every_form() {
    let world = World::start().await;
    let identity = world.connection("ana", "one", &["pub/data/"]);
    let ana = world.sign_in("ana", "portal").await;
    let forms: [(&str, &[&str]); 5] = [
        (
            "/sources/new",
            &[
                "label",
                "access_key_id",
                "secret_access_key",
                "session_token",
                "endpoint",
                "region",
                "keys",
                "held",
                "revision",
                "restriction.0.text",
                "restriction.0.access",
                "deny.0.text",
                "access_detail",
                "reference_kind",
                "reference_name",
                "try_path",
                "try_operation",
            ],
        ),
        ("/keys", &["id", "access", "manage", "reach", "source"]),
        ("/keys/revoke", &["id"]),
        ("/sign-in", &["key", "next"]),
        ("/first", &["link", "name"]),
    ];
    for (target, fields) in forms {
        for hostile in HOSTILE {
            for field in fields {
                for button in ["save", "check", "try"] {
                    let answer = ana.post(target, &[(field, hostile), ("do", button)]).await;
                    assert_text(&format!("{target} {field} {hostile:?}"), &answer);
                    if target != "/sources/new" {
                        break;
                    }
                }
            }
        }
    }
    let at = format!("/sources/{identity}");
    for hostile in HOSTILE {
        let query = crate::world::form(&[
            ("q", hostile),
            ("path", hostile),
            ("id", hostile),
            ("marker", hostile),
            ("next", hostile),
            ("link", hostile),
        ]);
        for target in [
            "/sources",
            "/keys/revoke",
            "/sign-in",
            "/first",
            &format!("{at}/browse"),
            &format!("{at}/delete"),
        ] {
            assert_text(target, &ana.get(&format!("{target}?{query}")).await);
        }
        let path = query.split('=').nth(1).unwrap().split('&').next().unwrap();
        for target in
            [format!("/sources/{path}"), format!("/{path}"), format!("/sources/{path}/browse")]
        {
            let answer = ana.get(&target).await;
            assert_eq!(answer.status, 404, "{target}");
            assert_text(&target, &answer);
        }
        let review = [
            ("label", "one"),
            ("restriction.0.text", hostile),
            ("deny.1.text", hostile),
            ("do", "review"),
        ];
        assert_text("a review", &ana.post(&at, &review).await);
    }
    assert_eq!(world.store.keys("ana").unwrap().len(), 1);
}

/// What a storage holds, and what a file that was written by hand says, are somebody's words too.
#[tokio::test]
async fn from_the_storage_and_from_the_store() {
    let world = World::start().await;
    let folder = "pub/<img src=x onerror=alert(1)>";
    let restrictions = ["pub/", "pub/<script>alert(1)</script>", "other/\"'><b>*"];
    let identity = world.connection("ana", "one", &restrictions);
    for key in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>/in it",
        "\u{202e}gpj.exe",
        "a&b\"c'd",
    ] {
        world.embedded.put("pub", key, "text/html", "<script>".into()).await.unwrap();
    }
    let ana = world.sign_in("ana", "portal").await;
    let at = format!("/sources/{identity}");
    let listed = ana.get(&format!("{at}/browse?path=pub/")).await;
    assert_text("a listing", &listed);
    for name in ["&#60;script&#62;alert(1)&#60;/", "\\u{202e}gpj.exe", "a&#38;b&#34;c&#39;d"] {
        assert!(listed.body.contains(name), "{name}: {}", listed.body);
    }
    let query = crate::world::form(&[("path", &format!("{folder}/"))]);
    let inside = ana.get(&format!("{at}/browse?{query}")).await;
    assert_text("a folder", &inside);
    assert!(inside.body.contains("in it"), "{}", inside.body);
    for target in ["/sources", &at, &format!("{at}/delete")] {
        assert_text(target, &ana.get(target).await);
    }
}

#[tokio::test]
async fn forms_that_are_no_forms_are_refused() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(ana.post("/keys", &[("id", &long)]).await.status, 413);
    // More fields than are taken: nothing is done with the first of them. And less of a stranger.
    let many: Vec<(&str, &str)> = std::iter::repeat_n(("restriction.0.text", "a"), 9_000).collect();
    assert_eq!(ana.post("/sources/new", &many).await.status, 413);
    assert_eq!(world.post("/sign-in", "", &[("key", &long[..9_000])]).await.status, 413);
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let origin = format!("http://{}", world.host());
        let headers = [("Host", &*world.host()), ("Origin", &origin), ("Cookie", &ana.cookie)];
        let answer = world.send(method, "/keys", &headers, "").await;
        assert!(matches!(answer.status, 403..=405), "{method}: {answer:?}");
    }
}
