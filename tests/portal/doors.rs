//! Who gets in, from where, and for how long.

use std::time::Duration;

use pathward::portal::PortalOptions;

use crate::world::{World, form};

#[tokio::test]
async fn every_answer_says_what_browsers_need_to_hear() {
    let world = World::start().await;
    let session = world.sign_in("ana", "portal").await;
    for target in ["/sources", "/sources/new", "/keys", "/nothing", "/sign-out", "/v1/connections"]
    {
        let answer = session.get(target).await;
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{target}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{target} {name}");
        }
        assert!(answer.header("cache-control").unwrap().contains("no-store"), "{target}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let page = session.get("/sources").await;
    for (name, kind) in [
        ("portal.css", "text/css"),
        ("portal.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let at = page.body.split('"').find(|part| part.ends_with(name)).unwrap();
        let asset = world.get(at, "").await;
        assert_eq!(asset.status, 200);
        assert!(asset.header("content-type").unwrap().starts_with(kind));
        assert!(asset.header("cache-control").unwrap().contains("immutable"));
        assert_eq!(asset.header("x-content-type-options"), Some("nosniff"));
    }
    assert_eq!(world.get("/assets/0000000000000000/portal.css", "").await.status, 404);
}

#[tokio::test]
async fn nothing_of_an_owner_is_shown_to_nobody() {
    let world = World::start().await;
    let identity = world.connection("ana", "hidden-label", &["pub/data/"]);
    for target in [
        "/",
        "/sources",
        "/keys",
        "/sources/new",
        &format!("/sources/{identity}"),
        &format!("/sources/{identity}/browse"),
    ] {
        for cookie in ["", "pathward=x", &format!("pathward-{}=0000", world.address.port())] {
            let answer = world.get(target, cookie).await;
            assert_eq!(answer.status, 303, "{target}");
            assert!(answer.header("location").unwrap().starts_with("/sign-in"), "{answer:?}");
            assert!(!answer.body.contains("hidden-label"));
        }
    }
    let answer = world.post(&format!("/sources/{identity}/delete"), "", &[("revision", "x")]).await;
    assert_eq!(answer.status, 303);
    assert!(world.store.get("ana", &identity).is_ok());
}

#[tokio::test]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let world = World::start().await;
    let identity = world.connection("ana", "one", &["pub/data/"]);
    let ana = world.sign_in("ana", "portal").await;
    let bob = world.sign_in("bob", "portal").await;
    let other = world.sign_in("ana", "second").await;
    let revision = world.store.get("ana", &identity).unwrap().revision;
    let delete = format!("/sources/{identity}/delete");
    for csrf in ["", "x", &bob.csrf, &other.csrf] {
        let fields = [("csrf", csrf), ("revision", &*revision)];
        let answer = world.post(&delete, &ana.cookie, &fields).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        for target in ["/keys", "/sign-out", "/sources/new", "/keys/revoke"] {
            let answer = world.post(target, &ana.cookie, &[("csrf", csrf), ("id", "x")]).await;
            assert_eq!(answer.status, 403, "{target}");
        }
    }
    assert!(world.store.get("ana", &identity).is_ok());
    assert_eq!(world.store.keys("ana").unwrap().len(), 2);
    // Its twin with the token does.
    assert_eq!(ana.post(&delete, &[("revision", &revision)]).await.status, 303);
    assert!(world.store.get("ana", &identity).is_err());
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    let host = world.host();
    let own = format!("http://{host}");
    let gateway = "http://127.0.0.1:1";
    let body = form(&[("csrf", &ana.csrf), ("id", "stolen"), ("access", "read-write")]);
    let form_type = ("Content-Type", "application/x-www-form-urlencoded");
    for (headers, status) in [
        (vec![("Origin", "https://evil.example")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Origin", gateway)], 403),
        (vec![], 403),
        (vec![("Origin", &*own), ("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Origin", &*own), ("Sec-Fetch-Site", "same-site")], 403),
    ] {
        let common = [("Host", &*host), ("Cookie", &*ana.cookie), form_type];
        let headers = [&common[..], &headers].concat();
        let answer = world.send("POST", "/keys", &headers, &body).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    // Signing somebody in to another's account is a change too.
    let key = world.key("mallory", "portal", true);
    let headers = [("Host", &*host), ("Origin", "https://evil.example"), form_type];
    let answer = world.send("POST", "/sign-in", &headers, &form(&[("key", &key)])).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
    assert_eq!(world.store.keys("ana").unwrap().len(), 1);
    let headers = [
        ("Host", &*host),
        ("Cookie", &*ana.cookie),
        ("Origin", &*own),
        ("Content-Type", "text/plain"),
    ];
    assert_eq!(world.send("POST", "/keys", &headers, &body).await.status, 415);
}

#[tokio::test]
async fn another_name_of_this_machine_is_not_answered() {
    let options = PortalOptions { hosts: vec!["portal.example".to_owned()], ..Default::default() };
    let world = World::with(options, true).await;
    let ana = world.sign_in("ana", "portal").await;
    for (host, status) in [
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost", 200),
        ("portal.example", 200),
    ] {
        let answer =
            world.send("GET", "/keys", &[("Host", host), ("Cookie", &ana.cookie)], "").await;
        assert_eq!(answer.status, status, "{host}");
        let api = world.send("GET", "/v1/connections", &[("Host", host)], "").await;
        assert_eq!(api.status == 421, status == 421, "{host}: {api:?}");
    }
}

#[tokio::test]
async fn getting_a_page_changes_nothing() {
    let world = World::start().await;
    let identity = world.connection("ana", "one", &["pub/data/"]);
    let ana = world.sign_in("ana", "portal").await;
    let before = world.files();
    for target in [
        format!("/sources/{identity}/delete"),
        format!("/sources/{identity}?do=save&label=x"),
        "/keys/revoke?id=portal".to_owned(),
        "/keys?id=new&access=none".to_owned(),
        "/sources/new?do=save".to_owned(),
    ] {
        assert_eq!(ana.get(&target).await.status, 200, "{target}");
    }
    assert_eq!(ana.get("/sign-out").await.status, 404);
    assert_eq!(ana.get("/keys").await.status, 200);
    assert_eq!(world.files(), before);
}

#[tokio::test]
async fn sessions_expire() {
    let idle = PortalOptions { idle: Duration::from_millis(700), ..Default::default() };
    let world = World::with(idle, true).await;
    let ana = world.sign_in("ana", "portal").await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(ana.get("/keys").await.status, 200);
    }
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(ana.get("/keys").await.status, 303);
    let longest = PortalOptions { longest: Duration::from_millis(900), ..Default::default() };
    let world = World::with(longest, true).await;
    let ana = world.sign_in("ana", "portal").await;
    assert_eq!(ana.get("/keys").await.status, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ana.get("/keys").await.status, 303);
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_with_signing_out() {
    let world = World::start().await;
    let (one, other) = (world.sign_in("ana", "one").await, world.sign_in("ana", "other").await);
    assert_eq!(one.post("/keys/revoke", &[("id", "other")]).await.status, 303);
    assert_eq!(other.get("/keys").await.status, 303);
    assert_eq!(one.get("/keys").await.status, 200);
    world.store.revoke_key("ana", "one").unwrap();
    assert_eq!(one.get("/keys").await.status, 303);

    let third = world.sign_in("ana", "third").await;
    let out = third.post("/sign-out", &[]).await;
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(third.get("/keys").await.status, 303);
}

/// A page of the same machine's name can put a cookie beside ours. It signs nobody out, and nobody into
/// another's session.
#[tokio::test]
async fn another_cookie_of_the_same_name_is_nothing() {
    let world = World::start().await;
    let (ana, bob) = (world.sign_in("ana", "portal").await, world.sign_in("bob", "portal").await);
    let name = ana.cookie.split('=').next().unwrap();
    let (own, bobs) = (&ana.cookie, &bob.cookie);
    for (cookie, status) in [
        (format!("{name}=0000; {own}"), 200),
        (format!("{own}; {name}="), 200),
        (format!("{own}; {own}"), 200),
        (format!("{bobs}; {own}"), 303),
        (format!("{own}; {bobs}"), 303),
        (format!("{}{own}", format!("{name}=0000; ").repeat(4)), 303),
    ] {
        let answer = world.get("/sources", &cookie).await;
        assert_eq!(answer.status, status, "{cookie}");
    }
}

#[tokio::test]
async fn the_cookie_is_for_the_browser_alone() {
    let world = World::start().await;
    let key = world.key("ana", "portal", true);
    let answer = world.post("/sign-in", "", &[("key", &key)]).await;
    let cookie = answer.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains(&key));
    // Behind a proxy that speaks TLS, it says so.
    let origin = format!("https://{}", world.host());
    let headers = [
        ("Host", &*world.host()),
        ("Origin", &origin),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let answer = world.send("POST", "/sign-in", &headers, &form(&[("key", &key)])).await;
    assert!(answer.header("set-cookie").unwrap().contains("; Secure"));
}

#[tokio::test]
async fn keys_that_hold_data_alone_do_not_sign_in_and_guessing_is_slowed() {
    let world = World::start().await;
    let data = world.key("ana", "job", false);
    let good = world.key("ana", "portal", true);
    for (n, key) in [&*data, "", "admin", "ana"].into_iter().cycle().take(10).enumerate() {
        let answer = world.post("/sign-in", "", &[("key", key)]).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{n}");
        if !key.is_empty() {
            assert!(!answer.body.contains(&format!("\"{key}\"")), "a key is shown");
        }
    }
    let answer = world.post("/sign-in", "", &[("key", "guess")]).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (429, None));
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=31).contains(&seconds));
    // Whoever has a key is not locked out by somebody else at the same address.
    let answer = world.post("/sign-in", "", &[("key", &good)]).await;
    assert_eq!((answer.status, answer.header("set-cookie").is_some()), (303, true));
}

#[tokio::test]
async fn the_one_time_link_makes_one_key_and_no_password_was_there_before() {
    let world = World::start().await;
    world.key("ana", "job", false);
    let link = world.portal.first_link().unwrap().unwrap();
    let token = link.split("link=").nth(1).unwrap();
    let target = format!("/first?link={token}");
    assert_eq!(world.get("/first?link=x", "").await.status, 410);
    for _ in 0..2 {
        assert_eq!(world.get(&target, "").await.status, 200, "looking uses nothing up");
    }
    for name in ["", "a b", "<script>", "../x", &"a".repeat(65)] {
        let answer = world.post("/first", "", &[("link", token), ("name", name)]).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (422, None), "{name}");
    }
    let made = world.post("/first", "", &[("link", token), ("name", "ana")]).await;
    assert_eq!(made.status, 200, "{made:?}");
    let key = made.body.split("value=\"sim").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(world.get("/keys", &made.cookie()).await.status, 200);
    let answer = world.post("/sign-in", "", &[("key", &format!("sim{key}"))]).await;
    assert_eq!(answer.status, 303);
    for (id, manage) in [("job", false), ("portal", true)] {
        let keys = world.store.keys("ana").unwrap();
        assert_eq!(keys.iter().find(|known| known.id == id).unwrap().manage, manage);
    }
    // It is used up, and there is no other while somebody can sign in.
    assert_eq!(world.get(&target, "").await.status, 410);
    let again = world.post("/first", "", &[("link", token), ("name", "mallory")]).await;
    assert_eq!((again.status, again.header("set-cookie")), (410, None));
    assert!(
        world.store.keys("mallory").is_ok_and(|keys| keys.is_empty())
            || world.store.keys("mallory").is_err()
    );
    assert_eq!(world.portal.first_link().unwrap(), None);
    assert!(world.files().iter().all(|(_, text)| !text.contains(key)), "only its hash is kept");
}

/// It is not to become good again when the key that came another way is revoked.
#[tokio::test]
async fn a_first_link_is_withdrawn_once_somebody_can_sign_in() {
    let world = World::start().await;
    let link = world.portal.first_link().unwrap().unwrap();
    let token = link.split("link=").nth(1).unwrap();
    let target = format!("/first?link={token}");
    assert_eq!(world.get(&target, "").await.status, 200);
    world.key("ana", "portal", true);
    world.store.revoke_key("ana", "portal").unwrap();
    assert!(!world.store.has_users());
    assert_eq!(world.get(&target, "").await.status, 410);
    let answer = world.post("/first", "", &[("link", token), ("name", "mallory")]).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (410, None));
}
