//! What of a server's answer comes in: headers that are read, and no more bytes than an answer of its kind
//! can have.
//!
//! A file's bytes go on as they come. Every other answer is kept whole, here and not by the S3 client, so that
//! its memory is one piece of a known length, and is looked at before the client makes many things of it.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{
        CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, ETAG, LAST_MODIFIED, RETRY_AFTER,
    },
};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    asking::slot,
    blank,
    pages::MAX_KEYS,
    root::MAX_BUCKETS,
    share::{Place, Share, Slot},
    xml,
};
use crate::executor::Held;

/// How much of an answer is read before it counts as long. No error is longer, and nothing but a listing
/// and what was deleted.
const SHORT: usize = 128 << 10;
/// The longest: a page of a thousand of the longest keys, escaped.
const LONGEST: usize = 4 << 20;
/// The longest value of a header that is read.
const MAX_VALUE: usize = 1_024;

/// What an answer is to be, by what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bytes of an object.
    File,
    /// XML of at most so many bytes and elements, and entries among them.
    Xml { bytes: usize, elements: usize, entries: usize },
    /// A head alone, with the length of a body that does not come.
    Head,
    /// Nothing: nobody reads what comes, as long as it comes to an end.
    Nothing,
}

impl Kind {
    const SHORT_XML: Self = Self::Xml { bytes: SHORT, elements: 1_000, entries: 1_000 };

    /// The client says in queries of its own what it asks for; a key is never in one unescaped.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let has = |pair: &str| query.split('&').any(|one| one == pair);
        let is_copy = || request.headers().contains_key("x-amz-copy-source");
        match *request.method() {
            Method::GET if has("x-id=GetObject") => Self::File,
            // Of each of a thousand entries some ten things are said. No server has reason to give more
            // entries, however few it is asked for.
            Method::GET if has("list-type=2") => {
                Self::Xml { bytes: LONGEST, elements: 20_000, entries: MAX_KEYS }
            }
            // Of each of ten thousand buckets four.
            Method::GET if has("x-id=ListBuckets") => {
                Self::Xml { bytes: LONGEST, elements: 64_000, entries: MAX_BUCKETS }
            }
            Method::POST if has("delete") => {
                Self::Xml { bytes: LONGEST, elements: 8_000, entries: MAX_KEYS }
            }
            Method::GET | Method::POST => Self::SHORT_XML,
            Method::PUT if is_copy() => Self::SHORT_XML,
            Method::HEAD => Self::Head,
            _ => Self::Nothing,
        }
    }
}

/// What comes in of an answer. `place` is kept until its body was read.
pub(super) async fn received<B>(
    answer: Response<B>,
    kind: Kind,
    share: &Share,
    place: Option<OwnedSemaphorePermit>,
) -> Response<SdkBody>
where
    B: Body<Data = Bytes> + Send + Sync + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (head, body) = answer.into_parts();
    let is_error = !head.status.is_success();
    let body = match kind {
        Kind::File if !is_error => SdkBody::from_body_1_x(Held::new(body, place)),
        Kind::Xml { bytes, elements, entries } if !is_error => {
            match whole(body, bytes, share).await {
                Some(mut text) if xml::is_sound(&text.bytes, elements, entries) => {
                    blank::out(&mut text.bytes);
                    text.into()
                }
                _ => SdkBody::from_body_1_x(Senseless(false)),
            }
        }
        // An error is one with whatever body. Of one that makes sense there is a code.
        Kind::File | Kind::Xml { .. } => match whole(body, SHORT, share).await {
            Some(text) if xml::is_sound(&text.bytes, 1_000, 1_000) => text.into(),
            _ => SdkBody::empty(),
        },
        Kind::Head => SdkBody::empty(),
        Kind::Nothing => match whole(body, SHORT, share).await {
            Some(text) if is_error && xml::is_sound(&text.bytes, 1_000, 1_000) => text.into(),
            None if !is_error => SdkBody::from_body_1_x(Senseless(false)),
            _ => SdkBody::empty(),
        },
    };
    let mut answer = Response::new(body);
    *answer.status_mut() = head.status;
    *answer.headers_mut() = kept(&head.headers);
    if kind != Kind::Head && (kind != Kind::File || is_error) {
        // The body is another, and the client compares.
        answer.headers_mut().remove(CONTENT_LENGTH);
    }
    answer
}

