//! What a server says is there, page by page.

use std::{borrow::Cow, sync::Arc, time::SystemTime};

use aws_smithy_types::{DateTime, date_time::Format};
use http::Method;

use super::{
    answer::{Kind, MAX_KEYS, Xml},
    asking::Asking,
    error::senseless,
    keys,
    request::Request,
    share::Place,
    xml::Element,
};
use crate::{
    executor::{ExecuteError, number},
    path::MAX_KEY_LEN,
};

/// The longest token that a server goes on by: that of one that has the longest key in it, escaped.
pub(super) const MAX_TOKEN: usize = 4 << 10;
/// The longest entity tag that a server may give: those that are known have some forty bytes.
pub(super) const MAX_TAG: usize = 256;
/// How many pages without an entry follow one another at most.
const MAX_EMPTY: usize = 100;

/// One thing that a server says is there.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its key, or prefix, decoded. `None` where it is no text that a key could be.
    pub(super) key: Option<String>,
    /// Whether it stands for all keys that start with it, up to the `/` at its end.
    pub(super) is_prefix: bool,
    /// `None` where what the server says is no size.
    pub(super) size: Option<u64>,
    pub(super) last_modified: Option<SystemTime>,
    /// Quoted.
    pub(super) etag: Option<Box<str>>,
}

/// Entries that came together. Many of them have a place for as long as they are held.
#[derive(Debug, Default)]
pub(super) struct Page {
    entries: Vec<Entry>,
    _place: Option<Arc<Place>>,
}

impl Page {
    /// `place` is that of the answer they came with, if it has one.
    async fn new(entries: Vec<Entry>, place: Option<Arc<Place>>, asking: &Asking) -> Self {
        let memory: usize = entries.iter().map(Entry::memory).sum();
        Self { entries, _place: asking.place_for(memory, place).await }
    }
}

impl std::ops::Deref for Page {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.entries
    }
}

impl From<Vec<Entry>> for Page {
    /// Of entries of a page that is held meanwhile.
    fn from(entries: Vec<Entry>) -> Self {
        Self { entries, _place: None }
    }
}

impl Entry {
    fn memory(&self) -> usize {
        let etag = self.etag.as_ref().map_or(0, |etag| etag.len());
        size_of::<Self>() + self.key.as_ref().map_or(0, String::capacity) + etag
    }
}

/// A listing of a bucket, as far as it came.
pub(super) struct Pages<'a> {
    asking: &'a Asking,
    bucket: &'a str,
    prefix: &'a str,
    is_delimited: bool,
    start: Start,
    turns: Turns,
    empty: usize,
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
    pub(super) fn of(asking: &'a Asking, bucket: &'a str, prefix: &'a str) -> Self {
        Self {
            asking,
            bucket,
            prefix,
            is_delimited: false,
            start: Start::First,
            turns: Turns::default(),
            empty: 0,
            is_done: false,
        }
    }

    /// Takes those that have a `/` behind the prefix together.
    pub(super) fn delimited(mut self) -> Self {
        self.is_delimited = true;
        self
    }

    /// Starts where the server says that a page of this very listing ended.
    pub(super) fn at(mut self, token: String) -> Self {
        self.start = Start::Token(token);
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

    /// The server's token for where the next page starts, once one came and another follows.
    pub(super) fn token(&self) -> Option<&str> {
        match &self.start {
            Start::Token(token) if !self.is_done => Some(token),
            _ => None,
        }
    }

    /// Whether the last page came.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next page, of at most so many entries; `None` behind the last.
    ///
    /// A page may be empty and others follow. Entries that are not under the prefix are not what
    /// was asked for, and are left out.
    pub(super) async fn next(&mut self, max_keys: usize) -> Result<Option<Page>, ExecuteError> {
        if self.is_done {
            return Ok(None);
        }
        let (entries, token) = self.ask(&self.start, max_keys).await?;
        self.empty = if entries.is_empty() { self.empty + 1 } else { 0 };
        match token {
            // A server that goes round, or on without end, would have us ask for ever.
            Some(token) if self.turns.is_back_at(&token) || self.empty > MAX_EMPTY => {
                return Err(senseless());
            }
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
    ) -> Result<(Page, Option<String>), ExecuteError> {
        let mut request = Request::new(Method::GET, self.bucket, "", Kind::Xml(Xml::LISTING))
            .query("list-type", "2")
            .query("encoding-type", "url")
            .query("max-keys", &max_keys.clamp(1, MAX_KEYS).to_string());
        if self.is_delimited {
            request = request.query("delimiter", "/");
        }
        if !self.prefix.is_empty() {
            request = request.query("prefix", self.prefix);
        }
        request = match start {
            Start::First => request,
            Start::After(key) => request.query("start-after", key),
            Start::Token(token) => request.query("continuation-token", token),
        };
        let read = |root: Element<'_>| {
            let entries = self.entries(root);
            Some((entries, token(root)?))
        };
        let send = self.asking.client.xml(request, read);
        let ((entries, token), place) = self.asking.placed_answer(send).await?;
        Ok((Page::new(entries, place, self.asking).await, token))
    }

    /// The entries of an answer that are what was asked for.
    fn entries(&self, root: Element<'_>) -> Vec<Entry> {
        let is_encoded = root.says("EncodingType").as_deref() == Some("url");
        let decode = |text: Option<Cow<'_, str>>| {
            let key = match is_encoded {
                true => keys::decode_url(&text?),
                false => text.map(Cow::into_owned),
            };
            // What is longer is no key, and is not kept.
            let mut key = key.filter(|key| key.len() <= MAX_KEY_LEN)?;
            key.shrink_to_fit();
            Some(key)
        };
        let objects = root.all("Contents").map(|object| Entry {
            key: decode(object.says("Key")),
            is_prefix: false,
            size: object.says("Size").and_then(|text| size(&text)),
            last_modified: object.says("LastModified").and_then(|text| time(&text)),
            etag: object.says("ETag").and_then(etag),
        });
        let prefixes = root.all("CommonPrefixes").map(|prefix| Entry {
            key: decode(prefix.says("Prefix")),
            is_prefix: true,
            size: None,
            last_modified: None,
            etag: None,
        });
        let is_below =
            |entry: &Entry| entry.key.as_deref().is_none_or(|key| key.starts_with(self.prefix));
        let mut entries: Vec<Entry> = objects.chain(prefixes).filter(is_below).collect();
        entries.shrink_to_fit();
        entries
    }
}

