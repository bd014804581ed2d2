//! Builds the routes from a configuration, at startup and at each reload.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{Accounts, Api, MemberJsonCache, RequestMetrics, StreamViews};
use crate::config::Settings;
use crate::http::{Pages, Routes};
use crate::organizations::{Lockout, Tickets, Verifier};
use crate::queues::Pbxes;
use crate::report::Recordings;
use crate::storage::Storage;

/// Builds routes. All routes that it builds share its fields, so the state in these fields
/// survives a reload.
#[derive(Debug)]
pub(super) struct RouteBuilder {
    pub(super) pbxes: Arc<Pbxes>,
    pub(super) member_json: Arc<MemberJsonCache>,
    pub(super) stream_views: Arc<StreamViews>,
    pub(super) lockout: Arc<Lockout>,
    pub(super) token_lockout: Arc<Lockout>,
    pub(super) tickets: Arc<Tickets>,
    pub(super) request_metrics: Arc<RequestMetrics>,
    pub(super) recordings: Arc<Recordings>,
    pub(super) storage: Storage,
    pub(super) running_requests: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl RouteBuilder {
    /// Builds routes with a new password verifier, because the old one caches passwords that
    /// may have changed.
    ///
    /// # Errors
    /// Returns a message if the operating system can't provide random bytes.
    pub(super) fn build(&self, settings: Settings) -> Result<Routes, String> {
        let verifier = Verifier::new();
        let verifier = verifier.map_err(|error| format!("can't get random bytes: {error}"))?;
        let accounts = Accounts {
            directory: settings.directory,
            verifier,
            lockout: Arc::clone(&self.lockout),
            token_lockout: Arc::clone(&self.token_lockout),
            tickets: Arc::clone(&self.tickets),
            metrics: Arc::clone(&self.request_metrics),
        };
        self.storage.set_keep(settings.state.keep);
        let http = settings.http;
        let api = Api::new(
            accounts,
            Arc::clone(&self.pbxes),
            Arc::clone(&self.member_json),
            Arc::clone(&self.stream_views),
            Arc::clone(&self.recordings),
            http.reject_unknown_parameters,
        );
        Ok(Routes {
            api: Arc::new(api),
            pages: http.panel.then(|| Pages::new(&http.path)),
            path: http.path,
            cors_origins: http.cors_origins,
            trusted_proxies: http.trusted_proxies,
            running_requests: self.running_requests.clone(),
        })
    }
}
