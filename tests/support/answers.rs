//! What the server answers when nothing goes wrong.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    Backend, Request, State, Stored, Upload,
    encoding::{deleted_keys, escape_xml, percent_decode, url_encode},
};

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The status line and the headers.
    pub(super) fn head(&self) -> String {
        let mut head =
            format!("HTTP/1.1 {} -\r\n{}x-amz-request-id: 1\r\n", self.status, self.headers);
        if !self.headers.contains("content-length") {
            write!(head, "content-length: {}\r\n", self.body.len()).unwrap();
        }
        head + "\r\n"
    }

    pub(super) fn ok() -> Self {
        Self { status: 200, headers: String::new(), body: Vec::new() }
    }

    pub(super) fn xml(body: String) -> Self {
        Self {
            status: 200,
            headers: "content-type: application/xml\r\n".into(),
            body: body.into_bytes(),
        }
    }

    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Self { status, ..Self::xml(body) }
    }
}

impl Backend {
    pub(super) fn answer(&self, request: &Request, sum: u64) -> Answer {
        let (bucket, mut key) = request.bucket_and_key();
        let mut state = self.state();
        if let Some(other) = state.takes_for {
            key = other(&String::from_utf8_lossy(&key)).into_bytes();
        }
        if bucket.is_empty() {
            let mut body = String::from("<ListAllMyBucketsResult><Buckets>");
            for name in state.buckets.keys() {
                write!(body, "<Bucket><Name>{}</Name></Bucket>", String::from_utf8_lossy(name))
                    .unwrap();
            }
            return Answer::xml(body + "</Buckets></ListAllMyBucketsResult>");
        }
        if !state.buckets.contains_key(&bucket) {
            return Answer::error(404, "NoSuchBucket", "no such bucket");
        }
        if key.is_empty() {
            return match request.method.as_str() {
                "HEAD" => Answer::ok(),
                "GET" => state.list(&bucket, request),
                "POST" => state.delete_many(&bucket, request),
                _ => Answer::error(405, "MethodNotAllowed", ""),
            };
        }
        let upload = request.query("uploadId");
        let stored = || Stored {
            len: request.body_len,
            parts: vec![(request.body_len, sum)],
            content: request.body.clone(),
            content_type: request.header("content-type").map(str::to_owned),
        };
        let state = &mut *state;
        if matches!(request.method.as_str(), "PUT" | "POST") {
            state.keep_directories_of(&bucket, &key);
        }
        let is_directory = state.is_directory(&bucket, &key);
        let conditional = match (request.method.as_str(), &upload) {
            ("PUT", None) => "put",
            ("POST", Some(_)) => "complete",
            ("DELETE", None) => "delete",
            _ => "",
        };
        if state.honours.contains(&conditional) {
            let there = state.buckets[&bucket].get(&key).map(|there| format!("\"{}\"", there.len));
            let is_other = |tag: &str| there.as_deref() != Some(tag);
            if request.header("if-none-match").is_some() && there.is_some()
                || request.header("if-match").is_some_and(is_other)
            {
                return Answer::error(412, "PreconditionFailed", "");
            }
        }
        let objects = state.buckets.get_mut(&bucket).unwrap();
        match (request.method.as_str(), upload) {
            ("GET" | "HEAD", _) if is_directory && !objects.contains_key(&key) => Answer::ok(),
            ("GET" | "HEAD", _) => match objects.get(&key) {
                Some(object) => Answer {
                    status: 200,
                    headers: format!(
                        "content-length: {}\r\netag: \"{}\"\r\nlast-modified: Sun, 22 Nov 2026 00:00:00 GMT\r\n{}",
                        object.len,
                        object.len,
                        object.content_type.as_ref().map_or(String::new(), |content_type| format!(
                            "content-type: {content_type}\r\n"
                        ))
                    ),
                    body: object.content.clone(),
                },
                None => Answer::error(404, "NoSuchKey", "no such key"),
            },
            ("PUT", None) => {
                if let Some(source) = request.header("x-amz-copy-source") {
                    let source = percent_decode(source);
                    let at = source.iter().position(|byte| *byte == b'/').unwrap();
                    let found =
                        state.buckets.get(&source[..at]).and_then(|o| o.get(&source[at + 1..]));
                    let Some(object) = found.cloned() else {
                        return Answer::error(404, "NoSuchKey", "");
                    };
                    state.buckets.get_mut(&bucket).unwrap().insert(key, object);
                    return Answer::xml(
                        "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>".into(),
                    );
                }
                objects.insert(key, stored());
                Answer { headers: "etag: \"1\"\r\n".into(), ..Answer::ok() }
            }
            ("PUT", Some(id)) => match state.uploads.get_mut(&id) {
                Some(upload) if upload.bucket == bucket && upload.key == key => {
                    let number: u32 = request.query("partNumber").unwrap().parse().unwrap();
                    upload.parts.insert(number, stored());
                    if request.header("x-amz-copy-source").is_some() {
                        return Answer::xml(format!(
                            "<CopyPartResult><ETag>\"{number}\"</ETag></CopyPartResult>"
                        ));
                    }
                    Answer { headers: format!("etag: \"{number}\"\r\n"), ..Answer::ok() }
                }
                _ => Answer::error(404, "NoSuchUpload", ""),
            },
            ("POST", None) => {
                state.next_upload += 1;
                let id = format!("upload-{}", state.next_upload);
                let content_type = request.header("content-type").map(str::to_owned);
                let upload = Upload { bucket, key, content_type, parts: BTreeMap::new() };
                state.uploads.insert(id.clone(), upload);
                Answer::xml(format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            ("POST", Some(id)) => match state.uploads.remove(&id) {
                Some(upload) if upload.bucket == bucket && upload.key == key => {
                    let mut whole =
                        Stored { content_type: upload.content_type, ..Stored::default() };
                    for part in upload.parts.into_values() {
                        whole.len += part.len;
                        whole.parts.extend(part.parts);
                    }
                    objects.insert(key, whole);
                    Answer::xml(
                        "<CompleteMultipartUploadResult><ETag>\"m\"</ETag></CompleteMultipartUploadResult>".into(),
                    )
                }
                _ => Answer::error(404, "NoSuchUpload", ""),
            },
            ("DELETE", Some(id)) => match state.uploads.remove(&id) {
                Some(_) => Answer { status: 204, ..Answer::ok() },
                None => Answer::error(404, "NoSuchUpload", ""),
            },
            ("DELETE", None) => {
                state.delete(&bucket, &key);
                Answer { status: 204, ..Answer::ok() }
            }
            _ => Answer::error(405, "MethodNotAllowed", ""),
        }
    }
}

impl State {
    /// Makes the directories that a key is in, if it keeps them.
    pub(super) fn keep_directories_of(&mut self, bucket: &[u8], key: &[u8]) {
        let Some(directories) = &mut self.directories else { return };
        let slashes = key.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let all = slashes.map(|(at, _)| key[..=at].to_vec());
        directories.entry(bucket.to_vec()).or_default().extend(all);
    }

    fn is_directory(&self, bucket: &[u8], key: &[u8]) -> bool {
        let directories = self.directories.as_ref().and_then(|all| all.get(bucket));
        directories.is_some_and(|directories| directories.contains(key))
    }

    fn delete(&mut self, bucket: &[u8], key: &[u8]) {
        let objects = self.buckets.get_mut(bucket).unwrap();
        objects.remove(key);
        let directories = self.directories.as_mut().and_then(|all| all.get_mut(bucket));
        let Some(directories) = directories else { return };
        let is_below = |other: &&Vec<u8>| other.starts_with(key) && other.as_slice() != key;
        if !objects.keys().chain(directories.iter()).any(|other| is_below(&other)) {
            directories.remove(key);
        }
    }

    fn list(&self, bucket: &[u8], request: &Request) -> Answer {
        let prefix = request.query("prefix").unwrap_or_default().into_bytes();
        let delimiter = request.query("delimiter").is_some();
        let max: usize = request.query("max-keys").map_or(1_000, |max| max.parse().unwrap());
        let encode = |key: &[u8]| match request.query("encoding-type").is_some() {
            true => url_encode(key, self.percent_spaces),
            false => escape_xml(&String::from_utf8_lossy(key)),
        };
        let rank = |key: &[u8]| -> Vec<Vec<u8>> {
            match self.by_names {
                true => key.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect(),
                false => vec![key.to_vec()],
            }
        };
        let objects = self.buckets[bucket].keys().filter(|key| key.starts_with(&prefix));
        let mut keys: Vec<&Vec<u8>> = objects.collect();
        // Directories as such are only where there is a delimiter; one itself only while nothing is in it.
        let directories = self.directories.as_ref().and_then(|all| all.get(bucket));
        let below: Vec<&Vec<u8>> = directories
            .into_iter()
            .flatten()
            .filter(|key| delimiter && key.starts_with(&prefix) && !keys.contains(key))
            .collect();
        let is_alone = keys.is_empty() && below.len() == 1;
        keys.extend(below.into_iter().filter(|key| **key != prefix || is_alone));
        keys.sort_by_key(|key| rank(key));
        let token = request.query("continuation-token");
        let (after, folder) = match (&token, request.query("start-after")) {
            (Some(token), _) => {
                let (kind, key) = token.split_once(':').unwrap();
                (Some(percent_decode(key)), kind == "folder")
            }
            (None, Some(after)) => (Some(after.into_bytes()), false),
            (None, None) => (None, false),
        };
        if let Some(after) = after {
            keys.retain(|key| rank(key) > rank(&after) && !(folder && key.starts_with(&after)));
        }
        let mut body = String::from("<ListBucketResult>");
        if request.query("encoding-type").is_some() {
            body.push_str("<EncodingType>url</EncodingType>");
        }
        let (mut count, mut last): (usize, Option<(bool, Vec<u8>)>) = (0, None);
        let mut is_truncated = false;
        for key in keys {
            let slash = key[prefix.len()..].iter().position(|byte| *byte == b'/');
            let entry = match slash.filter(|_| delimiter) {
                Some(slash) => (true, key[..=prefix.len() + slash].to_vec()),
                None => (false, key.clone()),
            };
            if last.as_ref() == Some(&entry) {
                continue;
            }
            if count == max {
                is_truncated = true;
                break;
            }
            count += 1;
            let shown = encode(&entry.1);
            match entry.0 {
                true => write!(body, "<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>"),
                false => write!(
                    body,
                    "<Contents><Key>{shown}</Key><Size>{}</Size><LastModified>2026-11-22T00:00:00.000Z</LastModified></Contents>",
                    self.buckets[bucket].get(key).map_or(0, |object| object.len)
                ),
            }
            .unwrap();
            last = Some(entry);
        }
        write!(body, "<IsTruncated>{is_truncated}</IsTruncated>").unwrap();
        if let Some((is_folder, key)) = last.filter(|_| is_truncated) {
            let kind = if is_folder { "folder" } else { "key" };
            write!(
                body,
                "<NextContinuationToken>{kind}:{}</NextContinuationToken>",
                url_encode(&key, true)
            )
            .unwrap();
        }
        Answer::xml(body + "</ListBucketResult>")
    }

    fn delete_many(&mut self, bucket: &[u8], request: &Request) -> Answer {
        let mut body = String::from("<DeleteResult>");
        for key in deleted_keys(&String::from_utf8_lossy(&request.body)) {
            self.delete(bucket, key.as_bytes());
            write!(body, "<Deleted><Key>{}</Key></Deleted>", escape_xml(&key)).unwrap();
        }
        Answer::xml(body + "</DeleteResult>")
    }
}
