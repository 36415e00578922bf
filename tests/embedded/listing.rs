//! Listings, compared with what they mean.

use std::collections::BTreeSet;

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{Server, decode, over_both, refused};

/// A listing: keys and what keys have in common, each in order.
#[derive(Debug, Default, PartialEq)]
struct Listing {
    keys: Vec<String>,
    common: Vec<String>,
}

/// What a listing is: all keys, folded at the delimiter, behind `after`.
fn oracle(keys: &BTreeSet<String>, prefix: &str, delimiter: &str, after: &str) -> Listing {
    let mut listing = Listing::default();
    for key in keys {
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        let common = match delimiter {
            "" => None,
            _ => rest.split_once(delimiter).map(|(start, _)| format!("{prefix}{start}{delimiter}")),
        };
        match common {
            Some(common) if *common > *after && !listing.common.contains(&common) => {
                listing.common.push(common);
            }
            None if **key > *after => listing.keys.push(key.clone()),
            _ => {}
        }
    }
    listing
}

#[derive(Clone, Debug)]
struct Question {
    prefix: String,
    delimiter: String,
    after: String,
    page: i32,
    encoded: bool,
}

fn question() -> impl Strategy<Value = Question> {
    let text = "[ab/ü]{0,3}";
    (text, "|/|a|//|ü|b/", text, 1..5i32, any::<bool>()).prop_map(
        |(prefix, delimiter, after, page, encoded)| Question {
            prefix,
            delimiter,
            after,
            page,
            encoded,
        },
    )
}

/// All pages of a listing of version 2.
async fn list_v2(server: &Server, bucket: &str, question: &Question) -> Listing {
    let (mut listing, mut token, mut last) = (Listing::default(), None, String::new());
    loop {
        let list = server.client.list_objects_v2().bucket(bucket).max_keys(question.page);
        let list = list.prefix(&question.prefix).delimiter(&question.delimiter);
        let list = list.set_encoding_type(question.encoded.then(|| "url".into()));
        let list = list.start_after(&question.after).set_continuation_token(token);
        let page = list.send().await.expect("a page");
        let name = |text: Option<&str>| match question.encoded {
            true => decode(text.unwrap()),
            false => text.unwrap().to_owned(),
        };
        let keys: Vec<_> = page.contents().iter().map(|object| name(object.key())).collect();
        let common: Vec<_> = page.common_prefixes().iter().map(|one| name(one.prefix())).collect();

        let count = keys.len() + common.len();
        assert_eq!(page.key_count(), Some(count as i32));
        assert!(count <= question.page as usize);
        assert_eq!(name(page.prefix()), question.prefix);
        // Each page is behind the one before.
        let mut names: Vec<_> = keys.iter().chain(&common).cloned().collect();
        names.sort();
        assert!(names.first().is_none_or(|first| *first > last), "{names:?} after {last:?}");
        last = names.pop().unwrap_or(last);
        listing.keys.extend(keys);
        listing.common.extend(common);
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return listing;
        }
        assert_eq!(count, question.page as usize, "only full pages are followed by others");
    }
}

/// All pages of a listing of version 1.
async fn list_v1(server: &Server, bucket: &str, question: &Question) -> Listing {
    let (mut listing, mut marker) = (Listing::default(), question.after.clone());
    loop {
        let list = server.client.list_objects().bucket(bucket).max_keys(question.page);
        let list = list.prefix(&question.prefix).delimiter(&question.delimiter).marker(&marker);
        let page = list.encoding_type("url".into()).send().await.expect("a page");
        let name = |text: Option<&str>| decode(text.unwrap());
        let keys: Vec<_> = page.contents().iter().map(|object| name(object.key())).collect();
        let common: Vec<_> = page.common_prefixes().iter().map(|one| name(one.prefix())).collect();
        assert_eq!(name(page.marker()), marker);
        // Without a delimiter, S3 leaves it to the client to go on behind the last key.
        assert_eq!(
            page.next_marker().is_some(),
            page.is_truncated() == Some(true) && !question.delimiter.is_empty()
        );
        marker = match page.next_marker() {
            Some(next) => decode(next),
            None => keys.last().cloned().unwrap_or_default(),
        };
        listing.keys.extend(keys);
        listing.common.extend(common);
        if page.is_truncated() != Some(true) {
            return listing;
        }
    }
}

