//! Tickets: each opens one event stream, for clients that can't set request headers.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::account::{Account, AccountVersion};

/// How long a ticket can be used.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);

/// Random bytes in a ticket.
const RANDOM_BYTES: usize = 32;

/// The number of an account's latest tickets that can be used. A page uses its ticket within a
/// second or so, and even if all pages of a call center share one account and reconnect at the
/// same moment, their number is limited by `http.max_connections` (4096 by default). The tickets
/// of one account take at most 2 MB.
///
/// Older tickets stop working. If the bridge refused new tickets instead, one client that never
/// uses its tickets would lock out all others of its account.
const MAX_TICKETS: usize = 10_000;

/// The tickets of all accounts. A reload of the configuration preserves them.
#[derive(Default)]
pub struct Tickets(Mutex<IssuedTickets>);

/// Only a digest of each ticket is stored, so the time of a lookup reveals nothing about a ticket.
type TicketDigest = [u8; 32];

#[derive(Default)]
struct IssuedTickets {
    /// The unused tickets.
    unused: HashMap<TicketDigest, UnusedTicket>,
    /// Each account's tickets, oldest first, including those that were used since the last
    /// cleanup.
    by_account: HashMap<AccountVersion, VecDeque<TicketDigest>>,
    cleaned_up_at: Option<Instant>,
}

struct UnusedTicket {
    account: Arc<Account>,
    expires_at: Instant,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

impl Tickets {
    /// Issues a ticket for an account. The ticket has 43 characters, which need no
    /// percent-encoding.
    ///
    /// # Errors
    /// Returns an error if the operating system can't provide random bytes.
    pub fn issue(
        &self,
        account: &Arc<Account>,
        now: Instant,
    ) -> Result<Zeroizing<String>, getrandom::Error> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        getrandom::fill(random.as_mut())?;
        let ticket = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(random.as_slice()));
        self.issued().add(digest(&ticket), account, now);
        Ok(ticket)
    }

    /// Uses a ticket: returns its account, and forgets the ticket. Returns `None` if the ticket
    /// is unknown, used or expired, or if the account has changed since the ticket was issued.
    #[must_use]
    pub fn take(&self, ticket: &str, now: Instant) -> Option<Arc<Account>> {
        let ticket = self.issued().unused.remove(&digest(ticket))?;
        ticket.is_valid(now).then_some(ticket.account)
    }

    fn issued(&self) -> MutexGuard<'_, IssuedTickets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IssuedTickets {
    fn add(&mut self, digest: TicketDigest, account: &Arc<Account>, now: Instant) {
        let is_due = |last| now.saturating_duration_since(last) >= TICKET_LIFETIME;
        if self.cleaned_up_at.is_none_or(is_due) {
            self.clean_up(now);
        }
        let ticket = UnusedTicket {
            account: Arc::clone(account),
            expires_at: now + TICKET_LIFETIME,
        };
        self.unused.insert(digest, ticket);
        let tickets = self.by_account.entry(account.version).or_default();
        tickets.push_back(digest);
        if tickets.len() > MAX_TICKETS
            && let Some(oldest) = tickets.pop_front()
        {
            self.unused.remove(&oldest);
        }
    }

    /// Forgets all tickets that can't be used. Runs at most once in [`TICKET_LIFETIME`], so that
    /// its cost for each ticket is constant.
    fn clean_up(&mut self, now: Instant) {
        let Self {
            unused, by_account, ..
        } = self;
        unused.retain(|_, ticket| ticket.is_valid(now));
        by_account.retain(|_, tickets| {
            tickets.retain(|digest| unused.contains_key(digest));
            tickets.shrink_to_fit();
            !tickets.is_empty()
        });
        unused.shrink_to_fit();
        self.cleaned_up_at = Some(now);
    }
}

impl UnusedTicket {
    fn is_valid(&self, now: Instant) -> bool {
        now < self.expires_at && !self.account.revoked.is_cancelled()
    }
}

