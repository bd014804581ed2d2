//! The daemon: builds all parts from the configuration, runs them, and shuts them down in
//! order.

mod error;
mod links;
mod listeners;
mod name_review;
mod pause_audit;
mod reload;
mod restart_only;
mod route_builder;
mod state;
mod systemd;
mod warnings;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

pub use self::error::StartError;
use self::links::Links;
use self::listeners::{AdminServer, Listeners, announce};
pub use self::reload::ReloadSource;
use self::reload::Reloader;
use self::restart_only::RestartOnly;
use self::route_builder::RouteBuilder;
use crate::api::{RequestMetrics, StreamViews};
use crate::config::Settings;
use crate::http::{Admin, BridgeMetrics, Timeouts, serve};
use crate::organizations::Lockout;
use crate::queues::{EndedPause, PauseServices};
use crate::report::{self, RecorderTasks, Recorders};
use crate::storage::Storage;
use crate::telemetry::LogFlow;

const API_TIMEOUTS: Timeouts = Timeouts {
    first_request: Duration::from_secs(30),
    // Proxies keep an idle connection for 60 s. If the bridge closed the connection first, a
    // request that the proxy sends at that moment would be lost.
    idle: Duration::from_secs(75),
    drain: Duration::from_secs(8),
};

/// After the API has drained, how long to wait for requests whose clients have disconnected.
/// The sum of this timeout, both `drain` timeouts, the pause timer's `MAX_STOP_DELAY` and the
/// storage's `CLOSE_TIMEOUT` must stay below the systemd unit's `TimeoutStopSec=`.
const ABANDONED_REQUESTS_TIMEOUT: Duration = Duration::from_secs(2);

/// The admin listener drains last, when all other work is done.
const ADMIN_TIMEOUTS: Timeouts = Timeouts {
    drain: Duration::from_secs(1),
    ..API_TIMEOUTS
};

/// Runs the daemon until `stop` is canceled, then finishes running requests and logs off from
/// the PBXes. Each signal from `reload_source` reloads the configuration. A `storage` replaces the
/// one that the settings describe.
///
/// # Errors
/// Returns a [`StartError`] if the daemon can't start. Nothing keeps running after an error.
pub async fn run(
    settings: Settings,
    storage: Option<Storage>,
    stop: CancellationToken,
    reload_source: Option<ReloadSource>,
    log: LogFlow,
) -> Result<(), StartError> {
    let daemon = Daemon::build(settings, storage, stop, log)?;
    let running = daemon.serve(reload_source).await;
    running.drain().await;
    Ok(())
}

/// All parts of the daemon, built but not started.
struct Daemon {
    listeners: Listeners,
    links: Links,
    recorders: Recorders,
    storage: Storage,
    admin: Arc<Admin>,
    reloader: Reloader,
    running_requests: TaskTracker,
    ended_pauses: UnboundedReceiver<EndedPause>,
    log: LogFlow,
    stop: CancellationToken,
}

impl Daemon {
    /// Builds all parts. Only this step of the startup can fail.
    fn build(
        mut settings: Settings,
        storage: Option<Storage>,
        stop: CancellationToken,
        log: LogFlow,
    ) -> Result<Self, StartError> {
        let listeners = Listeners::bind(&settings)?;
        warnings::warn_about_overlaps(&settings.overlaps);
        let initial = RestartOnly::of(&settings);
        let pbxes = std::mem::take(&mut settings.pbxes);
        let storage = storage.map_or_else(|| state::open(&settings.state), Ok)?;
        let (ended, ended_pauses) = mpsc::unbounded_channel();
        let services = PauseServices {
            storage: storage.clone(),
            ended,
        };
        let links =
            Links::new(pbxes, settings.http.serve_stale, &services).map_err(StartError::Threads)?;
        let (recordings, recorders) = report::record(links.pbxes(), &storage);
        let request_metrics = Arc::new(RequestMetrics::default());
        let running_requests = TaskTracker::new();
        let route_builder = RouteBuilder {
            pbxes: Arc::clone(links.pbxes()),
            member_json: Arc::default(),
            stream_views: StreamViews::new(stop.clone()),
            lockout: Arc::new(Lockout::new(settings.lockout)),
            token_lockout: Arc::new(Lockout::new(settings.lockout)),
            tickets: Arc::default(),
            request_metrics: Arc::clone(&request_metrics),
            recordings: Arc::new(recordings),
            storage: storage.clone(),
            running_requests: running_requests.clone(),
            stop: stop.clone(),
        };
        let includes_queues = settings.admin.queue_metrics;
        let reloader = Reloader::new(route_builder, settings, listeners.api.tls.clone(), initial)
            .map_err(StartError::Random)?;
        let metrics = BridgeMetrics {
            pbxes: Arc::clone(links.pbxes()),
            requests: request_metrics,
            routes: Arc::clone(reloader.routes()),
            slots: listeners.api.slots.clone(),
            tls: listeners.api.tls.clone(),
            log: log.clone(),
            storage: storage.clone(),
            includes_queues,
        };
        Ok(Self {
            listeners,
            links,
            recorders,
            storage,
            admin: Arc::new(Admin::new(metrics, stop.clone())),
            reloader,
            running_requests,
            ended_pauses,
            log,
            stop,
        })
    }

    /// Starts all parts, and serves the API until `stop` is canceled. Returns the parts
    /// that are still running.
    async fn serve(mut self, reload_source: Option<ReloadSource>) -> RunningParts {
        let recorders = self.recorders.start();
        self.links.start();
        let routes = Arc::clone(self.reloader.routes());
        self.reloader.start(reload_source);
        pause_audit::start(self.ended_pauses, Arc::clone(&routes));
        let watchdog = tokio::spawn(self.links.watchdog().run());
        tokio::spawn(self.log.report_drops());
        let Listeners { api, admin } = self.listeners;
        let admin = admin.map(|listener| AdminServer::start(listener, self.admin, ADMIN_TIMEOUTS));
        announce(&api, "listening for API requests");
        systemd::ready().await;
        tokio::spawn(systemd::report_stop(self.stop.clone()));
        serve(api, routes, API_TIMEOUTS, self.stop).await;
        RunningParts {
            requests: self.running_requests,
            links: self.links,
            recorders,
            storage: self.storage,
            watchdog,
            admin,
        }
    }
}

/// The parts that are still running after the API listener has closed.
struct RunningParts {
    requests: TaskTracker,
    links: Links,
    recorders: RecorderTasks,
    storage: Storage,
    watchdog: JoinHandle<()>,
    admin: Option<AdminServer>,
}

impl RunningParts {
    /// Waits for the requests, then closes the links and the storage, then stops the admin
    /// listener.
    async fn drain(self) {
        // The links must stay up until the requests have received the replies to their actions.
        self.requests.close();
        let finished = timeout(ABANDONED_REQUESTS_TIMEOUT, self.requests.wait()).await;
        if finished.is_err() {
            warn!("requests are still running; their outcome is unknown");
        }
        // The watchdog would report the closed links as a failure.
        self.watchdog.abort();
        // The end of the links would begin a gap before the end of the day's work.
        self.recorders.stop().await;
        self.links.close().await;
        state::close(self.storage).await;
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
        info!("stopped");
    }
}
