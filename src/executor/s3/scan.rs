//! A narrowed directory, gone through key by key: what is shown of it, and what of its folders.
//!
//! A folder shows once something is seen in it that may be shown, and the rest of it is gone past. Where rules
//! name what is in it, no more is looked at than what they name: a server that does not list the rest is asked
//! for nothing else.

use super::{
    answer::MAX_KEYS,
    filling::{Filling, Item, Resume, behind},
    list::Walk,
    pages::Entry,
};
use crate::{analysis::iam, executor::ExecuteError};

/// At how many places at most it is looked for whether a folder is there, before it is at the folder;
/// [`iam::MAX_PLACES`] where the credentials may not list the folder itself.
pub(super) const MAX_PLACES: usize = 16;
/// How many entries are asked for where the first may be all there is to know.
pub(super) const FEW: usize = 16;

/// What is known of the folder that a scan is in.
enum Folder {
    /// It is shown, or nothing in it can be.
    Decided,
    /// What may be shown in it shows it.
    Searched,
    /// It has no name that could be shown. What may be read in it is there.
    Nameless,
}

/// Goes through prefixes that start with the directory, in our order.
pub(super) async fn scan(
    walk: &mut Walk<'_>,
    filling: &mut Filling,
    prefixes: &[String],
) -> Result<(), ExecuteError> {
    let mut scan = Scan { folder: None, looked: None };
    for prefix in prefixes {
        let is_folder = prefix.ends_with('/') && prefix != walk.directory;
        // An earlier page has it all.
        if is_folder && filling.resume(prefix, walk.directory) == Resume::Over {
            continue;
        }
        let most = if filling.is_brief() { 1 } else { MAX_PLACES };
        let few = walk.places(prefix, is_folder, most);
        match scan.through(walk, filling, &few).await {
            Err(refused @ ExecuteError::Refused { .. }) => {
                let more = walk.places(prefix, is_folder, iam::MAX_PLACES);
                // What was refused is not asked for again.
                if more == few {
                    return Err(refused);
                }
                scan.through(walk, filling, &more).await?;
            }
            went => went?,
        }
        if filling.is_over() {
            return Ok(());
        }
    }
    Ok(())
}

/// How far a scan came.
struct Scan {
    /// The folder that it is in, by its name and `/`.
    folder: Option<(String, Folder)>,
    /// The last key of the directory that was looked at.
    looked: Option<String>,
}

impl Scan {
    /// Goes through places, until the page is over.
    async fn through(
        &mut self,
        walk: &mut Walk<'_>,
        filling: &mut Filling,
        places: &[String],
    ) -> Result<(), ExecuteError> {
        for place in places {
            walk.slices.step().await;
            let Resume::From(after) = filling.resume(place, walk.directory) else { continue };
            if self.is_past(walk, place) {
                continue;
            }
            if walk.is_spent()
                && let Some(looked) = &self.looked
            {
                filling.end_looking(looked);
                return Ok(());
            }
            self.place(walk, filling, place, after).await?;
            if filling.is_over() {
                return Ok(());
            }
            self.looked = place.strip_prefix(walk.directory).map(behind);
        }
        Ok(())
    }

    /// Whether a place is in a folder that is decided.
    fn is_past(&self, walk: &Walk<'_>, place: &str) -> bool {
        match &self.folder {
            Some((folder, Folder::Decided)) => place
                .strip_prefix(walk.directory)
                .is_some_and(|place| place.starts_with(folder.as_str())),
            _ => false,
        }
    }

    async fn place(
        &mut self,
        walk: &mut Walk<'_>,
        filling: &mut Filling,
        place: &str,
        after: Option<String>,
    ) -> Result<(), ExecuteError> {
        let mut pages = walk.pages(place).after(after);
        if walk.is_alone(place) {
            let entry = walk.alone(&mut pages).await?;
            walk.bucket_is_there(filling);
            if let Some(entry) = entry {
                self.look(walk, filling, &entry);
            }
            return Ok(());
        }
        // Of a folder that is named one entry may be enough.
        let is_named = place != walk.directory && place.ends_with('/');
        let mut ask = match is_named || filling.is_question() {
            // Whatever else is wanted, the one look is at as much.
            _ if filling.is_brief() => MAX_KEYS,
            true => FEW,
            false => filling.left().saturating_add(2).clamp(FEW, MAX_KEYS),
        };
        while let Some(entries) = walk.next(&mut pages, ask).await? {
            walk.bucket_is_there(filling);
            for entry in entries.iter() {
                self.look(walk, filling, entry);
                walk.looked += 1;
                walk.slices.step().await;
                if filling.is_over() {
                    return Ok(());
                }
                if walk.is_spent()
                    && let Some(looked) = &self.looked
                {
                    filling.end_looking(looked);
                    return Ok(());
                }
            }
            if filling.is_brief() {
                return Ok(());
            }
            ask = MAX_KEYS;
            if let Some((folder, Folder::Decided)) = &self.folder
                && !pages.is_done()
            {
                let folder = format!("{}{folder}", walk.directory);
                // All of what begins so is in the folder.
                if place.starts_with(&folder) {
                    return Ok(());
                }
                let next = behind(&folder);
                // A name so long that nothing can be said to be behind it is gone through.
                if next != folder {
                    pages = walk.pages(place).after(Some(next));
                    ask = MAX_KEYS / 4;
                }
            }
        }
        Ok(())
    }

    /// Looks at an entry, and takes what it shows.
    fn look(&mut self, walk: &Walk<'_>, filling: &mut Filling, entry: &Entry) {
        let Some(key) = entry.key.as_deref() else { return };
        let Some(rest) = key.strip_prefix(walk.directory) else { return };
        let Some(slash) = rest.find('/') else {
            (self.folder, self.looked) = (None, Some(rest.to_owned()));
            match walk.item(entry) {
                Some(item) => filling.offer(&item),
                // The directory's own marker.
                None if rest.is_empty() && walk.shows(key) => filling.is_there(),
                None => {}
            }
            return;
        };
        let name = &rest[..=slash];
        if self.folder.as_ref().is_none_or(|(folder, _)| folder != name) {
            self.folder = Some((name.to_owned(), known(walk, name)));
        }
        let Some((_, folder)) = &mut self.folder else { return };
        if !matches!(folder, Folder::Decided) && walk.shows(key) {
            match folder {
                Folder::Nameless => filling.is_there(),
                _ => filling.offer(&Item { name: &rest[..slash], file: None }),
            }
            *folder = Folder::Decided;
        }
        // What is decided is not gone into again.
        self.looked = Some(match folder {
            Folder::Decided => behind(name),
            _ => rest.to_owned(),
        });
    }
}

/// What is known of a folder of the directory before it is gone into.
fn known(walk: &Walk<'_>, name: &str) -> Folder {
    if name == "/" {
        return Folder::Nameless;
    }
    match walk.listing.entry(format!("{}{name}", walk.directory).as_bytes(), true) {
        Some(_) => Folder::Searched,
        None => Folder::Decided,
    }
}