fn digest(ticket: &str) -> TicketDigest {
    Sha256::digest(ticket).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organizations::{Limits, Organization};

    fn account() -> Arc<Account> {
        let organization = Organization::for_test(&["*"], "{queue}");
        Account::for_test(organization, Limits::default())
    }

    fn issue(tickets: &Tickets, account: &Arc<Account>, now: Instant) -> Zeroizing<String> {
        tickets.issue(account, now).expect("random bytes")
    }

    #[test]
    fn ticket_works_once_and_only_for_its_account() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let accounts = [account(), account()];
        let issued = accounts.each_ref().map(|it| issue(&tickets, it, now));
        assert_eq!(issued[0].len(), 43);
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(issued[0].bytes().all(is_unreserved), "{:?}", issued[0]);
        for (ticket, account) in issued.iter().zip(&accounts) {
            let owner = tickets.take(ticket, now).expect("an unused ticket");
            assert!(Arc::ptr_eq(&owner, account));
            assert!(tickets.take(ticket, now).is_none());
        }
        for unknown in ["", "x", &"A".repeat(43)] {
            assert!(tickets.take(unknown, now).is_none(), "{unknown}");
        }
    }

    #[test]
    fn ticket_expires_after_its_lifetime() {
        let (tickets, account, now) = (Tickets::default(), account(), Instant::now());
        let early = issue(&tickets, &account, now);
        let late = issue(&tickets, &account, now);
        let end = now + TICKET_LIFETIME;
        assert!(
            tickets
                .take(&early, end - Duration::from_nanos(1))
                .is_some()
        );
        assert!(tickets.take(&late, end).is_none());
    }

    #[test]
    fn ticket_of_a_revoked_account_does_not_work() {
        let (tickets, account, now) = (Tickets::default(), account(), Instant::now());
        let ticket = issue(&tickets, &account, now);
        account.revoked.cancel();
        assert!(tickets.take(&ticket, now).is_none());
    }

    #[test]
    fn parallel_uses_of_a_ticket_have_one_winner() {
        let (tickets, account, now) = (Tickets::default(), account(), Instant::now());
        for _ in 0..100 {
            let ticket = issue(&tickets, &account, now);
            let take = || usize::from(tickets.take(&ticket, now).is_some());
            let winners: usize = std::thread::scope(|scope| {
                let uses = [(); 4].map(|()| scope.spawn(take));
                uses.map(|using| using.join().expect("a result"))
                    .iter()
                    .sum()
            });
            assert_eq!(winners, 1);
        }
    }

    #[test]
    fn only_the_latest_tickets_of_an_account_work() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let [busy, other] = [account(), account()];
        let of_other = issue(&tickets, &other, now);
        let issued: Vec<_> = (0..=MAX_TICKETS)
            .map(|_| issue(&tickets, &busy, now))
            .collect();
        assert_eq!(tickets.issued().unused.len(), MAX_TICKETS + 1);
        assert!(tickets.take(&issued[0], now).is_none());
        for ticket in &issued[1..] {
            assert!(tickets.take(ticket, now).is_some());
        }
        assert!(tickets.take(&of_other, now).is_some());
    }

    #[test]
    fn unusable_tickets_are_forgotten() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let [removed, current] = [account(), account()];
        for _ in 0..10 {
            issue(&tickets, &current, now);
        }
        for _ in 0..10 {
            let late = now + TICKET_LIFETIME - Duration::from_secs(1);
            issue(&tickets, &removed, late);
        }
        removed.revoked.cancel();
        let latest = issue(&tickets, &current, now + TICKET_LIFETIME);
        let issued = tickets.issued();
        assert_eq!(issued.unused.len(), 1);
        assert!(issued.unused.contains_key(&digest(&latest)));
        assert_eq!(issued.by_account.len(), 1);
        assert_eq!(issued.by_account[&current.version].len(), 1);
    }

    #[test]
    fn debug_output_contains_no_ticket() {
        let (tickets, account) = (Tickets::default(), account());
        issue(&tickets, &account, Instant::now());
        assert_eq!(format!("{tickets:?}"), "Tickets { .. }");
    }
}
