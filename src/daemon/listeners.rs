//! The API listener, and the admin listener for `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::descriptors::{self, ConnectionLimits};
use super::error::StartError;
use crate::config::Settings;
use crate::http::{self, Admin, Listener, Slots, Timeouts, Tls, serve};

pub(super) struct Listeners {
    pub(super) api: Listener,
    pub(super) admin: Option<Listener>,
}

impl Listeners {
    /// Binds both listeners. Limits their connections to the available file descriptors.
    pub(super) fn bind(settings: &Settings) -> Result<Self, StartError> {
        let limits = descriptors::divide(settings.http.max_connections, settings.pbxes.len());
        warn_if_backlog_is_short(limits);
        let api = bind(settings.http.listen)?;
        let tls = settings.http.tls.as_ref();
        let tls = tls.map(|(_, certificate)| Tls::new(Arc::clone(certificate)));
        let tls = tls.transpose().map_err(StartError::Tls)?;
        let admin = settings.admin.listen.map(bind).transpose()?;
        Ok(Self {
            api: Listener {
                socket: api,
                slots: Slots::new(limits.api),
                tls,
            },
            admin: admin.map(|socket| Listener {
                socket,
                slots: Slots::new(limits.admin),
                tls: None,
            }),
        })
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    http::listen(address).map_err(|source| StartError::Listen { address, source })
}

/// Warns if the kernel's backlog is shorter than the number of clients that may connect
/// simultaneously.
fn warn_if_backlog_is_short(limits: ConnectionLimits) {
    let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
    let limit = limit
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok());
    if let Some(limit) = limit
        && limit < limits.api
    {
        warn!(
            limit,
            "net.core.somaxconn is below http.max_connections: if more clients than this limit \
             connect simultaneously, some of them wait for seconds"
        );
    }
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
