//! Puts everything together: an ordered start, and an ordered end.

mod descriptors;
mod name_review;
pub mod reload;
mod systemd;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::api::RequestMetrics;
use crate::config::Settings;
use crate::daemon::name_review::NameReview;
use crate::daemon::reload::{Kept, Reloader, Source, tell_certificate, tell_overlaps};
use crate::daemon::systemd::{Core, feed_watchdog};
use crate::http::{self, Admin, Limits, Listener, RoutesSlot, Slots, Tls, serve};
use crate::organizations::Lockout;
use crate::queues::Pbxes;
use crate::queues::mirror::{PbxSettings, keep};
use crate::telemetry::LogFlow;

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
    /// No threads.
    #[error("can't start a thread: {0}")]
    Threads(io::Error),
    /// No random bytes.
    #[error("{0}")]
    Random(String),
}

/// For requests that run when the daemon is told to end.
const DRAIN: Duration = Duration::from_secs(8);

/// Behind that, for requests whose clients have gone.
const FOLLOW_UP: Duration = Duration::from_secs(2);

/// For the first request of a connection.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two requests of a connection. Proxies keep theirs for 60 s, and whoever closes
/// first loses no request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// For its requests, when all others are over: with those above, it must stay below
/// systemd's patience (`TimeoutStopSec=` of the unit).
const ADMIN_DRAIN: Duration = Duration::from_secs(1);

/// Runs the daemon until `stop`, then finishes what is running, and logs off. The
/// configuration is read again at each signal of its source, where there is one. `log`
/// says how the log flows.
///
/// # Errors
/// [`StartError`] where it can't start; nothing is left running then.
pub async fn run(
    mut settings: Settings,
    stop: CancellationToken,
    source: Option<Source>,
    log: LogFlow,
) -> Result<(), StartError> {
    let max_connections = settings.http.max_connections;
    let budget = descriptors::share_out(max_connections, settings.pbxes.len());
    let interface = listen(settings.http.listen)?;
    let tls = settings.http.tls.as_ref();
    let tls = tls.map(|(_, certificate)| Tls::new(Arc::clone(certificate)));
    let tls = tls.transpose().map_err(StartError::Tls)?;
    let admin = match settings.admin.listen {
        Some(address) => Some(listen(address)?),
        None => None,
    };
    tell_overlaps(&settings.overlaps);
    tell_certificate(tls.as_ref());

    let link_runtime = LinkRuntime::start().map_err(StartError::Threads)?;
    let fixed = settings.fixed();
    let slots = Slots::new(budget.clients);
    warn_of_short_backlog(budget.clients);
    let links_stop = CancellationToken::new();
    let supervisors = TaskTracker::new();
    let mut pbxes = Pbxes::new();
    let mut keeping = Vec::new();
    for pbx in std::mem::take(&mut settings.pbxes) {
        let live = PbxSettings {
            resync_interval: pbx.resync_interval,
            serve_stale: settings.http.serve_stale,
            action_timeout: pbx.action_timeout,
        };
        let name = pbx.link.name.clone();
        let (handle, tasks) = keep(pbx.link, live, links_stop.clone());
        keeping.push(tasks);
        pbxes.insert(name, handle);
    }
    let pbxes = Arc::new(pbxes);
    let running = TaskTracker::new();
    let requests = Arc::new(RequestMetrics::default());
    let queue_metrics = settings.admin.queue_metrics;
    let kept = Kept {
        pbxes: Arc::clone(&pbxes),
        lockout: Arc::new(Lockout::new(settings.lockout)),
        requests: Arc::clone(&requests),
        running: running.clone(),
        stop: stop.clone(),
    };
    let routes = kept.routes(settings).map_err(StartError::Random)?;
    let current = Arc::new(RoutesSlot::new(routes));
    let names = Arc::new(NameReview::new(Arc::clone(&pbxes)));
    names.configure(current.api().directory().organizations());
    // From here on, nothing can fail.
    for tasks in keeping {
        supervisors.spawn_on(tasks, link_runtime.handle());
    }
    for pbx in pbxes.keys() {
        let (names, stop) = (Arc::clone(&names), stop.clone());
        let review = names.follow(pbx.clone(), Arc::clone(&current));
        tokio::spawn(stop.run_until_cancelled_owned(review));
    }
    if let Some(source) = source {
        let reloader = Reloader {
            kept,
            names,
            current: Arc::clone(&current),
            tls: tls.clone(),
            fixed,
        };
        tokio::spawn(reloader.follow(source));
    }
    let watchdog = tokio::spawn(feed_watchdog(Core {
        pbxes: Arc::clone(&pbxes),
        supervisors: supervisors.clone(),
        link_runtime: link_runtime.handle().clone(),
    }));
    tokio::spawn(log.clone().report_drops());
    let limits = Limits {
        first_request: FIRST_REQUEST_TIMEOUT,
        idle: IDLE_TIMEOUT,
        drain: DRAIN,
    };
    let admin_stop = CancellationToken::new();
    let admin_server = admin.map(|listener| {
        announce(
            &listener,
            "listening for operations (/healthz, /readyz, /metrics)",
        );
        let limits = Limits {
            drain: ADMIN_DRAIN,
            ..limits
        };
        let admin = Arc::new(Admin {
            pbxes,
            requests,
            slots: slots.clone(),
            tls: tls.clone(),
            log: log.clone(),
            queue_metrics,
            stop: stop.clone(),
        });
        let listener = Listener {
            socket: listener,
            slots: Slots::new(budget.operations),
            tls: None,
        };
        tokio::spawn(serve(listener, admin, limits, admin_stop.clone()))
    });
    announce(&interface, "listening for panels");
    let interface = Listener {
        socket: interface,
        slots,
        tls,
    };
    systemd::ready().await;
    let stopped = stop.clone();
    tokio::spawn(async move {
        stopped.cancelled().await;
        systemd::stopping().await;
    });
    serve(interface, current, limits, stop).await;

    // What was sent is followed to its end before the links are closed.
    running.close();
    if timeout(FOLLOW_UP, running.wait()).await.is_err() {
        warn!("requests are still running; their outcome is unknown");
    }
    // From here on the links may end.
    watchdog.abort();
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

/// The thread that reads what PBXes say. It has nothing else to do: however many clients
/// connect, shake hands and log in at once, Asterisk never waits for it to read.
#[derive(Debug)]
struct LinkRuntime(Option<Runtime>);

impl LinkRuntime {
    fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("ami").enable_all();
        runtime.build().map(Some).map(Self)
    }

    fn handle(&self) -> &Handle {
        match &self.0 {
            Some(runtime) => runtime.handle(),
            None => unreachable!("it is taken at the end only"),
        }
    }
}

impl Drop for LinkRuntime {
    fn drop(&mut self) {
        // A name that is being looked up can't be called back.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    http::listen(address).map_err(|source| StartError::Listen { address, source })
}

/// Warns if the system lets fewer connections wait than may come at once.
fn warn_of_short_backlog(connections: usize) {
    let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
    let limit = limit
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok());
    if let Some(limit) = limit
        && limit < connections
    {
        warn!(
            limit,
            "net.core.somaxconn is below http.max_connections: of more panels that connect \
             at once, some wait for seconds"
        );
    }
}

/// Tells the address as it is: the system chooses where port 0 was asked for.
fn announce(listener: &TcpListener, message: &str) {
    if let Ok(address) = listener.local_addr() {
        info!(%address, "{message}");
    }
}
