//! What one account is asked by: signed requests, sent again where that helps.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{
    HeaderValue, Method,
    header::{CONTENT_LENGTH, USER_AGENT},
};
use http_body_util::{Either, Full};

use super::{
    S3Options,
    answer::{Answer, FileBody, received},
    credentials::Keys,
    fault::Fault,
    head::Head,
    http::Pool,
    request::{Outgoing, Payload, Request},
    share::Share,
    sign,
    xml::Element,
};
use crate::executor::ExecuteError;

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("pathward/", env!("CARGO_PKG_VERSION")));
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(20);
/// How many attempts there are to spare, of all requests together, and what one more takes of them. A server that
/// fails all that it is asked is asked little more than once for each.
const SPARE: u32 = 500;
const COST: u32 = 5;
/// By how many seconds our clock may be wrong; servers refuse what is wrong by 15 minutes.
const MAX_SKEW: u64 = 5 * 60;
/// The times that a server's clock may show, in seconds since 1970: of the years 2000 to 2099.
const CLOCKS: (i64, i64) = (946_684_800, 4_102_444_800);
/// How many buckets are remembered to be in another region.
const MAX_REGIONS: usize = 1_024;

/// Cheap to clone. `Debug` shows nothing of what is in it.
#[derive(Clone)]
pub(super) struct Client(Arc<Inner>);

struct Inner {
    /// The beginning of every URI; AWS's own, by region, if there is none.
    endpoint: Option<Box<str>>,
    region: Box<str>,
    keys: Keys,
    pool: Pool,
    share: Share,
    options: S3Options,
    spare: AtomicU32,
    /// How many seconds the server's clock is ahead of ours.
    ahead: AtomicI64,
    /// The buckets that are in another region.
    regions: Mutex<HashMap<Box<str>, Box<str>>>,
}

impl Client {
    pub(super) fn new(
        endpoint: Option<&str>,
        region: Box<str>,
        keys: Keys,
        pool: Pool,
        share: Share,
        options: S3Options,
    ) -> Self {
        Self(Arc::new(Inner {
            endpoint: endpoint.map(|endpoint| endpoint.trim_end_matches('/').into()),
            region,
            keys,
            pool,
            share,
            options,
            spare: AtomicU32::new(SPARE),
            ahead: AtomicI64::new(0),
            regions: Mutex::default(),
        }))
    }

    /// The head of the answer.
    pub(super) async fn head(&self, request: Request) -> Result<Head, ExecuteError> {
        self.send(request, |answer| match answer {
            Answer::Head(head) => Ok(head),
            _ => Err(Fault::Senseless),
        })
        .await
    }

    /// The bytes of an object, and what it is.
    pub(super) async fn file(&self, request: Request) -> Result<(Head, FileBody), ExecuteError> {
        self.send(request, |answer| match answer {
            Answer::File(head, body) => Ok((head, body)),
            _ => Err(Fault::Senseless),
        })
        .await
    }

