//! Reading: an object's bytes, or what it is.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use aws_smithy_types::{DateTime, body::SdkBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{S3, error, keys};
use crate::{
    engine::{Approved, ReadObject, StatObject},
    executor::{Body, BodyError, ExecuteError, Object, ObjectInfo},
};

pub(super) async fn read(
    s3: &S3,
    approved: &Approved<ReadObject<'static>>,
) -> Result<Object, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let client = s3.clients.get(approved.connection()).await?;
    let answer =
        client.get_object().bucket(bucket).key(key).send().await.map_err(error::from_sdk)?;
    let info = ObjectInfo {
        size: size(answer.content_length)?,
        content_type: answer.content_type,
        content_encoding: answer.content_encoding,
        etag: answer.e_tag,
        last_modified: answer.last_modified.as_ref().and_then(time),
    };
    let body =
        Reading::new(answer.body.into_inner(), info.size, s3.clients.options().stall_timeout);
    Ok(Object { info, body: Body::new(body) })
}

pub(super) async fn stat(
    s3: &S3,
    approved: &Approved<StatObject<'static>>,
) -> Result<ObjectInfo, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let client = s3.clients.get(approved.connection()).await?;
    let answer =
        client.head_object().bucket(bucket).key(key).send().await.map_err(error::from_sdk)?;
    Ok(ObjectInfo {
        size: size(answer.content_length)?,
        content_type: answer.content_type,
        content_encoding: answer.content_encoding,
        etag: answer.e_tag,
        last_modified: answer.last_modified.as_ref().and_then(time),
    })
}

/// A server that does not say how long an object is could end it anywhere, unnoticed.
fn size(length: Option<i64>) -> Result<u64, ExecuteError> {
    length
        .and_then(|length| u64::try_from(length).ok())
        .ok_or(ExecuteError::Failed { status: None, code: None })
}

/// `None` for a time that the system has none for.
pub(super) fn time(time: &DateTime) -> Option<SystemTime> {
    SystemTime::try_from(*time).ok()
}

/// An object's bytes as the server sends them: no fewer than it said, and none for too long.
struct Reading {
    inner: SdkBody,
    left: u64,
    stall: Duration,
    /// Runs while a byte is waited for, and not while the reader takes its time.
    timer: Option<Pin<Box<Sleep>>>,
    waits: bool,
    failed: bool,
}

impl Reading {
    fn new(inner: SdkBody, size: u64, stall: Duration) -> Self {
        Self { inner, left: size, stall, timer: None, waits: false, failed: false }
    }

    fn fail(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.failed = true;
        // Closes the connection: nothing more of it is wanted.
        self.inner = SdkBody::empty();
        Poll::Ready(Some(Err(error)))
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
            match Pin::new(&mut this.inner).poll_frame(context) {
                Poll::Ready(frame) => {
                    this.waits = false;
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
                    let stall = this.stall;
                    let timer =
                        this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
                    if !this.waits {
                        this.waits = true;
                        timer.as_mut().reset(Instant::now() + stall);
                    }
                    ready!(timer.as_mut().poll(context));
                    return this.fail(BodyError::TimedOut);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.failed || (self.left == 0 && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.failed { 0 } else { self.left })
    }
}
