//! One page of a directory, narrowed to what may be shown.
//!
//! What it says depends on what may be shown, and never on what came. So a directory that is not passed through
//! is gone through key by key, without folders: one shows when something in it does. That takes as long as
//! there is much that is hidden: no more than [`REQUESTS`] go to the server for one page, and no more than
//! [`WORK`] is spent on deciding. Then the page ends, with what it has, and the next goes on.

use std::{sync::Arc, time::Duration};

use super::{
    S3,
    answer::MAX_KEYS,
    asking::Asking,
    cut::{self, Cut},
    error::senseless,
    filling::{Filling, Item, Resume, behind},
    keys,
    pages::{Entry, Page, Pages, Start},
    root, scan,
    slices::Slices,
};
use crate::{
    engine::{Approved, ListDirectory, ListMode, Listing, Operate, Present},
    executor::{DirectoryPage, ExecuteError, PageRequest, Want},
};

/// The most requests to the server for one page; where a page's end has to be found out, a few more.
const REQUESTS: usize = 32;
/// At how many places a page at most is looked at where one look has to do.
const BRIEF: usize = 4;
/// The most entries that are looked at for one page where much is hidden, in whatever pages they come: so a question
/// whether the directory is there ends where its listing does.
const LOOKED: usize = 30 * MAX_KEYS;
/// How long deciding what may be shown goes on for one page.
pub(super) const WORK: Duration = Duration::from_millis(200);
/// Among how many of the first entries the one is that is all of the prefix, whatever the order.
const MAX_FIRST: usize = 3;

/// How often a listing is begun anew because the rules changed while it was put together.
const AGAIN: usize = 1;

pub(super) async fn list(
    s3: &S3,
    approved: &Arc<Approved<ListDirectory<'static>>>,
    request: PageRequest,
) -> Result<DirectoryPage, ExecuteError> {
    let asking = Asking::of(s3, approved).await?;
    let mut rules = Rules::of(approved)?;
    loop {
        let page = match approved.operation().path.is_root() {
            true => root::list(&asking, approved, &request).await,
            false => directory(&asking, approved, request.clone()).await,
        };
        if rules.are_the_same(approved)? {
            return page;
        }
    }
}

/// The rules that a page is put together by, which may change meanwhile: then it is begun anew.
pub(super) struct Rules {
    present: Present,
    /// How often it may be begun anew.
    left: usize,
}

impl Rules {
    pub(super) fn of<Op: Operate>(approved: &Approved<Op>) -> Result<Self, ExecuteError> {
        let present = approved.present().map_err(ExecuteError::Withdrawn)?;
        Ok(Self { present, left: AGAIN })
    }

    /// Whether a page was put together by one set of rules: what it says was decided entry by entry, and nothing of
    /// it is said that the rules hide by now. [`ExecuteError::Busy`] where it may not be begun anew.
    pub(super) fn are_the_same<Op: Operate>(
        &mut self,
        approved: &Approved<Op>,
    ) -> Result<bool, ExecuteError> {
        let now = approved.present().map_err(ExecuteError::Withdrawn)?;
        if now == self.present {
            return Ok(true);
        }
        let busy = ExecuteError::Busy { retry_after: None };
        (self.present, self.left) = (now, self.left.checked_sub(1).ok_or(busy)?);
        Ok(false)
    }
}

async fn directory(
    asking: &Asking,
    approved: &Approved<ListDirectory<'static>>,
    request: PageRequest,
) -> Result<DirectoryPage, ExecuteError> {
    let mut walk = Walk::new(asking, approved.listing())?;
    let mut filling = Filling::new(request);
    let walked = match walk.listing.mode() {
        ListMode::Pass => pass(&mut walk, &mut filling).await,
        ListMode::Narrow => narrow(&mut walk, &mut filling).await,
    };
    match walked {
        Ok(()) => Ok(filling.end()),
        // The bucket is not there, or is no longer.
        Err(ExecuteError::Missing) => Ok(DirectoryPage::default()),
        Err(error) => Err(error),
    }
}

