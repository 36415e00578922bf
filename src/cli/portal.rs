//! `pathward serve` with a store: the portal beside the gateway.

use std::{net::SocketAddr, num::NonZeroU32};

use clap::Args;
use tokio::net::TcpListener;

use super::{
    output::{Failure, Output},
    serve::{bind, listen_address},
};
use crate::{
    executor::PrivateEndpoints,
    gateway::Gateway,
    manage::Manager,
    policy::is_endpoint,
    portal::{Portal, PortalOptions},
    store::{Quota, Store},
};

/// Where owners make and change their connections.
#[derive(Debug, Args)]
pub(super) struct PortalArgs {
    /// Where the portal and the management API listen, written as for `--listen`
    #[arg(long = "portal", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081",
        value_parser = listen_address)]
    address: SocketAddr,

    /// No portal: connections are changed by the command alone
    #[arg(long)]
    no_portal: bool,

    /// A name that the portal answers to beside its address: that of its certificate, or of a proxy
    /// before it
    #[arg(long = "portal-host", value_name = "NAME")]
    hosts: Vec<String>,

    /// Let owners name profiles, variables and files of this machine as credentials. Whoever can do
    /// that can use everybody's
    #[arg(long)]
    allow_references: bool,

    /// Let connections reach this server, written as their endpoint is, though it is in a private
    /// network or on this machine; `all` lets them reach any. Owners read whatever answers there
    #[arg(long = "allow-private-endpoint", value_name = "URL|all", value_parser = endpoint)]
    private_endpoints: Vec<String>,

    /// How many connections an owner may have [default: 1000]
    #[arg(long, value_name = "COUNT")]
    max_connections_per_owner: Option<NonZeroU32>,

    /// How many restrictions and denies all connections of an owner may have together [default: 50000]
    #[arg(long, value_name = "COUNT")]
    max_rules_per_owner: Option<NonZeroU32>,

    /// How many API keys an owner may have [default: 100]
    #[arg(long, value_name = "COUNT")]
    max_keys_per_owner: Option<NonZeroU32>,
}

/// An endpoint as connections have it, or `all`.
fn endpoint(text: &str) -> Result<String, &'static str> {
    match text == "all" || is_endpoint(text) {
        true => Ok(text.to_owned()),
        false => Err("write the whole address and nothing more, `http://10.0.0.7:9000`, or `all`"),
    }
}

/// Serves a gateway, with the one route of the management API that the old API had, and a portal,
/// until both are told to stop.
pub(super) async fn serve(
    gateway: Gateway,
    listener: TcpListener,
    portal: Option<Listening>,
    stop: impl Future<Output = ()>,
) {
    let Some(portal) = portal else {
        return gateway.serve(listener, stop).await;
    };
    let (stopping, stopped) = tokio::sync::watch::channel(());
    let stopped = || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.changed().await) }
    };
    let tell = async {
        stop.await;
        drop(stopping);
    };
    let routes = gateway.router().merge(portal.manager.connectors_router());
    tokio::join!(
        gateway.serve_router(routes, listener, stopped()),
        portal.portal.serve(portal.listener, stopped()),
        tell
    );
}

/// A portal that listens.
pub(super) struct Listening {
    portal: Portal,
    manager: Manager,
    listener: TcpListener,
    #[cfg_attr(not(feature = "embedded"), expect(dead_code, reason = "the demo says where it is"))]
    pub(super) address: SocketAddr,
    /// The link for the first user, while nobody can sign in.
    pub(super) first_link: Option<String>,
}

impl PortalArgs {
    /// Which private servers connections may reach. Without a portal nobody but the operator writes
    /// any, and where none is named they reach all.
    pub(super) fn private_endpoints(&self, of_demo: Option<&str>) -> PrivateEndpoints {
        let listed = &self.private_endpoints;
        let all = listed.iter().any(|one| one == "all") || self.no_portal && listed.is_empty();
        match all {
            true => PrivateEndpoints::All,
            false => PrivateEndpoints::only(
                self.private_endpoints.iter().map(String::as_str).chain(of_demo),
            ),
        }
    }

    fn quota(&self) -> Quota {
        let default = Quota::default();
        let count = |given: Option<NonZeroU32>, default| {
            given.and_then(|count| usize::try_from(count.get()).ok()).unwrap_or(default)
        };
        Quota {
            connections: count(self.max_connections_per_owner, default.connections),
            rules: count(self.max_rules_per_owner, default.rules),
            keys: count(self.max_keys_per_owner, default.keys),
            ..default
        }
    }

    /// Listens, unless no portal is wanted, and says where.
    pub(super) async fn listen(
        &self,
        store: &Store,
        gateway: &Gateway,
        address: SocketAddr,
        (first_user, private): (&str, PrivateEndpoints),
        output: &mut Output<'_>,
    ) -> Result<Option<Listening>, Failure> {
        if self.no_portal {
            return Ok(None);
        }
        let listener = bind(self.address, "--portal").await?;
        let scheme = gateway.scheme();
        let options = PortalOptions {
            hosts: self.hosts.clone(),
            gateway: Some(format!("{scheme}://{address}")),
            first_user: first_user.to_owned(),
            ..PortalOptions::default()
        };
        let address = listener.local_addr()?;
        if !gateway.speaks_tls() && !address.ip().is_loopback() {
            tracing::warn!(
                target: "pathward::serve",
                "the portal takes keys and secrets over HTTP without TLS from outside this machine: \
                 give it a certificate, `--tls-cert FILE --tls-key FILE`, or put a TLS proxy before \
                 {address}"
            );
        }
        let manager = Manager::new(store.within(self.quota()), gateway.clone())
            .with_references(self.allow_references)
            .with_private_endpoints(private);
        let portal = Portal::new(manager.clone(), address, options);
        let first_link = portal.first_link()?;
        writeln!(output.out, "portal on {scheme}://{address}")?;
        output.out.flush()?;
        Ok(Some(Listening { portal, manager, listener, address, first_link }))
    }
}
