//! Catalogue c.3: what a listing tells, and what it does not.

use pathward::{
    executor::S3Options,
    gateway::{Options, ServerKey},
};

use super::world::{BOB, CONNECTIONS, Front, World};

/// Everything that a world's answer says, as one text.
fn all(answer: &super::world::Answer) -> String {
    format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body))
}

#[tokio::test(flavor = "multi_thread")]
async fn l01_a_bucket_shows_only_what_is_permitted() {
    let world = World::start().await;
    for target in ["/v1/data/s3+t://pub", "/v1/data/s3+t://pub/", "/v1/connector/s3+t/pub/"] {
        let answer = world.get(target).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-data-type"), Some("directory"));
        assert_eq!(answer.names("folders"), ["data"]);
        assert_eq!(answer.names("files"), ["team.jpg"]);
        assert!(!all(&answer).contains("secret") && !all(&answer).contains("data2"));
    }
    // The root shows the buckets that lead somewhere permitted.
    let root = world.get("/v1/data/s3+t://").await;
    assert_eq!((root.names("folders"), root.names("files").len()), (vec!["pub".to_owned()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn l02_a_folder_is_asked_for_with_its_slash() {
    let world = World::start().await;
    let answer = world.get("/v1/data/s3+t://pub/data").await;
    assert_eq!(
        (answer.names("folders"), answer.names("files")),
        (vec!["sub".into()], vec!["x".into()])
    );
    let lists: Vec<_> =
        world.upstream().into_iter().filter(|line| line.contains("list-type")).collect();
    assert_eq!(lists.len(), 1);
    assert!(
        lists[0].contains("prefix=data%2F&") || lists[0].ends_with("prefix=data%2F"),
        "{lists:?}"
    );
    assert!(lists[0].contains("encoding-type=url"), "{lists:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn l03_l04_d11_parameters_that_are_not_ours_are_refused() {
    let world = World::start().await;
    for query in [
        "prefix=data/&prefix=",
        "prefix=data/",
        "list-type=2&policy",
        "versions",
        "uploads",
        "location",
        "policy&prefix=data/",
        "acl&policy",
        "acl=true&acl=true",
        "marker=a&marker=b",
        "delete",
        "delimiter=",
        "start-after=a",
        "x",
        "force=true",
        "response-content-type=text/html",
    ] {
        world.refused(400, "GET", format!("/v1/data/s3+t://pub/data?{query}")).await;
    }
    for query in ["uploads", "delete&prefix=data/", "x=delete", "force=true"] {
        world.refused(400, "POST", format!("/v1/data/s3+t://pub?{query}")).await;
        world.refused(400, "PUT", format!("/v1/data/s3+t://pub/data/x?{query}")).await;
    }
    world.refused(400, "DELETE", "/v1/data/s3+t://pub/data/x?force=true&force=false").await;
    world.refused(400, "DELETE", "/v1/data/s3+t://pub/data/x?versionId=1").await;
    // The two that a listing takes.
    assert_eq!(world.get("/v1/data/s3+t://pub/data?acl=True").await.status, 200);
    assert_eq!(world.get("/v1/data/s3+t://pub/data?acl=false&marker=").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn l05_folders_lead_to_something_permitted() {
    let world = World::start().await;
    let answer = world.get("/v1/data/s3+csv://pub").await;
    // `*.csv` can be anywhere, so every folder could lead to one; no file here is one.
    assert_eq!(answer.names("files"), [""; 0]);
    let answer = world.get("/v1/data/s3+csv://pub/box").await;
    assert_eq!((answer.names("folders"), answer.names("files")), (vec![], vec!["a.csv".into()]));
    assert!(!all(&answer).contains("locked"));
    // The folder is denied; a file of its name is not, and is not there.
    world.refused(403, "GET", "/v1/data/s3+csv://pub/box/locked/").await;
    assert_eq!(world.get("/v1/data/s3+csv://pub/box/locked").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn l06_pages_count_only_what_is_shown_and_markers_are_bound() {
    let options = Options { page: 3, ..Default::default() };
    let world = World::with(CONNECTIONS, options).await;
    for number in 0..10 {
        let (shown, hidden) = (format!("mix/{number}.csv"), format!("mix/{number}.hidden"));
        world.embedded.put("pub", &shown, "text/csv", "1".into()).await.unwrap();
        world.embedded.put("pub", &hidden, "text/plain", "SECRET".into()).await.unwrap();
    }
    let mut target = "/v1/data/s3+csv://pub/mix".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = world.get(&target).await;
        assert!(!all(&answer).contains("hidden"));
        pages.push(answer.names("files"));
        let Some(marker) = answer.json()["marker"].as_str().map(str::to_owned) else { break };
        assert!(marker.bytes().all(|byte| byte.is_ascii_hexdigit()), "{marker}");
        target = format!("/v1/data/s3+csv://pub/mix?marker={marker}");
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
    assert_eq!(pages.concat(), (0..10).map(|number| format!("{number}.csv")).collect::<Vec<_>>());

    let marker =
        world.get("/v1/data/s3+csv://pub/mix").await.json()["marker"].as_str().unwrap().to_owned();
    world.taken();
    for target in [
        // Of another directory, another connection to the same, another form, and made up.
        format!("/v1/data/s3+csv://pub/box?marker={marker}"),
        format!("/v1/data/s3+all://pub/mix?marker={marker}"),
        format!("/v1/data/s3+csv://pub/mix?marker={marker}00"),
        format!("/v1/data/s3+csv://pub/mix?marker={}", marker.to_uppercase().replace('0', "1")),
        "/v1/data/s3+csv://pub/mix?marker=pub/secret".to_owned(),
        "/v1/data/s3+csv://pub/mix?marker=0".to_owned(),
    ] {
        let answer = world.get(&target).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_u64()),
            (400, Some(5002)),
            "{target}"
        );
        assert_eq!(world.upstream(), [""; 0], "{target}");
    }
    // The same listing by its other names takes it.
    for same in ["/v1/connector/s3+csv/pub/mix/", "/v1/data/S3+csv://pub/mix/"] {
        assert_eq!(world.get(format!("{same}?marker={marker}")).await.names("files")[0], "3.csv");
    }
    // Another user's connection of the same name is another listing.
    let bob = [("Authorization", BOB)];
    let answer = world
        .send_with("GET", format!("/v1/data/s3+bobs://pub/mix?marker={marker}"), &bob, b"")
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn l06_a_page_that_is_all_hidden_is_gone_past() {
    let world = World::start().await;
    for number in 0..1_200 {
        world
            .embedded
            .put("pub", &format!("deep/{number:04}.bin"), "x/y", "SECRET".into())
            .await
            .unwrap();
    }
    world.embedded.put("pub", "deep/z.csv", "text/csv", "1".into()).await.unwrap();
    let answer = world.get("/v1/data/s3+csv://pub/deep/").await;
    assert_eq!(answer.names("files"), ["z.csv"]);
    assert_eq!(answer.json().get("marker"), None);
    // As a file's the name is denied, and one look has to do.
    for method in ["GET", "HEAD"] {
        let answer = world.send(method, "/v1/data/s3+csv://pub/deep".to_owned(), b"").await;
        assert_eq!(answer.status, 403, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l07_uploads_under_way_are_not_listed() {
    let world = World::start().await;
    for target in ["/v1/data/s3+t://pub/data/?uploads", "/v1/data/s3+t://pub/data/x?uploadId=1"] {
        world.refused(400, "GET", target).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l08_what_is_out_of_scope_answers_alike_whether_it_is_there_or_not() {
    let world = World::start().await;
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let mut answers = Vec::new();
        for key in ["secret", "secre7", "data2/z", "data2/q"] {
            let target = format!("/v1/connector/s3+t/pub/{key}");
            let answer = world.send(method, target, b"").await;
            assert_eq!(answer.status, 403);
            let text = all(&answer).replace(key, "KEY");
            let id = answer.header("x-request-id").unwrap().to_owned();
            let date = answer.header("date").unwrap().to_owned();
            let length = answer.header("content-length").unwrap().to_owned();
            let text = text.replace(&id, "ID").replace(&date, "DATE").replace(&length, "LENGTH");
            answers.push(text);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
    assert_eq!(world.taken().len(), 0);
    // A connection that is another's, and one that nobody has.
    let of = |label: &'static str| world.get(format!("/v1/connector/{label}/pub/data/x"));
    let (bobs, none) = (of("s3+bobs").await, of("s3+nobs").await);
    let text = |answer: &super::world::Answer| answer.json()["error"]["message"].to_string();
    assert_eq!(bobs.status, none.status);
    assert_eq!(text(&bobs).replace("bobs", ""), text(&none).replace("nobs", ""));
    assert_eq!(world.taken().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn l09_what_may_be_read_may_be_listed() {
    let world = World::start().await;
    for target in
        ["/v1/data/s3+t://pub/data", "/v1/data/s3+t://pub/data/sub", "/v1/data/s3+ro://pub/box"]
    {
        assert_eq!(world.get(target).await.status, 200, "{target}");
        assert_eq!(world.send("HEAD", target, b"").await.status, 200, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l10_a_denial_names_what_was_asked_and_nothing_else() {
    let world = World::start().await;
    for (method, target) in [
        ("GET", "/v1/connector/s3+t/pub/secret"),
        ("PUT", "/v1/connector/s3+csv/pub/box/locked/x"),
        ("DELETE", "/v1/connector/s3+ro/pub/team.jpg"),
        ("GET", "/v1/connector/s3+t/hidden-bucket"),
    ] {
        let message = world.refused(403, method, target).await;
        for word in [
            "data/*",
            "team.jpg*",
            "*.csv",
            "deny",
            "rule",
            "restriction",
            "read-only",
            "credentials",
        ] {
            assert!(!message.contains(word), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_is_what_every_client_reads() {
    let world = World::start().await;
    let answer = world.get("/v1/data/s3+t://pub/data/sub").await;
    let json = answer.json();
    assert_eq!(json["folders"], serde_json::json!([]), "both lists are always there");
    assert!(json.get("marker").is_none() && json.get("acl").is_none());
    let file = &json["files"][0];
    assert_eq!((file["filename"].as_str(), file["size"].as_u64()), (Some("y"), Some(8)));
    let modified = file["last_modified"].as_str().unwrap();
    assert!(modified.len() == 24 && modified.ends_with(".000Z"), "{modified}");
    // A missing folder is 404 as a folder that became empty is: S3 has no folders.
    assert_eq!(world.get("/v1/data/s3+t://pub/data/none").await.status, 404);
    assert_eq!(world.send("HEAD", "/v1/data/s3+t://pub/data/none/", b"").await.status, 404);
    assert_eq!(world.get("/v1/data/s3+all://no-such-bucket").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_client_gets_folders_and_files_on_pages_of_their_own() {
    let options = Options { page: 2, ..Default::default() };
    let world = World::with(CONNECTIONS, options).await;
    for name in ["f1", "f2", "f3", "d1/x", "d2/x", "d3/x"] {
        world.embedded.put("pub", &format!("data/node/{name}"), "x/y", "1".into()).await.unwrap();
    }
    let node = [
        ("Authorization", super::world::ALL),
        ("User-Agent", "algorithmia-nodejs/0.3.10 (NodeJS v20.20.2)"),
    ];
    let mut target = "/v1/data/s3+t://pub/data/node".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = world.send_with("GET", &target, &node, b"").await;
        pages.push((answer.names("folders"), answer.names("files")));
        let Some(marker) = answer.json()["marker"].as_str().map(str::to_owned) else { break };
        target = format!("/v1/data/s3+t://pub/data/node?marker={marker}");
    }
    let page = |folders: &[&str], files: &[&str]| {
        let owned =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        (owned(folders), owned(files))
    };
    let expected = [
        page(&["d1", "d2"], &[]),
        page(&["d3"], &[]),
        page(&[], &["f1", "f2"]),
        page(&[], &["f3"]),
    ];
    assert_eq!(pages, expected);
    // Where there are no folders, the first page has files already.
    let answer = world.send_with("GET", "/v1/data/s3+t://pub/data/node/d1", &node, b"").await;
    assert_eq!((answer.names("files"), answer.json().get("marker")), (vec!["x".to_owned()], None));
}

/// Its successor in TypeScript reads one page, of folders and files.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_old_node_client_gets_folders_and_files_apart() {
    let world = World::start().await;
    for name in ["f1", "d1/x"] {
        world.embedded.put("pub", &format!("data/ts/{name}"), "x/y", "1".into()).await.unwrap();
    }
    for (agent, is_old) in [
        ("algorithmia-nodejs/0.3.10 (NodeJS v20.20.2)", true),
        ("algorithmia-nodejs/0.1.2", true),
        ("algorithmia-nodejs/undefined (NodeJS v20.20.2)", false),
        ("{User-Agent : algorithmia-nodejs/undefined (NodeJS v20.20.2)}", false),
        ("{User-Agent : algorithmia-nodejs/0.3.10 (NodeJS v20.20.2)}", false),
        ("algorithmia-nodejs/1.0.0 (NodeJS v20.20.2)", false),
        ("algorithmia-nodejs/01", false),
        ("proxy/1.0 algorithmia-nodejs/0.3.10", false),
        ("", false),
    ] {
        let headers = [("Authorization", super::world::ALL), ("User-Agent", agent)];
        let page = world.send_with("GET", "/v1/data/s3+t://pub/data/ts", &headers, b"").await;
        let files = if is_old { 0 } else { 1 };
        assert_eq!((page.names("folders").len(), page.names("files").len()), (1, files), "{agent}");
        assert_eq!(page.json().get("marker").is_some(), is_old, "{agent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_cannot_be_named_are_left_out() {
    let world = World::start().await;
    for key in ["data/odd//deep", "data/odd/plain", "data/odd/a\\b", "data/odd/"] {
        world.embedded.put("pub", key, "x/y", "1".into()).await.unwrap();
    }
    let answer = world.get("/v1/data/s3+t://pub/data/odd").await;
    assert_eq!(
        (answer.names("folders").len(), answer.names("files")),
        (0, vec!["a\\b".into(), "plain".into()])
    );
    // Through a connection whose server may read `\` as `/`, that name is none.
    assert_eq!(world.get("/v1/data/s3+ro://pub/data/odd").await.names("files"), ["plain"]);
}

/// Gateways that share a key are one: each goes on with what another began, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn d2_gateways_that_share_a_key_go_on_with_each_others_listings() {
    let world = World::start().await;
    for number in 0..5 {
        let key = format!("many/{number}");
        world.embedded.put("pub", &key, "text/plain", "".into()).await.unwrap();
    }
    let gateway = async |keys: &[&ServerKey]| {
        let endpoint = world.embedded.endpoint();
        let options = Options { page: 3, ..Options::default() };
        let front = Front::start(CONNECTIONS, &endpoint, options, S3Options::default()).await;
        if !keys.is_empty() {
            let text: String = keys.iter().map(|key| key.text().to_string()).collect();
            front.gateway.use_server_key(&ServerKey::parse(&text).unwrap());
        }
        front
    };
    let [old, new] = [(); 2].map(|()| ServerKey::random().unwrap());
    let (one, other) = (gateway(&[&old]).await, gateway(&[&old]).await);
    let (changing, changed) = (gateway(&[&old, &new]).await, gateway(&[&new, &old]).await);
    let (after, alone) = (gateway(&[&new]).await, gateway(&[]).await);
    let target = "/v1/data/s3+all://pub/many";
    let begin = async |front: &Front| {
        let page = front.get(target).await;
        assert_eq!((page.status, page.names("files").len()), (200, 3));
        page.json()["marker"].as_str().expect("there is more").to_owned()
    };
    let go_on = async |front: &Front, marker: &str| {
        let page = front.get(format!("{target}?marker={marker}")).await;
        if page.status == 200 {
            assert_eq!(page.names("files"), ["3", "4"]);
        }
        page.status
    };
    let begun = begin(&one).await;
    for (front, status) in [
        (&one, 200),
        (&other, 200),
        (&changing, 200),
        (&changed, 200),
        (&after, 400),
        (&alone, 400),
    ] {
        assert_eq!(go_on(front, &begun).await, status);
    }
    // While a key is replaced each of those that run goes on with what any of them began.
    let begun = begin(&changed).await;
    for (front, status) in [(&changing, 200), (&after, 200), (&one, 400)] {
        assert_eq!(go_on(front, &begun).await, status);
    }
}