/// All of a body, if it is no longer than that and comes to its end. With a long one comes its place, which
/// is held for as long as the bytes are, and by whoever asked for as long as what is made of them is.
async fn whole<B>(body: B, most: usize, share: &Share) -> Option<Whole>
where
    B: Body<Data = Bytes> + Unpin,
{
    whole_in(&slot(), body, most, share).await
}

async fn whole_in<B>(slot: &Slot, mut body: B, most: usize, share: &Share) -> Option<Whole>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > most as u64 {
        return None;
    }
    let (mut bytes, mut place) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        // Trailers are no part of it.
        let Ok(data) = frame.ok()?.into_data() else { continue };
        let len = bytes.len() + data.len();
        if len > most {
            return None;
        }
        if len > SHORT && place.is_none() {
            place = Some(share.long(slot).await?);
        }
        // A copy: what comes in small pieces may hold large buffers.
        bytes.extend_from_slice(&data);
    }
    if let Some(place) = &place {
        slot.keep(place);
    }
    Some(Whole { bytes, place })
}

/// All of a body, and its place if it is long.
struct Whole {
    bytes: Vec<u8>,
    place: Option<Arc<Place>>,
}

impl From<Whole> for SdkBody {
    fn from(Whole { bytes, place }: Whole) -> Self {
        Self::from(match place {
            Some(place) => Bytes::from_owner(Placed { bytes, _place: place }),
            None => bytes.into(),
        })
    }
}

/// Bytes that have a place.
struct Placed {
    bytes: Vec<u8>,
    _place: Arc<Place>,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The headers that somebody reads, each a copy that holds nothing else, and dates in the one form that is
/// always read. What makes no sense is left out; that the length makes none is for the client to see.
fn kept(headers: &HeaderMap) -> HeaderMap {
    const TEXTS: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, ETAG, RETRY_AFTER];
    const DATES: [HeaderName; 2] = [DATE, LAST_MODIFIED];
    let copy = |value: &HeaderValue| {
        let text = value.to_str().ok().filter(|text| text.len() <= MAX_VALUE)?;
        HeaderValue::from_str(text).ok()
    };
    // Of two values neither is the one.
    let one = |name: &HeaderName| {
        let mut values = headers.get_all(name).into_iter();
        values.next().filter(|_| values.next().is_none()).and_then(copy)
    };
    let mut kept = HeaderMap::new();
    for value in headers.get_all(CONTENT_LENGTH) {
        kept.append(CONTENT_LENGTH, copy(value).unwrap_or(HeaderValue::from_static("-1")));
    }
    for name in TEXTS {
        if let Some(value) = one(&name) {
            kept.insert(name, value);
        }
    }
    for name in DATES {
        let date =
            one(&name).and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok());
        // The years that are read are those that are written.
        let value = date.map(httpdate::fmt_http_date);
        if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
            kept.insert(name, value);
        }
    }
    kept
}

/// The body of an answer that makes no sense: the client cannot read it.
struct Senseless(bool);

impl Body for Senseless {
    type Data = Bytes;
    type Error = Unreadable;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unreadable>>> {
        let was_told = std::mem::replace(&mut self.0, true);
        Poll::Ready((!was_told).then_some(Err(Unreadable)))
    }
}

/// An answer is too long, breaks off, or is no XML.
#[derive(Debug)]
struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer makes no sense")
    }
}

