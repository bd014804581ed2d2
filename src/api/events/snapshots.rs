//! Requests for snapshots, and the latest snapshot. Does no IO and never reads the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::frame::Frame;
use crate::api::errors::ApiError;

/// How long a snapshot is used. Its callers' waiting times grow as time passes.
const MAX_AGE: Duration = Duration::from_secs(1);

/// A rendered snapshot.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The number of the latest change that the snapshot includes.
    pub(super) change: u64,
    /// Whether the link is down, so that the snapshot may be outdated.
    pub(super) stale: bool,
    /// The error for a client that has named a queue that the PBX does not have.
    pub(super) missing: Option<ApiError>,
    pub(super) frame: Frame,
}

/// The streams' requests for snapshots, and the latest snapshot.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    latest: Option<(Arc<Snapshot>, Instant)>,
    /// The number of a change that the next snapshot must include. `None` if no stream needs one.
    requested: Option<u64>,
    /// The earliest time for the next attempt, after a failed one.
    retry_at: Option<Instant>,
    failures: u64,
    last_failure: Option<ApiError>,
}

impl Snapshots {
    /// Returns the latest snapshot if it includes the change and is still current. Otherwise,
    /// requests one. It is rendered immediately if `is_urgent` is set, and otherwise after the
    /// delay that follows a failed attempt.
    pub(super) fn get(
        &mut self,
        change: u64,
        is_urgent: bool,
        now: Instant,
    ) -> Option<Arc<Snapshot>> {
        if let Some((snapshot, at)) = &self.latest
            && snapshot.change >= change
            && now.saturating_duration_since(*at) < MAX_AGE
        {
            return Some(Arc::clone(snapshot));
        }
        self.requested = Some(self.requested.unwrap_or(0).max(change));
        if is_urgent {
            self.retry_at = None;
        }
        None
    }

    /// Returns when to render a snapshot, or `None` if no stream needs one.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.requested.map(|_| self.retry_at.unwrap_or(now))
    }

    /// Provides a snapshot to the streams.
    pub(super) fn publish(&mut self, snapshot: Snapshot, now: Instant) {
        self.requested = self.requested.filter(|change| *change > snapshot.change);
        self.retry_at = None;
        self.latest = Some((Arc::new(snapshot), now));
    }

    /// Records a failed attempt.
    pub(super) fn fail(&mut self, error: ApiError, retry_at: Instant) {
        self.failures += 1;
        self.last_failure = Some(error);
        self.retry_at = Some(retry_at);
    }

    /// Returns the number of failed attempts, and the last one's error.
    pub(super) fn failures(&self) -> (u64, Option<&ApiError>) {
        (self.failures, self.last_failure.as_ref())
    }

    /// Returns when to forget the latest snapshot.
    pub(super) fn expires_at(&self) -> Option<Instant> {
        self.latest.as_ref().map(|(_, at)| *at + MAX_AGE)
    }

    /// Forgets the latest snapshot, which no stream will use any more.
    pub(super) fn forget(&mut self) {
        self.latest = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::errors::Code;

    fn snapshot(change: u64) -> Snapshot {
        Snapshot {
            change,
            stale: false,
            missing: None,
            frame: Frame::heartbeat(),
        }
    }

    #[test]
    fn streams_share_a_snapshot_while_it_is_current() {
        let now = Instant::now();
        let mut snapshots = Snapshots::default();
        assert_eq!(snapshots.due(now), None);
        assert!(snapshots.get(7, true, now).is_none());
        assert_eq!(snapshots.due(now), Some(now));
        snapshots.publish(snapshot(6), now);
        // The snapshot does not include the requested change.
        assert_eq!(snapshots.due(now), Some(now));
        snapshots.publish(snapshot(8), now);
        assert_eq!(snapshots.due(now), None);
        let get = |snapshots: &mut Snapshots, change, at| {
            snapshots
                .get(change, true, at)
                .map(|snapshot| snapshot.change)
        };
        assert_eq!(get(&mut snapshots, 7, now), Some(8));
        assert_eq!(get(&mut snapshots, 8, now), Some(8));
        assert_eq!(get(&mut snapshots, 9, now), None);
        assert_eq!(get(&mut snapshots, 8, now + MAX_AGE), None);
    }

    #[test]
    fn urgent_request_does_not_wait_for_the_retry_delay() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut snapshots = Snapshots::default();
        assert!(snapshots.get(1, true, now).is_none());
        let error = ApiError::new(Code::PbxUnavailable, "down");
        snapshots.fail(error.clone(), later);
        assert_eq!(snapshots.failures(), (1, Some(&error)));
        assert!(snapshots.get(1, false, now).is_none());
        assert_eq!(snapshots.due(now), Some(later));
        assert!(snapshots.get(1, true, now).is_none());
        assert_eq!(snapshots.due(now), Some(now));
    }
}
