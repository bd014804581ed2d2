//! Authenticates users and tokens, limits failed logins, and checks permissions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::credentials::Credentials;
use super::errors::{ApiError, Code};
use super::request_metrics::RequestMetrics;
use crate::organizations::{
    Account, AccountSecret, Directory, Lockout, Tickets, TokenHash, TooManyLogins, Verifier,
};
use crate::wall_clock;

/// The accounts, and everything needed to check their logins.
#[derive(Debug)]
pub struct Accounts {
    /// All organizations and their accounts.
    pub directory: Directory,
    /// Verifies passwords, and remembers those that it has verified.
    pub verifier: Verifier,
    /// Counts failed logins of users. A reload of the configuration preserves the counts.
    pub lockout: Arc<Lockout>,
    /// Counts failed logins with tokens. Separate from the users' table, because a client could
    /// otherwise evict its own entry there with thousands of made-up tokens, each of which takes
    /// only a SHA-256.
    pub token_lockout: Arc<Lockout>,
    /// The tickets for event streams. A reload of the configuration preserves them.
    pub tickets: Arc<Tickets>,
    /// Counts failed logins and lockouts for `/metrics`.
    pub metrics: Arc<RequestMetrics>,
}

impl Accounts {
    /// Returns the account that the credentials belong to, for the log. Checks neither the password
    /// nor the expiry.
    pub(super) fn claimed_account(&self, credentials: &Credentials) -> Option<Arc<Account>> {
        let account = match credentials {
            Credentials::Password { username, .. } => self.directory.user(username),
            Credentials::Token(token) => self.directory.token(&TokenHash::of(token)),
        };
        account.cloned()
    }

    /// Authenticates the account and checks that it has the permission, if one is needed, and may
    /// be used from this address.
    ///
    /// # Errors
    /// - `unauthorized` if the user is unknown or the password is wrong, or if the token is
    ///   unknown or has expired.
    /// - `too_many_attempts` if the user or the token is locked out from this address.
    /// - `overloaded` if too many passwords are waiting to be verified.
    /// - `forbidden` if the account does not have the permission, or may not be used from this
    ///   address.
    pub(super) async fn authorize(
        &self,
        credentials: &Credentials,
        permission: Option<&str>,
        address: IpAddr,
    ) -> Result<Arc<Account>, ApiError> {
        let account = match credentials {
            Credentials::Password { username, password } => {
                self.check_password(username, password, address).await?
            }
            Credentials::Token(token) => self.check_token(token, address)?,
        };
        check_rights(&account, permission, address)?;
        Ok(account)
    }

    async fn check_password(
        &self,
        username: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<Arc<Account>, ApiError> {
        let user = self.directory.user(username);
        check_lockout(&self.lockout, username, address)?;
        // A polling panel skips the slow password hash after its first request.
        if let Some(user) = user
            && !self.lockout.is_checking(username, address)
            && self.verifier.has_verified(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let _permit = self.lockout.acquire(username, address).await;
        check_lockout(&self.lockout, username, address)?;
        if let Some(user) = user
            && self.verifier.has_verified(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let stored = user.and_then(|user| match &user.secret {
            AccountSecret::Password(password) => Some(password),
            AccountSecret::Token(_) => None,
        });
        let verified = self.verifier.verify(username, password, stored).await;
        let verified = verified.map_err(|TooManyLogins| {
            let message = "Too many logins are being verified. Nothing was sent.";
            ApiError::temporary(Code::Overloaded, Duration::from_secs(1), message)
        })?;
        if verified && let Some(user) = user {
            return Ok(Arc::clone(user));
        }
        self.record_failure(&self.lockout, username, user, address);
        Err(ApiError::unauthorized())
    }

    /// Unknown and expired tokens are refused after the same work, so in the same time.
    fn check_token(&self, token: &str, address: IpAddr) -> Result<Arc<Account>, ApiError> {
        let hash = TokenHash::of(token);
        // The lockout counts by hash, so that the token itself is stored nowhere.
        let lockout_name = hash.to_string();
        check_lockout(&self.token_lockout, &lockout_name, address)?;
        let account = self.directory.token(&hash);
        let now = wall_clock::unix_millis();
        match account.filter(|account| !account.has_expired(now)) {
            Some(account) => Ok(Arc::clone(account)),
            None => {
                self.record_failure(&self.token_lockout, &lockout_name, account, address);
                Err(ApiError::unauthorized_bearer("Unknown or expired token."))
            }
        }
    }

    /// Counts and logs a failed login. `name` is the username, or the token's hash.
    fn record_failure(
        &self,
        lockout: &Lockout,
        name: &str,
        account: Option<&Arc<Account>>,
        address: IpAddr,
    ) {
        let now = std::time::Instant::now();
        self.metrics.failed_logins.inc();
        let is_locked_out = lockout.record_failure(name, address, now);
        let user = account.map(|account| &*account.name);
        // The filter in packaging/fail2ban matches this text. The address is part of the text,
        // because the journal stores the fields separately.
        warn!(target: "ami_bridge::auth", user, "login refused from {address}");
        if is_locked_out {
            self.metrics.lockouts.inc();
            warn!(target: "ami_bridge::auth", user, "locked out: too many failures from {address}");
        }
    }
}

fn check_lockout(lockout: &Lockout, name: &str, address: IpAddr) -> Result<(), ApiError> {
    match lockout.remaining(name, address, std::time::Instant::now()) {
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

/// Checks that the account has the permission, if one is needed, and may be used from this
/// address.
///
/// # Errors
/// Returns `forbidden`.
pub(super) fn check_rights(
    account: &Account,
    permission: Option<&str>,
    address: IpAddr,
) -> Result<(), ApiError> {
    let is_permitted = permission.is_none_or(|action| account.allows_action(action));
    if is_permitted && account.allows_address(address) {
        return Ok(());
    }
    let message = "This user may not do this action, or not from this address.";
    Err(ApiError::new(Code::Forbidden, message))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::organizations::LockoutPolicy;

    #[tokio::test]
    async fn made_up_tokens_do_not_end_the_lockout_of_a_user() {
        let lockout = || {
            Arc::new(Lockout::new(LockoutPolicy {
                attempts: 1,
                window: Duration::from_secs(3600),
                duration: Duration::from_secs(3600),
            }))
        };
        let accounts = Accounts {
            directory: Directory::default(),
            verifier: Verifier::new().expect("random bytes"),
            lockout: lockout(),
            token_lockout: lockout(),
            tickets: Arc::default(),
            metrics: Arc::default(),
        };
        let password = || Credentials::Password {
            username: "dana".to_owned(),
            password: Zeroizing::new("guess".to_owned()),
        };
        let code_for = async |credentials| {
            let address = IpAddr::from([192, 0, 2, 1]);
            let authorized = accounts.authorize(&credentials, None, address).await;
            authorized.expect_err("a refusal").code
        };
        assert_eq!(code_for(password()).await, Code::Unauthorized);
        // More tokens than a table has entries.
        for number in 0..11_000 {
            let token = Zeroizing::new(format!("amib_{number}"));
            let code = code_for(Credentials::Token(token)).await;
            assert_eq!(code, Code::Unauthorized);
        }
        assert_eq!(code_for(password()).await, Code::TooManyAttempts);
    }
}
