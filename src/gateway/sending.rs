//! A download on its way to the caller, and the line of the log that it has at its end.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::{
    audit::{Ended, Upstream},
    decide::Line,
};
use crate::executor::{Body, BodyError, Object};

/// The bytes of an object, counted as they go out. Where it is known how many of them were written to the
/// connection ([`Written`](super::written::Written)), that counts.
pub(super) struct Sending {
    body: Body,
    size: u64,
    is_partial: bool,
    sent: u64,
    /// How it ended, where that was before its end.
    failed: Option<Ended>,
    line: Option<Line>,
}

impl Sending {
    /// Sends an object; `line` is written when that has ended.
    pub(super) fn new(object: Object, line: Line) -> Self {
        let (size, is_partial) = (object.len(), object.range.is_some());
        Self { body: object.body, size, is_partial, sent: 0, failed: None, line: Some(line) }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        let (failed, size, is_partial) = (self.failed, self.size, self.is_partial);
        let written = line.written.take();
        let end = move |sent| {
            let ended = match failed {
                Some(ended) => ended,
                // The HTTP library does not ask for an end that it knows of.
                None if sent == size => Ended::Whole,
                None => Ended::Cut,
            };
            line.write(&Upstream::sent(is_partial, sent, ended));
        };
        match written {
            Some(written) => written.at_end(end),
            None => end(self.sent),
        }
    }
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => self.sent += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(BodyError::Withdrawn)) => self.failed = Some(Ended::Withdrawn),
            Some(Err(_)) => self.failed = Some(Ended::Failed),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
