//! What of a server's answer comes in: headers that are read, and no more bytes than an answer of its kind
//! can have.
//!
//! A file's bytes go on as they come. Every other answer is kept whole, as one piece of memory of a known
//! length, and is looked at before many things are made of it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    fault::Fault,
    head::Head,
    share::{Place, Share, Slot},
    xml::{Document, Element},
};
use crate::executor::{Held, number};

/// The most entries that a server gives at once.
pub(super) const MAX_KEYS: usize = 1_000;
/// The most buckets that a server is believed to have: as many as one account of AWS has by default.
pub(super) const MAX_BUCKETS: usize = 10_000;
/// How much of an answer is read before it counts as long. No error is longer, and nothing but a listing
/// and what was deleted.
const SHORT: usize = 128 << 10;
/// The longest: a page of a thousand of the longest keys, escaped.
const LONGEST: usize = 4 << 20;
/// The most elements of an answer that is about one thing, as errors are.
const FEW: usize = 1_000;

/// What an answer is to be, by what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bytes of an object.
    File,
    /// XML.
    Xml(Xml),
    /// A head alone, with the length of a body that does not come.
    Head,
    /// Nothing but a head: nobody reads what comes, as long as it comes to an end.
    Nothing,
}

/// XML of at most so many bytes and elements, and entries among them, in one of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Xml {
    root: &'static str,
    bytes: usize,
    elements: usize,
    entries: usize,
}

impl Xml {
    /// Of each of a thousand entries some ten things are said. No server has reason to give more entries,
    /// however few it is asked for.
    pub(super) const LISTING: Self =
        Self { root: "ListBucketResult", bytes: LONGEST, elements: 20_000, entries: MAX_KEYS };
    /// Of each of ten thousand buckets four.
    pub(super) const BUCKETS: Self = Self {
        root: "ListAllMyBucketsResult",
        bytes: LONGEST,
        elements: 64_000,
        entries: MAX_BUCKETS,
    };
    pub(super) const DELETED: Self =
        Self { root: "DeleteResult", bytes: LONGEST, elements: 8_000, entries: MAX_KEYS };

    /// Of each of a thousand parts some five things are said, and checksums.
    pub(super) const PARTS: Self =
        Self { root: "ListPartsResult", bytes: LONGEST, elements: 12_000, entries: MAX_KEYS };
    /// Of each of a thousand uploads some five, with their owners and what else belongs to them.
    pub(super) const UPLOADS: Self = Self {
        root: "ListMultipartUploadsResult",
        bytes: LONGEST,
        elements: 16_000,
        entries: MAX_KEYS,
    };

    /// About one thing.
    pub(super) const fn short(root: &'static str) -> Self {
        Self { root, bytes: SHORT, elements: FEW, entries: FEW }
    }
}

/// The bytes of an object as they come, and the place that they are read by.
pub(super) type FileBody = Held<Incoming, Option<OwnedSemaphorePermit>>;

/// What came of an answer that is no error.
#[derive(Debug)]
pub(super) enum Answer {
    Head(Head),
    File(Head, FileBody),
    /// All of it, still to be read; its place is held for as long as this is.
    Xml(Xml, Whole),
}

impl Answer {
    /// What somebody makes of the XML that it is; `None` where it makes no sense.
    pub(super) fn read<T>(&self, read: impl FnOnce(Element<'_>) -> Option<T>) -> Result<T, Fault> {
        let Self::Xml(xml, whole) = self else { return Err(Fault::Senseless) };
        let document = Document::read(&whole.bytes, xml.elements, xml.entries);
        let document = document.ok_or(Fault::Senseless)?;
        let root = document.root();
        match root.name() {
            name if name == xml.root => read(root).ok_or(Fault::Senseless),
            // What takes its time is answered before it is known how it ends.
            "Error" => Err(Fault::server(StatusCode::OK, root.says("Code"), &HeaderMap::new())),
            _ => Err(Fault::Senseless),
        }
    }
}

/// What comes in of an answer. `place` is kept until a file's bytes were read.
pub(super) async fn received(
    answer: Response<Incoming>,
    kind: Kind,
    share: &Share,
    place: Option<OwnedSemaphorePermit>,
) -> Result<Answer, Fault> {
    let (head, body) = answer.into_parts();
    if !head.status.is_success() {
        // An error is one with whatever body. Of one that makes sense there is a code.
        let text = match kind {
            Kind::Head => None,
            _ => whole(body, SHORT, share).await,
        };
        let document = text.as_ref().and_then(|text| Document::read(&text.bytes, FEW, FEW));
        let says = |name| document.as_ref().and_then(|document| document.root().says(name));
        return Err(match head.status {
            StatusCode::NOT_MODIFIED => Fault::NotModified(Head::of(&head.headers)),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let size = says("ActualObjectSize").and_then(|size| number(&size));
                Fault::Range(size.or_else(|| Head::of(&head.headers).whole_size()))
            }
            status => Fault::server(status, says("Code"), &head.headers),
        });
    }
    let headers = Head::of(&head.headers);
    match kind {
        Kind::Head => Ok(Answer::Head(headers)),
        Kind::File => match (head.status, headers.range()) {
            // Parts that it does not name could be any.
            (StatusCode::OK, None) | (StatusCode::PARTIAL_CONTENT, Some(_)) => {
                Ok(Answer::File(headers, Held::new(body, place)))
            }
            _ => Err(Fault::Senseless),
        },
        Kind::Nothing => match whole(body, SHORT, share).await {
            Some(_) => Ok(Answer::Head(headers)),
            None => Err(Fault::Senseless),
        },
        Kind::Xml(xml) => match whole(body, xml.bytes, share).await {
            Some(text) => Ok(Answer::Xml(xml, text)),
            None => Err(Fault::Senseless),
        },
    }
}

/// All of a body, if it is no longer than that and comes to its end. With a long one comes its place, which
/// is held for as long as the bytes are, and by whoever asked for as long as what is made of them is.
async fn whole<B>(body: B, most: usize, share: &Share) -> Option<Whole>
where
    B: Body<Data = Bytes> + Unpin,
{
    whole_in(&Slot::of_operation(), body, most, share).await
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
    Some(Whole { bytes, _place: place })
}

/// All of a body, and its place if it is long.
#[derive(Debug)]
pub(super) struct Whole {
    bytes: Vec<u8>,
    _place: Option<Arc<Place>>,
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use http_body::Frame;
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
}
