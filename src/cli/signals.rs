//! What signals make of `pathward serve`: it stops, or loads its policy again.

use std::path::PathBuf;
#[cfg(unix)]
use std::time::{Duration, Instant};

use crate::gateway::{Gateway, Tls};
#[cfg(unix)]
use crate::{
    cli::serve::warn_of_variables,
    engine::Engine,
    policy::{Policy, PolicyErrors, reserve::Reserve},
};

/// Resolves when the process is told to stop, from now on.
#[cfg(unix)]
pub(super) fn stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        if let [Ok(mut interrupted), Ok(mut terminated)] = signals {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        } else {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
pub(super) async fn stop() {
    let _ = tokio::signal::ctrl_c().await;
}

/// The times that the process is told to hang up, from now on.
#[cfg(unix)]
pub(super) struct HangUps(std::io::Result<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl HangUps {
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()))
    }
}

#[cfg(not(unix))]
pub(super) struct HangUps;

#[cfg(not(unix))]
impl HangUps {
    pub(super) fn new() -> Self {
        Self
    }
}

/// Loads the policy again whenever the process is told to hang up. One that cannot be read then is
/// tried again until it is, or the process is told once more.
#[cfg(unix)]
pub(super) async fn reload(gateway: Gateway, path: PathBuf, hang_ups: HangUps) {
    /// How often.
    const AGAIN: Duration = Duration::from_secs(1);
    let Ok(mut hung_up) = hang_ups.0 else { return };
    let mut reserve = Reserve::new();
    let mut unread: Option<Instant> = None;
    loop {
        let told = tokio::select! {
            told = hung_up.recv() => told,
            () = tokio::time::sleep(AGAIN), if unread.is_some() => Some(()),
        };
        if told.is_none() {
            return;
        }
        let began = Instant::now();
        gateway.set_unread(unread.or(Some(began)));
        let is_read = |loaded: &Result<_, PolicyErrors>| {
            loaded.as_ref().err().is_none_or(|errors| !is_unread(errors))
        };
        let loaded = reserve.read(|| Policy::load(&path), is_read);
        let was_unread = unread.is_some();
        unread = if is_read(&loaded) { None } else { unread.or(Some(began)) };
        gateway.set_unread(unread);
        gateway.set_stale(loaded.is_err());
        match loaded {
            Ok(policy) => {
                warn_of_variables(&policy);
                let revision = policy.revision();
                gateway.replace(Engine::new(policy));
                tracing::info!(
                    target: "pathward::serve",
                    %revision,
                    "the policy was loaded again"
                );
            }
            // Said once.
            Err(_) if was_unread && unread.is_some() => {}
            Err(errors) => tracing::error!(
                target: "pathward::serve",
                "the policy does not load and the last one stays: {errors}"
            ),
        }
    }
}

/// Whether some file could not be read, whatever the others say.
#[cfg(unix)]
fn is_unread(errors: &PolicyErrors) -> bool {
    errors.errors().any(|error| error.code() == "policy.io")
}

#[cfg(not(unix))]
pub(super) async fn reload(_gateway: Gateway, _path: PathBuf, _hang_ups: HangUps) {}

/// Looks for a new certificate whenever the process is told to hang up.
#[cfg(unix)]
pub(super) async fn reload_certificate(tls: Tls, hang_ups: HangUps) {
    let Ok(mut hung_up) = hang_ups.0 else { return };
    while hung_up.recv().await.is_some() {
        let tls = tls.clone();
        let _ = tokio::task::spawn_blocking(move || tls.reload()).await;
    }
}

#[cfg(not(unix))]
pub(super) async fn reload_certificate(_tls: Tls, _hang_ups: HangUps) {}
