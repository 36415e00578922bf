//! Nothing of a credential, and no key, in any page or file. Each answer is searched as it comes
//! ([`World::send`](crate::world::World)); here the search is made sure of, and the files are searched.

use crate::world::{ID, SECRET, World};

#[tokio::test]
async fn no_page_and_no_file_holds_a_secret() {
    let world = World::start().await;
    let identity = world.connection("ana", "one", &["pub/data/"]);
    let ana = world.sign_in("ana", "portal").await;
    let at = format!("/sources/{identity}");
    for target in
        ["/sources", "/sources/new", "/keys", &at, &format!("{at}/delete"), &format!("{at}/browse")]
    {
        let page = ana.get(target).await;
        assert_eq!(page.status, 200, "{target}");
        // Its own canary: what is sealed is not on a page either.
        assert!(
            !page.body.contains("age-encryption") && !page.body.contains("YWdlLWVuY3J5cHRpb24")
        );
    }
    let files = world.files();
    assert!(
        files.iter().any(|(_, text)| text.contains("id-ends: WXYZ")),
        "the search looks at nothing"
    );
    for (name, text) in &files {
        assert!(!text.contains(SECRET) && !text.contains(ID), "{name}");
    }
    // A key is on the page that shows it, and never again.
    let made = ana.post("/keys", &[("id", "laptop"), ("access", "read-only")]).await;
    let key = made.body.split("value=\"sim").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(key.len(), 40);
    for target in ["/keys", "/keys/revoke?id=laptop", "/sources"] {
        assert!(!ana.get(target).await.body.contains(&key), "{target}");
    }
    assert!(world.files().iter().all(|(_, text)| !text.contains(&key)));
}

#[test]
fn what_is_shown_of_a_portal_by_debug_is_its_address() {
    let world = tokio::runtime::Runtime::new().unwrap();
    let shown = world.block_on(async {
        let world = World::start().await;
        world.portal.first_link().unwrap();
        format!("{:?}", world.portal)
    });
    assert!(shown.starts_with("Portal { address: 127.0.0.1:") && shown.len() < 60, "{shown}");
}
