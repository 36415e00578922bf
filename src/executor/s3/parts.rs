//! Uploads in parts as they are: what is asked of one, one request for one.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Method, header::ETAG};

use super::{
    S3,
    answer::{Kind, MAX_KEYS, Xml},
    asking::Asking,
    copy,
    error::senseless,
    head::Head,
    keys,
    multipart::Begun,
    pages::{MAX_TAG, etag, size, time},
    request::Request,
    source::Source,
    standing::Standing,
    write::{COLLECTED, MAX_PUT, Target, honoured},
    xml::{Element, escaped},
};
use crate::{
    engine::{
        AbortUpload, Approved, CompleteUpload, CopyPart, CreateUpload, ListParts, Operate,
        UploadPart,
    },
    executor::{
        ExecuteError, InvalidParts, Made, Metadata, Part, PartCopy, PartInfo, PartNumber,
        PartUpload, PartsPage, Stored, UploadId, WriteConditions, number,
    },
    path::Path,
};

/// What a request takes of memory for a part, beside its tag.
const AROUND: usize = 64;

const COPY_RANGE: HeaderName = HeaderName::from_static("x-amz-copy-source-range");

impl Target {
    /// Begins an upload.
    pub(super) async fn create(&self) -> Result<UploadId, ExecuteError> {
        let request = self
            .request(Method::POST, Kind::Xml(Xml::short("InitiateMultipartUploadResult")))
            .query("uploads", "")
            .metadata(&self.metadata)?;
        self.client.xml(request, |root| UploadId::new(&root.says("UploadId")?)).await
    }

    /// The request for a part, without its body.
    fn part(&self, id: &UploadId, number: PartNumber, kind: Kind) -> Request {
        self.request(Method::PUT, kind)
            .query("partNumber", &number.to_string())
            .query("uploadId", id.as_str())
    }

    /// Sends a part that was collected; again where that helps.
    pub(super) async fn send(
        &self,
        id: &UploadId,
        number: PartNumber,
        bytes: Bytes,
    ) -> Result<Box<str>, ExecuteError> {
        let request = self.client.head(self.part(id, number, Kind::Nothing).bytes(bytes).long());
        tag(&self.standing.during(request).await??)
    }

    /// Sends so many bytes as a part, as they come.
    pub(super) async fn stream(
        &self,
        id: &UploadId,
        number: PartNumber,
        source: &Source,
        length: u64,
        is_last: bool,
    ) -> Result<Box<str>, ExecuteError> {
        let window = source.window(length, is_last);
        let request = self.part(id, number, Kind::Nothing).stream(window);
        tag(&self.streamed(source, request).await?)
    }

    /// Makes an object of parts, which are in the order of their numbers.
    pub(super) async fn complete<'p>(
        &self,
        id: &UploadId,
        parts: impl Iterator<Item = (PartNumber, &'p str)>,
    ) -> Result<Made, ExecuteError> {
        let mut body = String::from(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
        );
        for (number, tag) in parts {
            let tag = escaped(tag);
            body.push_str(&format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            ));
        }
        body.push_str("</CompleteMultipartUpload>");
        let request = self
            .request(Method::POST, Kind::Xml(Xml::short("CompleteMultipartUploadResult")))
            .query("uploadId", id.as_str())
            .on(&self.conditions)?
            .bytes(body.into())
            .long();
        self.client.xml(request, |root| Some(made(root))).await
    }

    /// Ends an upload without an object, whatever became of the approval: what it began is taken back.
    pub(super) async fn take_back(&self, id: &UploadId) {
        let request = Request::new(Method::DELETE, &self.bucket, &self.key, Kind::Nothing)
            .query("uploadId", id.as_str());
        if let Err(error) = self.client.head(request).await {
            tracing::warn!(%error, "an upload in parts could not be aborted; its parts stay with the server");
        }
    }
}

/// The tag of a part that was stored. What is kept of ten thousand of them is not for a server to choose.
fn tag(head: &Head) -> Result<Box<str>, ExecuteError> {
    let tag = head.text(&ETAG).filter(|tag| tag.len() <= MAX_TAG);
    Ok(tag.ok_or_else(senseless)?.into())
}

/// What an answer says of what was made.
pub(super) fn made(root: Element<'_>) -> Made {
    let etag = root.says("ETag").and_then(etag).map(Into::into);
    let last_modified = root.says("LastModified").and_then(|text| time(&text));
    Made { etag, last_modified }
}

/// Where the object of an upload goes.
async fn target<Op: Operate + Send + Sync + 'static>(
    s3: &S3,
    approved: &Arc<Approved<Op>>,
    path: &Path<'_>,
) -> Result<Target, ExecuteError> {
    let (bucket, key) = keys::object(path)?;
    Target::new(s3, approved.connection(), Standing::of(approved), bucket, key).await
}

/// What is missing where nothing but an upload was asked for: some servers say that of its object.
fn of_upload(error: ExecuteError) -> ExecuteError {
    match error {
        ExecuteError::Missing => ExecuteError::NoSuchUpload,
        error => error,
    }
}