/// A directory of which everything may be shown.
async fn pass(walk: &mut Walk<'_>, filling: &mut Filling) -> Result<(), ExecuteError> {
    let directory = walk.directory;
    if !filling.is_question() {
        return level(walk, filling, directory).await;
    }
    let mut pages = walk.pages(directory);
    while let Some(entries) = walk.next(&mut pages, 1).await? {
        walk.bucket_is_there(filling);
        if !entries.is_empty() || filling.exists() {
            filling.is_there();
            break;
        }
    }
    Ok(())
}

/// A directory of which something is hidden.
async fn narrow(walk: &mut Walk<'_>, filling: &mut Filling) -> Result<(), ExecuteError> {
    let prefixes = walk.prefixes().await;
    // So many have to be looked for one by one that it is the rules, and nothing hidden, that end the page
    // before it is known whether something is there.
    let are_many = prefixes.len() > REQUESTS;
    if filling.is_brief() && prefixes.len() > BRIEF {
        // One look at the directory, and not at each of what the rules name in it.
        let mut question = Filling::new(PageRequest { limit: 0, ..filling.request().clone() });
        let directory = [walk.directory.to_owned()];
        match scan::scan(walk, &mut question, &directory).await {
            Ok(()) if !question.exists() => return Ok(()),
            Ok(()) => filling.is_there(),
            // The credentials may list what the rules name, and no more.
            Err(ExecuteError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    } else if are_many {
        filling.is_there();
    }
    if filling.want() != Want::Files || filling.is_question() {
        return scan::scan(walk, filling, &prefixes).await;
    }
    let mut looked: Option<String> = None;
    for prefix in &prefixes {
        // Of folders that rules name nothing is wanted.
        if prefix.ends_with('/') && prefix != walk.directory {
            continue;
        }
        if walk.is_spent()
            && let Some(looked) = &looked
        {
            filling.end_looking(looked);
            return Ok(());
        }
        level(walk, filling, prefix).await?;
        if filling.is_over() {
            return Ok(());
        }
        looked = prefix.strip_prefix(walk.directory).map(behind);
    }
    if !filling.exists() {
        // Where there is no file, something else may be there.
        let mut question =
            Filling::new(PageRequest { after: None, want: Want::All, limit: 0, brief: false });
        scan::scan(walk, &mut question, &prefixes).await?;
        if question.exists() {
            filling.is_there();
        }
    }
    Ok(())
}

/// What a request for one page goes through, and what it may still take.
pub(super) struct Walk<'a> {
    asking: &'a Asking,
    pub(super) listing: Listing<'a>,
    pub(super) bucket: &'a str,
    pub(super) directory: &'a str,
    pub(super) slices: Slices,
    requests: usize,
    /// How many entries a scan has looked at.
    pub(super) looked: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(asking: &'a Asking, listing: Listing<'a>) -> Result<Self, ExecuteError> {
        let (bucket, directory) = keys::split(listing.directory())?;
        let slices = Slices::new();
        Ok(Self { asking, listing, bucket, directory, slices, requests: 0, looked: 0 })
    }

    /// Whether the page has to end here.
    pub(super) fn is_spent(&self) -> bool {
        self.requests >= REQUESTS || self.looked >= LOOKED || self.slices.used() >= WORK
    }

    /// All keys that start with a prefix.
    pub(super) fn pages<'p>(&self, prefix: &'p str) -> Pages<'p>
    where
        'a: 'p,
    {
        Pages::of(self.asking, self.bucket, prefix)
    }

    /// The next page of the server.
    pub(super) async fn next(
        &mut self,
        pages: &mut Pages<'_>,
        max_keys: usize,
    ) -> Result<Option<Page>, ExecuteError> {
        self.requests += 1;
        // Pages that say nothing of where they are cannot be gone on from, and are not gone through for ever.
        if self.requests > 4 * REQUESTS {
            return Err(senseless());
        }
        self.slices.wait(pages.next(max_keys)).await
    }

    /// A bucket is there when the server does not say otherwise, and no less so when it is empty, or when all
    /// in it is hidden: the root shows it, too.
    pub(super) fn bucket_is_there(&self, filling: &mut Filling) {
        if self.directory.is_empty() {
            filling.is_there();
        }
    }

    /// Where to look, in our order: none begins as another.
    pub(super) async fn prefixes(&mut self) -> Vec<String> {
        let prefixes = self.listing.prefixes();
        self.slices.step().await;
        self.in_bucket(&prefixes)
    }

    /// What of prefixes, which start with the bucket, is the server's, in our order. One that ends within a
    /// character asks for a little more, which may be what another asks for; each entry is checked.
    fn in_bucket(&self, prefixes: &[Vec<u8>]) -> Vec<String> {
        let text = |prefix: &Vec<u8>| {
            let key = prefix.get(self.bucket.len() + 1..).unwrap_or_default();
            let whole = match std::str::from_utf8(key) {
                Ok(text) => text,
                Err(error) => std::str::from_utf8(&key[..error.valid_up_to()]).unwrap_or_default(),
            };
            whole.to_owned()
        };
        let mut texts: Vec<String> = prefixes.iter().map(text).collect();
        texts.sort_unstable();
        texts.dedup_by(|later, earlier| later.starts_with(&**earlier));
        texts
    }

    /// Where to look for what begins with a prefix: of a folder, as deep as rules name it.
    pub(super) fn places(&self, prefix: &str, is_folder: bool, most: usize) -> Vec<String> {
        if !is_folder {
            return vec![prefix.to_owned()];
        }
        let places = self.listing.places(format!("{}/{prefix}", self.bucket).as_bytes(), most);
        self.in_bucket(&places)
    }

    /// Whether the object of a key may be shown.
    pub(super) fn shows(&self, key: &str) -> bool {
        keys::path(self.bucket, key).is_some_and(|path| self.listing.shows_object(&path))
    }

    /// Whether nothing but the prefix itself can be shown of what starts with it.
    pub(super) fn is_alone(&self, prefix: &str) -> bool {
        self.listing.is_alone(format!("{}/{prefix}", self.bucket).as_bytes())
    }

    /// The object whose key is the prefix itself, if there is one.
    pub(super) async fn alone(
        &mut self,
        pages: &mut Pages<'_>,
    ) -> Result<Option<Entry>, ExecuteError> {
        let first = self.next(pages, MAX_FIRST).await?.unwrap_or_default();
        let is_it = |entry: &&Entry| entry.key.as_deref() == Some(pages.prefix());
        Ok(first.iter().find(is_it).cloned())
    }

    /// The entry, if it is one that can be named and may be shown.
    pub(super) fn item<'e>(&self, entry: &'e Entry) -> Option<Item<'e>> {
        let name = self.listing.entry(entry.key.as_deref()?.as_bytes(), entry.is_prefix)?;
        let file = match entry.is_prefix {
            true => None,
            // One without a size cannot be shown as it is.
            false => Some((entry.size?, entry.last_modified)),
        };
        Some(Item { name, file })
    }
}

