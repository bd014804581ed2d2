//! Checks kinds of values that several tables use. Each error message describes a valid value.

use std::net::SocketAddr;
use std::time::Duration;

const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses a duration of at most a day, such as `500ms`, `5s` or `1m`.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    // jiff accepts white space around the duration.
    let parsed = parsed.filter(|_| text.trim() == text);
    let duration = parsed.and_then(|d| Duration::try_from(d).ok());
    duration
        .filter(|duration| !duration.is_zero() && *duration <= MAX_DURATION)
        .ok_or(
            "must be a duration greater than 0 and at most 24h, such as \"500ms\", \"5s\" or \
             \"1m\"",
        )
}

/// Parses a duration in whole seconds, from 0 to `max_hours` hours.
pub(super) fn whole_seconds(text: &str, max_hours: u64) -> Option<u64> {
    let parsed = text.parse::<jiff::SignedDuration>().ok()?;
    let duration = Duration::try_from(parsed).ok()?;
    let seconds = duration.as_secs();
    // jiff accepts white space around the duration.
    let is_valid = text.trim() == text && duration.subsec_nanos() == 0;
    (is_valid && seconds <= max_hours * 60 * 60).then_some(seconds)
}

pub(super) fn count(value: u64) -> Result<usize, &'static str> {
    let is_allowed = (1..=1_000_000).contains(&value);
    is_allowed
        .then_some(value as usize)
        .ok_or("must be a number from 1 to 1000000")
}

pub(super) fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "must be address:port, such as \"127.0.0.1:8088\" or \"[::1]:8088\"")
}

/// Checks the NAME in `[pbx.NAME]` or `[organization.NAME]`, or the name of a token.
pub(crate) fn table_name(name: &str) -> Result<(), &'static str> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_allowed) {
        return Err("the name must consist of 1 to 64 letters, digits, _ or -");
    }
    Ok(())
}
