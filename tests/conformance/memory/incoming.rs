//! Bytes that come, and what may be wrong with how they are taken.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use pathward::{
    engine::{Approved, Operate},
    executor::{Body, BodyError, Checksum, ExecuteError, Sum},
};
use tokio::time::timeout;

/// What is wrong with how a body is taken.
pub(super) struct Faults {
    pub(super) keeps_torn: bool,
    pub(super) believes_length: bool,
    pub(super) believes_checksum: bool,
    pub(super) asks_once: bool,
    pub(super) waits: bool,
}

impl Faults {
    pub(super) async fn collect<Op: Operate>(
        &self,
        approved: &Approved<Op>,
        mut body: Body,
        length: Option<u64>,
        checksums: &[Checksum],
    ) -> Result<Bytes, ExecuteError> {
        let mut bytes = Vec::new();
        loop {
            let frame = match timeout(Duration::from_millis(100), body.frame()).await {
                Ok(frame) => frame,
                Err(_) if self.waits => body.frame().await,
                Err(_) => {
                    self.ask(approved)?;
                    continue;
                }
            };
            match frame {
                None => break,
                Some(Ok(frame)) => {
                    bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
                }
                Some(Err(_)) if self.keeps_torn => break,
                Some(Err(error)) => return Err(ExecuteError::Body(error)),
            }
        }
        let is_other = length.is_some_and(|length| length != bytes.len() as u64);
        if is_other && !self.believes_length && !self.keeps_torn {
            self.ask(approved)?;
            return Err(ExecuteError::Body(BodyError::Interrupted));
        }
        let is_other = |said: &Checksum| {
            let mut sum = Sum::new(said.algorithm());
            sum.update(&bytes);
            sum.finish() != *said
        };
        if checksums.iter().any(is_other) && !self.believes_checksum {
            return Err(ExecuteError::Body(BodyError::Mismatch));
        }
        self.ask(approved)?;
        Ok(bytes.into())
    }

    fn ask<Op: Operate>(&self, approved: &Approved<Op>) -> Result<(), ExecuteError> {
        if self.asks_once {
            Ok(())
        } else {
            approved.still_stands().map_err(ExecuteError::Withdrawn)
        }
    }
}
