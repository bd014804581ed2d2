//! A pause with an end, while it is being sent.

use super::pbx::Pbx;
use super::state::{MemberKey, SentOutcome};
use crate::ami::Failure;
use crate::queues::error::QueueError;
use crate::storage::StoredPause;
use crate::wall_clock;

/// A pause whose end is stored, while the pause is being sent. If it is dropped before its
/// outcome is known, the outcome counts as unknown.
#[derive(Debug)]
pub(super) struct Promise<'a> {
    pbx: &'a Pbx,
    key: MemberKey,
    id: u64,
    outcome: SentOutcome,
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
        self.store
            .change(|mirror, _| mirror.begin_timed_pause(stored.clone()));
        let mut begun = Promise {
            pbx: self,
            key,
            id: stored.id,
            outcome: SentOutcome::NotMade,
        };
        let inserted = self.storage.insert(vec![stored]).await;
        if promise.ends_at.is_some() {
            inserted?;
        }
        begun.outcome = SentOutcome::Unknown;
        Ok(Some(begun))
    }

    pub(super) fn has_timed_pause(&self, key: &MemberKey) -> bool {
        self.store.read(|mirror| mirror.has_timed_pause(key))
    }
}

impl Promise<'_> {
    /// Records whether Asterisk made the pause.
    pub(super) fn settle<T>(mut self, result: &Result<T, QueueError>) {
        self.outcome = match result {
            Ok(_) => SentOutcome::Made,
            Err(QueueError::Failure(Failure::Unknown)) => SentOutcome::Unknown,
            Err(_) => SentOutcome::NotMade,
        };
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        let Self {
            key, id, outcome, ..
        } = self;
        self.pbx
            .store
            .change(|mirror, now| mirror.timed_pause_sent(key, *id, *outcome, now));
    }
}
