//! H5, H6: every route and method passes the same door, and nothing else is served.

use super::world::{BOB, NONE, World, each_way};
use pathward::gateway;

/// Methods that are and that are not.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"];

#[tokio::test(flavor = "multi_thread")]
async fn h05_h06_no_route_or_method_gets_by_without_a_key_and_a_decision() {
    each_way(async |world: &World| {
        let mut seen = 0;
        for route in gateway::routes() {
            for rest in [
                "",
                "s3+t/pub/data/x",
                "s3+t://pub/data/x",
                "s3%2Bt%3A%2F%2Fpub%2Fdata%2Fx",
                "x",
                ".my/x",
            ] {
                let target = route.replace("{*target}", rest);
                for method in METHODS {
                    for key in [
                        None,
                        Some(""),
                        Some("simUnknown"),
                        Some("Simple simUnknown"),
                        Some("Bearer x"),
                        Some("Basic YTpi"),
                        Some("AWS4-HMAC-SHA256 Credential=a"),
                    ] {
                        let headers: Vec<_> =
                            key.map(|key| ("Authorization", key)).into_iter().collect();
                        let answer = world.send_with(method, &target, &headers, b"").await;
                        assert_eq!(answer.status, 401, "{method} {target} {key:?}");
                        assert_eq!(
                            answer.header("www-authenticate"),
                            Some("Simple realm=\"pathward\"")
                        );
                        seen += 1;
                    }
                    // A key that may do nothing gets nothing but its own name.
                    let answer =
                        world.send_with(method, &target, &[("Authorization", NONE)], b"").await;
                    let is_root = matches!(method, "GET" | "HEAD")
                        && !target.contains("target")
                        && answer.status == 200;
                    if is_root {
                        assert!(method == "HEAD" || answer.names("folders") == ["ana"], "{target}");
                    } else {
                        assert!(
                            [400, 403, 404, 405].contains(&answer.status),
                            "{method} {target} {answer:?}"
                        );
                    }
                }
            }
        }
        assert_eq!(seen, gateway::routes().len() * 6 * METHODS.len() * 7);
        assert_eq!(world.taken().len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_no_route_is_not_there_and_says_so_in_json() {
    each_way(async |world: &World| {
        for target in [
            "/",
            "/v1",
            "/v1/",
            "/v1/hostedData",
            "/v1/users/ana/connectors",
            "/v1/database/x",
            "/v2/data/x",
            "/metrics",
            "/admin",
            "/v1//data/s3+t://pub/data/x",
            "/%76%31/data/s3+t://pub/data/x",
            "/..;/v1/data/x",
            "*",
        ] {
            for method in ["GET", "PUT", "DELETE"] {
                let answer = world.send(method, target, b"").await;
                assert!([404, 400, 405].contains(&answer.status), "{method} {target}: {answer:?}");
                answer.error();
            }
        }
        let health = world.send_with("GET", gateway::HEALTH, &[], b"").await;
        assert_eq!((health.status, health.body.as_slice()), (200, &br#"{"status":"ok"}"#[..]));
        assert_eq!(world.taken().len(), 0);
    })
    .await;
}

/// The root of hosted data lists one folder: it is there, and has nothing in it.
#[tokio::test(flavor = "multi_thread")]
async fn the_folder_that_the_root_lists_is_there() {
    each_way(async |world: &World| {
        let root = world.get("/v1/data/").await;
        assert_eq!(root.names("folders"), ["ana"]);
        for route in ["/v1/data/", "/v1/data/data://", "/v1/connector/data/", "/v1/data//"] {
            for name in ["ana", "ana/", ".my", ".my/", "%61na", "ana?acl=true", "ana?marker="] {
                let target = format!("{route}{name}");
                let answer = world.get(&target).await;
                assert_eq!(answer.status, 200, "{target}");
                assert_eq!(answer.body, br#"{"folders":[],"files":[]}"#, "{target}");
                assert_eq!(answer.header("x-data-type"), Some("directory"));
                if !name.contains('?') {
                    let head = world.send("HEAD", &target, b"").await;
                    let seen = (head.status, head.header("x-data-type"), head.body.len());
                    assert_eq!(seen, (200, Some("directory"), 0), "{target}");
                }
            }
        }
        // Another's name is as one that nobody has.
        let other = world.get("/v1/data/bob").await;
        assert_eq!(other.without_id(), world.get("/v1/data/nobody").await.without_id());
        assert_eq!(other.status, 404);
        let bobs = [("Authorization", BOB)];
        assert_eq!(world.send_with("GET", "/v1/data/ana", &bobs, b"").await.status, 404);
        assert_eq!(world.send_with("GET", "/v1/data/bob", &bobs, b"").await.status, 200);
        for target in ["/v1/data/ana/x", "/v1/data/Ana", "/v1/data/ana//", "/v1/data/.session"] {
            assert_eq!(world.get(target).await.status, 404, "{target}");
        }
        // It is not kept here, and says so to whoever would change it.
        for method in ["PUT", "POST", "DELETE", "PATCH"] {
            let answer = world.send(method, "/v1/data/ana", br#"{"name":"x"}"#).await;
            assert_eq!(answer.status, 404, "{method}");
            assert!(answer.error().contains("no hosted data"), "{method}");
        }
        for (target, code) in [
            ("/v1/data/?marker=x", 5002),
            ("/v1/data/ana?marker=x", 5002),
            ("/v1/data/?force=true", 2015),
            ("/v1/data/ana?x", 2015),
        ] {
            let answer = world.get(target).await;
            assert_eq!((answer.status, answer.json()["error"]["code"].as_u64()), (400, Some(code)));
        }
        assert_eq!(world.taken().len(), 0);
    })
    .await;
}
