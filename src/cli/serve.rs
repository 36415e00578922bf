//! `pathward serve`: the gateway.

#[cfg(feature = "store")]
use std::sync::{Mutex, PoisonError};
use std::{
    fmt::Display,
    io::{self, IsTerminal as _},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tracing_subscriber::{filter::LevelFilter, fmt, layer::SubscriberExt as _};

use super::{
    exit::Exit,
    limits::LimitArgs,
    output::{Failure, Output},
    question::load,
    server_key::ServerKeyArgs,
    signals::{HangUps, reload, stop},
    tls::TlsArgs,
};
#[cfg(feature = "store")]
use crate::executor::PrivateEndpoints;
use crate::{
    engine::Engine,
    executor::{Executor, S3, S3Options},
    gateway::{Gateway, Tls, raise_descriptor_limit},
    policy::{CredentialsRef, Policy},
};

/// Serves the Data API: code names `s3+label://bucket/key` and gets what the policy allows.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward serve --demo
  pathward serve --policy policies/
  pathward serve --store data/ --seal-key seal.key
  pathward serve --policy policies/ --listen 127.0.0.1:9000 --log-format json
  pathward serve --store data/ --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem

The address is printed on standard output once connections are taken; everything else, a line for
each decision among it, goes to standard error. SIGHUP loads the policy again, whole or not at all; a
store is followed without it. A policy that does not load leaves the last one that did in force.
SIGINT and SIGTERM stop: no new connections, and running requests may end.

With --tls-cert and --tls-key it speaks HTTPS, the portal too, and follows both files: a new
certificate is taken within seconds, or at SIGHUP, and no connection is dropped for it. Without them
it speaks HTTP: put a TLS proxy before it wherever callers are not on this machine.

Exit codes: 0 stopped when told to, 1 it could not listen, 2 wrong usage, or a certificate that does
not load, 3 the policy does not load.")]
pub struct ServeArgs {
    /// The policy: a file, or a folder whose files make one policy
    #[arg(long, short, value_name = "FILE|DIR")]
    #[cfg_attr(not(feature = "store"), arg(required = true))]
    policy: Option<PathBuf>,

    /// Serve the connections of this folder, which is made if it is not there, and follow every change
    /// of them: by `pathward connection` and `key`, and by hand
    #[cfg(feature = "store")]
    #[arg(long, value_name = "DIR", conflicts_with = "policy")]
    store: Option<PathBuf>,

    #[cfg(feature = "store")]
    #[command(flatten)]
    seal: super::store::SealKeyArgs,

    /// Serve a demo: an S3 server inside this process, with some objects, a policy and a key
    #[cfg(all(feature = "embedded", feature = "portal"))]
    #[arg(long, conflicts_with = "policy")]
    #[cfg_attr(feature = "store", arg(conflicts_with = "store"))]
    demo: bool,

    /// Keep the demo's objects in this folder instead of in memory
    #[cfg(all(feature = "embedded", feature = "portal"))]
    #[arg(long, value_name = "DIR", requires = "demo")]
    data: Option<PathBuf>,

    /// Where to listen: an IP address and a port; port 0 takes a free one. A port alone is of this machine
    /// alone, 127.0.0.1, as is `localhost`
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    listen: SocketAddr,

    #[command(flatten)]
    tls: TlsArgs,

    #[command(flatten)]
    server_key: ServerKeyArgs,

    #[cfg(feature = "portal")]
    #[command(flatten)]
    portal: super::portal::PortalArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    log: LogArgs,
}

/// What is logged.
#[derive(Debug, Args)]
struct LogArgs {
    /// How log lines are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    /// The least important lines to write: `off`, `error`, `warn`, `info` (decisions), `debug`,
    /// `trace`
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: LevelFilter,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogArgs {
    /// Logs to standard error: our own lines and no library's, whose lines may hold headers.
    fn start(&self) {
        let ours =
            tracing_subscriber::filter::Targets::new().with_target("pathward", self.log_level);
        let registry = tracing_subscriber::registry().with(ours);
        let lines = fmt::layer().with_writer(io::stderr);
        // A second subscriber in one process cannot be: only `main` comes here.
        let _ = match self.log_format {
            LogFormat::Text => {
                let lines = lines.with_ansi(io::stderr().is_terminal());
                tracing::subscriber::set_global_default(registry.with(lines))
            }
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_current_span(false);
                tracing::subscriber::set_global_default(registry.with(lines))
            }
        };
    }
}

pub(super) fn run(args: &ServeArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    args.log.start();
    // Connections take one each, and what takes rights away has to have some left.
    raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failed("start", &error))?;
    runtime.block_on(serve(args, output))
}

fn failed(doing: &str, error: &dyn Display) -> Failure {
    Failure::Said(Exit::Error, format!("cannot {doing}: {error}"))
}

