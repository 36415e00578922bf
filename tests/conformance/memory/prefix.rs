//! What starts with a prefix.

use std::collections::BTreeMap;

use pathward::{
    Access, Keys, Path,
    engine::{Approved, ListPrefix},
    executor::{
        Continuation, ExecuteError, ListedObject, PrefixEntry, PrefixPage, PrefixRequest,
        PrefixStart,
    },
};

use super::{Memory, Stored, Wrong};

/// An entry, and whether it is shown.
type Entry = (PrefixEntry, bool);

impl Memory {
    pub(super) fn prefix(
        &self,
        approved: &Approved<ListPrefix<'static>>,
        request: &PrefixRequest,
    ) -> Result<PrefixPage, ExecuteError> {
        if !self.is(Wrong::ListsWithdrawn) {
            approved.still_stands().map_err(ExecuteError::Withdrawn)?;
        }
        let mut entries = self.entries(approved, request);
        if !self.is(Wrong::CountsHiddenEntries) {
            entries.retain(|(_, is_shown)| *is_shown);
        }
        let is_more = entries.len() > request.limit;
        entries.truncate(request.limit);
        let next = entries
            .last()
            .filter(|_| is_more)
            .map(|(entry, _)| Continuation { after: entry.name().into(), server: None });
        if is_more && self.is(Wrong::LosesEntry) {
            entries.pop();
        }
        let entries = entries.into_iter().filter(|(_, is_shown)| *is_shown);
        Ok(PrefixPage { entries: entries.map(|(entry, _)| entry).collect(), next })
    }

    /// All that is behind where the page starts, in order.
    fn entries(
        &self,
        approved: &Approved<ListPrefix<'static>>,
        request: &PrefixRequest,
    ) -> Vec<Entry> {
        let bucket = format!("{}/", self.bucket).into_bytes();
        let prefix = &approved.operation().path;
        let in_bucket = |path: &[u8]| {
            let key = path.strip_prefix(&*bucket)?.to_vec();
            String::from_utf8(key).ok()
        };
        let Some(prefix) = in_bucket(prefix.as_bytes()) else { return Vec::new() };
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        for (path, stored) in self.objects().iter() {
            let Some(key) = in_bucket(path).filter(|key| key.starts_with(&prefix)) else {
                continue;
            };
            let rest = &key[prefix.len()..];
            if self.is(Wrong::WantsFolders)
                && !(prefix.is_empty() || prefix.ends_with('/') || rest.is_empty())
            {
                continue;
            }
            let slash = if self.is(Wrong::TakesTooMuch) { rest.rfind('/') } else { rest.find('/') };
            let folder = slash
                .filter(|_| request.is_delimited)
                .map(|slash| key[..=prefix.len() + slash].to_owned());
            if !self.is_behind(request, &prefix, &key) {
                continue;
            }
            let is_shown = self.shows(approved, path)
                || folder.is_some() && self.is(Wrong::ShowsHiddenPrefixes);
            let (name, entry) = match folder {
                Some(folder) => (folder.clone(), PrefixEntry::Prefix(folder)),
                None => (key.clone(), listed(key, stored)),
            };
            let (_, before) = entries.entry(name).or_insert((entry, is_shown));
            *before = match self.is(Wrong::HidesMixed) {
                true => *before && is_shown,
                false => *before || is_shown,
            };
        }
        entries.into_values().collect()
    }

    /// Whether a key is behind where a page starts.
    fn is_behind(&self, request: &PrefixRequest, prefix: &str, key: &str) -> bool {
        let (after, is_next) = match &request.start {
            PrefixStart::First => return true,
            PrefixStart::After(after) => (&**after, false),
            PrefixStart::Continued(Continuation { after, .. }) => (&**after, true),
        };
        let rest = after.strip_prefix(prefix).filter(|_| request.is_delimited);
        let slash = rest.and_then(|rest| match self.is(Wrong::TakesTooMuch) {
            true => rest.rfind('/'),
            false => rest.find('/'),
        });
        let folder = slash.map(|slash| &after[..=prefix.len() + slash]);
        let returns = if is_next { Wrong::SplitsFolders } else { Wrong::ReturnsToFolder };
        if folder.is_some_and(|folder| key.starts_with(folder)) && !self.is(returns) {
            return false;
        }
        key > after || key == after && !is_next && self.is(Wrong::BeginsWithIt)
    }

    fn shows(&self, approved: &Approved<ListPrefix<'static>>, path: &[u8]) -> bool {
        let Ok(path) = Path::from_vec(path.to_vec()) else { return false };
        match approved.connection().keys() {
            _ if self.is(Wrong::ShowsHiddenEntries) => true,
            Keys::Plain if self.is(Wrong::ShowsAliasEntries) => true,
            _ if self.is(Wrong::ShowsEntriesSince) => {
                approved.connection().allows(&path, Access::Read)
            }
            _ => approved.listing().shows_object(&path),
        }
    }
}

fn listed(key: String, stored: &Stored) -> PrefixEntry {
    PrefixEntry::Object(ListedObject {
        key,
        size: stored.bytes.len() as u64,
        etag: Some(stored.etag.as_str().into()),
        last_modified: None,
    })
}
