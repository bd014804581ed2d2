//! The API listener, and the admin listener for `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::error::StartError;
use super::warnings;
use crate::config::Settings;
use crate::http::{self, Admin, Listener, Slots, Timeouts, Tls, serve};
use crate::system_limits::{Demand, SystemLimits, divide, shortages};

pub(super) struct Listeners {
    pub(super) api: Listener,
    pub(super) admin: Option<Listener>,
}

impl Listeners {
    /// Binds both listeners. Limits their connections to the available file descriptors, and
    /// warns about each limit of the system that is too low, and about the certificate.
    pub(super) fn bind(settings: &Settings) -> Result<Self, StartError> {
        let (system, demand) = (SystemLimits::of_this_process(), Demand::of(settings));
        warnings::warn_about_system_limits(&shortages(&system, &demand));
        let open_files = system.open_files.unwrap_or(u64::MAX);
        let limits = divide(open_files, demand.max_connections, demand.pbxes);
        let api = bind(settings.http.listen)?;
        let tls = settings.http.tls.as_ref();
        let tls = tls.map(|(_, certificate)| Tls::new(Arc::clone(certificate)));
        let tls = tls.transpose().map_err(StartError::Tls)?;
        warnings::warn_about_certificate(tls.as_ref());
        let admin = settings.admin.listen.map(bind).transpose()?;
        Ok(Self {
            api: Listener {
                socket: api,
                slots: slots("api", limits.api),
                tls,
            },
            admin: admin.map(|socket| Listener {
                socket,
                slots: slots("admin", limits.admin),
                tls: None,
            }),
        })
    }
}

fn slots(listener: &'static str, limit: u64) -> Slots {
    Slots::new(listener, usize::try_from(limit).unwrap_or(usize::MAX))
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    http::listen(address).map_err(|source| StartError::Listen { address, source })
}

/// Logs the bound address. If the configured port is 0, the operating system has chosen the
/// port.
pub(super) fn announce(listener: &Listener, message: &str) {
    if let Ok(address) = listener.socket.local_addr() {
        info!(%address, "{message}");
    }
}

/// The running admin listener. It stops last, so that `/metrics` can be read during shutdown.
pub(super) struct AdminServer {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl AdminServer {
    pub(super) fn start(listener: Listener, admin: Arc<Admin>, timeouts: Timeouts) -> Self {
        announce(
            &listener,
            "listening for operations (/healthz, /readyz, /metrics)",
        );
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, admin, timeouts, stop.clone()));
        Self { stop, task }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}
