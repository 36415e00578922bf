//! Asking a server, for as long as what is asked is allowed.

use std::{future::Future, sync::Arc};

use super::{
    S3,
    client::Client,
    share::{Place, Share, Slot},
    standing::Standing,
};
use crate::{
    engine::{Approved, Operate},
    executor::ExecuteError,
};

/// What is kept of an answer without a place of its own, in bytes of memory: an ordinary page of a thousand
/// entries.
const LITTLE: usize = 128 << 10;

/// What a request sends without one.
const LITTLE_SENT: usize = 32 << 10;

/// What one operation asks its server by.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) client: Client,
    pub(super) standing: Standing,
    share: Share,
    slot: Slot,
}

impl Asking {
    pub(super) async fn of<Op: Operate + Send + Sync + 'static>(
        s3: &S3,
        approved: &Arc<Approved<Op>>,
    ) -> Result<Self, ExecuteError> {
        let client = s3.clients.get(approved.connection()).await?;
        let share = s3.clients.share(approved.connection());
        Ok(Self { client, standing: Standing::of(approved), share, slot: Slot::default() })
    }

    /// The server's answer. It is asked for only while that is allowed, and is nobody's to see, whatever it
    /// says, once that is not.
    pub(super) async fn answer<T>(
        &self,
        request: impl Future<Output = Result<T, ExecuteError>>,
    ) -> Result<T, ExecuteError> {
        Ok(self.placed_answer(request).await?.0)
    }

    /// The answer, and its place if it was long: to be held for as long as what is kept of it is much.
    pub(super) async fn placed_answer<T>(
        &self,
        request: impl Future<Output = Result<T, ExecuteError>>,
    ) -> Result<(T, Option<Arc<Place>>), ExecuteError> {
        self.standing.stands()?;
        let answer = self.standing.during(self.slot.scope(request)).await;
        let place = self.slot.of_answer();
        self.standing.stands()?;
        Ok((answer??, place))
    }

    /// The answer to a request that changes something, which is asked for to its end.
    pub(super) async fn done<T>(
        &self,
        request: impl Future<Output = Result<T, ExecuteError>>,
    ) -> Result<T, ExecuteError> {
        let answer = self.slot.scope(request).await;
        drop(self.slot.of_answer());
        answer
    }

    /// The place for what is kept of an answer, if it takes so much memory that it needs one: the answer's own,
    /// where it had one.
    pub(super) async fn place_for(
        &self,
        memory: usize,
        of_answer: Option<Arc<Place>>,
    ) -> Option<Arc<Place>> {
        match of_answer {
            _ if memory <= LITTLE => None,
            None => self.place().await,
            place => place,
        }
    }

    /// The place for what a request sends and is held until it is answered, if that takes so much memory that it needs
    /// one.
    pub(super) async fn place_to_send(&self, memory: usize) -> Option<Arc<Place>> {
        if memory > LITTLE_SENT { self.place().await } else { None }
    }

    /// The operation's place for what is long. Waits until there is one.
    async fn place(&self) -> Option<Arc<Place>> {
        self.share.long(&self.slot).await
    }
}
