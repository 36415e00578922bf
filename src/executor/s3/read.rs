//! Reading: an object's bytes, or what it is.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    Method,
    header::{
        ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
    },
};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{
    S3,
    answer::{FileBody, Kind},
    asking::Asking,
    error::senseless,
    head::Head,
    keys,
    request::Request,
    standing::{AGAIN, Standing},
};
use crate::{
    engine::{Approved, ReadObject, StatObject},
    executor::{
        Body, BodyError, ByteRange, ExecuteError, Met, Object, ObjectInfo, ReadConditions,
        ReadOptions,
    },
    path::Path,
};

pub(super) async fn read(
    s3: &S3,
    approved: &Arc<Approved<ReadObject<'static>>>,
    options: ReadOptions,
) -> Result<Object, ExecuteError> {
    let asking = Asking::of(s3, approved).await?;
    let path = &approved.operation().path;
    let ReadOptions { range, if_range, conditions } = options;
    let (head, body, range) = match (range, if_range) {
        (Some(range), Some(etag)) => {
            // Bytes of this object, or all of the one that is there: each of one object alone.
            let only = ReadConditions { if_match: Some(etag), ..conditions.clone() };
            match get(&asking, path, Some(range), &only).await {
                Err(ExecuteError::PreconditionFailed) => {
                    get(&asking, path, None, &conditions).await
                }
                // The caller's own tag was not asked for.
                Ok(got) => check(&got.0, &conditions).map(|()| got),
                Err(error) => Err(error),
            }
        }
        (range, _) => get(&asking, path, range, &conditions).await,
    }?;
    let asked = Instant::now();
    let info = head.info(range.map_or(head.length(), |(_, _, whole)| Some(whole)))?;
    let range = range.map(|(first, last, _)| (first, last));
    let body = Reading {
        inner: Some(body),
        left: range.map_or(info.size, |(first, last)| last - first + 1),
        stall: s3.clients.options().stall_timeout,
        standing: asking.standing,
        asked,
        timer: None,
        waits: None,
        failed: false,
    };
    Ok(Object { info, range, body: Body::new(body) })
}

/// What came of asking for bytes: which they are, and of how many, unless they are all.
type Got = (Head, FileBody, Option<(u64, u64, u64)>);

async fn get(
    asking: &Asking,
    path: &Path<'_>,
    range: Option<ByteRange>,
    conditions: &ReadConditions,
) -> Result<Got, ExecuteError> {
    let (bucket, key) = keys::object(path)?;
    let range_text = range.as_ref().map(ToString::to_string);
    let request = Request::new(Method::GET, bucket, key, Kind::File);
    let request = conditional(request, conditions)?.header(RANGE, range_text.as_deref())?;
    let answer = asking.answer(asking.client.file(request)).await;
    let (head, body) = match answer {
        Ok(answer) => answer,
        Err(error) => return Err(completed(asking, path, error).await),
    };
    check(&head, conditions)?;
    let Some(got) = head.range() else {
        // A server that knows no ranges gives all.
        return Ok((head, body, None));
    };
    // What was not asked for must not pass for it.
    let (first, last, whole) = got;
    match range.and_then(|range| range.of(whole)) == Some((first, last))
        && head.length() == Some(last - first + 1)
    {
        true => Ok((head, body, Some(got))),
        false => Err(senseless()),
    }
}

pub(super) async fn stat(
    s3: &S3,
    approved: &Arc<Approved<StatObject<'static>>>,
    conditions: &ReadConditions,
) -> Result<ObjectInfo, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let asking = Asking::of(s3, approved).await?;
    let request = Request::new(Method::HEAD, bucket, key, Kind::Head);
    match asking.answer(asking.client.head(conditional(request, conditions)?)).await {
        Ok(head) => {
            check(&head, conditions)?;
            head.info(head.length())
        }
        Err(error) => Err(completed(&asking, &approved.operation().path, error).await),
    }
}

/// An error with what callers go on by, where the server left that out.
async fn completed(asking: &Asking, path: &Path<'_>, error: ExecuteError) -> ExecuteError {
    if !matches!(
        error,
        ExecuteError::NotModified { etag: None, .. }
            | ExecuteError::RangeNotSatisfiable { size: None }
    ) {
        return error;
    }
    let Ok((bucket, key)) = keys::object(path) else { return error };
    let request = Request::new(Method::HEAD, bucket, key, Kind::Head);
    let Ok(head) = asking.answer(asking.client.head(request)).await else { return error };
    match error {
        ExecuteError::RangeNotSatisfiable { .. } => {
            ExecuteError::RangeNotSatisfiable { size: head.length() }
        }
        _ => ExecuteError::NotModified {
            etag: head.text(&ETAG).map(Into::into),
            last_modified: head.time(&LAST_MODIFIED),
        },
    }
}

fn conditional(request: Request, conditions: &ReadConditions) -> Result<Request, ExecuteError> {
    let date = |time: Option<SystemTime>| time.map(httpdate::fmt_http_date);
    // Not every server reads lists; what came is held to them here.
    let one = |tags: &'_ Option<String>| tags.clone().filter(|tags| !tags.contains(','));
    request
        .header(IF_MATCH, one(&conditions.if_match).as_deref())?
        .header(IF_NONE_MATCH, one(&conditions.if_none_match).as_deref())?
        .header(IF_MODIFIED_SINCE, date(conditions.if_modified_since).as_deref())?
        .header(IF_UNMODIFIED_SINCE, date(conditions.if_unmodified_since).as_deref())
}

/// Holds a server that knows no conditions to those of the request.
fn check(head: &Head, conditions: &ReadConditions) -> Result<(), ExecuteError> {
    let (etag, last_modified) = (head.text(&ETAG), head.time(&LAST_MODIFIED));
    match conditions.are_met(etag, last_modified) {
        Met::Yes => Ok(()),
        Met::NotModified => {
            Err(ExecuteError::NotModified { etag: etag.map(Into::into), last_modified })
        }
        Met::No => Err(ExecuteError::PreconditionFailed),
    }
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
