//! Listings show what may be shown, page by page, and nothing of the rest: catalogue L6, N16.

use super::{DirectoryPage, Executor, ListDirectory, PageRequest, Setup, Want, owned};

fn names(page: &DirectoryPage) -> Vec<String> {
    let folders = page.folders.iter().map(|folder| format!("{folder}/"));
    folders.chain(page.files.iter().map(|file| file.name.clone())).collect()
}

async fn lake(fields: &str) -> Setup {
    let setup = Setup::with(fields).await;
    for key in
        ["raw/2026/a.csv", "raw/2027/b.csv", "readme.md", "readme.md.bak", "secret/k", "tmp-1"]
    {
        setup.backend.put(&format!("lake/{key}"), b"12345");
    }
    setup.backend.put("other/x", b"");
    setup
}

#[tokio::test]
async fn a_narrowed_listing_asks_for_and_shows_only_what_leads_somewhere() {
    let setup =
        lake("restrictions: [lake/raw/2026/, lake/readme.md, lake/none/, lake/tmp-*]").await;
    let page = setup.list("lake/", None, 100).await.expect("a page");
    assert_eq!(names(&page), ["raw/", "readme.md", "tmp-1"]);
    assert_eq!(page.files[0].size, 5);
    assert!(page.files[0].last_modified.is_some());
    assert!(page.exists && page.next.is_none());
    let asked: Vec<_> = setup.backend.requests().iter().map(|r| r.query("prefix")).collect();
    let expected = ["none/", "raw/2026/", "readme.md", "tmp-"];
    let expected = expected.map(|prefix| Some(prefix.to_owned()));
    assert_eq!(asked, expected, "never the directory itself");
    let names_below = names(&setup.list("lake/raw/", None, 100).await.expect("a page"));
    assert_eq!(names_below, ["2026/"]);
}

#[tokio::test]
async fn pages_are_full_and_follow_each_other_whatever_is_hidden() {
    for by_names in [false, true] {
        let setup = Setup::with("restrictions: [lake/*, other/*]\ndeny: ['lake/*hidden*']").await;
        if by_names {
            setup.backend.list_by_names();
        }
        let mut expected = Vec::new();
        // A folder `a` and files `a-…` behind or before it, by the server's order.
        for key in ["a/1", "a/2", "a-1", "a.b", "a", "a0", "b/", "b/x", "b-/y", "b-", "ü", "z+ %41"]
        {
            setup.backend.put(&format!("lake/{key}"), b"");
            let name = key.split_once('/').map_or(key.to_owned(), |(first, _)| format!("{first}/"));
            expected.push(name);
        }
        for number in 0..2_500 {
            setup.backend.put(&format!("lake/hidden-{number:04}"), b"");
            setup.backend.put(&format!("lake/a-hidden-{number:04}"), b"");
        }
        for number in 0..40 {
            setup.backend.put(&format!("lake/folder-{number}/hidden"), b"");
            setup.backend.put(&format!("lake/folder-{number}/shown"), b"");
            setup.backend.put(&format!("lake/nothing-{number}/hidden"), b"");
            expected.push(format!("folder-{number}/"));
            setup.backend.put(&format!("lake/folder-{number}-file"), b"");
            expected.push(format!("folder-{number}-file"));
        }
        expected.sort();
        expected.dedup();
        for limit in [1, 2, 3, 7, 50, 1_000] {
            let mut all = setup.list_all("lake/", limit).await;
            all.sort();
            assert_eq!(all, expected, "{limit} by names: {by_names}");
        }
    }
}

#[tokio::test]
async fn markers_are_of_shown_entries_and_only_when_more_is_shown() {
    let setup = Setup::with("restrictions: ['lake/*.csv']").await;
    for key in ["a.csv", "b.txt", "c.csv", "d.txt", "e.txt"] {
        setup.backend.put(&format!("lake/{key}"), b"");
    }
    let page = setup.list("lake/", None, 1).await.expect("a page");
    assert_eq!((names(&page), page.next.as_deref()), (vec!["a.csv".to_owned()], Some("a.csv")));
    // What follows is hidden, so that nothing does.
    let page = setup.list("lake/", None, 2).await.expect("a page");
    assert_eq!((names(&page).len(), page.next), (2, None));
    let page = setup.list("lake/", Some("c.csv"), 1).await.expect("a page");
    assert_eq!((names(&page).len(), page.next, page.exists), (0, None, true));
}

