//! Applies a configuration that is read again while the daemon runs.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tracing::{error, info, warn};

use super::name_review::NameReview;
use super::restart_only::RestartOnly;
use super::route_builder::RouteBuilder;
use super::{systemd, warnings};
use crate::config::{self, Settings};
use crate::http::{RoutesSlot, Tls};
use crate::telemetry::LogLevel;

/// The configuration file, and the signal to read it again.
#[derive(Debug)]
pub struct ReloadSource {
    /// The configuration file.
    pub path: PathBuf,
    /// Notified at each request for a reload.
    pub signal: Arc<Notify>,
    /// The log level, which a reload may change.
    pub log_level: LogLevel,
}

/// Applies configurations: the first one, and those that are read while the daemon runs.
#[derive(Debug)]
pub(super) struct Reloader {
    route_builder: RouteBuilder,
    routes: Arc<RoutesSlot>,
    names: Arc<NameReview>,
    tls: Option<Tls>,
    /// The settings that a reload can't apply, as they were at the start.
    at_start: RestartOnly,
}

impl Reloader {
    /// Applies the first configuration.
    ///
    /// # Errors
    /// A message if the operating system has no random bytes.
    pub(super) fn new(
        route_builder: RouteBuilder,
        settings: Settings,
        tls: Option<Tls>,
        at_start: RestartOnly,
    ) -> Result<Self, String> {
        let routes = Arc::new(RoutesSlot::new(route_builder.build(settings)?));
        let names = Arc::new(NameReview::new(Arc::clone(&route_builder.pbxes)));
        names.configure(routes.api().directory().organizations());
        Ok(Self {
            route_builder,
            routes,
            names,
            tls,
            at_start,
        })
    }

    pub(super) fn routes(&self) -> &Arc<RoutesSlot> {
        &self.routes
    }

    /// Starts to review queue names, and to reload at the signals of `source`.
    pub(super) fn start(self, source: Option<ReloadSource>) {
        self.names.start(&self.routes, &self.route_builder.stop);
        if let Some(source) = source {
            tokio::spawn(self.reload_at_signals(source));
        }
    }

    /// Reads the configuration again at each signal, until shutdown.
    async fn reload_at_signals(self, source: ReloadSource) {
        let stop = self.route_builder.stop.clone();
        while stop
            .run_until_cancelled(source.signal.notified())
            .await
            .is_some()
        {
            systemd::reloading().await;
            let path = source.path.clone();
            let loaded = spawn_blocking(move || config::load(&path)).await;
            let applied = match loaded {
                Ok(Ok(settings)) => self.apply(settings, &source.log_level),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match applied {
                Ok(()) => info!("configuration reloaded"),
                Err(error) => error!(error, "reload failed; the old configuration stays in use"),
            }
            // After STOPPING=1, systemd must not receive READY=1.
            if !stop.is_cancelled() {
                systemd::ready().await;
            }
        }
    }

    /// Applies all of the configuration, or nothing and returns the reason.
    fn apply(&self, mut settings: Settings, log_level: &LogLevel) -> Result<(), String> {
        self.check_pbxes(&settings)?;
        let after = RestartOnly::of(&settings);
        let tls = settings.http.tls.as_ref();
        let certificate = tls.map(|(_, certificate)| Arc::clone(certificate));
        let (filter, lockout) = (settings.log.level.clone(), settings.lockout);
        let overlaps = settings.overlaps.clone();
        let old_api = self.routes.api();
        let changed_users = settings.directory.reuse_unchanged(old_api.directory());
        let routes = self.route_builder.build(settings)?;
        log_level
            .set(&filter)
            .map_err(|error| format!("log.level: {error}"))?;
        // From here on, nothing can fail.
        self.route_builder.lockout.set_policy(lockout);
        if let (Some(tls), Some(certificate)) = (&self.tls, certificate) {
            tls.replace(certificate);
        }
        self.routes.replace(routes);
        self.names
            .configure(self.routes.api().directory().organizations());
        // Ends the event streams of these users; all others continue.
        for user in changed_users {
            user.revoked.cancel();
        }
        warnings::overlaps(&overlaps);
        warnings::certificate(self.tls.as_ref());
        for key in self.at_start.changed_keys(&after) {
            warn!("{key} has changed, but takes effect only after a restart");
        }
        Ok(())
    }

    /// Refuses an organization whose PBX has no link. Links are created only at the start.
    fn check_pbxes(&self, settings: &Settings) -> Result<(), String> {
        for organization in settings.directory.organizations() {
            if !self.route_builder.pbxes.contains_key(&organization.pbx) {
                return Err(format!(
                    "organization {} is on pbx.{}, which was not configured at the start: \
                     restart to add it",
                    organization.name, organization.pbx
                ));
            }
        }
        Ok(())
    }
}
