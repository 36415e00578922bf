//! The portal's own listener.

use std::time::Duration;

use tokio::{net::TcpListener, time::interval};

use super::{Portal, respond::refused};
use crate::gateway::Site;

/// How often what is over is let go of.
const SWEEP: Duration = Duration::from_secs(30);

impl Portal {
    /// Serves connections until `stop` is ready, with the limits of the gateway.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let sweep = async {
            let mut times = interval(SWEEP);
            loop {
                times.tick().await;
                self.shared.sessions.sweep();
            }
        };
        let site = Site { router: self.router(), refuse: refused, is_aside: true };
        let serve = self.shared.manager.gateway().serve_site(site, listener, stop);
        tokio::select! {
            () = serve => {}
            () = sweep => {}
        }
    }
}