async fn serve(args: &ServeArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    // Before anyone is told that it listens: until then, a signal ends the process where it is.
    let stop = stop();
    let tls = args.tls.load()?;
    #[cfg(all(feature = "embedded", feature = "portal"))]
    if args.demo {
        let demo = super::demo::Demo::start(args.data.as_deref()).await?;
        let private = args.portal.private_endpoints(Some(&demo.endpoint()));
        let (gateway, listener, _follower) =
            listen_over(args, tls, demo.store(), private.clone(), output).await?;
        let address = listener.local_addr()?;
        let of_demo = (crate::embedded::demo::OWNER, private);
        let portal = args.portal.listen(demo.store(), &gateway, address, of_demo, output).await?;
        demo.explain((gateway.scheme(), address), portal.as_ref(), output)?;
        super::portal::serve(gateway, listener, portal, stop).await;
        demo.stop().await;
        return Ok(Exit::Fine);
    }
    let hung_up = HangUps::new();
    #[cfg(feature = "store")]
    if let Some(folder) = &args.store {
        let store = super::store::open(folder, &args.seal)?;
        #[cfg(feature = "portal")]
        let private = args.portal.private_endpoints(None);
        #[cfg(not(feature = "portal"))]
        let private = PrivateEndpoints::All;
        let (gateway, listener, _follower) =
            listen_over(args, tls, &store, private.clone(), output).await?;
        #[cfg(feature = "portal")]
        {
            let address = listener.local_addr()?;
            let allowed = ("", private);
            let portal = args.portal.listen(&store, &gateway, address, allowed, output).await?;
            if let Some(link) = portal.as_ref().and_then(|portal| portal.first_link.as_deref()) {
                writeln!(
                    output.out,
                    "nobody can sign in yet; this link, once, makes the first key: {link}"
                )?;
                output.out.flush()?;
            }
            super::portal::serve(gateway, listener, portal, stop).await;
        }
        #[cfg(not(feature = "portal"))]
        gateway.serve(listener, stop).await;
        drop(hung_up);
        return Ok(Exit::Fine);
    }
    let Some(path) = &args.policy else {
        return Err(Failure::question(
            "name a policy, `--policy FILE|DIR`, or a store, `--store DIR`, or try `--demo`",
        ));
    };
    let policy = load(path)?;
    warn_of_variables(&policy);
    let executor = s3(args);
    #[cfg(feature = "store")]
    let executor = match super::store::seal_key_of(&args.seal)? {
        Some(key) => executor.unseal_by(Arc::new(key)),
        None => {
            warn_of_sealed(&policy);
            executor
        }
    };
    let (gateway, listener) = listen(args, tls, Engine::new(policy), Arc::new(executor)).await?;
    announce(&gateway, &listener, output)?;
    let reloading = tokio::spawn(reload(gateway.clone(), path.clone(), hung_up));
    gateway.serve(listener, stop).await;
    reloading.abort();
    Ok(Exit::Fine)
}

/// What runs operations, with as many connections to servers as descriptors allow.
fn s3(args: &ServeArgs) -> S3 {
    S3::new(S3Options { sockets: args.limits.options().sockets(), ..S3Options::default() })
}

/// Listens for a gateway that follows a store, and says where once it does. Others' changes are followed for as
/// long as the last of these is kept.
#[cfg(feature = "store")]
async fn listen_over(
    args: &ServeArgs,
    tls: Option<Tls>,
    store: &crate::store::Store,
    private: PrivateEndpoints,
    output: &mut Output<'_>,
) -> Result<(Gateway, TcpListener, crate::store::Follower), Failure> {
    let executor = s3(args).private_endpoints(private.clone());
    let executor = Arc::new(executor.unseal_by(store.unseal()));
    let policy = Arc::clone(store.snapshot().policy());
    warn_of_variables(&policy);
    warn_of_endpoints(&policy, &private);
    if !store.has_seal_key() {
        warn_of_sealed(&policy);
    }
    let engine = Engine::new(policy);
    let (gateway, listener) = listen(args, tls, engine, Arc::clone(&executor) as _).await?;
    follow(store, &gateway, &executor, private);
    let name = listener.local_addr()?.to_string();
    let followed = gateway.clone();
    let unread = move |since| followed.set_unread(since);
    let follower = store.follow_as(&name, unread).map_err(super::store::failure)?;
    // Whoever changes the store from here on finds that it is followed.
    announce(&gateway, &listener, output)?;
    Ok((gateway, listener, follower))
}

/// Listens for a gateway.
async fn listen(
    args: &ServeArgs,
    tls: Option<Tls>,
    engine: Engine,
    executor: Arc<dyn Executor>,
) -> Result<(Gateway, TcpListener), Failure> {
    let gateway = Gateway::new(engine, executor, args.limits.options())
        .map_err(|error| Failure::Said(Exit::Error, error.to_string()))?;
    gateway.trust_proxies(args.limits.trusted_proxies.iter().copied());
    if let Some(tls) = tls {
        gateway.use_tls(tls);
    }
    if let Some(key) = args.server_key.load()? {
        gateway.use_server_key(&key);
    }
    let listener = bind(args.listen, "--listen").await?;
    Ok((gateway, listener))
}

