//! One page of a directory, narrowed to what may be shown.

use aws_sdk_s3::Client;

use super::{
    S3,
    cut::{self, Cut},
    keys,
    pages::{Entry, MAX_KEYS, Pages},
    root,
};
use crate::{
    analysis::iam,
    engine::{Approved, ListDirectory, Listing},
    executor::{DirectoryPage, ExecuteError, FileEntry, PageRequest, Want},
};

/// At how many places at most it is looked for whether a folder is there, before it is at the folder;
/// [`iam::MAX_PLACES`] where the credentials may not list the folder itself.
const MAX_PLACES: usize = 16;

/// Among how many of the first entries the one is that is all of the prefix, whatever the order.
const MAX_FIRST: usize = 3;

pub(super) async fn list(
    s3: &S3,
    approved: &Approved<ListDirectory<'static>>,
    request: PageRequest,
) -> Result<DirectoryPage, ExecuteError> {
    if approved.operation().path.is_root() {
        return root::list(s3, approved, &request).await;
    }
    let client = s3.clients.get(approved.connection()).await?;
    let view = View::new(approved);
    let (bucket, directory) = keys::split(view.listing.directory())?;
    let mut filling = Filling::new(request);
    let mut prefixes = Vec::new();
    for prefix in view.listing.prefixes() {
        prefixes.push(under_bucket(&prefix, bucket));
    }
    prefixes.dedup();
    for prefix in &prefixes {
        if filling.is_over() {
            break;
        }
        // A folder that a restriction names: that there is anything in it is all to ask.
        let is_folder = prefix.ends_with('/') && prefix != directory;
        let after = match filling.resume(prefix, directory, is_folder) {
            Resume::Over => continue,
            Resume::From(after) => after,
        };
        let filled = if is_folder || filling.request.limit == 0 {
            let places = view.places(bucket, prefix, is_folder, MAX_PLACES);
            let mut there = is_there(&client, bucket, &view, &places).await;
            if matches!(there, Err(ExecuteError::Refused { .. })) {
                let more = view.places(bucket, prefix, is_folder, iam::MAX_PLACES);
                // What was refused is not asked for again.
                if more != places {
                    there = is_there(&client, bucket, &view, &more).await;
                }
            }
            match there {
                Ok(true) => {
                    filling.page.exists = true;
                    if is_folder {
                        filling.offer_folder(&view, prefix);
                    }
                    Ok(())
                }
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            }
        } else {
            let pages = Pages::of(&client, bucket, prefix).delimited().after(after);
            fill(&view, &mut filling, pages).await
        };
        match filled {
            // A bucket is there when the server does not say otherwise, and no less so when it is
            // empty: the root shows it, too.
            Ok(()) => filling.page.exists |= directory.is_empty(),
            // The bucket is not there, or is no longer.
            Err(ExecuteError::Missing) => return Ok(DirectoryPage::default()),
            Err(error) => return Err(error),
        }
    }
    Ok(filling.end())
}

/// What of a prefix, which starts with the bucket, is the server's. One that ends within a character
/// asks for a little more; each entry is checked.
fn under_bucket(prefix: &[u8], bucket: &str) -> String {
    let key = prefix.get(bucket.len() + 1..).unwrap_or_default();
    let whole = match std::str::from_utf8(key) {
        Ok(_) => key,
        Err(error) => &key[..error.valid_up_to()],
    };
    String::from_utf8_lossy(whole).into_owned()
}

