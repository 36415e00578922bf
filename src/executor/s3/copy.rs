//! Copies within a connection.

use std::{sync::Arc, time::SystemTime};

use http::{HeaderName, Method};

use super::{
    S3,
    answer::{Kind, Xml},
    keys, parts,
    request::Request,
    standing::Standing,
    write::honoured,
};
use crate::{
    engine::{Approved, CopyObject},
    executor::{CopyOptions, ExecuteError, Made, ReadConditions},
    path::Path,
    policy::Connection,
};

const SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const IF_MATCH: HeaderName = HeaderName::from_static("x-amz-copy-source-if-match");
const IF_NONE_MATCH: HeaderName = HeaderName::from_static("x-amz-copy-source-if-none-match");
const IF_MODIFIED: HeaderName = HeaderName::from_static("x-amz-copy-source-if-modified-since");
const IF_UNMODIFIED: HeaderName = HeaderName::from_static("x-amz-copy-source-if-unmodified-since");
const DIRECTIVE: HeaderName = HeaderName::from_static("x-amz-metadata-directive");

/// Has a request take its bytes from an object, where that meets these conditions.
pub(super) fn from(
    request: Request,
    connection: &Connection,
    source: &Path<'_>,
    conditions: &ReadConditions,
) -> Result<Request, ExecuteError> {
    honoured(connection, *conditions != ReadConditions::default())?;
    let (bucket, key) = keys::object(source)?;
    let date = |time: Option<SystemTime>| time.map(httpdate::fmt_http_date);
    request
        .header(SOURCE, Some(&keys::copy_source(bucket, key)))?
        .header(IF_MATCH, conditions.if_match.as_deref())?
        .header(IF_NONE_MATCH, conditions.if_none_match.as_deref())?
        .header(IF_MODIFIED, date(conditions.if_modified_since).as_deref())?
        .header(IF_UNMODIFIED, date(conditions.if_unmodified_since).as_deref())
}

pub(super) async fn copy(
    s3: &S3,
    approved: &Arc<Approved<CopyObject<'static>>>,
    options: CopyOptions,
) -> Result<Made, ExecuteError> {
    let CopyObject { source, destination } = approved.operation();
    let (bucket, key) = keys::object(destination)?;
    let client = s3.clients.get(approved.connection()).await?;
    let request = Request::new(Method::PUT, bucket, key, Kind::Xml(Xml::short("CopyObjectResult")));
    let mut request = from(request, approved.connection(), source, &options.conditions)?;
    if let Some(metadata) = &options.metadata {
        request = request.metadata(metadata)?.header(DIRECTIVE, Some("REPLACE"))?;
    }
    let request = request.long().while_stands(&Standing::of(approved));
    client.xml(request, |root| Some(parts::made(root))).await
}
