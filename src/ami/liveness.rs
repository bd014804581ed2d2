//! Decides when to ping a silent link, and when to consider Asterisk dead. Does no IO and
//! never reads the clock.

use std::time::Duration;

use tokio::time::Instant;

/// Silence after which the session sends a Ping.
const IDLE_BEFORE_PING: Duration = Duration::from_secs(4);

/// Maximum time for Asterisk to answer a Ping. Together with [`IDLE_BEFORE_PING`], this
/// detects a dead peer within ten seconds.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum time for Asterisk to answer the Ping that the session sends after the wall
/// clock has jumped. The machine may have been suspended, and the link may have died long
/// ago.
const PING_TIMEOUT_AFTER_JUMP: Duration = Duration::from_secs(2);

/// The session's next step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Do nothing.
    Alive,
    /// Send a Ping, which Asterisk must answer within this time.
    Ping(Duration),
    /// End the session, because Asterisk did not answer.
    Dead,
}

/// Tracks when bytes last arrived, and whether a Ping is pending.
#[derive(Debug)]
pub(super) struct Liveness {
    last_received: Instant,
    pinged: bool,
    /// Number of wall-clock jumps at the last check.
    clock_jumps: u64,
    /// Set after a wall-clock jump. If no bytes arrive before this time, Asterisk is dead.
    dead_at: Option<Instant>,
}

impl Liveness {
    pub(super) fn new(now: Instant, clock_jumps: u64) -> Self {
        Self {
            last_received: now,
            pinged: false,
            clock_jumps,
            dead_at: None,
        }
    }

    /// Records that bytes have arrived. Any byte proves that Asterisk is alive, not only the
    /// response to a Ping.
    pub(super) fn received(&mut self, now: Instant) {
        self.last_received = now;
        self.pinged = false;
        self.dead_at = None;
    }

    /// Returns the session's next step. The session must call this regularly, with the number
    /// of unanswered actions and the total number of wall-clock jumps.
    pub(super) fn check(&mut self, now: Instant, in_flight: usize, clock_jumps: u64) -> Verdict {
        let mut ping = None;
        if clock_jumps != self.clock_jumps {
            self.clock_jumps = clock_jumps;
            // Asterisk executes actions one by one, and may be busy with an earlier
            // action.
            let timeout = match in_flight {
                0 => PING_TIMEOUT_AFTER_JUMP,
                _ => PING_TIMEOUT,
            };
            self.dead_at = Some(now + timeout);
            ping = Some(timeout);
        }
        let silent_too_long = now >= self.last_received + IDLE_BEFORE_PING + PING_TIMEOUT;
        if silent_too_long || self.dead_at.is_some_and(|dead_at| now >= dead_at) {
            return Verdict::Dead;
        }
        if ping.is_none() && !self.pinged && now >= self.last_received + IDLE_BEFORE_PING {
            ping = Some(PING_TIMEOUT);
        }
        match ping {
            Some(timeout) => {
                self.pinged = true;
                Verdict::Ping(timeout)
            }
            None => Verdict::Alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn silent_link_is_pinged_once_before_it_is_dead() {
        let start = Instant::now();
        let mut liveness = Liveness::new(start, 0);
        assert_eq!(liveness.check(start + 3 * SECOND, 0, 0), Verdict::Alive);
        let ping = Verdict::Ping(PING_TIMEOUT);
        assert_eq!(liveness.check(start + 4 * SECOND, 0, 0), ping);
        assert_eq!(liveness.check(start + 8 * SECOND, 1, 0), Verdict::Alive);
        assert_eq!(liveness.check(start + 9 * SECOND, 1, 0), Verdict::Dead);
    }

    #[test]
    fn bytes_prove_that_asterisk_is_alive() {
        let start = Instant::now();
        let mut liveness = Liveness::new(start, 0);
        let ping = Verdict::Ping(PING_TIMEOUT);
        assert_eq!(liveness.check(start + 4 * SECOND, 0, 0), ping);
        liveness.received(start + 8 * SECOND);
        assert_eq!(liveness.check(start + 11 * SECOND, 0, 0), Verdict::Alive);
        assert_eq!(liveness.check(start + 12 * SECOND, 0, 0), ping);
    }

    #[test]
    fn link_is_pinged_after_a_clock_jump_with_a_shorter_timeout_if_idle() {
        for (in_flight, timeout) in [(0, PING_TIMEOUT_AFTER_JUMP), (1, PING_TIMEOUT)] {
            let start = Instant::now();
            let mut liveness = Liveness::new(start, 0);
            let check = liveness.check(start + SECOND, in_flight, 1);
            assert_eq!(check, Verdict::Ping(timeout));
            let dead_at = start + SECOND + timeout;
            let before = dead_at - SECOND / 10;
            assert_eq!(liveness.check(before, in_flight + 1, 1), Verdict::Alive);
            assert_eq!(liveness.check(dead_at, in_flight + 1, 1), Verdict::Dead);
        }
    }
}
