//! `pathward serve` with a store: the gateway that follows it, and the portal beside that.

use std::{net::SocketAddr, sync::Arc};

use clap::Args;
use tokio::net::TcpListener;

use super::{
    exit::Exit,
    output::{Failure, Output},
};
use crate::{
    engine::Engine,
    executor::S3,
    gateway::{Gateway, Options},
    manage::Manager,
    portal::{Portal, PortalOptions},
    store::Store,
};

/// Where owners make and change their connections.
#[derive(Debug, Args)]
pub(super) struct PortalArgs {
    /// Where the portal and the management API listen: an IP address and a port
    #[arg(long = "portal", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    address: SocketAddr,

    /// No portal: connections are changed by the command alone
    #[arg(long)]
    no_portal: bool,

    /// A name that the portal answers to beside its address: that of the proxy before it
    #[arg(long = "portal-host", value_name = "NAME")]
    hosts: Vec<String>,

    /// Let owners name profiles, variables and files of this machine as credentials. Whoever can do
    /// that can use everybody's
    #[arg(long)]
    allow_references: bool,
}

/// A gateway that decides by what a store says, from the change on that says it.
pub(super) fn gateway(store: &Store, options: Options) -> Result<Gateway, Failure> {
    let executor = Arc::new(S3::default().unseal_by(store.unseal()));
    let engine = Engine::new(Arc::clone(store.snapshot().policy()));
    let gateway = Gateway::new(engine, executor.clone(), options)
        .map_err(|error| Failure::Said(Exit::Error, error.to_string()))?;
    let following = gateway.clone();
    store.on_change(Box::new(move |snapshot| {
        following.replace(Engine::new(Arc::clone(snapshot.policy())));
        executor.retain(snapshot.policy());
    }));
    Ok(gateway)
}

/// A portal that listens.
pub(super) struct Listening {
    portal: Portal,
    listener: TcpListener,
    pub(super) address: SocketAddr,
    /// The link for the first user, while nobody can sign in.
    pub(super) first_link: Option<String>,
}

impl PortalArgs {
    /// Listens, unless no portal is wanted, and says where.
    pub(super) async fn listen(
        &self,
        store: &Store,
        gateway: &Gateway,
        address: SocketAddr,
        first_user: &str,
        output: &mut Output<'_>,
    ) -> Result<Option<Listening>, Failure> {
        if self.no_portal {
            return Ok(None);
        }
        let failed = |error: std::io::Error| {
            let message = format!("the portal cannot listen on {}: {error}", self.address);
            Failure::Said(Exit::Error, message)
        };
        let listener = TcpListener::bind(self.address).await.map_err(failed)?;
        let options = PortalOptions {
            hosts: self.hosts.clone(),
            gateway: Some(format!("http://{address}")),
            first_user: first_user.to_owned(),
            ..PortalOptions::default()
        };
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(
                target: "pathward::serve",
                "the portal takes keys and secrets over HTTP without TLS from outside this machine: \
                 put a TLS proxy before {address}"
            );
        }
        let manager =
            Manager::new(store.clone(), gateway.clone()).with_references(self.allow_references);
        let portal = Portal::new(manager, address, options);
        let first_link = portal.first_link()?;
        writeln!(output.out, "portal on http://{address}")?;
        Ok(Some(Listening { portal, listener, address, first_link }))
    }
}

impl Listening {
    /// Serves until `stop` is ready.
    pub(super) async fn serve(self, stop: impl Future<Output = ()>) {
        self.portal.serve(self.listener, stop).await;
    }
}
