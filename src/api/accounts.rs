//! Authenticates users, limits failed logins, and checks permissions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::credentials::Credentials;
use super::errors::{ApiError, Code};
use super::request_metrics::RequestMetrics;
use crate::organizations::{Account, AccountSecret, Directory, Lockout, TooManyLogins, Verifier};

/// The users, and everything needed to check their logins.
#[derive(Debug)]
pub struct Accounts {
    /// All organizations and their users.
    pub directory: Directory,
    /// Verifies passwords, and remembers those that it has verified.
    pub verifier: Verifier,
    /// Counts failed logins. A reload of the configuration preserves the counts.
    pub lockout: Arc<Lockout>,
    /// Counts failed logins and lockouts for `/metrics`.
    pub metrics: Arc<RequestMetrics>,
}

impl Accounts {
    /// The user with the given user name, for the log. Does not check the password.
    pub(super) fn claimed_user(&self, credentials: &Credentials) -> Option<Arc<Account>> {
        self.directory.user(&credentials.username).cloned()
    }

    /// Authenticates the user and checks that the user has the permission, if one is needed, and
    /// may log in from this address.
    ///
    /// # Errors
    /// - `unauthorized` if the user is unknown or the password is wrong.
    /// - `too_many_attempts` if the user is locked out from this address.
    /// - `overloaded` if too many passwords are waiting to be verified.
    /// - `forbidden` if the user does not have the permission, or may not log in from this
    ///   address.
    pub(super) async fn authorize(
        &self,
        credentials: &Credentials,
        permission: Option<&str>,
        address: IpAddr,
    ) -> Result<Arc<Account>, ApiError> {
        let user = self.authenticate(credentials, address).await?;
        let is_permitted = permission.is_none_or(|action| user.allows_action(action));
        if !is_permitted || !user.allows_address(address) {
            let message = "This user may not do this action, or not from this address.";
            return Err(ApiError::new(Code::Forbidden, message));
        }
        Ok(user)
    }

    async fn authenticate(
        &self,
        credentials: &Credentials,
        address: IpAddr,
    ) -> Result<Arc<Account>, ApiError> {
        let Credentials { username, password } = credentials;
        let user = self.directory.user(username);
        self.check_lockout(username, address)?;
        // A polling panel skips the slow password hash after its first request.
        if let Some(user) = user
            && !self.lockout.is_checking(username, address)
            && self.verifier.has_verified(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let _permit = self.lockout.acquire(username, address).await;
        self.check_lockout(username, address)?;
        if let Some(user) = user
            && self.verifier.has_verified(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let stored = user.map(|user| match &user.secret {
            AccountSecret::Password(password) => password,
        });
        let verified = self.verifier.verify(username, password, stored).await;
        let verified = verified.map_err(|TooManyLogins| {
            let message = "Too many logins are being verified. Nothing was sent.";
            ApiError::temporary(Code::Overloaded, Duration::from_secs(1), message)
        })?;
        if verified && let Some(user) = user {
            return Ok(Arc::clone(user));
        }
        let now = std::time::Instant::now();
        self.metrics.failed_logins.inc();
        let is_locked_out = self.lockout.record_failure(username, address, now);
        let user = user.map(|user| &*user.name);
        // The filter in packaging/fail2ban matches this text. The address is part of the text,
        // because the journal stores the fields separately.
        warn!(target: "ami_bridge::auth", user, "login refused from {address}");
        if is_locked_out {
            self.metrics.lockouts.inc();
            warn!(target: "ami_bridge::auth", user, "locked out: too many failures from {address}");
        }
        Err(ApiError::unauthorized())
    }

    fn check_lockout(&self, username: &str, address: IpAddr) -> Result<(), ApiError> {
        let now = std::time::Instant::now();
        match self.lockout.remaining(username, address, now) {
            Some(remaining) => {
                let message = "Too many failed logins. Try again later.";
                Err(ApiError::temporary(
                    Code::TooManyAttempts,
                    remaining,
                    message,
                ))
            }
            None => Ok(()),
        }
    }
}
