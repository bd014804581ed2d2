//! Who may do what: lockout and credentials, then the user's actions and
//! networks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::errors::{ApiError, Code};
use super::form::Credentials;
use super::request_metrics::RequestMetrics;
use crate::organizations::{Directory, Lockout, TooManyLogins, User, Verifier};

/// The users, and what is remembered of their logins.
#[derive(Debug)]
pub struct Accounts {
    /// All organizations and their users.
    pub directory: Directory,
    /// Checks passwords.
    pub verifier: Verifier,
    /// Counts failures; outlives a change of the configuration.
    pub lockout: Arc<Lockout>,
    /// Counts requests.
    pub requests: Arc<RequestMetrics>,
}

impl Accounts {
    /// The user whom the request claims to be, for the log. The password is not checked.
    pub(super) fn claimed_user(&self, credentials: &Credentials) -> Option<Arc<User>> {
        self.directory.user(&credentials.username).cloned()
    }

    /// The user, where the password is right and the action allowed.
    pub(super) async fn authorize(
        &self,
        credentials: &Credentials,
        action: &str,
        address: IpAddr,
    ) -> Result<Arc<User>, ApiError> {
        let user = self.authenticate(credentials, address).await?;
        if !user.may(action, address) {
            let message = "This user may not do that, or not from this address.";
            return Err(ApiError::new(Code::Forbidden, message));
        }
        Ok(user)
    }

    async fn authenticate(
        &self,
        credentials: &Credentials,
        address: IpAddr,
    ) -> Result<Arc<User>, ApiError> {
        let Credentials { username, password } = credentials;
        let user = self.directory.user(username);
        self.not_locked_out(username, address)?;
        // A panel that polls pays for its password once.
        if let Some(user) = user
            && !self.lockout.is_checking(username, address)
            && self.verifier.has_verified(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let _permit = self.lockout.acquire(username, address).await;
        self.not_locked_out(username, address)?;
        if let Some(user) = user
            && self.verifier.has_verified(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let stored = user.map(|user| &user.password);
        let verified = self.verifier.verify(username, password, stored).await;
        let verified = verified.map_err(|TooManyLogins| {
            let message = "Too many logins are being checked. Nothing was sent.";
            ApiError::retry(Code::Overloaded, Duration::from_secs(1), message)
        })?;
        if verified && let Some(user) = user {
            return Ok(Arc::clone(user));
        }
        let now = std::time::Instant::now();
        self.requests.failed_logins.inc();
        let locks_out = self.lockout.record_failure(username, address, now);
        let user = user.map(|user| &*user.username);
        // The text is what packaging/fail2ban looks for: the address stands in it,
        // since the journal keeps fields apart.
        warn!(target: "ami_bridge::auth", user, "login refused from {address}");
        if locks_out {
            self.requests.lockouts.inc();
            warn!(target: "ami_bridge::auth", user, "locked out: too many failures from {address}");
        }
        Err(ApiError::unauthorized())
    }

    fn not_locked_out(&self, username: &str, address: IpAddr) -> Result<(), ApiError> {
        let now = std::time::Instant::now();
        match self.lockout.remaining(username, address, now) {
            Some(remaining) => {
                let message = "Too many failed attempts. Try again later.";
                Err(ApiError::retry(Code::TooManyAttempts, remaining, message))
            }
            None => Ok(()),
        }
    }
}
