//! Tickets for event streams: their requests, responses and uses.
//!
//! A refused ticket counts neither as a failed login nor toward a lockout. Nobody can guess a
//! ticket with 256 random bits, and a ticket names no account that could be locked out. A page
//! whose ticket has expired would only lock itself out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::errors::{ApiError, Code};
use super::form::{Form, TICKET};
use super::json::to_json;
use super::response::Response;
use crate::organizations::{Account, TICKET_LIFETIME, Tickets};
use crate::wall_clock;

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    request_id: &'a str,
    ticket: &'a str,
    expires_in_seconds: u64,
}

/// Issues a ticket and builds the response.
///
/// # Errors
/// Returns `overloaded` if the operating system can't provide random bytes.
pub(super) fn issue(
    tickets: &Tickets,
    account: &Arc<Account>,
    request_id: &str,
) -> Result<Response, ApiError> {
    let ticket = tickets.issue(account, Instant::now()).map_err(|_| {
        let message = "No ticket can be issued now.";
        ApiError::temporary(Code::Overloaded, Duration::from_secs(1), message)
    })?;
    Ok(Response::success(to_json(&Body {
        status: "success",
        request_id,
        ticket: &ticket,
        expires_in_seconds: TICKET_LIFETIME.as_secs(),
    })))
}

/// Returns the request's ticket, or `None` if the request has none.
///
/// # Errors
/// Returns `duplicate_parameter` if the request has both a ticket and credentials.
pub(super) fn from_request<'a>(
    form: &'a Form,
    authorization: Option<&str>,
) -> Result<Option<&'a str>, ApiError> {
    let Some(ticket) = form.get(TICKET) else {
        return Ok(None);
    };
    let parameters = ["username", "password"];
    if authorization.is_some() || parameters.iter().any(|name| form.get(name).is_some()) {
        let message = "The request has both a ticket and credentials.";
        let code = Code::DuplicateParameter;
        return Err(ApiError::parameter(code, TICKET, message));
    }
    Ok(Some(ticket))
}

/// Uses a ticket. It is used up even if a later check refuses the request.
///
/// # Errors
/// Returns `unauthorized` if the ticket is unknown, used or expired, or if its account has
/// changed or expired.
pub(super) fn take(tickets: &Tickets, ticket: &str) -> Result<Arc<Account>, ApiError> {
    let account = tickets.take(ticket, Instant::now());
    let account = account.filter(|account| !account.has_expired(wall_clock::unix_millis()));
    account.ok_or_else(|| ApiError::unauthorized_bearer("Unknown, used or expired ticket."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organizations::{Limits, Organization};

    #[test]
    fn ticket_of_an_expired_account_is_refused() {
        let organization = Organization::for_test(&["*"], "{queue}");
        let account = Account::for_test(organization, Limits::default());
        let tickets = Tickets::default();
        let now = wall_clock::unix_millis();
        for (expires_at, is_valid) in [(None, true), (Some(now + 60_000), true), (Some(now), false)]
        {
            let account = Account::clone(&account);
            let account = Arc::new(Account {
                expires_at,
                ..account
            });
            let ticket = tickets.issue(&account, Instant::now()).expect("a ticket");
            let taken = take(&tickets, &ticket);
            assert_eq!(taken.is_ok(), is_valid, "{expires_at:?}");
            if let Err(error) = taken {
                assert_eq!(error.code, Code::Unauthorized);
            }
        }
    }
}
