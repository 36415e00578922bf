//! What a server says is there, page by page.

use std::{collections::HashSet, time::SystemTime};

use aws_sdk_s3::{Client, types::EncodingType};

use super::{error, keys, read::time};
use crate::executor::ExecuteError;

/// The most entries that a server gives at once.
pub(super) const MAX_KEYS: usize = 1_000;

/// One thing that a server says is there.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its key, or prefix, decoded. `None` where it is no text that a key could be.
    pub(super) key: Option<String>,
    /// Whether it stands for all keys that start with it, up to the `/` at its end.
    pub(super) is_prefix: bool,
    pub(super) size: u64,
    pub(super) last_modified: Option<SystemTime>,
}

/// A listing of a bucket, as far as it came.
pub(super) struct Pages<'a> {
    client: &'a Client,
    bucket: &'a str,
    prefix: &'a str,
    is_delimited: bool,
    start: Start,
    seen: HashSet<String>,
    is_done: bool,
}

/// Where a page starts: enough to ask for it again.
#[derive(Clone, Debug)]
pub(super) enum Start {
    First,
    After(String),
    Token(String),
}

impl<'a> Pages<'a> {
    /// All keys that start with the prefix.
    pub(super) fn of(client: &'a Client, bucket: &'a str, prefix: &'a str) -> Self {
        Self {
            client,
            bucket,
            prefix,
            is_delimited: false,
            start: Start::First,
            seen: HashSet::new(),
            is_done: false,
        }
    }

    /// Takes those that have a `/` behind the prefix together.
    pub(super) fn delimited(mut self) -> Self {
        self.is_delimited = true;
        self
    }

    /// Starts behind this key.
    pub(super) fn after(mut self, key: Option<String>) -> Self {
        if let Some(key) = key {
            self.start = Start::After(key);
        }
        self
    }

    /// What all keys start with.
    pub(super) fn prefix(&self) -> &str {
        self.prefix
    }

    /// Where the next page starts.
    pub(super) fn start(&self) -> Start {
        self.start.clone()
    }

    /// The next page, of at most so many entries; `None` behind the last.
    ///
    /// A page may be empty and others follow. Entries that are not under the prefix are not what
    /// was asked for, and are left out.
    pub(super) async fn next(
        &mut self,
        max_keys: usize,
    ) -> Result<Option<Vec<Entry>>, ExecuteError> {
        if self.is_done {
            return Ok(None);
        }
        let (entries, token) = self.ask(&self.start, max_keys).await?;
        match token {
            // A server that gives a token twice would have us ask for ever.
            Some(token) if !self.seen.insert(token.clone()) => return Err(senseless()),
            Some(token) => self.start = Start::Token(token),
            None => self.is_done = true,
        }
        Ok(Some(entries))
    }

    /// One page, from a place that is known.
    pub(super) async fn ask(
        &self,
        start: &Start,
        max_keys: usize,
    ) -> Result<(Vec<Entry>, Option<String>), ExecuteError> {
        let (after, token) = match start {
            Start::First => (None, None),
            Start::After(key) => (Some(key.clone()), None),
            Start::Token(token) => (None, Some(token.clone())),
        };
        let answer = self
            .client
            .list_objects_v2()
            .bucket(self.bucket)
            .set_prefix(Some(self.prefix).filter(|prefix| !prefix.is_empty()).map(Into::into))
            .set_delimiter(self.is_delimited.then(|| "/".to_owned()))
            .encoding_type(EncodingType::Url)
            .max_keys(i32::try_from(max_keys.clamp(1, MAX_KEYS)).unwrap_or(1))
            .set_start_after(after)
            .set_continuation_token(token)
            .send()
            .await
            .map_err(error::from_sdk)?;
        let is_encoded = answer.encoding_type == Some(EncodingType::Url);
        let decode = |text: Option<String>| match is_encoded {
            true => text.as_deref().and_then(keys::decode_url),
            false => text,
        };
        let mut entries = Vec::new();
        for object in answer.contents.unwrap_or_default() {
            entries.push(Entry {
                key: decode(object.key),
                is_prefix: false,
                size: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                last_modified: object.last_modified.as_ref().and_then(time),
            });
        }
        for prefix in answer.common_prefixes.unwrap_or_default() {
            let key = decode(prefix.prefix);
            entries.push(Entry { key, is_prefix: true, size: 0, last_modified: None });
        }
        entries.retain(|entry| entry.key.as_deref().is_none_or(|key| key.starts_with(self.prefix)));
        let token = match (answer.is_truncated, answer.next_continuation_token) {
            (Some(true), Some(token)) => Some(token),
            // More is there, and no way to it: what came is not all, and must not pass for it.
            (Some(true), None) => return Err(senseless()),
            _ => None,
        };
        Ok((entries, token))
    }
}

/// A server's answer that makes no sense.
pub(super) fn senseless() -> ExecuteError {
    ExecuteError::Failed { status: None, code: None }
}
