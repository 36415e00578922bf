//! JSON that other servers log: CloudTrail, S3's access log as CloudWatch has it, MinIO, Ceph.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use super::{
    access,
    event::{Ended, Event, Format, skipped},
    line::Line,
};

/// The fields that tell the formats apart, and what is read of them.
#[derive(Debug, Deserialize)]
struct Json {
    #[serde(rename = "eventSource")]
    event_source: Option<Value>,
    #[serde(rename = "eventName")]
    event_name: Option<Value>,
    #[serde(rename = "errorCode")]
    error_code: Option<Value>,
    #[serde(rename = "requestParameters")]
    parameters: Option<Value>,
    /// EventBridge: an event of CloudTrail in an envelope.
    detail: Option<Value>,
    /// `aws cloudtrail lookup-events`: an event as text.
    #[serde(rename = "CloudTrailEvent")]
    event: Option<Value>,
    /// MinIO.
    api: Option<Value>,
    #[serde(rename = "requestQuery")]
    query: Option<Value>,
    #[serde(rename = "requestHeader")]
    header: Option<Value>,
    /// S3's access log, and Ceph.
    operation: Option<Value>,
    bucket_name: Option<Value>,
    bucket: Option<Value>,
    key: Option<Value>,
    object: Option<Value>,
    request_uri: Option<Value>,
    uri: Option<Value>,
    http_status: Option<Value>,
    #[serde(rename = "error_code")]
    error: Option<Value>,
}

/// Reads a line of JSON that is none of ours. `None` if it is none that is known here either.
pub(super) fn line(json: &[u8]) -> Option<Result<Line<'static>, String>> {
    let json: Json = serde_json::from_slice(json).ok()?;
    if let Some(Value::String(event)) = &json.event {
        return line(event.as_bytes());
    }
    if let Some(detail) = &json.detail {
        return line(detail.to_string().as_bytes());
    }
    if json.event_source.is_some() && json.event_name.is_some() {
        return Some(trail(&json));
    }
    if let Some(api @ Value::Object(_)) = &json.api {
        return Some(minio(&json, api));
    }
    match (&json.operation, &json.bucket_name, &json.bucket) {
        (Some(operation), Some(bucket), _) => Some(access(&json, operation, bucket)),
        (Some(operation), None, Some(bucket)) if json.http_status.is_some() => {
            Some(ceph(&json, operation, bucket))
        }
        _ => None,
    }
}

fn text(json: Option<&Value>) -> &str {
    json.and_then(Value::as_str).unwrap_or_default()
}

fn member<'j>(json: Option<&'j Value>, name: &str) -> &'j str {
    text(json.and_then(|json| json.get(name)))
}

/// A status: a number, or a text of one.
fn status(json: Option<&Value>) -> Option<u16> {
    match json? {
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn ended(of: Option<u16>, error: &str) -> Ended {
    let error = (!error.is_empty() && error != "-").then_some(error);
    of.map_or_else(|| Ended::Failed("no status".to_owned()), |of| Ended::of(of, error))
}

/// What `x-amz-copy-source` names, and whether it is a version.
fn source(header: &str) -> Option<(Vec<u8>, bool)> {
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, _)) => (path, true),
        None => (header, false),
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    let path: Vec<u8> = percent_decode_str(path).collect();
    (!path.is_empty() && !path.starts_with(b"arn:")).then_some((path, version))
}

/// An event that holds nothing of the line that it is from.
fn owned(
    format: Format,
    name: &str,
    (bucket, key, prefix): (&str, &str, &str),
    copied: &str,
    has_version: bool,
    ended: Ended,
) -> Result<Line<'static>, String> {
    let (source, of_version) = source(copied).unzip();
    let event = Event {
        format,
        name,
        bucket: Cow::Borrowed(bucket),
        key: key.as_bytes().into(),
        is_guessed: false,
        prefix: prefix.as_bytes().into(),
        source,
        has_version: has_version || of_version == Some(true),
        ended,
    };
    event.line().map(Line::into_owned)
}

fn trail(json: &Json) -> Result<Line<'static>, String> {
    let (service, name) = (text(json.event_source.as_ref()), text(json.event_name.as_ref()));
    if service != "s3.amazonaws.com" {
        return Ok(skipped(Format::CloudTrail, service, &format!(" {name}")));
    }
    let of = |name| member(json.parameters.as_ref(), name);
    let bucket = of("bucketName");
    if bucket.starts_with("arn:") {
        return Ok(skipped(Format::CloudTrail, name, " through an access point"));
    }
    if name == "DeleteObjects" {
        return Ok(skipped(Format::CloudTrail, name, ", whose keys CloudTrail does not have"));
    }
    let error = json.error_code.as_ref().and_then(Value::as_str);
    let place = (bucket, of("key"), of("prefix"));
    let has_version = !of("versionId").is_empty();
    owned(
        Format::CloudTrail,
        name,
        place,
        of("x-amz-copy-source"),
        has_version,
        Ended::of_error(error),
    )
}

