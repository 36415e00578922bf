//! What one owner may take from another at the portal.

use std::time::Duration;

use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

use crate::world::World;

/// Forms of one owner that come slowly were in every place, for twenty seconds each.
#[tokio::test(flavor = "multi_thread")]
async fn slow_forms_of_one_owner_keep_nobody_out() {
    pathward::gateway::raise_descriptor_limit();
    let world = World::start().await;
    let (ana, bob) = (world.sign_in("ana", "portal").await, world.sign_in("bob", "portal").await);
    let bobs = world.key("bob", "api", true);
    let (host, origin) = (world.host(), format!("http://{}", world.host()));
    for target in ["/sources/new", "/keys", "/sign-out"] {
        let mut slow = Vec::new();
        // More than the places that there are.
        for _ in 0..300 {
            let mut stream = TcpStream::connect(world.address).await.unwrap();
            let form = format!(
                "POST {target} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nCookie: {}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\na=",
                ana.cookie
            );
            // One that is closed for another is none that cannot be opened.
            let _ = stream.write_all(form.as_bytes()).await;
            slow.push(stream);
        }
        let soon = Duration::from_secs(5);
        let page = timeout(soon, bob.get("/sources")).await;
        assert_eq!(page.unwrap_or_else(|_| panic!("{target}: no page")).status, 200);
        let form = [("id", "one-more"), ("access", "read-only"), ("reach", "all")];
        let made = timeout(soon, bob.post("/keys/revoke", &form)).await;
        assert_ne!(made.unwrap_or_else(|_| panic!("{target}: no answer")).status, 503);
        let headers = [("Host", &*host), ("Authorization", &bobs)];
        let listed = timeout(soon, world.send("GET", "/v1/keys", &headers, "")).await;
        assert_eq!(listed.unwrap_or_else(|_| panic!("{target}: no keys")).status, 200);
        assert_eq!(timeout(soon, world.get("/sign-in", "")).await.unwrap().status, 200);
    }
}
