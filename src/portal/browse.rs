//! What a caller sees through a data source: its folders and files, by way of the gateway's own
//! decisions and nothing else.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use time::macros::format_description;

use super::{
    Portal,
    fields::in_address,
    respond,
    sources::{find, href, sentence},
    view::{BrowsePage, Crumb, Denial, Entry},
    visit::Visit,
    words,
};
use crate::{
    escape::escape,
    gateway::dates,
    manage::{Browsed, BrowsedFile, Refusal},
};

/// A page of a directory.
pub(super) async fn browse(
    State(_): State<Portal>,
    Path(identity): Path<String>,
    visit: Visit,
) -> Result<Response, Response> {
    let stored = find(&visit, &identity).await?;
    let id = stored.connection.id();
    let href = href(&stored.identity);
    let path = directory(visit.query.get("path"));
    let marker = Some(visit.query.get("marker")).filter(|marker| !marker.is_empty());
    let manager = &visit.portal.shared.manager;
    let (status, browsed, denial) = match manager.browse(visit.owner(), id, &path, marker).await {
        Ok(browsed) => (StatusCode::OK, browsed, None),
        Err(refusal) => (StatusCode::OK, Browsed::default(), Some(denial(&refusal))),
    };
    let next = browsed.marker.as_ref().map(|marker| {
        format!("{href}/browse?path={}&marker={}", in_address(&path), in_address(marker))
    });
    let place = if path.is_empty() { "all buckets" } else { &*path };
    let page = BrowsePage {
        frame: visit.frame(format!("{} in {id}", escape(place)), "sources"),
        id: id.to_string(),
        crumbs: crumbs(&path, &href),
        entries: entries(&browsed, &path, &href),
        path,
        href,
        denial,
        next,
    };
    Ok(respond::page(status, &page))
}

/// A directory's path: it ends with `/`, and people paste whole addresses.
fn directory(path: &str) -> String {
    let path = path.split_once("://").map_or(path, |(_, path)| path);
    if path.is_empty() || path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

/// The directories that lead to this one, and it.
fn crumbs(path: &str, href: &str) -> Vec<Crumb> {
    let mut before = String::new();
    let mut crumbs = Vec::new();
    for segment in path.split_inclusive('/') {
        before += segment;
        let name = segment.strip_suffix('/').unwrap_or(segment);
        crumbs.push(Crumb {
            name: escape(name).into_owned(),
            href: format!("{href}/browse?path={}", in_address(&before)),
        });
    }
    crumbs
}

fn entries(browsed: &Browsed, path: &str, href: &str) -> Vec<Entry> {
    let folders = browsed.folders.iter().map(|name| Entry {
        name: escape(name).into_owned(),
        href: Some(format!("{href}/browse?path={}", in_address(&format!("{path}{name}/")))),
        size: String::new(),
        changed: String::new(),
    });
    let files = browsed.files.iter().map(|file| Entry {
        name: escape(&file.name).into_owned(),
        href: None,
        size: words::size(file.size),
        changed: changed(file),
    });
    folders.chain(files).collect()
}

fn changed(file: &BrowsedFile) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let date = |at| dates::formatted(at, format);
    file.last_modified.and_then(date).unwrap_or_default()
}

fn denial(refusal: &Refusal) -> Denial {
    let title = match refusal.status {
        StatusCode::FORBIDDEN => "Denied",
        StatusCode::BAD_REQUEST => "That is no path",
        StatusCode::NOT_FOUND => "There is nothing",
        _ => "The data source did not answer",
    };
    Denial { title: title.to_owned(), text: sentence(&escape(&refusal.message)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_directory_however_it_is_written() {
        for (text, path) in [
            ("", ""),
            ("bucket", "bucket/"),
            ("bucket/dir/", "bucket/dir/"),
            ("s3+saha://bucket/dir", "bucket/dir/"),
            ("s3://", ""),
        ] {
            assert_eq!(directory(text), path);
        }
    }

    #[test]
    fn crumbs_keep_every_byte_and_show_what_is_hidden() {
        let crumbs = crumbs("b/a b//x\u{202e}/", "/sources/s");
        let hrefs: Vec<_> = crumbs.iter().map(|crumb| crumb.href.as_str()).collect();
        assert_eq!(
            hrefs,
            [
                "/sources/s/browse?path=b%2F",
                "/sources/s/browse?path=b%2Fa%20b%2F",
                "/sources/s/browse?path=b%2Fa%20b%2F%2F",
                "/sources/s/browse?path=b%2Fa%20b%2F%2Fx%E2%80%AE%2F",
            ]
        );
        assert_eq!(crumbs.last().unwrap().name, "x\\u{202e}");
    }
}
