//! A pause with an end, while it is being sent.

use super::pbx::Pbx;
use super::state::{MemberKey, SentOutcome};
use crate::ami::Failure;
use crate::queues::error::QueueError;
use crate::storage::StoredPause;
use crate::wall_clock;

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
pub(super) struct NewPromise<'a> {
    pub(super) organization: &'a str,
    pub(super) user: &'a str,
    pub(super) request_id: &'a str,
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
        let key = MemberKey::new(promise.queue, promise.interface);
        if promise.ends_at.is_none() && !self.has_timed_pause(&key) {
            return Ok(None);
        }
        let stored = StoredPause {
            id: fastrand::u64(..),
            pbx: self.name.clone(),
            organization: promise.organization.to_owned(),
            queue: promise.queue.to_owned(),
            interface: promise.interface.to_owned(),
            reason: promise.reason.map(str::to_owned),
            sent_at: wall_clock::unix_millis(),
            ends_at: promise.ends_at,
            last_pause: None,
            user: promise.user.to_owned(),
            request_id: promise.request_id.to_owned(),
        };
        let inserted = self.storage.insert(vec![stored.clone()]).await;
        if promise.ends_at.is_some() {
            inserted?;
        }
        Ok(Some(Promise {
            pbx: self,
            key,
            stored,
            outcome: None,
        }))
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
            .change(|mirror, _| mirror.begin_timed_pause(stored));
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
            None => pbx.storage.delete(vec![id]),
        }
    }
}
