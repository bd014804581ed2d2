//! A pause with an end, while it is being sent.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::pbx::Pbx;
use super::request_origin::RequestOrigin;
use super::state::{MemberKey, SentOutcome};
use crate::ami::Failure;
use crate::queues::error::QueueError;
use crate::storage::{StorageUnavailable, StoredPause};
use crate::wall_clock;

/// How long a pause without an end waits for the disk.
const MAX_UNTIMED_DELAY: Duration = Duration::from_millis(500);

/// A pause whose end is stored, until the outcome of the pause is known. If it is dropped
/// before that, the outcome counts as unknown.
#[derive(Debug)]
pub(super) struct Promise<'a> {
    pbx: &'a Pbx,
    key: MemberKey,
    stored: StoredPause,
    /// `None` until the pause is about to be sent.
    outcome: Option<SentOutcome>,
}

/// A pause to be promised.
#[derive(Clone, Copy)]
pub(super) struct NewPromise<'a> {
    pub(super) origin: &'a RequestOrigin<'a>,
    pub(super) key: &'a MemberKey,
    /// The queue's name on the PBX.
    pub(super) queue: &'a str,
    pub(super) interface: &'a str,
    pub(super) reason: Option<&'a str>,
    /// In Unix milliseconds. `None` for a pause without an end.
    pub(super) ends_at: Option<i64>,
}

impl Pbx {
    /// Stores the end of a pause before the pause is sent. A pause without an end is stored only
    /// if it may replace a pause with an end, and is sent even if it can't be stored. Returns
    /// `None` if there is nothing to store.
    ///
    /// # Errors
    /// [`QueueError::StorageUnavailable`] if the end can't be stored.
    pub(super) async fn promise(
        &self,
        promise: NewPromise<'_>,
    ) -> Result<Option<Promise<'_>>, QueueError> {
        if promise.ends_at.is_none() && !self.has_timed_pause(promise.key) {
            return Ok(None);
        }
        let origin = promise.origin;
        let stored = StoredPause {
            id: fastrand::u64(..),
            pbx: self.name.clone(),
            organization: origin.organization.to_owned(),
            queue: promise.queue.to_owned(),
            interface: promise.interface.to_owned(),
            reason: promise.reason.map(str::to_owned),
            sent_at: wall_clock::unix_millis(),
            ends_at: promise.ends_at,
            last_pause: None,
            user: origin.user.to_owned(),
            request_id: origin.request_id.to_owned(),
        };
        self.insert(&stored, origin.deadline).await?;
        Ok(Some(Promise {
            pbx: self,
            key: promise.key.clone(),
            stored,
            outcome: None,
        }))
    }

    /// Stores a pause. A pause without an end does not wait long for the disk, and ignores
    /// errors.
    async fn insert(&self, stored: &StoredPause, deadline: Instant) -> Result<(), QueueError> {
        let insert = self.store.storage.insert(vec![stored.clone()]);
        if stored.ends_at.is_none() {
            let _ = timeout(MAX_UNTIMED_DELAY, insert).await;
            return Ok(());
        }
        match timeout_at(deadline, insert).await {
            Ok(inserted) => Ok(inserted?),
            Err(_) => Err(StorageUnavailable {
                reason: "the disk does not respond".to_owned(),
            }
            .into()),
        }
    }

    pub(super) fn has_timed_pause(&self, key: &MemberKey) -> bool {
        self.store.read(|mirror| mirror.has_timed_pause(key))
    }
}

impl Promise<'_> {
    /// Records that the pause is about to be sent. No other pause of the membership may be sent
    /// until the promise is settled.
    pub(super) fn begin(&mut self) {
        let stored = self.stored.clone();
        self.pbx
            .store
            .change(|mirror, now| mirror.begin_timed_pause(stored, now));
        self.outcome = Some(SentOutcome::Unknown);
    }

    /// Records whether Asterisk made the pause.
    pub(super) fn settle<T>(mut self, result: &Result<T, QueueError>) {
        self.outcome = Some(match result {
            Ok(_) => SentOutcome::Made,
            Err(QueueError::Failure(Failure::Unknown)) => SentOutcome::Unknown,
            Err(_) => SentOutcome::NotMade,
        });
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        let (pbx, id) = (self.pbx, self.stored.id);
        match self.outcome {
            Some(outcome) => pbx
                .store
                .change(|mirror, now| mirror.timed_pause_sent(&self.key, id, outcome, now)),
            None => pbx.store.storage.delete(vec![id]),
        }
    }
}
