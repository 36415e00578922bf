//! One page of what starts with a prefix, narrowed to what may be shown.
//!
//! Where everything is shown a page is the server's. Else keys are gone through one by one, where rules name what may
//! be there, as in a directory: see `list` for what a page may take, and `scan` for how keys are taken together.

use std::sync::Arc;

use super::{
    S3,
    answer::MAX_KEYS,
    asking::Asking,
    filling::{MAX_NAMES, behind},
    keys,
    list::{Rules, Walk},
    pages::Entry,
    scan::{FEW, MAX_PLACES},
};
use crate::{
    analysis::iam,
    engine::{Approved, ListMode, ListPrefix},
    executor::{
        Continuation, ExecuteError, ListedObject, PrefixEntry, PrefixPage, PrefixRequest,
        PrefixStart,
    },
};

pub(super) async fn list(
    s3: &S3,
    approved: &Arc<Approved<ListPrefix<'static>>>,
    request: &PrefixRequest,
) -> Result<PrefixPage, ExecuteError> {
    let asking = Asking::of(s3, approved).await?;
    let mut rules = Rules::of(approved)?;
    loop {
        let walk = Walk::new(&asking, approved.listing())?;
        let page = match walk.listing.mode() {
            ListMode::Pass => pass(walk, request).await,
            ListMode::Narrow => Narrowing::new(walk, request).filled().await,
        };
        if rules.are_the_same(approved)? {
            return page;
        }
    }
}

/// The limit of a page that servers take.
fn limit(request: &PrefixRequest) -> usize {
    request.limit.clamp(1, MAX_KEYS)
}

/// Behind which key a page starts, as a server is told. Where keys are taken together it is behind all that is taken
/// together with the one that was named: servers do not agree on whether the rest of them show.
fn after(request: &PrefixRequest, prefix: &str) -> Option<String> {
    let key = match &request.start {
        PrefixStart::First => return None,
        PrefixStart::After(key) => key,
        PrefixStart::Continued(Continuation { after, .. }) => return Some(after.to_string()),
    };
    let slash =
        key.strip_prefix(prefix).filter(|_| request.is_delimited).and_then(|rest| rest.find('/'));
    Some(match slash {
        Some(slash) => behind(&key[..=prefix.len() + slash]),
        None => key.to_string(),
    })
}

/// Behind which key it goes on behind an entry: of keys that were taken together, behind all of them.
fn past(key: &str, is_prefix: bool) -> String {
    if is_prefix { behind(key) } else { key.to_owned() }
}

/// A page of the server, where everything is shown.
async fn pass(mut walk: Walk<'_>, request: &PrefixRequest) -> Result<PrefixPage, ExecuteError> {
    let prefix = walk.directory;
    let mut pages = walk.pages(prefix);
    if request.is_delimited {
        pages = pages.delimited();
    }
    pages = match &request.start {
        PrefixStart::Continued(Continuation { server: Some(token), .. }) => {
            pages.at(token.to_string())
        }
        _ => pages.after(after(request, prefix)),
    };
    // What a server says that it has and does not is gone past.
    let mut page = PrefixPage::default();
    while let Some(entries) = walk.next(&mut pages, limit(request)).await? {
        page.entries = entries.iter().filter_map(|entry| shown(&walk, entry)).collect();
        if request.is_delimited {
            // A server says first which objects there are, and then what it took together.
            page.entries.sort_by(|one, next| one.name().cmp(next.name()));
        }
        let token = pages.token().map(Into::into);
        let last = entries
            .iter()
            .filter_map(|entry| Some(past(entry.key.as_deref()?, entry.is_prefix)))
            .max();
        if let Some(last) = last {
            page.next = token.map(|token| Continuation { after: last.into(), server: Some(token) });
            break;
        }
    }
    Ok(page)
}

/// An entry, if it is one that a path can name and may be shown.
fn shown(walk: &Walk<'_>, entry: &Entry) -> Option<PrefixEntry> {
    let key = entry.key.as_deref()?;
    let path = keys::path(walk.bucket, key)?;
    match entry.is_prefix {
        true => walk.listing.shows_folder(&path).then(|| PrefixEntry::Prefix(key.to_owned())),
        false if walk.listing.shows_object(&path) => Some(PrefixEntry::Object(ListedObject {
            key: key.to_owned(),
            // One without a size cannot be shown as it is.
            size: entry.size?,
            etag: entry.etag.clone(),
            last_modified: entry.last_modified,
        })),
        false => None,
    }
}

/// A page being filled of which something is hidden.
struct Narrowing<'a, 'r> {
    walk: Walk<'a>,
    request: &'r PrefixRequest,
    /// Behind which key the page starts.
    after: Option<String>,
    page: PrefixPage,
    names: usize,
    /// Whether the object that has the prefix for its key was looked for by itself.
    is_prefix_done: bool,
    /// The last folder that was taken together.
    folder: Option<String>,
    /// Behind what has been looked at.
    looked: Option<String>,
}

/// Whether a page goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    On,
    No,
}

impl<'a, 'r> Narrowing<'a, 'r> {
    fn new(walk: Walk<'a>, request: &'r PrefixRequest) -> Self {
        let after = after(request, walk.directory);
        Self {
            walk,
            request,
            after,
            page: PrefixPage::default(),
            names: 0,
            is_prefix_done: false,
            folder: None,
            looked: None,
        }
    }

