//! Listings: pages, and the JSON that Algorithmia's clients read.

use std::time::SystemTime;

use axum::body::Body as HttpBody;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use time::{format_description::BorrowedFormatItem, macros::format_description};

use super::{
    ask::is_node,
    dates,
    decide::{Allowed, Ask},
    files::NoFile,
    marker::{Bound, Place},
    query::Query,
    respond::{Failure, JSON, json_response, response},
};
use crate::{
    engine::ListDirectory,
    executor::{DirectoryPage, FileEntry, PageRequest, Want},
};

/// Clients of old parse exactly this, with three zeros for the fraction.
const LAST_MODIFIED: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");

/// A page, as the wire has it. Both lists are always there; the marker only where more follows.
#[derive(Serialize)]
struct Page {
    folders: Vec<Folder>,
    files: Vec<FileLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

#[derive(Serialize)]
struct Folder {
    name: String,
}

#[derive(Serialize)]
struct FileLine {
    filename: String,
    last_modified: String,
    size: u64,
}

impl Ask<'_> {
    /// GET of a directory: a page of its listing.
    pub(super) async fn directory(
        &self,
        no_file: NoFile,
        marker: Option<&str>,
    ) -> Result<Response<HttpBody>, Failure> {
        let (page, marker) = self.listed(no_file, marker).await?;
        let page = Page {
            folders: page.folders.into_iter().map(|name| Folder { name }).collect(),
            files: page.files.into_iter().map(FileLine::from).collect(),
            marker,
        };
        let mut response = json_response(StatusCode::OK, &page);
        response.headers_mut().insert("x-data-type", DIRECTORY);
        Ok(response)
    }

    /// A page of the path's listing, and the marker of the next where more follows.
    pub(super) async fn listed(
        &self,
        no_file: NoFile,
        marker: Option<&str>,
    ) -> Result<(DirectoryPage, Option<String>), Failure> {
        let (allowed, no_file) = self.approve_listing(no_file)?;
        let directory = allowed.approved.operation().path.clone();
        let connection = allowed.approved.connection().id().to_string();
        let bound = Bound { owner: self.owner(), connection: &connection, directory: &directory };
        let mut place = match marker {
            Some(marker) => {
                self.shared.markers().open(&bound, marker).ok_or_else(Failure::marker)?
            }
            // A page that has both kinds breaks Algorithmia's Node client.
            None if is_node(self.headers) => Place { want: Want::Folders, after: None },
            None => Place { want: Want::All, after: None },
        };
        let limit = self.shared.options.page;
        let mut page = self.page(allowed, &place, limit, no_file.is_refused()).await?;
        if !page.exists {
            return Err(no_file.nor_directory(&self.asked()));
        }
        let mut next = page.next.take().map(|after| Place { after: Some(after), ..place.clone() });
        if place.want == Want::Folders && next.is_none() {
            // The folders are over: files follow, at once if there was no folder.
            place = Place { want: Want::Files, after: None };
            let is_first = page.folders.is_empty();
            let limit = if is_first { limit } else { 1 };
            let (allowed, _) = self.approve_listing(NoFile::Directory)?;
            let mut files = self.page(allowed, &place, limit, false).await?;
            if is_first {
                next = files.next.take().map(|after| Place { after: Some(after), ..place });
                page.files = files.files;
            } else if !files.files.is_empty() {
                next = Some(place);
            }
        }
        let marker = next.and_then(|next| self.shared.markers().seal(&bound, &next));
        Ok((page, marker))
    }

    /// HEAD of a directory: whether it is there.
    pub(super) async fn directory_head(
        &self,
        no_file: NoFile,
    ) -> Result<Response<HttpBody>, Failure> {
        let (allowed, no_file) = self.approve_listing(no_file)?;
        let place = Place { want: Want::All, after: None };
        let page = self.page(allowed, &place, 0, no_file.is_refused()).await?;
        match page.exists {
            true => {
                let headers = [("x-data-type", DIRECTORY), (CONTENT_TYPE.as_str(), JSON)];
                let headers: HeaderMap = headers
                    .into_iter()
                    .map(|(name, value)| (http::HeaderName::from_static(name), value))
                    .collect();
                Ok(response(StatusCode::OK, headers, HttpBody::empty()))
            }
            false => Err(no_file.nor_directory(&self.asked())),
        }
    }

    /// Approves the listing of the path as a directory, where looking for a file came to nothing:
    /// to what, is still needed where there is no directory.
    fn approve_listing(
        &self,
        no_file: NoFile,
    ) -> Result<(Allowed<ListDirectory<'static>>, NoFile), Failure> {
        let Ok(path) = self.path.clone().into_directory() else {
            // With the `/` of a directory its key is too long to be one.
            return Err(no_file.nor_directory(&self.asked()));
        };
        match self.approve(ListDirectory { path }) {
            Ok(allowed) => Ok((allowed, no_file)),
            Err(refused) => Err(no_file.nor_permitted(refused, &self.asked())),
        }
    }

    async fn page(
        &self,
        allowed: Allowed<ListDirectory<'static>>,
        place: &Place,
        limit: usize,
        brief: bool,
    ) -> Result<DirectoryPage, Failure> {
        let Allowed { approved, line } = allowed;
        let request = PageRequest { after: place.after.clone(), want: place.want, limit, brief };
        let page = self.shared.executor.list(approved, request).await;
        line.end(page, |_| None).map_err(|error| self.failed(&error))
    }
}

const DIRECTORY: HeaderValue = HeaderValue::from_static("directory");

impl From<FileEntry> for FileLine {
    fn from(entry: FileEntry) -> Self {
        let date = |at| dates::formatted(at, LAST_MODIFIED);
        // The clients cannot do without one: the first stands for none.
        let last_modified = entry.last_modified.and_then(date).or(date(SystemTime::UNIX_EPOCH));
        Self {
            filename: entry.name,
            last_modified: last_modified.unwrap_or_default(),
            size: entry.size,
        }
    }
}

/// A directory of hosted data: of the root, which has a folder of the caller's name and nothing else, or
/// of that folder, which has nothing. The Python client learns its user's name from the root.
pub(super) fn hosted(query: &Query, folders: &[&str]) -> Result<Response<HttpBody>, Failure> {
    // No page of them ends with one.
    if query.marker.is_some() {
        return Err(Failure::marker());
    }
    let folders = folders.iter().map(|name| Folder { name: (*name).to_owned() }).collect();
    let page = Page { folders, files: Vec::new(), marker: None };
    let mut response = json_response(StatusCode::OK, &page);
    response.headers_mut().insert("x-data-type", DIRECTORY);
    Ok(response)
}