/// Goes through one level of what starts with a prefix, page by page, until the page is full and something is
/// seen to follow.
async fn level(
    walk: &mut Walk<'_>,
    filling: &mut Filling,
    prefix: &str,
) -> Result<(), ExecuteError> {
    let Resume::From(after) = filling.resume(prefix, walk.directory) else { return Ok(()) };
    let is_passed = walk.listing.mode() == ListMode::Pass;
    let mut pages = walk.pages(prefix).delimited().after(after);
    if walk.is_alone(prefix) {
        let entry = walk.alone(&mut pages).await?;
        walk.bucket_is_there(filling);
        if let Some(item) = entry.as_ref().and_then(|entry| walk.item(entry)) {
            filling.offer(&item);
        }
        return Ok(());
    }
    // One more than is left, to see that more follows; one more for what the last page ended with.
    let mut ask = filling.left().saturating_add(2).min(MAX_KEYS);
    loop {
        let start = pages.start();
        let Some(entries) = walk.next(&mut pages, ask).await? else { return Ok(()) };
        walk.bucket_is_there(filling);
        if is_passed && !entries.is_empty() {
            filling.is_there();
        }
        let shown = match filling.want() {
            // Both lists of the page go together in an order of the server's.
            Want::All => both(walk, filling, &pages, &start, &entries).await?,
            Want::Folders | Want::Files => one_list(walk, filling, &entries).await,
        };
        if filling.is_over() {
            return Ok(());
        }
        if walk.is_spent() && !pages.is_done() {
            // What was looked at is over; where that is not known, the next page is asked for still.
            if let Some(last) = last_of(walk, filling, &pages, &start, &entries).await? {
                filling.end_looking(&last);
                return Ok(());
            }
        }
        // Where much is hidden, small pages would be many.
        ask = if shown == 0 { MAX_KEYS } else { filling.left().saturating_add(2).min(MAX_KEYS) };
    }
}

