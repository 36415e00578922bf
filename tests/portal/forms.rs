//! What an owner does by forms: as a browser sends them, without a script.

use pathward::portal::PortalOptions;

use crate::world::{ID, SECRET, Session, World};

/// The fields of a new data source on this server.
fn new_source<'a>(endpoint: &'a str, label: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("label", label),
        ("access_key_id", ID),
        ("secret_access_key", SECRET),
        ("endpoint", endpoint),
        ("region", "us-east-1"),
        ("keys", "exact"),
        ("restriction.0.text", "pub/data/"),
        ("restriction.0.kind", "plain"),
        ("restriction.0.access", ""),
        ("do", "save"),
    ]
}

/// The same without what is given here.
fn with<'a>(
    fields: &[(&'a str, &'a str)],
    other: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| other.iter().all(|(new, _)| new != name));
    kept.chain(other).copied().collect()
}

async fn created(session: &Session<'_>, label: &str) -> String {
    let endpoint = session.world.embedded.endpoint();
    let answer = session.post("/sources/new", &new_source(&endpoint, label)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn a_data_source_is_made_looked_through_changed_and_deleted() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    let at = created(&ana, "guide").await;
    let page = ana.get(&at).await;
    assert!(page.body.contains("s3+guide was created") && page.body.contains("ends in WXYZ"));
    assert!(!ana.get(&at).await.body.contains("was created"), "said once");
    let list = ana.get("/sources").await;
    assert!(list.body.contains("s3+guide") && list.body.contains("pub/data/"));
    assert!(ana.get("/sources?q=GUIDE").await.body.contains("s3+guide"));
    assert!(!ana.get("/sources?q=other").await.body.contains("s3+guide"));

    let tested = ana.post(&format!("{at}/test"), &[]).await;
    assert!(
        tested.status == 200 && tested.body.contains("verdict inline allow"),
        "{}",
        tested.body
    );
    let folder = ana.get(&format!("{at}/browse?path=pub/data/")).await;
    assert!(folder.body.contains("<code>x</code>"), "{}", folder.body);
    let denied = ana.get(&format!("{at}/browse?path=hidden/")).await;
    assert!(denied.body.contains("Denied"), "{}", denied.body);

    // The secret stays as it is when its fields are left blank.
    let endpoint = world.embedded.endpoint();
    let revision = ana.get(&at).await.hidden("revision");
    let changed = with(
        &new_source(&endpoint, "renamed"),
        &[
            ("access_key_id", ""),
            ("secret_access_key", ""),
            ("revision", &revision),
            ("restriction.0.text", "pub/"),
            ("write_access", "yes"),
            ("do", "review"),
        ],
    );
    let review = ana.post(&at, &changed).await;
    assert_eq!(review.status, 200);
    for part in
        ["Newly allowed", "s3+renamed", "Code that names the old one", "read, write, delete"]
    {
        assert!(review.body.contains(part), "{part}: {}", review.body);
    }
    assert!(world.store.find("ana", &pathward::ConnectionId::parse("s3+guide").unwrap()).is_ok());
    let saved = ana.post(&at, &with(&changed, &[("do", "save")])).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some(&*at)), "{}", saved.body);
    assert!(ana.get(&format!("{at}/browse?path=pub/")).await.body.contains("secret"));

    // A change that was decided on what is no more is refused, and its words are kept.
    let late = with(&changed, &[("label", "late"), ("do", "save")]);
    let conflict = ana.post(&at, &late).await;
    assert_eq!(conflict.status, 409, "{}", conflict.body);
    assert!(
        conflict.body.contains("Somebody else changed") && conflict.body.contains("value=\"late\"")
    );
    let stale = ana.post(&format!("{at}/delete"), &[("revision", &revision)]).await;
    assert_eq!(stale.status, 409);
    let ask = ana.get(&format!("{at}/delete")).await;
    assert!(ask.body.contains("Delete s3+renamed?"));
    let revision = ask.hidden("revision");
    assert_eq!(ana.post(&format!("{at}/delete"), &[("revision", &revision)]).await.status, 303);
    assert_eq!(ana.get(&at).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_nothing_is_made() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    created(&ana, "taken").await;
    let endpoint = world.embedded.endpoint();
    let fine = new_source(&endpoint, "fine");
    for (wrong, field, words) in [
        (&[("label", "taken")][..], "label", "already"),
        (&[("label", "")], "label", "label"),
        (&[("label", "a b")], "label", "label"),
        (&[("access_key_id", ""), ("secret_access_key", "")], "access_key_id", "access key"),
        (&[("secret_access_key", "")], "secret_access_key", "secret"),
        (&[("endpoint", "ftp://x")], "endpoint", "endpoint"),
        (&[("endpoint", "http://169.254.169.254")], "endpoint", ""),
        (&[("restriction.0.text", "")], "restrictions", "one line"),
        (&[("restriction.0.text", "a/../b")], "restriction-0-text", ""),
        (&[("restriction.0.text", "[b"), ("restriction.0.kind", "glob")], "restriction-0-text", ""),
    ] {
        let answer = ana.post("/sources/new", &with(&fine, wrong)).await;
        assert_eq!(answer.status, 422, "{wrong:?}: {}", answer.body);
        assert!(answer.body.contains("<title>Error: "), "{wrong:?}");
        let link = format!("<a href=\"#{field}\">");
        let message = answer.body.split(&link).nth(1);
        let message = message.unwrap_or_else(|| panic!("{wrong:?}: {}", answer.body));
        assert!(message.split("</a>").next().unwrap().contains(words), "{wrong:?}: {message}");
        assert!(answer.body.contains(&format!("id=\"{field}\"")), "{field}");
    }
    assert_eq!(world.store.list("ana").unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_is_kept_while_something_else_is_wrong_and_never_in_a_page() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    let endpoint = world.embedded.endpoint();
    let fields = new_source(&endpoint, "guide");
    let refused = ana.post("/sources/new", &with(&fields, &[("label", "a b")])).await;
    let held = refused.hidden("held");
    assert_eq!(held.len(), 64);
    let blank = [("access_key_id", ""), ("secret_access_key", ""), ("held", &*held)];
    let bob = world.sign_in("bob", "portal").await;
    let stolen = bob.post("/sources/new", &with(&fields, &blank)).await;
    assert_eq!(stolen.status, 422, "another session's secret is none of hers");
    let made = ana.post("/sources/new", &with(&fields, &blank)).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let at = made.header("location").unwrap().to_owned();
    let tested = ana.post(&format!("{at}/test"), &[]).await;
    assert!(tested.body.contains("verdict inline allow"), "{}", tested.body);
    let again = ana.post("/sources/new", &with(&with(&fields, &blank), &[("label", "more")])).await;
    assert_eq!(again.status, 422, "once it is saved, it is let go of");
}

#[tokio::test]
async fn another_endpoint_takes_the_secret_again() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    let at = created(&ana, "guide").await;
    let revision = ana.get(&at).await.hidden("revision");
    let moved = with(
        &new_source("http://127.0.0.1:9", "guide"),
        &[("access_key_id", ""), ("secret_access_key", ""), ("revision", &revision)],
    );
    for button in ["review", "save"] {
        let answer = ana.post(&at, &with(&moved, &[("do", button)])).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains("entered for another endpoint"), "{}", answer.body);
    }
}