impl Error for Unreadable {}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use http_body_util::StreamBody;

    use super::{
        super::{room::Room, sockets::Sockets},
        *,
    };

    fn share() -> Share {
        Share::new(&Room::new(1 << 30), &Sockets::new(64))
    }

    fn pieces(
        lengths: &[usize],
    ) -> StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>>> {
        let frames: Vec<_> =
            lengths.iter().map(|len| Ok(Frame::data(vec![b'x'; *len].into()))).collect();
        StreamBody::new(futures_util::stream::iter(frames))
    }

    #[tokio::test]
    async fn answers_end_at_their_limit() {
        let share = share();
        for most in [SHORT, LONGEST] {
            for (len, fits) in [(0, true), (most, true), (most + 1, false)] {
                let halves = [len / 2, len - len / 2];
                let read = whole(pieces(&halves), most, &share).await;
                assert_eq!(read.map(|read| read.bytes.len()), fits.then_some(len));
            }
        }
        // In pieces of one byte, each of which would hold a buffer of its own.
        let read = whole(pieces(&[1; 100_000]), SHORT, &share).await;
        assert_eq!(read.map(|read| read.bytes.len()), Some(100_000));
        assert!(share.is_alone());
    }

    #[tokio::test]
    async fn a_long_answer_has_its_place_until_it_was_read() {
        let share = share();
        let mut held = Vec::new();
        while let Ok(read) = tokio::time::timeout(
            Duration::from_millis(20),
            whole(pieces(&[SHORT, 1]), LONGEST, &share),
        )
        .await
        {
            held.push(read.unwrap());
            assert!(held.len() < 100, "there is a limit");
        }
        // What is short waits for nobody.
        assert!(whole(pieces(&[SHORT]), LONGEST, &share).await.is_some());
        held.pop();
        assert!(whole(pieces(&[SHORT, 1]), LONGEST, &share).await.is_some());
    }

    #[test]
    fn headers_that_make_no_sense_are_left_out() {
        let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).unwrap();
        let with = |pairs: &[(HeaderName, &[u8])]| {
            let mut headers = HeaderMap::new();
            for (name, bytes) in pairs {
                headers.append(name, value(bytes));
            }
            let headers = kept(&headers);
            let mut kept: Vec<_> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            kept.sort();
            kept
        };
        let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
        let text = format!("last-modified: {}", std::str::from_utf8(date).unwrap());
        let text = text.as_str();
        assert_eq!(with(&[(LAST_MODIFIED, date), (ETAG, b"\"a\"")]), ["etag: \"a\"", text]);
        // Another form of the same.
        assert_eq!(with(&[(LAST_MODIFIED, b"Sunday, 06-Nov-94 08:49:37 GMT")]), [text]);
        for odd in [
            &b"Wed, 31 Dec 1969 23:59:59 GMT"[..],
            b"Sat, 01 Jan 10000 00:00:00 GMT",
            b"Sun, 06 Nov 1994 08:49:37. GMT",
            b"Sun, 06 Nov 1994 08:49:37.1234 GMT",
            b"Mon, 30 Feb 2026 00:00:00 GMT",
            b"0",
            b"-1",
            b"",
            b"\xff",
        ] {
            assert_eq!(with(&[(LAST_MODIFIED, odd), (DATE, odd)]), [""; 0], "{odd:?}");
        }
        assert_eq!(with(&[(ETAG, b"\"a\""), (ETAG, b"\"b\""), (CONTENT_TYPE, b"\xff")]), [""; 0]);
        let long = "t".repeat(MAX_VALUE + 1);
        assert_eq!(with(&[(CONTENT_TYPE, long.as_bytes())]), [""; 0]);
        assert_eq!(with(&[(HeaderName::from_static("x-amz-meta-a"), b"b")]), [""; 0]);
        assert_eq!(with(&[(CONTENT_LENGTH, b"5")]), ["content-length: 5"]);
        assert_eq!(with(&[(CONTENT_LENGTH, long.as_bytes())]), ["content-length: -1"]);
    }
}