#[tokio::test]
async fn over_a_thousand_entries_take_more_than_one_request() {
    let setup = Setup::new().await;
    for number in 0..2_345 {
        setup.backend.put(&format!("lake/d/{number:05}"), b"");
    }
    setup.backend.put("lake/d/", b"");
    let page = setup.list("lake/d/", None, 1_000).await.expect("a page");
    assert_eq!((page.files.len(), page.next.as_deref()), (1_000, Some("00999")));
    assert_eq!(setup.list_all("lake/d/", 1_000).await.len(), 2_345);
    assert_eq!(setup.list("lake/d/", None, 5_000).await.expect("a page").files.len(), 2_345);
}

#[tokio::test]
async fn a_directory_is_there_if_its_parent_shows_it() {
    let setup = lake(
        "restrictions: [lake/raw/2026/, lake/gone/x, empty/*, lake/secret/mine, narrow/x*, lost/x]",
    )
    .await;
    setup.backend.bucket("empty");
    setup.backend.bucket("narrow");
    for (path, exists) in [
        ("", true),
        ("lake/", true),
        ("lake/raw/", true),
        ("lake/raw/2026/", true),
        ("lake/raw/2026/deeper/", false),
        ("lake/gone/", false),
        // The bucket is passed through, and a bucket is there though nothing is in it.
        ("empty/", true),
        ("narrow/", true),
        ("lost/", false),
        ("empty/dir/", false),
        // There is a `secret/k`, but nothing under what may be asked for.
        ("lake/secret/", false),
    ] {
        for limit in [0, 1, 100] {
            let page = setup.list(path, None, limit).await.expect("a page");
            assert_eq!(page.exists, exists, "{path} {limit}");
            if limit == 0 {
                assert_eq!((names(&page).len(), page.next), (0, None), "{path}");
            }
        }
    }
    let setup = Setup::new().await;
    let page = setup.list("gone/", None, 10).await.expect("a page");
    assert_eq!(page, DirectoryPage::default(), "no such bucket");
}

#[tokio::test]
async fn a_folder_shows_when_something_is_where_something_may_be() {
    let setup =
        lake("restrictions: [lake/secret/mine, lake/raw/2027/b.csv, lake/raw/2028/x]").await;
    assert_eq!(setup.list_all("lake/", 10).await, ["raw/"], "`secret/` has nothing but the hidden");
    assert_eq!(setup.list_all("lake/raw/", 10).await, ["2027/"]);
    setup.backend.put("lake/secret/mine", b"");
    assert_eq!(setup.list_all("lake/", 10).await, ["raw/", "secret/"]);
}

/// A key that may list what the connection shows, and not the folders above it, as its IAM policy has it.
#[tokio::test]
async fn a_folder_with_many_places_shows_when_it_may_not_be_listed_itself() {
    use super::backend::Fault;
    for (count, is_shown) in [(10, true), (100, true), (300, false)] {
        let texts: Vec<String> = (0..count).map(|n| format!("lake/raw/{n:03}/")).collect();
        let setup = lake(&format!("restrictions: [{}]", texts.join(", "))).await;
        setup.backend.put("lake/raw/007/x", b"");
        let is_refused = |request: &super::backend::Request| {
            let prefix = request.query("prefix").unwrap_or_default();
            request.method == "GET" && !(prefix.starts_with("raw/") && prefix.len() > 4)
        };
        let refused = Fault::Answer { status: 403, headers: "", body: String::new() };
        setup.backend.fail(9, is_refused, refused);
        let page = setup.list("lake/", None, 10).await;
        match is_shown {
            true => assert_eq!(names(&page.expect("a page")), ["raw/"], "{count}"),
            false => assert!(matches!(page, Err(super::ExecuteError::Refused { .. })), "{count}"),
        }
    }
    // What was refused is not asked for again where there is nothing else to ask.
    for places in ["lake/raw/1/", "lake/raw/1/, lake/raw/2/"] {
        let setup = lake(&format!("restrictions: [{places}]")).await;
        let refused = Fault::Answer { status: 403, headers: "", body: String::new() };
        setup.backend.fail(9, |request| request.method == "GET", refused);
        let page = setup.list("lake/", None, 10).await;
        assert!(matches!(page, Err(super::ExecuteError::Refused { .. })), "{page:?}");
        assert_eq!(setup.backend.requests().len(), 1, "{places}");
    }
}