#[tokio::test]
async fn without_a_key_to_seal_with_a_secret_is_not_kept() {
    let world = World::with(PortalOptions::default(), false).await;
    let ana = world.sign_in("ana", "portal").await;
    let endpoint = world.embedded.endpoint();
    let answer = ana.post("/sources/new", &new_source(&endpoint, "guide")).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("--seal-key"), "{}", answer.body);
    assert!(world.store.list("ana").unwrap().is_empty());
}

#[tokio::test]
async fn credentials_of_the_machine_are_not_an_owners_to_name() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    let endpoint = world.embedded.endpoint();
    for (kind, name) in
        [("env", "SAHA"), ("profile", "saha"), ("file", "/etc/credentials"), ("none", "")]
    {
        let fields = with(
            &new_source(&endpoint, "guide"),
            &[
                ("access_key_id", ""),
                ("secret_access_key", ""),
                ("reference_kind", kind),
                ("reference_name", name),
            ],
        );
        let answer = ana.post("/sources/new", &fields).await;
        assert_eq!(answer.status, 422, "{kind}: {}", answer.body);
    }
    assert!(world.store.list("ana").unwrap().is_empty());
}

#[tokio::test]
async fn somebody_elses_is_as_if_it_were_not_there() {
    let world = World::start().await;
    let identity = world.connection("ana", "private-label", &["pub/data/"]);
    let bob = world.sign_in("bob", "portal").await;
    let ana = world.sign_in("ana", "portal").await;
    let revision = world.store.get("ana", &identity).unwrap().revision;
    let nothing = bob.get("/sources/no-such").await;
    for rest in ["", "/browse", "/delete", "/browse?path=pub/"] {
        let answer = bob.get(&format!("/sources/{identity}{rest}")).await;
        assert_eq!((answer.status, &answer.body), (404, &nothing.body), "{rest}");
        assert_eq!(ana.get(&format!("/sources/{identity}{rest}")).await.status, 200, "{rest}");
    }
    for rest in ["", "/delete", "/test"] {
        let fields = [("revision", &*revision), ("do", "save"), ("label", "mine")];
        let answer = bob.post(&format!("/sources/{identity}{rest}"), &fields).await;
        assert_eq!(answer.status, 404, "{rest}");
    }
    assert!(!bob.get("/sources").await.body.contains("private-label"));
    assert!(world.store.get("ana", &identity).unwrap().revision == revision);
    // The same label is another data source.
    let at = created(&bob, "private-label").await;
    assert_ne!(at, format!("/sources/{identity}"));
    assert_eq!(bob.post("/keys/revoke", &[("id", "x")]).await.status, 404);
}

