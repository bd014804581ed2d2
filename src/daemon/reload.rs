//! Takes over a configuration that was read again, while the daemon runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::api::{Accounts, Api, RequestMetrics};
use crate::certificate;
use crate::config::{self, Settings, changed};
use crate::daemon::name_review::NameReview;
use crate::daemon::systemd;
use crate::http::{Panel, Routes, RoutesSlot, Tls};
use crate::organizations::{Lockout, Overlap, Verifier};
use crate::queues::Pbxes;
use crate::telemetry::Level;

/// Where the configuration is read again, and what is told to do so.
#[derive(Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Notified at each request to read it again.
    pub signal: Arc<Notify>,
    /// What is logged.
    pub level: Level,
}

/// Tells which organizations share, as they are configured to.
pub(crate) fn tell_overlaps(overlaps: &[Overlap]) {
    for overlap in overlaps {
        warn!(
            example = overlap.example,
            "{} and {} share by configuration", overlap.first, overlap.second
        );
    }
}

/// Warns where the interface's certificate is not valid, or not for long.
pub(crate) fn tell_certificate(tls: Option<&Tls>) {
    if let Some(tls) = tls {
        certificate::tell(tls.certificate().as_deref());
    }
}

/// What outlives a change of the configuration.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) pbxes: Arc<Pbxes>,
    pub(crate) lockout: Arc<Lockout>,
    pub(crate) requests: Arc<RequestMetrics>,
    pub(crate) running: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Kept {
    /// The routes by that configuration. Passwords are verified anew: those that
    /// were remembered may be others now.
    pub(crate) fn routes(&self, settings: Settings) -> Result<Routes, String> {
        let verifier = Verifier::new();
        let verifier = verifier.map_err(|error| format!("no random bytes: {error}"))?;
        let accounts = Accounts {
            directory: settings.directory,
            verifier,
            lockout: Arc::clone(&self.lockout),
            requests: Arc::clone(&self.requests),
        };
        let http = settings.http;
        let pbxes = Arc::clone(&self.pbxes);
        Ok(Routes {
            api: Arc::new(Api::new(accounts, pbxes, http.reject_unknown_parameters)),
            panel: http.panel.then(|| Panel::new(&http.path)),
            path: http.path,
            cors_origins: http.cors_origins,
            trusted_proxies: http.trusted_proxies,
            running: self.running.clone(),
            stop: self.stop.clone(),
        })
    }
}

/// What a change of the configuration reaches.
#[derive(Debug)]
pub(crate) struct Reloader {
    pub(crate) kept: Kept,
    pub(crate) names: Arc<NameReview>,
    pub(crate) current: Arc<RoutesSlot>,
    pub(crate) tls: Option<Tls>,
    /// What can't be changed, as it was at the start.
    pub(crate) fixed: BTreeMap<String, String>,
}

impl Reloader {
    /// Reads the configuration again at each signal, until the daemon is to end:
    /// systemd is not told that it is ready behind that it stops.
    pub(crate) async fn follow(self, source: Source) {
        let stop = self.kept.stop.clone();
        while stop
            .run_until_cancelled(source.signal.notified())
            .await
            .is_some()
        {
            systemd::reloading().await;
            let path = source.path.clone();
            let loaded = spawn_blocking(move || config::load(&path)).await;
            let taken = match loaded {
                Ok(Ok(settings)) => self.take(settings, &source.level),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match taken {
                Ok(()) => info!("the configuration was read again"),
                Err(error) => error!(error, "the configuration stays as it was"),
            }
            if !stop.is_cancelled() {
                systemd::ready().await;
            }
        }
    }

    /// All of it, or nothing.
    fn take(&self, mut settings: Settings, level: &Level) -> Result<(), String> {
        for organization in settings.directory.organizations() {
            if !self.kept.pbxes.contains_key(&organization.pbx) {
                return Err(format!(
                    "organization {} is on pbx.{}, which was not there at the start: restart \
                     to add it",
                    organization.name, organization.pbx
                ));
            }
        }
        let fixed = settings.fixed();
        let certificate = settings
            .http
            .tls
            .as_ref()
            .map(|(_, certificate)| Arc::clone(certificate));
        let (log, lockout) = (settings.log.level.clone(), settings.lockout);
        let overlaps = settings.overlaps.clone();
        let before = self.current.api();
        let withdrawn = settings.directory.take_over(before.directory());
        let routes = self.kept.routes(settings)?;
        level
            .set(&log)
            .map_err(|error| format!("log.level: {error}"))?;
        self.kept.lockout.set_policy(lockout);
        if let (Some(tls), Some(certificate)) = (&self.tls, certificate) {
            tls.replace(certificate);
        }
        self.current.replace(routes);
        self.names
            .configure(self.current.api().directory().organizations());
        // Their event streams end, and those of no others.
        for user in withdrawn {
            user.withdrawn.cancel();
        }
        tell_overlaps(&overlaps);
        tell_certificate(self.tls.as_ref());
        for key in changed(&self.fixed, &fixed) {
            warn!("{key} has changed, and takes effect at the next start");
        }
        Ok(())
    }
}
