//! How long to wait, and how often to try.

use std::time::Duration;

/// How long [`S3`](super::S3) waits for servers, and how often it tries again.
///
/// Waiting for a caller, who sends a body or takes one, is not limited here: that is the business
/// of whoever serves the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct S3Options {
    /// For a connection to be made.
    pub connect_timeout: Duration,
    /// For one attempt of a request that moves little: from its start to its answer.
    pub attempt_timeout: Duration,
    /// For one attempt that has a server work or that sends a collected part: copying, completing
    /// an upload, deleting a thousand objects.
    pub transfer_timeout: Duration,
    /// For a server that neither takes nor gives a byte of a body, or does not answer one that it
    /// has whole.
    pub stall_timeout: Duration,
    /// How often a request is sent at most. A body that is passed on as it comes is sent once.
    pub attempts: u32,
    /// The pause before the second attempt; the pauses grow, and are spread at random.
    pub backoff: Duration,
    /// How many bytes of bodies of unknown length are held at once, of all uploads together: each
    /// holds a part while it comes and is sent, and of it no more than came. One owner has at most an
    /// eighth of this. Whatever is taken, each owner may hold one part more, of up to 64 MiB, so that
    /// nobody waits for others for ever. Further parts wait for room, for as long as a server may stall,
    /// and are then refused as too much. The first 128 KiB of each upload are not counted.
    pub upload_memory: usize,
    /// How many connections to servers there are at once, those that are kept for the next request included:
    /// each takes a file descriptor. The servers that one owner chose have a quarter of them together, and each
    /// that the operator chose a half. Who asks for one more waits for one that ends, for as long as a connection
    /// may take to be made.
    pub sockets: usize,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(30),
            transfer_timeout: Duration::from_secs(600),
            stall_timeout: Duration::from_secs(60),
            attempts: 3,
            backoff: Duration::from_millis(200),
            upload_memory: 1 << 30,
            sockets: usize::MAX,
        }
    }
}
