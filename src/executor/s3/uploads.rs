//! Uploads in parts that have not ended.

use std::sync::Arc;

use http::Method;

use super::{
    S3,
    answer::{Kind, MAX_KEYS, Xml},
    asking::Asking,
    error::senseless,
    keys,
    pages::time,
    request::Request,
    xml::Element,
};
use crate::{
    engine::{Approved, ListUploads},
    executor::{ExecuteError, UnfinishedUpload, UploadId, UploadsMark, UploadsPage},
    path::MAX_KEY_LEN,
};

pub(super) async fn list(
    s3: &S3,
    approved: &Arc<Approved<ListUploads<'static>>>,
    after: Option<UploadsMark>,
    limit: usize,
) -> Result<UploadsPage, ExecuteError> {
    let (bucket, prefix) = keys::split(&approved.operation().path)?;
    let asking = Asking::of(s3, approved).await?;
    let mut request = Request::new(Method::GET, bucket, "", Kind::Xml(Xml::UPLOADS))
        .query("uploads", "")
        .query("encoding-type", "url")
        .query("max-uploads", &limit.clamp(1, MAX_KEYS).to_string());
    if !prefix.is_empty() {
        request = request.query("prefix", prefix);
    }
    if let Some(UploadsMark { key, id }) = &after {
        request = request.query("key-marker", key);
        if !id.is_empty() {
            request = request.query("upload-id-marker", id);
        }
    }
    let page = asking.answer(asking.client.xml(request, page)).await?;
    // What goes round would be asked for ever.
    if page.next.is_some() && page.next == after {
        return Err(senseless());
    }
    let is_shown = |upload: &UnfinishedUpload| {
        keys::path(bucket, &upload.key).is_some_and(|path| approved.shows(&path))
    };
    let uploads = page.uploads.into_iter().filter(is_shown).collect();
    Ok(UploadsPage { uploads, next: page.next })
}

/// All that the server says, hidden or not.
fn page(root: Element<'_>) -> Option<UploadsPage> {
    let is_encoded = root.says("EncodingType").as_deref() == Some("url");
    let key = |element: Element<'_>, name: &str| {
        let text = element.says(name)?;
        let key = if is_encoded { keys::decode_url(&text)? } else { text.into_owned() };
        (key.len() <= MAX_KEY_LEN).then_some(key)
    };
    let uploads = root.all("Upload").filter_map(|upload| {
        Some(UnfinishedUpload {
            key: key(upload, "Key")?,
            id: UploadId::new(&upload.says("UploadId")?)?,
            initiated: upload.says("Initiated").and_then(|text| time(&text)),
        })
    });
    let next = match root.says("IsTruncated").as_deref() {
        Some("true") => {
            let id = root.says("NextUploadIdMarker").unwrap_or_default();
            // Servers that sort by the names of uploads say no key.
            let is_mark = (1..=UploadId::MAX_LEN).contains(&id.len());
            let key = key(root, "NextKeyMarker").filter(|key| !key.is_empty());
            let is_mark = is_mark || id.is_empty() && key.is_some();
            let mark = UploadsMark { key: key.unwrap_or_default().into(), id: id.into() };
            Some(is_mark.then_some(mark)?)
        }
        _ => None,
    };
    Some(UploadsPage { uploads: uploads.collect(), next })
}

#[cfg(test)]
mod tests {
    use super::{super::xml::Document, *};

    #[test]
    fn a_page_goes_on_behind_whatever_a_server_names() {
        let next = |text: &str| {
            let text = format!("<L><IsTruncated>true</IsTruncated>{text}</L>");
            let document = Document::read(text.as_bytes(), 999, 99).unwrap();
            page(document.root()).map(|page| page.next.map(|mark| (mark.key, mark.id)))
        };
        let key = "<NextKeyMarker>k</NextKeyMarker>";
        let id = "<NextUploadIdMarker>i</NextUploadIdMarker>";
        let mark = |key: &str, id: &str| Some(Some((key.into(), id.into())));
        assert_eq!(next(&format!("{key}{id}")), mark("k", "i"));
        assert_eq!(next(key), mark("k", ""));
        // One that sorts by the names of uploads.
        assert_eq!(next(id), mark("", "i"));
        assert_eq!(next(&format!("<NextKeyMarker/>{id}")), mark("", "i"));
        // What goes on and does not say where makes no sense.
        assert_eq!(next(""), None);
        let long = "i".repeat(UploadId::MAX_LEN + 1);
        let long = format!("{key}<NextUploadIdMarker>{long}</NextUploadIdMarker>");
        let document = format!("<L><IsTruncated>true</IsTruncated>{long}</L>");
        let document = Document::read(document.as_bytes(), 9_999, 99).unwrap();
        assert!(page(document.root()).is_none());
    }
}