/// Takes folders and files of a page. How many of them were for this page or the next.
async fn both(
    walk: &mut Walk<'_>,
    filling: &mut Filling,
    pages: &Pages<'_>,
    start: &Start,
    entries: &[Entry],
) -> Result<usize, ExecuteError> {
    let wanted = |entry: &Entry| walk.item(entry).is_some_and(|item| filling.wants(&item));
    let items = entries.iter().filter(|entry| wanted(entry)).filter_map(|entry| walk.item(entry));
    let lengths: Vec<usize> = items.map(|item| item.name.len()).collect();
    let count = lengths.len();
    let (room, fits) = (filling.left(), filling.fits(lengths));
    let left = room.min(fits);
    // All of it is taken where there is room for more.
    if room == 0 || (count < room && count <= fits) {
        for item in entries.iter().filter_map(|entry| walk.item(entry)) {
            filling.take(&item);
        }
        return Ok(count);
    }
    let Cut { taken, last } = cut::cut(pages, start, entries, left, wanted).await?;
    let last = walk.item(&last);
    for item in taken.iter().filter_map(|entry| walk.item(entry)) {
        filling.take(&item);
    }
    if let Some(last) = last {
        filling.last_is(&last, count > left);
    }
    Ok(count)
}

/// Takes what is wanted of a page, where that is one of its two lists, which has an order by itself.
async fn one_list(walk: &mut Walk<'_>, filling: &mut Filling, entries: &[Entry]) -> usize {
    let (mut count, want) = (0, filling.want());
    for entry in entries.iter().filter(|entry| is_wanted(want, entry)) {
        if let Some(item) = walk.item(entry) {
            count += usize::from(filling.wants(&item));
            filling.offer(&item);
        }
        walk.slices.step().await;
        if filling.is_over() {
            break;
        }
        if walk.is_spent()
            && let Some(key) = in_directory(walk, entry)
        {
            filling.end_looking(&key);
            break;
        }
    }
    count
}

fn is_wanted(want: Want, entry: &Entry) -> bool {
    match want {
        Want::All => true,
        Want::Folders => entry.is_prefix,
        Want::Files => !entry.is_prefix,
    }
}

/// An entry's key in the directory; of a folder, behind all that is in it.
fn in_directory(walk: &Walk<'_>, entry: &Entry) -> Option<String> {
    let key = entry.key.as_deref()?.strip_prefix(walk.directory)?;
    Some(if entry.is_prefix { behind(key) } else { key.to_owned() })
}

/// Behind what the next page starts when this one is over: its last entry, in the server's order.
async fn last_of(
    walk: &Walk<'_>,
    filling: &Filling,
    pages: &Pages<'_>,
    start: &Start,
    entries: &[Entry],
) -> Result<Option<String>, ExecuteError> {
    if let Some(last) = entries.iter().rfind(|entry| is_wanted(filling.want(), entry))
        && filling.want() != Want::All
    {
        // What is behind it is looked at once more, of which nothing was wanted.
        return Ok(in_directory(walk, last));
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let Cut { last, .. } = cut::cut(pages, start, entries, entries.len(), |_| true).await?;
    Ok(in_directory(walk, &last))
}

/// Whether there is the object whose key is the prefix itself: then it is among the first that start so.
pub(super) async fn is_listed(pages: &mut Pages<'_>) -> Result<bool, ExecuteError> {
    let first = pages.next(MAX_FIRST).await?.unwrap_or_default();
    Ok(first.iter().any(|entry| entry.key.as_deref() == Some(pages.prefix())))
}
