//! Accounts and their permissions.

use std::collections::HashSet;
use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use super::organization::Organization;
use super::password::StoredPassword;
use super::token::TokenHash;
use crate::queues::mirror::CachedNames;
use crate::wall_clock;

/// How often an account's expiry is compared with the wall clock again. After a jump of the clock,
/// event streams end at most this much too late.
const MAX_EXPIRY_SLEEP: Duration = Duration::from_secs(15);

/// A user or a program that can log in for an organization.
///
/// This type decides which of the organization's agents and queues a request may use. Agents and
/// queues outside of the account's [`Limits`] do not exist for it.
#[derive(Debug, Clone)]
pub struct Account {
    /// The username, which is unique across all organizations, or `token:` and a token's name,
    /// which is unique in its organization.
    pub name: String,
    /// The organization that the account belongs to.
    pub organization: Arc<Organization>,
    /// The secret that authenticates the account.
    pub secret: AccountSecret,
    /// When the account expires, in Unix milliseconds; `None` for never.
    pub expires_at: Option<i64>,
    /// Allowed actions in lower case; `None` allows all.
    pub actions: Option<HashSet<String>>,
    /// Networks from which the account may be used; empty allows all.
    pub allow_from: Vec<IpNet>,
    /// The agents and queues that the account may use.
    pub limits: Limits,
    /// Canceled when a reload removes or changes the account.
    pub revoked: CancellationToken,
    /// The names of its queues on the PBX.
    pub queue_names: Arc<CachedNames>,
    /// Distinguishes the account from all others, also from its own earlier versions.
    pub version: AccountVersion,
}

/// A number that no other account of this process has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountVersion(u64);

impl AccountVersion {
    fn next() -> Self {
        static LATEST: AtomicU64 = AtomicU64::new(0);
        Self(LATEST.fetch_add(1, Ordering::Relaxed))
    }
}

/// The secret that authenticates an account, as the configuration stores it.
#[derive(Debug, Clone)]
pub enum AccountSecret {
    /// A user's password.
    Password(StoredPassword),
    /// A program's token.
    Token(TokenHash),
}

impl AccountSecret {
    /// Returns true if both accept the same secret.
    fn has_same_value(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Password(password), Self::Password(other)) => password.has_same_value(other),
            (Self::Token(hash), Self::Token(other)) => hash == other,
            (Self::Password(_), Self::Token(_)) | (Self::Token(_), Self::Password(_)) => false,
        }
    }
}

impl Account {
    /// Creates an account that may do everything in its organization.
    #[must_use]
    pub fn new(name: String, organization: Arc<Organization>, secret: AccountSecret) -> Self {
        Self {
            name,
            organization,
            secret,
            expires_at: None,
            actions: None,
            allow_from: Vec::new(),
            limits: Limits::default(),
            revoked: CancellationToken::new(),
            queue_names: Arc::default(),
            version: AccountVersion::next(),
        }
    }

    /// Returns true if the account allows `action` (in lower case).
    #[must_use]
    pub fn allows_action(&self, action: &str) -> bool {
        let actions = self.actions.as_ref();
        actions.is_none_or(|actions| actions.contains(action))
    }

    /// Returns true if the account has expired at `now`, in Unix milliseconds.
    #[must_use]
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Waits until the account expires, or a reload removes or changes it.
    pub async fn ended(&self) {
        tokio::select! {
            () = self.revoked.cancelled() => {}
            () = self.expired() => {}
        }
    }

    async fn expired(&self) {
        let Some(expires_at) = self.expires_at else {
            return pending().await;
        };
        loop {
            let remaining = expires_at.saturating_sub(wall_clock::unix_millis());
            let Ok(remaining @ 1..) = u64::try_from(remaining) else {
                return;
            };
            // The wall clock may be set, or the machine suspended, during the sleep.
            sleep(Duration::from_millis(remaining).min(MAX_EXPIRY_SLEEP)).await;
        }
    }

    /// Returns true if the account may be used from this address.
    #[must_use]
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow_from.is_empty() || self.allow_from.iter().any(|net| net.contains(&address))
    }

    /// Returns true if the phone number belongs to an agent that the account may use.
    #[must_use]
    pub fn has_agent(&self, number: &str) -> bool {
        self.organization.has_agent(number) && self.limits.allows_agent(number)
    }

    /// Returns the agent for requests that name none, if the account is limited to one agent.
    #[must_use]
    pub fn own_agent(&self) -> Option<&str> {
        self.limits.only_agent()
    }

    /// Returns true if reads of queues show a member with this interface.
    #[must_use]
    pub fn sees_member(&self, interface: &str) -> bool {
        if !self.limits.hides_others() {
            return true;
        }
        let number = self.organization.agent_number(interface);
        number.is_some_and(|number| self.limits.allows_agent(number))
    }

    /// Returns the queue number in its configured spelling, or `None` if the account may not use
    /// the queue.
    #[must_use]
    pub fn canonical_number(&self, number: &str) -> Option<String> {
        let number = self.organization.canonical_number(number)?;
        self.limits.allows_queue(&number).then_some(number)
    }

    /// Returns the queue number for a queue's name on the PBX, or `None` if the account may not
    /// use the queue.
    #[must_use]
    pub fn queue_number(&self, name: &str) -> Option<String> {
        let number = self.organization.queue_number(name)?;
        self.limits.allows_queue(&number).then_some(number)
    }

    /// Returns all queue numbers that the account may use. Returns `None` if the numbers depend
    /// on the PBX's queues.
    #[must_use]
    pub fn exact_numbers(&self) -> Option<Vec<&str>> {
        let mut numbers = self.organization.exact_numbers()?;
        numbers.retain(|number| self.limits.allows_queue(number));
        Some(numbers)
    }

    /// Returns true if both accounts have the same name, organization, secret, expiry and
    /// permissions.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        self.name == other.name
            && self.organization == other.organization
            && self.secret.has_same_value(&other.secret)
            && self.expires_at == other.expires_at
            && self.actions == other.actions
            && self.allow_from == other.allow_from
            && self.limits == other.limits
    }
}

#[cfg(test)]
impl Account {
    /// Creates a user with these limits.
    pub(crate) fn for_test(organization: Organization, limits: Limits) -> Arc<Self> {
        let password = StoredPassword::Digest(super::password::PasswordDigest::of("password"));
        let secret = AccountSecret::Password(password);
        let account = Self::new("dana".to_owned(), Arc::new(organization), secret);
        Arc::new(Self { limits, ..account })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// Tokio's paused clock jumps to the end of each sleep, but the wall clock does not. The
    /// account therefore sees sleeps that end too early for its wall clock.
    #[tokio::test(start_paused = true)]
    async fn account_ends_by_the_wall_clock_or_when_it_is_revoked() {
        let organization = Organization::for_test(&["*"], "{queue}");
        let account = |expires_at| Account {
            expires_at,
            ..Account::clone(&Account::for_test(organization.clone(), Limits::default()))
        };
        let now = wall_clock::unix_millis();
        let a_day = Duration::from_secs(24 * 60 * 60);
        for distant in [None, Some(now + 3_600_000), Some(i64::MAX)] {
            let account = account(distant);
            assert!(!account.has_expired(now));
            assert!(timeout(a_day, account.ended()).await.is_err());
            account.revoked.cancel();
            account.ended().await;
        }
        for past in [now, now - 1, 0, i64::MIN] {
            assert!(account(Some(past)).has_expired(now));
            account(Some(past)).ended().await;
        }
        let soon = now + 50;
        account(Some(soon)).ended().await;
        assert!(wall_clock::unix_millis() >= soon);
    }
}