    /// What is made of an answer that is XML; `read` gives `None` for one that makes no sense.
    pub(super) async fn xml<T>(
        &self,
        request: Request,
        read: impl Fn(Element<'_>) -> Option<T>,
    ) -> Result<T, ExecuteError> {
        self.send(request, |answer| answer.read(&read)).await
    }

    /// Sends a request, again where that helps, until an answer makes sense.
    async fn send<T>(
        &self,
        mut request: Request,
        read: impl Fn(Answer) -> Result<T, Fault>,
    ) -> Result<T, ExecuteError> {
        let hash = sign::hash(&request.payload);
        let (mut attempt, mut is_moved, mut is_timed) = (1, false, false);
        loop {
            let fault = match self.once(&mut request, hash.as_deref()).await.and_then(&read) {
                Ok(done) => {
                    self.0.give_back();
                    return Ok(done);
                }
                Err(fault) => fault,
            };
            // What it says of us is remembered for the next request, whether or not this one can be sent again.
            let (moves, turns) = (self.0.moves(&request, &fault), self.0.turns(&fault));
            if !request.is_whole() {
                return Err(fault.into());
            }
            if (moves && !is_moved) || (turns && !is_timed) {
                (is_moved, is_timed) = (is_moved | moves, is_timed | turns);
                continue;
            }
            let may_help = match request.is_conditional {
                true => fault.is_refusal(),
                false => fault.is_transient(),
            };
            if attempt >= self.0.options.attempts || !may_help || !self.0.spares() {
                return Err(fault.into());
            }
            tokio::time::sleep(self.0.pause(attempt)).await;
            attempt += 1;
        }
    }

    /// One attempt.
    async fn once(&self, request: &mut Request, hash: Option<&str>) -> Result<Answer, Fault> {
        if let Some(standing) = &request.standing {
            standing.ask().map_err(Fault::Withdrawn)?;
        }
        let limit = request.limit.of(&self.0.options);
        let attempt = async {
            let identity = self.0.keys.get().await?;
            let place = match request.method {
                Method::GET => self.0.share.large(),
                _ => None,
            };
            let (signed, kind) = (self.0.signed(request, hash, &identity)?, request.kind);
            let answer = self.0.pool.send(signed, place.is_some()).await?;
            received(answer, kind, &self.0.share, place).await
        };
        match limit {
            Some(limit) => {
                tokio::time::timeout(limit, attempt).await.unwrap_or(Err(Fault::TimedOut))
            }
            None => attempt.await,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Inner {
    fn signed(
        &self,
        request: &mut Request,
        hash: Option<&str>,
        identity: &aws_smithy_runtime_api::client::identity::Identity,
    ) -> Result<http::Request<Outgoing>, Fault> {
        let body = match &mut request.payload {
            Payload::Bytes(bytes) => Either::Left(Full::new(bytes.clone())),
            Payload::Stream(window) => Either::Right(window.take().ok_or(Fault::Configuration)?),
        };
        if matches!(request.method, Method::PUT | Method::POST) {
            let length = http_body::Body::size_hint(&body).exact().unwrap_or_default();
            request.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let region = self.region_of(&request.bucket);
        let uri = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}{}", request.target),
            None => format!("https://s3.{region}.{}{}", domain(&region), request.target),
        };
        let headers = sign::signed(request, &uri, hash, identity, &region, self.now())?;
        let mut signed = http::Request::new(body);
        *signed.method_mut() = request.method.clone();
        *signed.uri_mut() = uri.parse().map_err(|_| Fault::Configuration)?;
        *signed.headers_mut() = headers;
        signed.headers_mut().insert(USER_AGENT, AGENT);
        Ok(signed)
    }

    fn region_of(&self, bucket: &str) -> Box<str> {
        let regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        regions.get(bucket).unwrap_or(&self.region).clone()
    }

    /// Whether a bucket turned out to be in another region: of AWS, whose servers have the region in their name, or
    /// of the server that the connection names, which is asked again.
    fn moves(&self, request: &Request, fault: &Fault) -> bool {
        let Some(region) = fault.region() else { return false };
        if request.bucket.is_empty() || *self.region_of(&request.bucket) == *region {
            return false;
        }
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        if regions.len() >= MAX_REGIONS {
            regions.clear();
        }
        regions.insert(request.bucket.clone(), region.into());
        true
    }

    /// Whether the server refused a request because its clock is another one, as far as its date shows.
    fn turns(&self, fault: &Fault) -> bool {
        let seconds = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        };
        let is_a_clock = |time: &i64| (CLOCKS.0..CLOCKS.1).contains(time);
        let Some(theirs) = fault.time().map(seconds).filter(is_a_clock) else { return false };
        if theirs.abs_diff(seconds(self.now())) <= MAX_SKEW {
            return false;
        }
        self.ahead.store(theirs.saturating_sub(seconds(SystemTime::now())), Ordering::Relaxed);
        true
    }

    /// The server's time.
    fn now(&self) -> SystemTime {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let by = Duration::from_secs(ahead.unsigned_abs());
        let now = SystemTime::now();
        let then = if ahead < 0 { now.checked_sub(by) } else { now.checked_add(by) };
        then.unwrap_or(now)
    }

    /// Whether there is one more attempt to spare.
    fn spares(&self) -> bool {
        let take = |spare: u32| spare.checked_sub(COST);
        self.spare.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self) {
        let give = |spare: u32| (spare < SPARE).then(|| spare + 1);
        let _ = self.spare.fetch_update(Ordering::Relaxed, Ordering::Relaxed, give);
    }

    /// The pause behind an attempt: longer each time, and spread at random, so that those that failed together do
    /// not come back together.
    fn pause(&self, attempt: u32) -> Duration {
        let longest = self.options.backoff.saturating_mul(1 << (attempt - 1).min(16));
        let random = getrandom::u32().unwrap_or(u32::MAX / 2);
        longest.min(MAX_PAUSE).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// The domain that AWS has its servers of a region in.
fn domain(region: &str) -> &'static str {
    match region.split_once('-').map_or(region, |(first, _)| first) {
        "cn" => "amazonaws.com.cn",
        "eusc" => "amazonaws.eu",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ if region.starts_with("us-isof-") => "csp.hci.ic.gov",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ if region.starts_with("eu-isoe-") => "cloud.adc-e.uk",
        _ => "amazonaws.com",
    }
}
