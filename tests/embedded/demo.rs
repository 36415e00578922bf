//! The demo's objects, as its guide's program reads them.

use pathward::embedded::demo;

use super::{Server, over_both};

over_both! {
    async fn the_demo_has_its_objects(server: &Server) {
        demo::fill(&server.embedded).await.unwrap();
        assert_eq!(
            server.keys("Algorithmia").await,
            [
                "out/",
                "private/salaries.csv",
                "reports/2026/2026-01.csv",
                "reports/2026/2026-02.csv",
                "reports/2026/2026-03.csv",
                "team.jpg",
                "test_data.csv",
            ]
        );
        assert_eq!(server.keys("Algorithmia-private").await, ["plans.txt"]);
        let head = server.client.head_object().bucket("Algorithmia").key("team.jpg");
        assert_eq!(head.send().await.unwrap().content_type(), Some("image/jpeg"));
        let csv = server.get("Algorithmia", "test_data.csv").await;
        assert!(csv.starts_with(b"id,name,city"));

        // A second filling takes back nothing.
        server.put("Algorithmia", "out/result.csv", b"1").await;
        server.put("Algorithmia", "team.jpg", b"changed").await;
        demo::fill(&server.embedded).await.unwrap();
        assert_eq!(server.get("Algorithmia", "team.jpg").await, b"changed");
        assert_eq!(server.get("Algorithmia", "out/result.csv").await, b"1");
    }
}