#[tokio::test]
async fn a_server_that_never_ends_is_given_up() {
    use super::backend::Fault;
    let setup = lake("access: read-write").await;
    let body = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
                <NextContinuationToken>again</NextContinuationToken></ListBucketResult>";
    for body in [body, &body.replace("again", "")] {
        let fault = Fault::Answer { status: 200, headers: "", body: body.into() };
        setup.backend.fail(5, |request| request.method == "GET", fault);
        let page = setup.list("lake/", None, 10).await;
        assert_eq!(page, Err(super::ExecuteError::Failed { status: None, code: None }));
    }
}

#[tokio::test]
async fn listings_are_decoded_only_where_the_server_encodes() {
    use super::backend::Fault;
    let setup = lake("access: read-write").await;
    for (encoding, name) in [("<EncodingType>url</EncodingType>", "a b/"), ("", "a+b%2Fc")] {
        let body = format!(
            "<ListBucketResult>{encoding}<IsTruncated>false</IsTruncated>\
             <Contents><Key>a+b%2Fc</Key><Size>1</Size></Contents>\
             <CommonPrefixes><Prefix>a+b%2F</Prefix></CommonPrefixes></ListBucketResult>"
        );
        let fault = Fault::Answer { status: 200, headers: "", body };
        setup.backend.fail(1, |request| request.method == "GET", fault);
        assert_eq!(setup.list_all("lake/", 10).await, [name]);
    }
}

