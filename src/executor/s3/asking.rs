//! Asking a server, for as long as what is asked is allowed.

use std::{future::Future, sync::Arc};

use aws_sdk_s3::Client;

use super::{S3, standing::Standing};
use crate::{
    engine::{Approved, Operate},
    executor::ExecuteError,
};

/// What one operation asks its server by.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) client: Client,
    pub(super) standing: Standing,
}

impl Asking {
    pub(super) async fn of<Op: Operate + Send + Sync + 'static>(
        s3: &S3,
        approved: &Arc<Approved<Op>>,
    ) -> Result<Self, ExecuteError> {
        let client = s3.clients.get(approved.connection()).await?;
        Ok(Self { client, standing: Standing::of(approved) })
    }

    /// The server's answer. It is asked for only while that is allowed, and is nobody's to see, whatever it
    /// says, once that is not.
    pub(super) async fn answer<T>(
        &self,
        request: impl Future<Output = Result<T, ExecuteError>>,
    ) -> Result<T, ExecuteError> {
        self.standing.stands()?;
        let answer = self.standing.during(request).await?;
        self.standing.stands()?;
        answer
    }
}
