//! Reading: an object's bytes, or what it is.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Method,
    header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, LAST_MODIFIED},
};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{
    S3,
    answer::{FileBody, Head, Kind},
    asking::Asking,
    keys,
    pages::senseless,
    request::Request,
    standing::{AGAIN, Standing},
};
use crate::{
    engine::{Approved, ReadObject, StatObject},
    executor::{Body, BodyError, ExecuteError, Object, ObjectInfo},
};

pub(super) async fn read(
    s3: &S3,
    approved: &Arc<Approved<ReadObject<'static>>>,
) -> Result<Object, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let asking = Asking::of(s3, approved).await?;
    let request = Request::new(Method::GET, bucket, key, Kind::File);
    let (head, body) = asking.answer(asking.client.file(request)).await?;
    let asked = Instant::now();
    let info = info(&head)?;
    let body = Reading {
        inner: Some(body),
        left: info.size,
        stall: s3.clients.options().stall_timeout,
        standing: asking.standing,
        asked,
        timer: None,
        waits: None,
        failed: false,
    };
    Ok(Object { info, body: Body::new(body) })
}

pub(super) async fn stat(
    s3: &S3,
    approved: &Arc<Approved<StatObject<'static>>>,
) -> Result<ObjectInfo, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let asking = Asking::of(s3, approved).await?;
    let request = Request::new(Method::HEAD, bucket, key, Kind::Head);
    info(&asking.answer(asking.client.head(request)).await?)
}

/// What an answer says that an object is.
fn info(head: &Head) -> Result<ObjectInfo, ExecuteError> {
    let text = |name| head.text(&name).map(ToOwned::to_owned);
    Ok(ObjectInfo {
        // A server that does not say how long an object is could end it anywhere, unnoticed.
        size: head.length().ok_or_else(senseless)?,
        content_type: text(CONTENT_TYPE),
        content_encoding: text(CONTENT_ENCODING),
        etag: text(ETAG),
        last_modified: head
            .text(&LAST_MODIFIED)
            .and_then(|text| httpdate::parse_http_date(text).ok()),
    })
}

/// An object's bytes as the server sends them: no fewer than it said, none for too long, and none that are
/// no longer allowed.
struct Reading {
    /// Nothing where nothing more of it is wanted.
    inner: Option<FileBody>,
    left: u64,
    stall: Duration,
    standing: Standing,
    /// When it was last asked whether it is still allowed.
    asked: Instant,
    /// Runs while a byte is waited for, and not while the reader takes its time.
    timer: Option<Pin<Box<Sleep>>>,
    /// Since when one is.
    waits: Option<Instant>,
    failed: bool,
}

impl Reading {
    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.failed = true;
        // Closes the connection: nothing more of it is wanted.
        self.inner = None;
        Poll::Ready(Some(Err(error)))
    }

    /// Whether it may go on, which is asked every second.
    fn may_go_on(&mut self) -> bool {
        if self.asked.elapsed() < AGAIN {
            return true;
        }
        self.asked = Instant::now();
        self.standing.ask().is_ok()
    }
}

impl http_body::Body for Reading {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.failed {
            return Poll::Ready(None);
        }
        loop {
            if !this.may_go_on() {
                return this.fail(BodyError::Withdrawn);
            }
            let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
            match Pin::new(inner).poll_frame(context) {
                Poll::Ready(frame) => {
                    this.waits = None;
                    return match frame {
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(data) if data.len() as u64 > this.left => {
                                this.fail(BodyError::Interrupted)
                            }
                            Ok(data) => {
                                this.left -= data.len() as u64;
                                Poll::Ready(Some(Ok(Frame::data(data))))
                            }
                            // Trailers are no bytes of the object.
                            Err(_) => continue,
                        },
                        Some(Err(_)) => this.fail(BodyError::Interrupted),
                        None if this.left > 0 => this.fail(BodyError::Interrupted),
                        None => Poll::Ready(None),
                    };
                }
                Poll::Pending => {
                    let since = *this.waits.get_or_insert_with(Instant::now);
                    let late = since + this.stall;
                    if late <= Instant::now() {
                        return this.fail(BodyError::TimedOut);
                    }
                    let next = late.min(this.asked + AGAIN);
                    let timer =
                        this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
                    if timer.deadline() != next {
                        timer.as_mut().reset(next);
                    }
                    ready!(timer.as_mut().poll(context));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.failed
            || (self.left == 0 && self.inner.as_ref().is_none_or(http_body::Body::is_end_stream))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.failed { 0 } else { self.left })
    }
}