#[tokio::test]
async fn rows_are_added_removed_and_tried_without_a_script() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    let endpoint = world.embedded.endpoint();
    let fields = new_source(&endpoint, "guide");
    let added = ana.post("/sources/new", &with(&fields, &[("do", "add:restriction")])).await;
    assert!(added.status == 200 && added.body.contains("name=\"restriction.1.text\""));
    assert!(!added.body.contains("id=\"problems\""));
    let two = with(
        &fields,
        &[
            ("restriction.0.text", "pub/data/"),
            ("restriction.7.text", "pub*"),
            ("deny.3.text", "pub/secret"),
            ("try_operation", "read"),
            ("try_path", "pub/secret"),
        ],
    );
    let tried = ana.post("/sources/new", &with(&two, &[("do", "try")])).await;
    assert!(
        tried.body.contains("href=\"#deny-3-text\"") && tried.body.contains("deny.rule"),
        "{}",
        tried.body
    );
    assert!(tried.body.contains("class=\"finding"), "the linter on pub*");
    let removed = ana.post("/sources/new", &with(&two, &[("do", "remove:deny.3")])).await;
    assert!(removed.body.contains("href=\"#restriction-7-text\""), "{}", removed.body);
    for odd in ["remove:deny.99", "remove:x", "add:x", "nothing", ""] {
        assert_eq!(
            ana.post("/sources/new", &with(&two, &[("do", odd)])).await.status,
            200,
            "{odd}"
        );
    }
    assert!(world.store.list("ana").unwrap().is_empty());
}

#[tokio::test]
async fn a_key_is_for_the_data_sources_that_are_ticked() {
    let world = World::start().await;
    let ana = world.sign_in("ana", "portal").await;
    assert!(!ana.get("/keys").await.body.contains("name=\"reach\""), "there is nothing to choose");
    let one = world.connection("ana", "one", &["pub/data/"]);
    world.connection("ana", "two", &["pub/data/"]);
    world.connection("bob", "bobs", &["pub/data/"]);
    let page = ana.get("/keys").await.body;
    assert!(page.contains("value=\"s3+one\"") && !page.contains("s3+bobs"), "{page}");

    let id = ("id", "agent");
    let (some, all) = (("reach", "some"), ("reach", "all"));
    for (fields, status, words) in [
        (vec![id, some], 422, "Tick the data sources"),
        (vec![id, all, ("source", "s3+one")], 422, "Say which you mean"),
        (vec![id, ("source", "s3+one")], 422, "Say which you mean"),
        (vec![id, some, ("source", "s3+one"), ("manage", "yes")], 422, "opens all of them"),
        (vec![id, some, ("source", "s3+bobs")], 422, "no data source s3+bobs any more"),
        (vec![id, some, ("source", "s3+gone")], 422, "no data source s3+gone any more"),
        (vec![id, some, ("source", "<i>")], 422, "Choose among"),
        (vec![id, some, ("source", "s3")], 422, ""),
        (vec![("id", ""), some, ("source", "s3+two")], 422, "Enter a name"),
        (vec![id, some, ("source", "s3+one")], 200, "in s3+one alone"),
        (vec![("id", "both"), some, ("source", "s3+one"), ("source", "s3+two")], 200, ""),
        (vec![("id", "all"), all], 200, "With data: read only."),
    ] {
        let answer = ana.post("/keys", &fields).await;
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.body);
        assert!(answer.body.contains(words), "{fields:?}: {}", answer.body);
        let ticked = fields.iter().any(|(_, value)| *value == "s3+one");
        if status == 422 && ticked {
            assert!(answer.body.contains("value=\"s3+one\" checked"), "{}", answer.body);
        }
    }
    let keys = world.store.keys("ana").unwrap();
    let reach: Vec<_> = keys.iter().map(|key| format!("{} {}", key.id, key.reach)).collect();
    assert_eq!(
        reach,
        ["portal all connections", "agent s3+one", "both s3+one, s3+two", "all all connections"]
    );
    let list = ana.get("/keys").await.body;
    assert!(list.contains("<code class=\"path\">s3+one</code>"), "{list}");

    let at = format!("/sources/{one}/delete");
    let ask = ana.get(&at).await;
    assert!(ask.body.contains("The API key agent is for it alone, and is revoked"), "{}", ask.body);
    assert_eq!(ana.post(&at, &[("revision", &ask.hidden("revision"))]).await.status, 303);
    let keys = world.store.keys("ana").unwrap();
    let reach: Vec<_> = keys.iter().map(|key| format!("{} {}", key.id, key.reach)).collect();
    assert_eq!(reach, ["portal all connections", "both s3+two", "all all connections"]);
}
