//! What starts with a prefix, as a view has it.

use super::{super::report::within, MAX_PAGES, View};
use crate::{
    engine::ListPrefix,
    executor::{ExecuteError, PrefixEntry, PrefixPage, PrefixRequest, PrefixStart},
};

impl View<'_> {
    /// The key of a path, in which `@` stands for the check's directory.
    pub(in super::super) fn key(&self, path: &str) -> String {
        let directory = self.base.split_once('/').map_or("", |(_, directory)| directory);
        path.replacen('@', directory, 1)
    }

    /// A key as a path, with `@` for the check's directory. Fails for a key that is elsewhere: it was not asked for.
    pub(super) fn shortened(&self, key: &str) -> Result<String, String> {
        let rest = key.strip_prefix(&*self.key("@")).filter(|rest| rest.starts_with('/'));
        rest.map(|rest| format!("@{rest}")).ok_or_else(|| format!("{key} is outside of the check"))
    }

    pub(in super::super) async fn prefix_page(
        &self,
        prefix: &str,
        request: PrefixRequest,
    ) -> Result<Result<PrefixPage, ExecuteError>, String> {
        let approved = self.approve(ListPrefix { path: self.path(prefix)? })?;
        within(prefix, self.executor.list_prefix(approved, request)).await
    }

    /// The entries of a page, as paths. Keys that are taken together end with `/` and a star, which tells them from
    /// an object of that key.
    pub(in super::super) fn entries(&self, page: &PrefixPage) -> Result<Vec<String>, String> {
        let name = |entry: &PrefixEntry| match entry {
            PrefixEntry::Object(object) => self.shortened(&object.key),
            PrefixEntry::Prefix(prefix) => Ok(self.shortened(prefix)? + "*"),
        };
        page.entries.iter().map(name).collect()
    }

    /// All pages of what starts with a prefix and is behind a text, each with its entries as they came. Fails where a
    /// page has more than was asked for, or they do not end.
    pub(in super::super) async fn prefix_pages(
        &self,
        prefix: &str,
        is_delimited: bool,
        start: PrefixStart,
        limit: usize,
    ) -> Result<Result<Vec<Vec<String>>, ExecuteError>, String> {
        let (mut pages, mut start) = (Vec::new(), start);
        for _ in 0..MAX_PAGES {
            let request = PrefixRequest { start, is_delimited, limit };
            let page = match self.prefix_page(prefix, request).await? {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            let entries = self.entries(&page)?;
            if entries.len() > limit {
                return Err(format!("{prefix}: {} entries in a page of {limit}", entries.len()));
            }
            pages.push(entries);
            let Some(next) = page.next else { return Ok(Ok(pages)) };
            start = PrefixStart::Continued(next);
        }
        Err(format!("{prefix}: it does not end in {MAX_PAGES} pages of {limit}"))
    }
}
