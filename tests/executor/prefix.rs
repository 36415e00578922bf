//! Listings by prefix, where a server does what the conformance suite cannot have one do.

use pathward::{
    engine::ListPrefix,
    executor::{PrefixPage, PrefixRequest, PrefixStart},
};

use super::{ExecuteError, Executor, Setup, owned};

/// Of how many entries that are hidden a page ends.
const LOOKED: usize = 30_000;

impl Setup {
    async fn list_prefix(
        &self,
        prefix: &str,
        is_delimited: bool,
        start: PrefixStart,
    ) -> Result<PrefixPage, ExecuteError> {
        let request = PrefixRequest { start, is_delimited, limit: 1_000 };
        self.s3.list_prefix(self.approve(ListPrefix { path: owned(prefix) }), request).await
    }
}

/// A page that ended at a folder's own object, which is hidden, went on behind all that is in the folder.
#[tokio::test]
async fn a_page_that_ends_at_a_hidden_folders_object_loses_nothing_in_it() {
    for before in [LOOKED - 2, LOOKED - 1, LOOKED] {
        let setup = Setup::with("restrictions: ['pub/d/*/x']").await;
        for number in 0..before {
            setup.backend.put(&format!("pub/d/a{number:05}"), b"");
        }
        setup.backend.put("pub/d/zz/", b"");
        setup.backend.put("pub/d/zz/x", b"shown");
        for (is_delimited, name) in [(true, "d/zz/"), (false, "d/zz/x")] {
            let (mut start, mut names, mut pages) = (PrefixStart::First, Vec::new(), 0);
            loop {
                let page = setup.list_prefix("pub/d/", is_delimited, start).await.expect("a page");
                names.extend(page.entries.iter().map(|entry| entry.name().to_owned()));
                pages += 1;
                match page.next {
                    Some(next) => start = PrefixStart::Continued(next),
                    None => break,
                }
            }
            assert!(pages > 1, "{before}: one page was enough");
            assert_eq!(names, [name], "{before}");
        }
    }
}
