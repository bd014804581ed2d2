//! Reloads the configuration while the daemon runs.

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
use crate::system_limits::{Demand, SystemLimits, shortages};
use crate::telemetry::LogLevel;

/// The configuration file, and the signal that reloads it.
#[derive(Debug)]
pub struct ReloadSource {
    /// The configuration file.
    pub path: PathBuf,
    /// Notified when the configuration must be reloaded.
    pub signal: Arc<Notify>,
    /// The log level, which a reload may change.
    pub log_level: LogLevel,
}

/// Applies the initial configuration and each reloaded configuration.
#[derive(Debug)]
pub(super) struct Reloader {
    route_builder: RouteBuilder,
    routes: Arc<RoutesSlot>,
    names: Arc<NameReview>,
    tls: Option<Tls>,
    /// The startup settings that a reload can't change.
    initial: RestartOnly,
}

impl Reloader {
    /// Applies the initial configuration.
    ///
    /// # Errors
    /// Returns a message if the operating system can't provide random bytes.
    pub(super) fn new(
        route_builder: RouteBuilder,
        settings: Settings,
        tls: Option<Tls>,
        initial: RestartOnly,
    ) -> Result<Self, String> {
        let routes = Arc::new(RoutesSlot::new(route_builder.build(settings)?));
        let names = Arc::new(NameReview::new(Arc::clone(&route_builder.pbxes)));
        names.configure(routes.api().directory().organizations());
        Ok(Self {
            route_builder,
            routes,
            names,
            tls,
            initial,
        })
    }

    pub(super) fn routes(&self) -> &Arc<RoutesSlot> {
        &self.routes
    }

    /// Starts reviewing the queue names, and starts reloading the configuration at each
    /// signal from `source`.
    pub(super) fn start(self, source: Option<ReloadSource>) {
        self.names.start(&self.routes, &self.route_builder.stop);
        if let Some(source) = source {
            tokio::spawn(self.reload_at_signals(source));
        }
    }

    /// Reloads the configuration at each signal, until shutdown.
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

    /// Applies the whole configuration.
    ///
    /// # Errors
    /// Returns a message with the reason. The old configuration then stays in use.
    fn apply(&self, mut settings: Settings, log_level: &LogLevel) -> Result<(), String> {
        self.check_pbxes(&settings)?;
        let after = RestartOnly::of(&settings);
        let demand = Demand::of(&settings);
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
        // Nothing below can fail.
        self.route_builder.lockout.set_policy(lockout);
        self.route_builder.token_lockout.set_policy(lockout);
        if let (Some(tls), Some(certificate)) = (&self.tls, certificate) {
            tls.replace(certificate);
        }
        self.routes.replace(routes);
        self.names
            .configure(self.routes.api().directory().organizations());
        // Closes these users' event streams. Other users' streams stay open.
        for user in changed_users {
            user.revoked.cancel();
        }
        warnings::warn_about_overlaps(&overlaps);
        warnings::warn_about_certificate(self.tls.as_ref());
        let system = SystemLimits::of_this_process();
        warnings::warn_about_system_limits(&shortages(&system, &demand));
        for key in self.initial.changed_keys(&after) {
            warn!("{key} has changed, but takes effect only after a restart");
        }
        Ok(())
    }

    /// Returns an error if an organization's PBX has no link. Links are created only at
    /// startup.
    fn check_pbxes(&self, settings: &Settings) -> Result<(), String> {
        for organization in settings.directory.organizations() {
            if !self.route_builder.pbxes.contains_key(&organization.pbx) {
                return Err(format!(
                    "organization {} is on pbx.{}, which was not configured at startup: \
                     restart to add it",
                    organization.name, organization.pbx
                ));
            }
        }
        Ok(())
    }
}