/// The token that the next page starts at, if there is one.
#[expect(clippy::option_option, reason = "an answer that makes no sense, and one that is the last")]
fn token(root: Element<'_>) -> Option<Option<String>> {
    // Without these what came would pass for all that there is.
    let said = |name: &str| match root.all(name).next() {
        Some(_) => root.says(name).map(Some),
        None => Some(None),
    };
    let token = said("NextContinuationToken")?.filter(|token| !token.is_empty());
    match (said("IsTruncated")?.as_deref(), token) {
        (Some("true") | None, Some(token)) if token.len() <= MAX_TOKEN => {
            Some(Some(token.into_owned()))
        }
        (Some("false"), _) | (None, None) => Some(None),
        // More is there, and no way to it: what came is not all, and must not pass for it.
        _ => None,
    }
}

/// A size that an object can have.
pub(super) fn size(text: &str) -> Option<u64> {
    number(text).filter(|size| i64::try_from(*size).is_ok())
}

/// An entity tag in quotes, as it is in a header: RGW leaves them out of some answers.
pub(super) fn etag(tag: Cow<'_, str>) -> Option<Box<str>> {
    match tag.starts_with('"') {
        _ if tag.len() > MAX_TAG => None,
        // Some servers say one that is empty of what they have just completed.
        _ if tag.trim_matches('"').is_empty() => None,
        true => Some(tag.into()),
        false => Some(format!("\"{tag}\"").into()),
    }
}

/// `None` for a time that the system has none for.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    SystemTime::try_from(DateTime::from_str(text, Format::DateTimeWithOffset).ok()?).ok()
}

/// Whether a walk comes back to where it was, in the memory of one token: by Brent's algorithm, which
/// compares each token with one from before, and takes a later one after twice as many steps each time.
#[derive(Debug, Default)]
struct Turns {
    before: Option<String>,
    steps: usize,
    power: usize,
}

impl Turns {
    fn is_back_at(&mut self, token: &str) -> bool {
        if self.before.as_deref() == Some(token) {
            return true;
        }
        if self.steps >= self.power {
            self.before = Some(token.to_owned());
            (self.steps, self.power) = (0, (2 * self.power).max(1));
        }
        self.steps += 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_goes_round_is_noticed() {
        for (lead, round) in [(0, 1), (0, 2), (3, 1), (7, 5), (100, 40)] {
            let mut turns = Turns::default();
            let steps = (0_usize..)
                .map(|step| if step < lead { step } else { lead + (step - lead) % round });
            let noticed = steps.take(10_000).position(|step| turns.is_back_at(&step.to_string()));
            // Not before it is there twice, and soon after.
            let noticed = noticed.unwrap();
            assert!(noticed >= lead + round && noticed <= 4 * (lead + round), "{noticed}");
        }
        let mut turns = Turns::default();
        assert!(!(0..10_000).any(|step| turns.is_back_at(&step.to_string())));
    }

    #[test]
    fn tags_are_quoted_and_what_says_none_is_none() {
        for (text, tag) in
            [("\"a\"", Some("\"a\"")), ("a", Some("\"a\"")), ("", None), ("\"\"", None)]
        {
            assert_eq!(etag(text.into()).as_deref(), tag, "{text}");
        }
        assert_eq!(etag("a".repeat(MAX_TAG + 1).into()), None);
    }
}