#[tokio::test]
async fn folders_and_files_can_be_asked_for_alone() {
    let narrow = "restrictions: ['lake/*']\ndeny: [lake/secret/k, 'lake/*.bak']";
    let named = "restrictions: [lake/raw/2026/, lake/none/, lake/readme.md, 'lake/tmp*']";
    for (fields, want, expected) in [
        ("access: read-write", Want::Folders, &["raw/", "secret/"][..]),
        ("access: read-write", Want::Files, &["readme.md", "readme.md.bak", "tmp-1"]),
        (narrow, Want::Folders, &["raw/"]),
        (narrow, Want::Files, &["readme.md", "tmp-1"]),
        (named, Want::Folders, &["raw/"]),
        (named, Want::Files, &["readme.md", "tmp-1"]),
        // There is no file, and still a folder in it.
        ("restrictions: [lake/raw/2026/]", Want::Files, &[]),
    ] {
        let setup = lake(fields).await;
        for limit in [1, 2, 100] {
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let request = PageRequest { after, want, limit, brief: false };
                let approved = setup.approve(ListDirectory { path: owned("lake/") });
                let page = setup.s3.list(approved, request).await.expect("a page");
                assert!(page.exists);
                all.extend(names(&page));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(all, expected, "{fields} {want:?} {limit}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_named_is_not_shown() {
    // `c/` can be named; what is in it cannot.
    for (keys, expected) in
        [("exact", &["%2e%2e", "a/", "b\\c", "c/"][..]), ("plain", &["%2e%2e", "a/", "c/"])]
    {
        let setup = Setup::with(&format!("keys: {keys}")).await;
        for key in ["a//x", "/y", "b\\c", "a\nb", "../z", "./z", "%2e%2e", "c/../d/"] {
            setup.backend.put(&format!("lake/{key}"), b"");
        }
        let mut page = names(&setup.list("lake/", None, 100).await.expect("a page"));
        page.sort();
        assert_eq!(page, expected, "{keys}");
    }
}

#[tokio::test]
async fn the_root_has_the_buckets_that_lead_somewhere() {
    let buckets = ["alpha", "beta", "gamma", "Delta", "my_bucket"];
    let start = async |fields: &str| {
        let setup = Setup::with(fields).await;
        for bucket in buckets {
            setup.backend.bucket(bucket);
        }
        setup
    };
    let setup = start("restrictions: [alpha/x/, gamma/y.csv, none/z]").await;
    assert_eq!(setup.list_all("", 10).await, ["alpha/", "gamma/"]);
    assert!(setup.backend.requests().iter().all(|r| r.method == "HEAD"), "one by one");

    let setup = start("access: read-write").await;
    for limit in [1, 2, 10] {
        let all = setup.list_all("", limit).await;
        assert_eq!(all, ["Delta/", "alpha/", "beta/", "gamma/", "my_bucket/"]);
    }

    let setup = start("restrictions: ['*a/x', beta/]").await;
    assert_eq!(setup.list_all("", 10).await, ["Delta/", "alpha/", "beta/", "gamma/", "my_bucket/"]);

    // Where all may not be listed, those that are named are asked for.
    let setup = start("restrictions: [al*, beta/]").await;
    let fault = super::backend::Fault::Error { status: 403, code: "AccessDenied", message: "" };
    setup.backend.fail(9, |request| request.raw_path() == "/", fault);
    assert_eq!(setup.list_all("", 10).await, ["beta/"]);
}

fn answer(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// One value that a server says and nobody can read takes nothing else with it.
#[tokio::test]
async fn what_does_not_parse_is_left_out_of_a_list() {
    let page = |fields: &str, extra: &str| {
        format!(
            "<ListBucketResult>{extra}<IsTruncated>false</IsTruncated>\
             <Contents><Key>d/bad</Key>{fields}</Contents>\
             <Contents><Key>d/good</Key><Size>2</Size></Contents></ListBucketResult>"
        )
    };
    let date = |text: &str| format!("<Size>1</Size><LastModified>{text}</LastModified>");
    let long_ago = ["", "0", "10000-01-01T00:00:00Z", "2026-01-01T23:59:60Z", "é", "2026-13-01"];
    let mut trials: Vec<(String, String, bool)> =
        long_ago.iter().map(|text| (date(text), String::new(), true)).collect();
    for size in ["", "x", "-1", "1.5", "9223372036854775808"] {
        trials.push((format!("<Size>{size}</Size>"), String::new(), false));
    }
    for fields in [
        "<Key>&#xd800;</Key><Size>1</Size>",
        "<Size>1</Size><Key>d/&bad;</Key>",
        "<Key><a/></Key><Size>1</Size>",
    ] {
        // Of two keys neither is the one, also where only one can be read.
        trials.push((fields.to_owned(), String::new(), false));
    }
    let status = "<RestoreStatus><IsRestoreInProgress>q</IsRestoreInProgress></RestoreStatus>";
    trials.push((format!("<Size>1</Size>{status}"), String::new(), true));
    for extra in [
        "<MaxKeys>99999999999999999999</MaxKeys>",
        "<KeyCount>-5</KeyCount>",
        "<CommonPrefixes><Prefix>d/&#x110000;/</Prefix></CommonPrefixes>",
        "<Contents/>",
    ] {
        trials.push(("<Size>1</Size>".to_owned(), extra.to_owned(), true));
    }
    for (fields, extra, is_shown) in trials {
        let setup = Setup::new().await;
        let text = page(&fields, &extra);
        setup.backend.bucket("pub");
        setup.backend.mangle(move |_, _| answer(&text));
        let page = setup.list("pub/d/", None, 10).await;
        let page = page.unwrap_or_else(|error| panic!("{fields} {extra}: {error:?}"));
        let names: Vec<_> = page.files.iter().map(|file| file.name.as_str()).collect();
        let expected = if is_shown { vec!["bad", "good"] } else { vec!["good"] };
        assert_eq!(names, expected, "{fields} {extra}");
        assert!(page.files.iter().all(|file| file.last_modified.is_none()), "{fields}");
    }
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    let buckets = "<ListAllMyBucketsResult><Buckets><Bucket><Name>pub</Name><CreationDate>q\
                   </CreationDate></Bucket></Buckets></ListAllMyBucketsResult>";
    setup.backend.mangle(move |_, _| answer(buckets));
    assert_eq!(setup.list("", None, 10).await.expect("a page").folders, ["pub"]);
}