    async fn filled(mut self) -> Result<PrefixPage, ExecuteError> {
        let prefix = self.walk.directory.to_owned();
        // The object that has the prefix for its key. What rules lead to may begin with it once more.
        let is_behind = self.after.as_ref().is_some_and(|after| *after >= prefix);
        if !is_behind && self.walk.shows(&prefix) {
            if self.alone(&prefix).await? == Goes::No {
                return Ok(self.page);
            }
            self.is_prefix_done = true;
        }
        for lead in self.walk.prefixes().await {
            let is_folder = lead.ends_with('/');
            let few = self.walk.places(&lead, is_folder, MAX_PLACES);
            let goes = match self.through(&few).await {
                // The credentials may list what the rules name, and no more.
                Err(refused @ ExecuteError::Refused { .. }) => {
                    let more = self.walk.places(&lead, is_folder, iam::MAX_PLACES);
                    if more == few {
                        return Err(refused);
                    }
                    self.through(&more).await?
                }
                goes => goes?,
            };
            if goes == Goes::No {
                break;
            }
        }
        Ok(self.page)
    }

    async fn through(&mut self, places: &[String]) -> Result<Goes, ExecuteError> {
        for place in places {
            self.walk.slices.step().await;
            let after = match &self.after {
                Some(after) if after.starts_with(place) => Some(after.clone()),
                // An earlier page has it all.
                Some(after) if after > place => continue,
                _ => None,
            };
            if self.folder.as_ref().is_some_and(|folder| place.starts_with(folder)) {
                continue;
            }
            if self.ends_here() || self.place(place, after).await? == Goes::No {
                return Ok(Goes::No);
            }
            self.looked = Some(behind(place));
        }
        Ok(Goes::On)
    }

    /// Whether the page has to end before anything else is asked.
    fn ends_here(&mut self) -> bool {
        let Some(looked) = self.looked.as_ref().filter(|_| self.walk.is_spent()) else {
            return false;
        };
        self.page.next = Some(Continuation { after: looked.as_str().into(), server: None });
        true
    }

    async fn place(&mut self, place: &str, after: Option<String>) -> Result<Goes, ExecuteError> {
        if self.walk.is_alone(place) {
            return match after {
                Some(_) => Ok(Goes::On),
                None => self.alone(place).await,
            };
        }
        let mut pages = self.walk.pages(place).after(after);
        let mut ask = (limit(self.request) - self.page.entries.len() + 2).clamp(FEW, MAX_KEYS);
        while let Some(entries) = self.walk.next(&mut pages, ask).await? {
            for entry in entries.iter() {
                if self.look(entry) == Goes::No {
                    return Ok(Goes::No);
                }
                self.walk.looked += 1;
                self.walk.slices.step().await;
                if self.ends_here() {
                    return Ok(Goes::No);
                }
            }
            ask = MAX_KEYS;
            if let Some(folder) = &self.folder
                && !pages.is_done()
            {
                // All of what begins so is in the folder.
                if place.starts_with(folder) {
                    return Ok(Goes::On);
                }
                let is_in = |entry: &Entry| {
                    entry.key.as_deref().is_some_and(|key| key.starts_with(folder.as_str()))
                };
                let next = behind(folder);
                // A name so long that nothing can be said to be behind it is gone through.
                if entries.last().is_some_and(is_in) && next != *folder {
                    pages = self.walk.pages(place).after(Some(next));
                }
            }
        }
        Ok(Goes::On)
    }

    /// Looks for the object whose key is a prefix.
    async fn alone(&mut self, key: &str) -> Result<Goes, ExecuteError> {
        let mut pages = self.walk.pages(key);
        let entry = self.walk.alone(&mut pages).await?;
        Ok(entry.map_or(Goes::On, |entry| self.look(&entry)))
    }

    /// Looks at an entry, and takes what it shows. The page ends where that has no room.
    fn look(&mut self, entry: &Entry) -> Goes {
        let Some(key) = entry.key.as_deref() else { return Goes::On };
        if self.is_prefix_done && key == self.walk.directory {
            return Goes::On;
        }
        if self.folder.as_ref().is_some_and(|folder| key.starts_with(folder.as_str())) {
            return Goes::On;
        }
        let Some(item) = shown(&self.walk, entry) else {
            self.looked = Some(key.to_owned());
            return Goes::On;
        };
        let rest = key.strip_prefix(self.walk.directory).unwrap_or_default();
        let item = match rest.find('/').filter(|_| self.request.is_delimited) {
            None => item,
            Some(slash) => {
                PrefixEntry::Prefix(key[..=self.walk.directory.len() + slash].to_owned())
            }
        };
        let is_full = self.page.entries.len() >= limit(self.request) || self.names >= MAX_NAMES;
        let past = |item: &PrefixEntry| past(item.name(), matches!(item, PrefixEntry::Prefix(_)));
        if let Some(last) = self.page.entries.last().filter(|_| is_full) {
            self.page.next = Some(Continuation { after: past(last).into(), server: None });
            return Goes::No;
        }
        self.names += item.name().len();
        self.looked = Some(past(&item));
        if let PrefixEntry::Prefix(folder) = &item {
            self.folder = Some(folder.clone());
        }
        self.page.entries.push(item);
        Goes::On
    }
}