/// Whether there is anything under one of these prefixes. Of one that is nothing but an object's
/// key, whether there is that object: what else starts with it is hidden.
async fn is_there(
    client: &Client,
    bucket: &str,
    view: &View<'_>,
    prefixes: &[String],
) -> Result<bool, ExecuteError> {
    for prefix in prefixes {
        let mut pages = Pages::of(client, bucket, prefix);
        if view.is_alone(&pages) {
            if is_listed(&mut pages).await? {
                return Ok(true);
            }
            continue;
        }
        while let Some(entries) = pages.next(1).await? {
            if !entries.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether there is the object whose key is the prefix itself: then it is among the first that start so.
pub(super) async fn is_listed(pages: &mut Pages<'_>) -> Result<bool, ExecuteError> {
    let first = pages.next(MAX_FIRST).await?.unwrap_or_default();
    Ok(first.iter().any(|entry| entry.key.as_deref() == Some(pages.prefix())))
}

/// Goes through a prefix, page by page, until the page is full and something is seen to follow.
async fn fill(
    view: &View<'_>,
    filling: &mut Filling,
    mut pages: Pages<'_>,
) -> Result<(), ExecuteError> {
    // One more than is left, to see that more follows; one more for what the last page ended with.
    let mut ask = filling.left().saturating_add(2).min(MAX_KEYS);
    loop {
        let start = pages.start();
        let Some(entries) = pages.next(ask).await? else { return Ok(()) };
        filling.page.exists |= match view.is_alone(&pages) {
            true => entries.iter().any(|entry| view.item(entry).is_some()),
            false => !entries.is_empty(),
        };
        let shown = |entry: &Entry| {
            view.item(entry).filter(|item| filling.wants(item) && !filling.was_last(item))
        };
        let count = entries.iter().filter_map(shown).count();
        let left = filling.left();
        if count < left || left == 0 {
            let items: Vec<Item> = entries.iter().filter_map(shown).collect();
            for item in items {
                filling.offer(item);
            }
        } else {
            let Cut { taken, last } =
                cut::cut(&pages, &start, &entries, left, |entry| shown(entry).is_some()).await?;
            let items: Vec<Item> = taken.iter().filter_map(shown).collect();
            let last = shown(&last);
            for item in items {
                filling.offer(item);
            }
            filling.last = last.map(|item| item.marker());
            filling.is_more = count > left;
        }
        if filling.is_over() {
            return Ok(());
        }
        // Where much is hidden, small pages would be many.
        ask = if count == 0 { MAX_KEYS } else { filling.left().saturating_add(2).min(MAX_KEYS) };
        if view.is_alone(&pages) {
            return Ok(());
        }
    }
}

/// An entry that may be shown.
struct Item {
    file: Option<FileEntry>,
    name: String,
}

impl Item {
    /// What a listing goes on behind.
    fn marker(&self) -> Box<str> {
        match self.file {
            Some(_) => self.name.as_str().into(),
            None => format!("{}/", self.name).into(),
        }
    }
}

/// What of a server's entries may be shown.
struct View<'a> {
    listing: Listing<'a>,
}

impl<'a> View<'a> {
    fn new(approved: &'a Approved<ListDirectory<'static>>) -> Self {
        Self { listing: approved.listing() }
    }

    /// The entry, if it is one that can be named and may be shown.
    fn item(&self, entry: &Entry) -> Option<Item> {
        let key = entry.key.as_deref()?;
        let name = self.listing.entry(key.as_bytes(), entry.is_prefix)?;
        let file = (!entry.is_prefix).then(|| FileEntry {
            name: name.to_owned(),
            size: entry.size,
            last_modified: entry.last_modified,
        });
        Some(Item { file, name: name.to_owned() })
    }

    /// Where to look for whether there is anything under a prefix: see [`Listing::places`].
    fn places(&self, bucket: &str, prefix: &str, is_folder: bool, most: usize) -> Vec<String> {
        if !is_folder {
            return vec![prefix.to_owned()];
        }
        let places = self.listing.places(format!("{bucket}/{prefix}").as_bytes(), most);
        places.iter().map(|place| under_bucket(place, bucket)).collect()
    }

    /// Whether nothing but the prefix itself can be shown: see [`Listing::is_alone`].
    fn is_alone(&self, pages: &Pages<'_>) -> bool {
        let bucket = self.listing.directory().bucket();
        self.listing.is_alone(&[bucket, pages.prefix().as_bytes()].join(&b'/'))
    }
}

/// From where a prefix is listed.
enum Resume {
    /// An earlier page has it all.
    Over,
    /// Behind this key, or from its start.
    From(Option<String>),
}

/// A page being filled.
struct Filling {
    request: PageRequest,
    page: DirectoryPage,
    shown: usize,
    last: Option<Box<str>>,
    is_more: bool,
}

impl Filling {
    fn new(request: PageRequest) -> Self {
        // What a page was shown of is there.
        let exists = request.after.is_some();
        let page = DirectoryPage { exists, ..DirectoryPage::default() };
        Self { request, page, shown: 0, last: None, is_more: false }
    }

    fn left(&self) -> usize {
        self.request.limit - self.shown
    }

    /// Whether nothing more is to be found out.
    fn is_over(&self) -> bool {
        self.is_more || (self.request.limit == 0 && self.page.exists)
    }

    fn wants(&self, item: &Item) -> bool {
        match self.request.want {
            Want::All => true,
            Want::Folders => item.file.is_none(),
            Want::Files => item.file.is_some(),
        }
    }

    /// Whether it is the entry that the page starts behind: servers show a folder once more when
    /// asked for what comes behind its name, as what is in it does.
    fn was_last(&self, item: &Item) -> bool {
        self.request.after.as_ref().is_some_and(|after| *after == item.marker())
    }

    /// Takes an entry, or only notes that there is more.
    fn offer(&mut self, item: Item) {
        if self.left() == 0 {
            self.is_more = true;
            return;
        }
        self.shown += 1;
        self.last = Some(item.marker());
        match item.file {
            Some(file) => self.page.files.push(file),
            None => self.page.folders.push(item.name),
        }
    }

    /// Takes a folder that a restriction names, and that is there.
    fn offer_folder(&mut self, view: &View<'_>, prefix: &str) {
        let entry =
            Entry { key: Some(prefix.to_owned()), is_prefix: true, size: 0, last_modified: None };
        if let Some(item) = view.item(&entry).filter(|item| self.wants(item)) {
            self.offer(item);
        }
    }

    /// Where to go on in this prefix. The order of the prefixes is ours: bytewise.
    fn resume(&self, prefix: &str, directory: &str, is_folder: bool) -> Resume {
        let Some(after) = &self.request.after else { return Resume::From(None) };
        let after = format!("{directory}{after}");
        match after.starts_with(prefix) {
            true if is_folder => Resume::Over,
            true => Resume::From(Some(after)),
            false if *prefix < *after => Resume::Over,
            false => Resume::From(None),
        }
    }

    fn end(mut self) -> DirectoryPage {
        if self.is_more && self.request.limit > 0 {
            self.page.next = self.last;
        }
        self.page
    }
}
