//! The root of a connection: its buckets.

use std::sync::Arc;

use http::Method;

use super::{
    answer::{Kind, MAX_BUCKETS, Xml},
    asking::Asking,
    error::senseless,
    filling::{Filling, Item},
    list::WORK,
    pages::MAX_TOKEN,
    request::Request,
    share::Place,
    slices::Slices,
    xml::Element,
};
use crate::{
    engine::{Approved, ListDirectory, ListMode, Listing},
    executor::{DirectoryPage, ExecuteError, PageRequest, Want},
    path::{MAX_BUCKET_LEN, Path},
};

/// Up to so many buckets that restrictions name are asked for one by one, which needs no right to
/// list all.
const ASKED_ONE_BY_ONE: usize = 32;

pub(super) async fn list(
    asking: &Asking,
    approved: &Approved<ListDirectory<'static>>,
    request: &PageRequest,
) -> Result<DirectoryPage, ExecuteError> {
    let mut filling = Filling::new(request.clone());
    filling.is_there();
    if filling.is_question() || request.want == Want::Files {
        return Ok(filling.end());
    }
    let listing = approved.listing();
    let mut slices = Slices::new();
    let Buckets { names: mut buckets, place: _place } =
        slices.wait(buckets(asking, &listing)).await?;
    // All of them are here, so that the order is ours.
    buckets.sort_unstable();
    buckets.dedup();
    for bucket in buckets {
        if filling.is_past(&bucket) {
            continue;
        }
        let path = Path::from_vec(format!("{bucket}/").into_bytes());
        if path.is_ok_and(|path| listing.shows_folder(&path)) {
            filling.offer(&Item { name: &bucket, file: None });
        }
        slices.step().await;
        if filling.is_over() {
            break;
        }
        if slices.used() >= WORK {
            filling.end_looking(&bucket);
            break;
        }
    }
    Ok(filling.end())
}

/// Names of buckets. Many of them have a place for as long as they are held.
#[derive(Default)]
struct Buckets {
    names: Vec<String>,
    place: Option<Arc<Place>>,
}

async fn buckets(asking: &Asking, listing: &Listing<'_>) -> Result<Buckets, ExecuteError> {
    let (mut named, mut are_all_named) = (Vec::new(), false);
    if listing.mode() == ListMode::Narrow {
        let prefixes = listing.prefixes();
        named = prefixes
            .iter()
            .filter_map(|prefix| std::str::from_utf8(prefix).ok()?.strip_suffix('/'))
            // Some prefixes are no buckets' names, such as `b/` of a restriction of that text.
            .filter(|name| Path::new(name).is_ok_and(|path| !path.is_root()))
            .map(ToOwned::to_owned)
            .collect();
        are_all_named = prefixes.iter().all(|prefix| prefix.ends_with(b"/"));
    }
    if are_all_named && named.len() <= ASKED_ONE_BY_ONE {
        return one_by_one(asking, named).await;
    }
    match all(asking).await {
        // Then what the restrictions name has to do.
        Err(ExecuteError::Refused { .. }) if !named.is_empty() => one_by_one(asking, named).await,
        answer => answer,
    }
}

async fn all(asking: &Asking) -> Result<Buckets, ExecuteError> {
    let mut buckets = Buckets::default();
    let (mut token, mut memory) = (None::<String>, 0);
    loop {
        let mut request = Request::new(Method::GET, "", "", Kind::Xml(Xml::BUCKETS));
        if let Some(token) = &token {
            request = request.query("continuation-token", token);
        }
        let ((names, next), place) = asking.placed_answer(asking.client.xml(request, page)).await?;
        let before = buckets.names.len();
        if before + names.len() > MAX_BUCKETS {
            return Err(senseless());
        }
        memory += names.iter().map(|name| size_of::<String>() + name.len()).sum::<usize>();
        buckets.names.extend(names);
        if buckets.place.is_none() {
            buckets.place = asking.place_for(memory, place).await;
        }
        match next {
            None => return Ok(buckets),
            // One that goes on with nothing new does so for ever.
            Some(next) if next.len() > MAX_TOKEN || buckets.names.len() == before => {
                return Err(senseless());
            }
            next => token = next,
        }
    }
}

/// The names in an answer, and where to go on.
fn page(root: Element<'_>) -> Option<(Vec<String>, Option<String>)> {
    let buckets = root.one("Buckets").into_iter().flat_map(|all| all.all("Bucket"));
    let names = buckets
        .filter_map(|bucket| bucket.says("Name"))
        // What is longer is no bucket's name, and is not kept.
        .filter(|name| name.len() <= MAX_BUCKET_LEN)
        .map(|name| name.as_ref().into());
    let mut names: Vec<String> = names.collect();
    names.shrink_to_fit();
    // Without it what came would pass for all that there is.
    let next = match root.all("ContinuationToken").next() {
        Some(_) => Some(root.says("ContinuationToken")?.into_owned()),
        None => None,
    };
    Some((names, next.filter(|token| !token.is_empty())))
}

/// Those of the buckets that are there. One that is refused is not shown; when all are, it is the
/// credentials that are refused.
async fn one_by_one(asking: &Asking, names: Vec<String>) -> Result<Buckets, ExecuteError> {
    let mut there = Vec::new();
    let mut refused = None;
    for name in names {
        let request = Request::new(Method::HEAD, &name, "", Kind::Head);
        match asking.answer(asking.client.head(request)).await {
            Ok(_) => there.push(name),
            Err(ExecuteError::Missing) => {}
            Err(error @ ExecuteError::Refused { .. }) => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    match refused {
        Some(error) if there.is_empty() => Err(error),
        _ => Ok(Buckets { names: there, ..Buckets::default() }),
    }
}
