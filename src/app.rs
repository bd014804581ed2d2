//! Puts everything together: an ordered start, and an ordered end.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::api::{Accounts, Api, Link};
use crate::config::Settings;
use crate::http::{Admin, CertificateFiles, Limits, Listener, Routes, Tls, serve};
use crate::organizations::{Lockout, Verifier};
use crate::queues::live::{LiveSettings, keep};

/// Why the daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The certificate can't be used.
    #[error("http.tls_certificate: {0}")]
    Tls(String),
    /// No random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(argon2::password_hash::Error),
}

/// For requests that run when the daemon is told to end.
const DRAIN: Duration = Duration::from_secs(8);

/// Behind that, for requests whose clients have gone.
const FOLLOW_UP: Duration = Duration::from_secs(2);

/// For the head of a request, and between two requests of a connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections of the listener for operations.
const ADMIN_CONNECTIONS: usize = 64;

/// Runs the daemon until `stop`, then finishes what is running, and logs off. At
/// each `reload` the certificate is read again.
///
/// # Errors
/// [`StartError`] where it can't start; nothing is left running then.
pub async fn run(
    settings: Settings,
    stop: CancellationToken,
    reload: Arc<Notify>,
) -> Result<(), StartError> {
    let verifier = Verifier::new().map_err(StartError::Random)?;
    let interface = listen(settings.http.listen).await?;
    let (files, tls) = match settings.http.tls {
        Some((files, certificate)) => {
            let tls = Tls::new(certificate).map_err(StartError::Tls)?;
            (Some(files), Some(tls))
        }
        None => (None, None),
    };
    let admin = match settings.admin.listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    tokio::spawn(follow_reloads(reload, files, tls.clone()));
    for overlap in &settings.overlaps {
        warn!(
            example = overlap.example,
            "{} and {} share by configuration", overlap.first, overlap.second
        );
    }

    let links_stop = CancellationToken::new();
    let supervisors = TaskTracker::new();
    let mut links = HashMap::new();
    for pbx in settings.pbxes {
        let live = LiveSettings {
            resync_interval: pbx.resync_interval,
            serve_stale: settings.http.serve_stale,
        };
        let name = pbx.link.name.clone();
        let (live, tasks) = keep(pbx.link, live, links_stop.clone());
        supervisors.spawn(tasks);
        let link = Link {
            live,
            action_timeout: pbx.action_timeout,
        };
        links.insert(name, link);
    }
    let accounts = Accounts {
        directory: settings.directory,
        verifier,
        lockout: Lockout::new(settings.lockout),
    };
    let api = Arc::new(Api::new(
        accounts,
        links,
        settings.http.reject_unknown_parameters,
    ));

    let running = TaskTracker::new();
    let routes = Arc::new(Routes {
        api: Arc::clone(&api),
        path: settings.http.path,
        cors_origins: settings.http.cors_origins,
        trusted_proxies: settings.http.trusted_proxies,
        running: running.clone(),
        stop: stop.clone(),
    });
    let limits = Limits {
        max_connections: settings.http.max_connections,
        header_timeout: HEADER_TIMEOUT,
        drain: DRAIN,
    };
    let admin_stop = CancellationToken::new();
    let admin_server = admin.map(|listener| {
        announce(&listener, "listening for operations (/healthz, /readyz)");
        let limits = Limits {
            max_connections: ADMIN_CONNECTIONS,
            ..limits
        };
        let admin = Arc::new(Admin {
            api,
            stop: stop.clone(),
        });
        let listener = Listener {
            socket: listener,
            tls: None,
        };
        tokio::spawn(serve(listener, admin, limits, admin_stop.clone()))
    });
    announce(&interface, "listening for panels");
    let interface = Listener {
        socket: interface,
        tls,
    };
    serve(interface, routes, limits, stop).await;

    // What was sent is followed to its end before the links are closed.
    running.close();
    if timeout(FOLLOW_UP, running.wait()).await.is_err() {
        warn!("requests are still running; their outcome is unknown");
    }
    links_stop.cancel();
    supervisors.close();
    supervisors.wait().await;
    admin_stop.cancel();
    if let Some(server) = admin_server {
        let _ = server.await;
    }
    info!("stopped");
    Ok(())
}

/// Ends with the runtime.
async fn follow_reloads(reload: Arc<Notify>, files: Option<CertificateFiles>, tls: Option<Tls>) {
    loop {
        reload.notified().await;
        if let (Some(files), Some(tls)) = (&files, &tls) {
            match files.load() {
                Ok(certificate) => {
                    tls.replace(certificate);
                    info!("the certificate was read again");
                }
                Err(error) => error!(error, "the certificate stays as it was"),
            }
        }
        warn!("the configuration is read at the start only: restart to change it");
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Listen { address, source })
}

/// Tells the address as it is: the system chooses where port 0 was asked for.
fn announce(listener: &TcpListener, message: &str) {
    if let Ok(address) = listener.local_addr() {
        info!(%address, "{message}");
    }
}