/// Listens on an address, which `option` gives.
pub(super) async fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another process listens there: stop it, or write another port"
            }
            io::ErrorKind::AddrNotAvailable => "this machine has no such address: write one it has",
            io::ErrorKind::PermissionDenied => "write a port from 1024 on",
            _ => "write another address",
        };
        failed(
            &format!("listen on {address}"),
            &format_args!("{error}: {help}, `{option} ADDRESS:PORT`"),
        )
    })
}

/// An address to listen on: an IP address and a port, `localhost` and a port, or a port.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let local = |port: &str| port.parse().ok().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let port = match text.rsplit_once(':') {
        None => local(text),
        Some((name, port)) if name.eq_ignore_ascii_case("localhost") => local(port),
        Some(_) => None,
    };
    port.or_else(|| text.parse().ok()).ok_or(
        "write an IP address and a port, `127.0.0.1:9000` or `[::1]:9000`; `0.0.0.0:9000` for every \
         network of this machine, `9000` for this machine alone",
    )
}

/// Says where a gateway listens.
fn announce(
    gateway: &Gateway,
    listener: &TcpListener,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let address = listener.local_addr()?;
    if !gateway.speaks_tls() && !address.ip().is_loopback() {
        tracing::warn!(
            target: "pathward::serve",
            "API keys come over HTTP without TLS from outside this machine: give it a certificate, \
             `--tls-cert FILE --tls-key FILE`, or put a TLS proxy before {address}"
        );
    }
    writeln!(output.out, "listening on {}://{address}", gateway.scheme())?;
    output.out.flush()?;
    Ok(())
}

/// Has the gateway decide by what the store says, from each change on.
#[cfg(feature = "store")]
fn follow(
    store: &crate::store::Store,
    gateway: &Gateway,
    executor: &Arc<S3>,
    private: PrivateEndpoints,
) {
    let (gateway, executor) = (gateway.clone(), Arc::clone(executor));
    let served = Mutex::new(store.snapshot().policy().revision());
    let has_seal_key = store.has_seal_key();
    store.on_change(Box::new(move |snapshot| {
        let policy = snapshot.policy();
        let mut served = served.lock().unwrap_or_else(PoisonError::into_inner);
        if *served != policy.revision() {
            *served = policy.revision();
            warn_of_variables(policy);
            warn_of_endpoints(policy, &private);
            if !has_seal_key {
                warn_of_sealed(policy);
            }
            gateway.replace(Engine::new(Arc::clone(policy)));
            // Credentials that nothing names any more are forgotten.
            executor.retain(policy);
        }
        gateway.set_stale(snapshot.invalid().is_some());
    }));
}

/// Warns of each connection whose server is in a private network, and not allowed.
#[cfg(feature = "store")]
fn warn_of_endpoints(policy: &Policy, private: &PrivateEndpoints) {
    for connection in policy.connections() {
        let refused = connection.endpoint().filter(|endpoint| private.refuses(endpoint));
        if let Some(endpoint) = refused {
            tracing::warn!(
                target: "pathward::serve",
                connection = %connection.id(),
                owner = connection.owner(),
                "its server is in a private network, and is not reached without \
                 `--allow-private-endpoint {endpoint}`"
            );
        }
    }
}

/// Warns of connections whose credentials are sealed, where there is no key that opens them.
#[cfg(feature = "store")]
fn warn_of_sealed(policy: &Policy) {
    let mut sealed = policy
        .connections()
        .iter()
        .filter(|connection| matches!(connection.credentials(), Some(CredentialsRef::Sealed(_))));
    if let Some(first) = sealed.next() {
        tracing::warn!(
            target: "pathward::serve",
            connection = %first.id(),
            owner = first.owner(),
            connections = 1 + sealed.count(),
            "credentials are sealed and no key opens them, so that requests that need them fail: start with \
             `--seal-key FILE`, or the variable PATHWARD_SEAL_KEY"
        );
    }
}

/// Warns of each connection whose credentials are to be in variables that are not set.
pub(super) fn warn_of_variables(policy: &Policy) {
    for connection in policy.connections() {
        let Some(CredentialsRef::Env(prefix)) = connection.credentials() else { continue };
        for variable in ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"] {
            let variable = format!("{prefix}_{variable}");
            if std::env::var_os(&variable).is_none() {
                tracing::warn!(
                    target: "pathward::serve",
                    connection = %connection.id(),
                    "the variable {variable} of its credentials is not set"
                );
            }
        }
    }
}