fn minio(json: &Json, api: &Value) -> Result<Line<'static>, String> {
    let api = Some(api);
    let name = member(api, "name");
    let code = api.and_then(|api| api.get("statusCode"));
    let query = |name| member(json.query.as_ref(), name);
    let header = json.header.as_ref().and_then(Value::as_object);
    let copied = header.and_then(|header| {
        header.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amz-copy-source"))
    });
    let copied = text(copied.map(|(_, value)| value));
    if name == "DeleteMultipleObjects" {
        return Ok(skipped(Format::MinIo, name, ", whose keys are not read"));
    }
    let place = (member(api, "bucket"), member(api, "object"), query("prefix"));
    let has_version = !query("versionId").is_empty();
    owned(Format::MinIo, name, place, copied, has_version, ended(status(code), ""))
}

fn access(json: &Json, operation: &Value, bucket: &Value) -> Result<Line<'static>, String> {
    let (name, bucket) = (text(Some(operation)), text(Some(bucket)));
    let key = match text(json.key.as_ref()) {
        "" => "-",
        key => key,
    };
    let ended = ended(status(json.http_status.as_ref()), text(json.error.as_ref()));
    let request = text(json.request_uri.as_ref()).as_bytes();
    let event =
        access::event(Format::AccessLog, name, bucket.into(), key.as_bytes(), request, ended);
    event.line().map(Line::into_owned)
}