pub(super) async fn create(
    s3: &S3,
    approved: &Arc<Approved<CreateUpload<'static>>>,
    metadata: Metadata,
) -> Result<UploadId, ExecuteError> {
    let mut target = target(s3, approved, &approved.operation().path).await?;
    target.metadata = Arc::new(metadata);
    Begun::start(target).await?.into_id()
}

pub(super) async fn upload(
    s3: &S3,
    approved: &Arc<Approved<UploadPart<'static>>>,
    id: &UploadId,
    part: PartUpload,
) -> Result<Stored, ExecuteError> {
    let PartUpload { number, body, length, checksums } = part;
    let target = target(s3, approved, &approved.operation().path).await?;
    let source = Source::new(body, checksums, target.standing.clone());
    let etag = match length {
        length if length <= COLLECTED => {
            target.send(id, number, source.collect_all(length).await?).await
        }
        length if length <= MAX_PUT => target.stream(id, number, &source, length, true).await,
        _ => return Err(ExecuteError::TooLarge),
    };
    let etag = etag.map_err(of_upload)?;
    Ok(Stored { size: length, etag: Some(etag.into()) })
}

pub(super) async fn copy(
    s3: &S3,
    approved: &Arc<Approved<CopyPart<'static>>>,
    id: &UploadId,
    part: PartCopy,
) -> Result<Made, ExecuteError> {
    let CopyPart { source, destination } = approved.operation();
    let target = target(s3, approved, destination).await?;
    let range = part.range.map(|(first, last)| format!("bytes={first}-{last}"));
    let request = target.part(id, part.number, Kind::Xml(Xml::short("CopyPartResult")));
    let request = copy::from(request, approved.connection(), source, &part.conditions)?
        .header(COPY_RANGE, range.as_deref())?
        .long();
    target.client.xml(request, |root| Some(made(root)).filter(|made| made.etag.is_some())).await
}

pub(super) async fn list(
    s3: &S3,
    approved: &Arc<Approved<ListParts<'static>>>,
    id: &UploadId,
    after: Option<PartNumber>,
    limit: usize,
) -> Result<PartsPage, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let asking = Asking::of(s3, approved).await?;
    let mut request = Request::new(Method::GET, bucket, key, Kind::Xml(Xml::PARTS))
        .query("max-parts", &limit.clamp(1, MAX_KEYS).to_string())
        .query("uploadId", id.as_str());
    if let Some(after) = after {
        request = request.query("part-number-marker", &after.to_string());
    }
    let page = asking.answer(asking.client.xml(request, |root| page(root, after))).await;
    page.map_err(of_upload)
}

/// Parts that are none, or are not behind those before, make no sense: a page that is gone on with comes to an end.
fn page(root: Element<'_>, after: Option<PartNumber>) -> Option<PartsPage> {
    let part_number = |text: &str| PartNumber::new(number(text)?.try_into().ok()?);
    let mut parts = Vec::new();
    let mut last = after;
    for part in root.all("Part") {
        let number = part_number(&part.says("PartNumber")?)?;
        if last >= Some(number) {
            return None;
        }
        last = Some(number);
        parts.push(PartInfo {
            number,
            size: size(&part.says("Size")?)?,
            etag: part.says("ETag").and_then(etag),
            last_modified: part.says("LastModified").and_then(|text| time(&text)),
        });
    }
    let next = match root.says("IsTruncated").as_deref() {
        Some("true") => Some(parts.last()?.number).filter(|number| *number < PartNumber::MAX),
        _ => None,
    };
    Some(PartsPage { parts, next })
}

pub(super) async fn complete(
    s3: &S3,
    approved: &Arc<Approved<CompleteUpload<'static>>>,
    id: &UploadId,
    parts: Vec<Part>,
    conditions: WriteConditions,
) -> Result<Made, ExecuteError> {
    let is_sorted = parts.is_sorted_by(|one, next| one.number < next.number);
    if parts.is_empty() || !is_sorted {
        return Err(ExecuteError::InvalidParts(InvalidParts::Order));
    }
    if parts.iter().any(|part| part.etag.len() > MAX_TAG) {
        return Err(ExecuteError::InvalidParts(InvalidParts::Missing));
    }
    honoured(approved.connection(), conditions.are_any())?;
    let mut target = target(s3, approved, &approved.operation().path).await?;
    target.conditions = conditions;
    // The request says each tag once more.
    let memory = parts.iter().map(|part| part.etag.len() + AROUND).sum();
    let _place = Asking::of(s3, approved).await?.place_to_send(memory).await;
    target.complete(id, parts.iter().map(|part| (part.number, &*part.etag))).await
}

pub(super) async fn abort(
    s3: &S3,
    approved: &Arc<Approved<AbortUpload<'static>>>,
    id: &UploadId,
) -> Result<(), ExecuteError> {
    let target = target(s3, approved, &approved.operation().path).await?;
    let request = target.request(Method::DELETE, Kind::Nothing).query("uploadId", id.as_str());
    target.client.head(request).await.map(drop).map_err(of_upload)
}