over_both! {
    async fn listings_are_what_they_mean(server: &Server) {
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
            let strategy = (vec("[ab/ü]{1,5}", 0..20), vec(question(), 12));
            runner.run(&strategy, |(keys, questions)| {
                runtime.block_on(async {
                    let bucket = &server.bucket().await;
                    let keys: BTreeSet<_> = keys.into_iter().collect();
                    for key in &keys {
                        let put = server.embedded.put(bucket, key, "text/plain", "x".into());
                        put.await.unwrap();
                    }
                    for question in &questions {
                        let Question { prefix, delimiter, after, .. } = question;
                        let expected = oracle(&keys, prefix, delimiter, after);
                        let listed = list_v2(server, bucket, question).await;
                        prop_assert_eq!(&listed, &expected, "{:?} of {:?}", question, &keys);
                        let listed = list_v1(server, bucket, question).await;
                        prop_assert_eq!(&listed, &expected, "{:?} of {:?}, v1", question, &keys);
                    }
                    Ok(())
                })
            })
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }

    async fn names_are_encoded_when_asked(server: &Server) {
        let bucket = &server.bucket().await;
        server.put(bucket, "a b/ü+&.txt", b"x").await;
        let list = || server.client.list_objects_v2().bucket(bucket).prefix("a b/").delimiter("&");
        let plain = list().send().await.unwrap();
        assert_eq!(plain.common_prefixes()[0].prefix(), Some("a b/ü+&"));
        assert_eq!(plain.encoding_type(), None);
        let list = list().encoding_type("url".into()).start_after("a ");
        let encoded = list.send().await.unwrap();
        assert_eq!(encoded.common_prefixes()[0].prefix(), Some("a+b/%C3%BC%2B%26"));
        assert_eq!(encoded.prefix(), Some("a+b/"));
        assert_eq!(encoded.delimiter(), Some("%26"));
        assert_eq!(encoded.start_after(), Some("a+"));
        assert_eq!(encoded.encoding_type().unwrap().as_str(), "url");
    }

    async fn what_a_listing_cannot_be(server: &Server) {
        let bucket = &server.bucket().await;
        server.put(bucket, "k", b"x").await;
        let list = || server.client.list_objects_v2().bucket(bucket);
        for token in ["", "k", "1zz", "abc"] {
            let wrong = list().continuation_token(token).send().await;
            assert_eq!(refused(wrong), (400, "InvalidArgument".to_owned()), "{token:?}");
        }
        assert_eq!(refused(list().max_keys(-1).send().await).1, "InvalidArgument");
        assert_eq!(refused(list().encoding_type("xml".into()).send().await).1, "InvalidArgument");
        let none = list().max_keys(0).send().await.unwrap();
        assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
        let much = list().max_keys(5000).send().await.unwrap();
        assert_eq!((much.key_count(), much.max_keys()), (Some(1), Some(1000)));
    }

    async fn pages_of_a_thousand(server: &Server) {
        let bucket = &server.bucket().await;
        let keys: Vec<_> = (0..1203).map(|i| format!("{i:05}")).collect();
        let puts = keys.iter().map(|key| server.embedded.put(bucket, key, "text/plain", "".into()));
        for put in puts {
            put.await.unwrap();
        }
        let first = server.client.list_objects_v2().bucket(bucket).send().await.unwrap();
        assert_eq!((first.key_count(), first.is_truncated()), (Some(1000), Some(true)));
        assert_eq!(server.keys(bucket).await, keys);
    }
}
