//! The limits of `pathward serve`.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;

use crate::gateway::{Options, Proxy};

/// Limits, where the defaults do not do.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// The longest upload, in bytes [default: 5 TiB]
    #[arg(long, value_name = "BYTES")]
    max_body: Option<u64>,

    /// How many requests run at once [default: 1024]
    #[arg(long, value_name = "COUNT")]
    max_requests: Option<NonZeroU32>,

    /// How many of them may be one user's [default: 512]
    #[arg(long, value_name = "COUNT")]
    max_requests_per_user: Option<NonZeroU32>,

    /// How many connections are open at once, as far as there are file descriptors for so many. For a
    /// further one, one is closed on which nothing runs. Requests have three quarters of them at most, and one
    /// user's half [default: 4096]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<NonZeroU32>,

    /// A proxy's address, or the network that proxies are in, `10.0.0.0/24`: its connections count for
    /// whom it asks for, by `X-Forwarded-For` or `Forwarded`, when one has to be closed. For nothing else. If
    /// both are there and name two, it counts for the proxy: let that remove the one it does not write
    #[arg(long = "trusted-proxy", value_name = "ADDRESS")]
    pub(super) trusted_proxies: Vec<Proxy>,

    /// Stop serving when what is configured could not be read for so many seconds: the store's folder is
    /// gone, say, and with it whatever takes rights away. Everything is answered with 503 then, until it
    /// is read again. Of `--policy`, that it cannot be read is found out at SIGHUP [default: go on, and say
    /// so in the log and at /healthz]
    #[arg(long, value_name = "SECONDS")]
    max_stale: Option<NonZeroU32>,

    /// How many seconds a body may pause [default: 60]
    #[arg(long, value_name = "SECONDS")]
    idle_timeout: Option<NonZeroU32>,

    /// How many seconds a request may take, transfers and deletions aside [default: 60]
    #[arg(long, value_name = "SECONDS")]
    request_timeout: Option<NonZeroU32>,

    /// How many seconds running requests have when the gateway is told to stop [default: 30]
    #[arg(long, value_name = "SECONDS")]
    shutdown_timeout: Option<u32>,
}

impl LimitArgs {
    pub(super) fn options(&self) -> Options {
        let default = Options::default();
        let seconds = |given: Option<u32>, default| {
            given.map_or(default, |seconds| Duration::from_secs(seconds.into()))
        };
        // The largest of them are more than a machine has, and fewer than a semaphore takes.
        let count = |given: Option<NonZeroU32>, default| {
            given.and_then(|count| usize::try_from(count.get()).ok()).unwrap_or(default)
        };
        let whole = |given: Option<NonZeroU32>| given.map(NonZeroU32::get);
        Options {
            max_body: self.max_body.unwrap_or(default.max_body),
            max_requests: count(self.max_requests, default.max_requests),
            max_requests_per_user: count(self.max_requests_per_user, default.max_requests_per_user),
            max_connections: count(self.max_connections, default.max_connections),
            idle_timeout: seconds(whole(self.idle_timeout), default.idle_timeout),
            request_timeout: seconds(whole(self.request_timeout), default.request_timeout),
            shutdown_timeout: seconds(self.shutdown_timeout, default.shutdown_timeout),
            max_stale: whole(self.max_stale).map(|seconds| Duration::from_secs(seconds.into())),
            ..default
        }
    }
}