fn ceph(json: &Json, operation: &Value, bucket: &Value) -> Result<Line<'static>, String> {
    let uri = text(json.uri.as_ref());
    let name = match text(Some(operation)) {
        "get_obj" if uri.starts_with("HEAD ") => "stat_obj",
        name => name,
    };
    if name == "multi_object_delete" {
        return Ok(skipped(Format::Ceph, name, ", whose keys are not logged"));
    }
    let ended = ended(status(json.http_status.as_ref()), text(json.error.as_ref()));
    // The object is as it is; what a listing asks for stands in the request.
    let request = access::event(Format::Ceph, name, "".into(), b"-", uri.as_bytes(), ended.clone());
    let prefix = String::from_utf8_lossy(&request.prefix).into_owned();
    let place = (text(Some(bucket)), text(json.object.as_ref()), &*prefix);
    owned(Format::Ceph, name, place, "", request.has_version, ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::log::line::Fields;

    fn read(json: &str) -> String {
        match line(json.as_bytes()) {
            Some(Ok(Line::Record(Fields { op, path, to, verdict, is_missing, .. }))) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let to = to.map(|to| format!(" -> {}", text(&to))).unwrap_or_default();
                let more = if is_missing { " missing" } else { "" };
                format!("{op} {}{to} {}{more}", text(&path), verdict.expect("one").1)
            }
            Some(Ok(Line::Skipped(_, what))) => format!("skipped {what}"),
            other => panic!("{json}: {other:?}"),
        }
    }

    #[test]
    fn events_of_cloudtrail_are_operations() {
        let trail = |name: &str, parameters: &str, more: &str| {
            read(&format!(
                r#"{{"eventVersion":"1.10","userIdentity":{{"type":"IAMUser"}},"eventSource":"s3.amazonaws.com","eventName":"{name}","requestParameters":{parameters}{more}}}"#
            ))
        };
        let object =
            r#"{"bucketName":"lake","key":"raw/a b%20.csv","Host":"lake.s3.amazonaws.com"}"#;
        for (name, parameters, more, expected) in [
            ("GetObject", object, "", "read lake/raw/a b%20.csv s3.allowed"),
            ("HeadObject", object, "", "stat lake/raw/a b%20.csv s3.allowed"),
            (
                "GetObject",
                object,
                r#","errorCode":"AccessDenied""#,
                "read lake/raw/a b%20.csv s3.denied",
            ),
            (
                "GetObject",
                object,
                r#","errorCode":"NoSuchKey""#,
                "read lake/raw/a b%20.csv s3.allowed missing",
            ),
            (
                "PutObject",
                object,
                r#","errorCode":"SlowDown""#,
                "skipped PutObject that failed (SlowDown)",
            ),
            ("UploadPart", object, "", "write lake/raw/a b%20.csv s3.allowed"),
            ("DeleteObject", object, "", "delete lake/raw/a b%20.csv s3.allowed"),
            (
                "CopyObject",
                r#"{"bucketName":"lake","key":"to","x-amz-copy-source":"/other/fr%20om"}"#,
                "",
                "copy other/fr om -> lake/to s3.allowed",
            ),
            (
                "CopyObject",
                r#"{"bucketName":"lake","key":"to","x-amz-copy-source":"other/from?versionId=1"}"#,
                "",
                "skipped CopyObject of a version",
            ),
            (
                "ListObjects",
                r#"{"bucketName":"lake","prefix":"raw/x","list-type":"2"}"#,
                "",
                "list lake/raw/ s3.allowed",
            ),
            ("ListBuckets", "null", "", "list  s3.allowed"),
            (
                "GetObject",
                r#"{"bucketName":"lake","key":"a","versionId":"v"}"#,
                "",
                "skipped GetObject of a version",
            ),
            (
                "DeleteObjects",
                r#"{"bucketName":"lake"}"#,
                "",
                "skipped DeleteObjects, whose keys CloudTrail does not have",
            ),
            ("GetBucketAcl", r#"{"bucketName":"lake"}"#, "", "skipped GetBucketAcl"),
            (
                "GetObject",
                r#"{"bucketName":"arn:aws:s3:us-east-1:1:accesspoint/ap","key":"a"}"#,
                "",
                "skipped GetObject through an access point",
            ),
        ] {
            assert_eq!(trail(name, parameters, more), expected, "{name} {parameters}");
        }
        let other =
            r#"{"eventSource":"kms.amazonaws.com","eventName":"Decrypt","requestParameters":null}"#;
        assert_eq!(read(other), "skipped kms.amazonaws.com Decrypt");
        let envelope = r#"{"detail-type":"AWS API Call via CloudTrail","detail":{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"bucketName":"lake","key":"a"}}}"#;
        assert_eq!(read(envelope), "read lake/a s3.allowed");
    }

    #[test]
    fn logs_of_other_servers_are_operations() {
        for (json, expected) in [
            (
                r#"{"schema_version_id":"V_1_0","bucket_name":"lake","operation":"REST.GET.OBJECT","key":"a%2520b","request_uri":"GET /a%20b HTTP/1.1","http_status":"200","error_code":null}"#,
                "read lake/a b s3.allowed",
            ),
            (
                r#"{"schema_version_id":"V_1_0","bucket_name":"lake","operation":"REST.GET.BUCKET","key":null,"request_uri":"GET /?prefix=raw%2F HTTP/1.1","http_status":403,"error_code":"AccessDenied"}"#,
                "list lake/raw/ s3.denied",
            ),
            (
                r#"{"version":"1","deploymentid":"x","api":{"name":"GetObject","bucket":"lake","object":"raw/a b","status":"OK","statusCode":200},"requestPath":"/lake/raw/a%20b"}"#,
                "read lake/raw/a b s3.allowed",
            ),
            (
                r#"{"api":{"name":"ListObjectsV2","bucket":"lake","statusCode":200},"requestQuery":{"list-type":"2","prefix":"raw/x"}}"#,
                "list lake/raw/ s3.allowed",
            ),
            (
                r#"{"api":{"name":"CopyObject","bucket":"lake","object":"to","statusCode":200},"requestHeader":{"X-Amz-Copy-Source":"lake/from"}}"#,
                "copy lake/from -> lake/to s3.allowed",
            ),
            (
                r#"{"api":{"name":"PutObject","bucket":"lake","object":"a","statusCode":403}}"#,
                "write lake/a s3.denied",
            ),
            (
                r#"{"api":{"name":"SiteReplicationInfo","statusCode":200}}"#,
                "skipped SiteReplicationInfo",
            ),
            (
                r#"{"bucket":"lake","object":"raw/a","operation":"get_obj","uri":"GET /lake/raw/a HTTP/1.1","http_status":"200","error_code":""}"#,
                "read lake/raw/a s3.allowed",
            ),
            (
                r#"{"bucket":"lake","object":"raw/a","operation":"get_obj","uri":"HEAD /lake/raw/a HTTP/1.1","http_status":"404","error_code":"NoSuchKey"}"#,
                "stat lake/raw/a s3.allowed missing",
            ),
            (
                r#"{"bucket":"lake","object":"","operation":"list_bucket","uri":"GET /lake?prefix=raw%2F HTTP/1.1","http_status":"200"}"#,
                "list lake/raw/ s3.allowed",
            ),
            (
                r#"{"bucket":"lake","object":"","operation":"get_bucket_policy","uri":"GET /lake?policy HTTP/1.1","http_status":"200"}"#,
                "skipped get_bucket_policy",
            ),
        ] {
            assert_eq!(read(json), expected, "{json}");
        }
        for json in ["{}", r#"{"level":"INFO"}"#, "[", r#"{"bucket":"b","key":"k"}"#] {
            assert!(line(json.as_bytes()).is_none(), "{json}");
        }
    }
}
