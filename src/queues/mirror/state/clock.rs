//! Measures the offset between Asterisk's clock and the bridge's clock.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::now::Now;
use crate::ami::{Message, Reply};

/// The largest clock offset, in seconds, that causes no warning.
pub const TOLERATED_OFFSET: f64 = 2.0;

/// A `Ping` that takes longer than this is too imprecise for a measurement.
const MAX_PING_DURATION: Duration = Duration::from_secs(2);

/// Returns the offset of Asterisk's clock in seconds, positive if Asterisk's clock is ahead.
/// `ping` is the reply to a `Ping`, `took` is the round-trip time, and `wall` is the time since
/// the Unix epoch at which the reply was received. The calculation assumes that Asterisk took the
/// reply's `Timestamp` halfway through the round trip. Returns `None` if the reply has no valid
/// `Timestamp`.
#[must_use]
pub fn clock_offset(ping: &Message, took: Duration, wall: Duration) -> Option<f64> {
    let timestamp: f64 = ping.text("Timestamp")?.parse().ok()?;
    Some(timestamp - wall.saturating_sub(took / 2).as_secs_f64())
}

/// Asterisk's clock, measured with `Ping`.
#[derive(Debug, Default)]
pub(super) struct PbxClock {
    /// Seconds by which Asterisk's clock is ahead; `None` before the first measurement.
    offset: Option<f64>,
    measured_at: Option<Instant>,
    /// The bridge's monotonic clock and wall clock when they were last compared.
    bridge_clocks: Option<(Instant, Duration)>,
    /// Seconds by which the bridge's wall clock has stepped since the last measurement.
    bridge_clock_step: f64,
    /// The last logged offset; 0 if the offset was tolerable.
    logged: f64,
}

impl PbxClock {
    /// Measures the offset from the reply to a `Ping`. Returns the number of seconds by which the
    /// bridge's clock was set forward since the last measurement (negative if it was set back).
    /// Returns 0 if the PBX's clock was set by the same amount.
    pub(super) fn measure(&mut self, ping: &Reply, now: Now) -> i64 {
        let took = now.at - ping.sent_at;
        // Update the time even if the reply is unusable: a retry would be no better.
        self.measured_at = Some(now.at);
        let offset = clock_offset(&ping.response, took, now.wall);
        let Some(offset) = offset.filter(|_| took <= MAX_PING_DURATION || self.offset.is_none())
        else {
            return 0;
        };
        let change = self
            .offset
            .replace(offset)
            .map_or(0.0, |before| offset - before);
        self.log(offset);
        let step = std::mem::take(&mut self.bridge_clock_step);
        if step == 0.0 || (step + change).abs() > TOLERATED_OFFSET {
            return 0;
        }
        step.round() as i64
    }

    fn log(&mut self, offset: f64) {
        if offset.abs() <= TOLERATED_OFFSET {
            if self.logged != 0.0 {
                info!("the PBX's clock agrees with this machine's clock again");
            }
            self.logged = 0.0;
        } else if (offset - self.logged).abs() > TOLERATED_OFFSET {
            self.logged = offset;
            warn!(
                offset_seconds = (offset * 10.0).round() / 10.0,
                "the PBX's clock differs from this machine's; times are converted, but both \
                 machines should use NTP"
            );
        }
    }

    /// Checks whether the bridge's wall clock has jumped. If it has, the offset must be measured
    /// again, because only a new measurement shows whether the clock was set or the machine was
    /// suspended.
    pub(super) fn check_bridge_clock(&mut self, now: Now) {
        let (at, wall) = self
            .bridge_clocks
            .replace((now.at, now.wall))
            .unwrap_or((now.at, now.wall));
        let expected = wall + now.at.saturating_duration_since(at);
        let step = now.wall.as_secs_f64() - expected.as_secs_f64();
        if step.abs() > TOLERATED_OFFSET {
            self.bridge_clock_step += step;
            self.measured_at = None;
        }
    }

    /// Returns the number of seconds by which Asterisk's clock is ahead.
    pub(super) fn offset(&self) -> Option<f64> {
        self.offset
    }

    /// Returns the offset in whole seconds, because Asterisk reports times in whole seconds.
    pub(super) fn offset_seconds(&self) -> i64 {
        self.offset.map_or(0, |offset| offset.round() as i64)
    }

    /// Returns the current second as Asterisk would report it, converted to the bridge's clock.
    pub(super) fn second(&self, now: Now) -> i64 {
        let offset = self.offset.unwrap_or_default();
        (now.wall.as_secs_f64() + offset).floor() as i64 - self.offset_seconds()
    }

    /// Returns whether the last measurement is older than `age`.
    pub(super) fn is_older_than(&self, age: Duration, now: Instant) -> bool {
        self.measured_at
            .is_none_or(|measured_at| measured_at + age <= now)
    }

    /// Marks the last measurement as outdated, because an event has shown that Asterisk's clock
    /// was set.
    pub(super) fn invalidate(&mut self) {
        self.measured_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ping(timestamp: &str, took: Duration, now: Now) -> Reply {
        let response = format!("Response: Success\r\nTimestamp: {timestamp}\r\n");
        Reply {
            response: Message::parse(response.into_bytes().into()),
            rows: Vec::new(),
            is_complete: true,
            sent_at: now.at - took,
        }
    }

    #[test]
    fn offset_is_measured_half_way_through_the_round_trip() {
        let mut clock = PbxClock::default();
        let now = Now {
            at: Instant::now() + Duration::from_secs(10),
            wall: Duration::from_secs(1_800_000_000),
        };
        let ping = |timestamp, took| ping(timestamp, took, now);
        clock.measure(&ping("garbage", Duration::ZERO), now);
        assert_eq!(clock.offset(), None);
        clock.measure(&ping("1800000119.500000", Duration::from_secs(1)), now);
        assert_eq!(clock.offset(), Some(120.0));
        // This reply is too slow, so the earlier measurement stays.
        clock.measure(&ping("1800000000.0", Duration::from_secs(3)), now);
        assert_eq!(clock.offset_seconds(), 120);
        clock.measure(&ping("1799999999.700000", Duration::ZERO), now);
        assert_eq!(clock.offset_seconds(), 0);
    }

    #[test]
    fn set_clock_is_distinguished_from_suspended_machine() {
        let start = Now {
            at: Instant::now(),
            wall: Duration::from_secs(1_800_000_000),
        };
        // The bridge's clock jumps by an hour. The PBX's clock either runs on or also jumps.
        for (pbx, shift) in [(0.0, 3600), (3600.0, 0)] {
            let mut clock = PbxClock::default();
            let mut step_at = |seconds: u64, bridge: f64, pbx: f64| {
                let now = Now {
                    at: start.at + Duration::from_secs(seconds),
                    wall: start.wall + Duration::from_secs_f64(bridge),
                };
                clock.check_bridge_clock(now);
                let pbx = start.wall.as_secs_f64() + pbx;
                clock.measure(&ping(&format!("{pbx:.6}"), Duration::ZERO, now), now)
            };
            assert_eq!(step_at(0, 0.0, 0.0), 0);
            assert_eq!(step_at(10, 11.5, 10.0), 0);
            assert_eq!(step_at(20, 3621.5, 20.0 + pbx), shift);
            assert_eq!(step_at(30, 3631.5, 30.0 + pbx), 0);
        }
    }
}
