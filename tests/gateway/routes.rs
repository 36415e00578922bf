//! H5, H6: every route and method passes the same door, and nothing else is served.

use super::world::{NONE, World, each_way};
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
