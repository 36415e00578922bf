//! A caller's body: how long it may be, how long it may keep us waiting, and what becomes of a
//! refused one.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body as HttpBody;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, Sleep, sleep, timeout},
};

use crate::executor::BodyError;

/// A body that ends with an error when it is too long, breaks off or stops coming.
///
/// When it is let go of, what is left goes home: see [`drain`].
pub(super) struct Limited {
    body: HttpBody,
    left: u64,
    limit: u64,
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    home: Option<oneshot::Sender<HttpBody>>,
}

impl Limited {
    pub(super) fn new(
        body: HttpBody,
        limit: u64,
        idle: Duration,
        home: oneshot::Sender<HttpBody>,
    ) -> Self {
        Self { body, left: limit, limit, idle, timer: None, home: Some(home) }
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            // Nobody may be waiting any more.
            let _ = home.send(std::mem::take(&mut self.body));
        }
    }
}

impl http_body::Body for Limited {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
            let idle = this.idle;
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
            ready!(timer.as_mut().poll(context));
            return Poll::Ready(Some(Err(BodyError::TimedOut)));
        };
        if let Some(timer) = &mut this.timer {
            timer.as_mut().reset(Instant::now() + this.idle);
        }
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|_| BodyError::Interrupted)?;
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            this.left =
                this.left.checked_sub(length).ok_or(BodyError::TooLarge { limit: this.limit })?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Takes what is left of a refused body, up to a limit, beside the answer: a caller who sends before it
/// listens hears that, and one who sends slowly does not wait for it. No other request begins on the
/// connection meanwhile.
pub(super) fn drain(mut body: HttpBody) {
    const ENOUGH: u64 = 4 << 20;
    if http_body::Body::is_end_stream(&body) {
        return;
    }
    let some = async move {
        let mut left = ENOUGH;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(rest) = left.checked_sub(length) else { break };
            left = rest;
        }
    };
    tokio::spawn(async move {
        let _ = timeout(Duration::from_secs(5), some).await;
    });
}

/// The body of a request, which comes back from whoever let go of it.
pub(super) struct Incoming {
    pub(super) body: Option<HttpBody>,
    pub(super) back: Option<oneshot::Receiver<HttpBody>>,
}

impl Incoming {
    /// Lends the body out, limited.
    pub(super) fn lend(&mut self, limit: u64, idle: Duration) -> Limited {
        let (home, back) = oneshot::channel();
        self.back = Some(back);
        Limited::new(self.body.take().unwrap_or_default(), limit, idle, home)
    }

    /// How long it is, where its head says so.
    pub(super) fn length(&self) -> Option<u64> {
        http_body::Body::size_hint(self.body.as_ref()?).exact()
    }

    /// Whether somebody may have begun to take it.
    pub(super) fn was_lent(&self) -> bool {
        self.back.is_some()
    }

    /// Takes what is left of it, if it is refused: see [`drain`].
    pub(super) fn drain(self) {
        let Self { body, back } = self;
        let body = body.or_else(|| back?.try_recv().ok());
        if let Some(body) = body {
            drain(body);
        }
    }
}

/// The places of a request, which its answer keeps until its last byte is sent: the gateway's, and
/// its user's.
#[derive(Default)]
pub(super) struct Places {
    pub(super) gateway: Option<OwnedSemaphorePermit>,
    pub(super) user: Option<OwnedSemaphorePermit>,
}
