//! Queries and changes that an account's request sends to a PBX.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::timeout_at;

use super::membership_locks::MembershipGuard;
use super::pbx::Pbx;
use super::promise::{NewPromise, Promise};
use super::request_origin::RequestOrigin;
use super::state::{MemberKey, Mirror};
use crate::ami::Failure;
use crate::queues::actions::{ChangeResult, QueueChange, Turn, missing_member};
use crate::queues::error::QueueError;
use crate::queues::name::QueueName;
use crate::queues::pace::TurnOwner;
use crate::queues::queries::{QueueNames, QueueQueries};

/// The failure of a change whose preceding query was not answered in time.
const NOT_ANSWERED: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

/// How many changes of a request are under way at the same time, with the queries that belong to
/// them. A larger number would delay the changes of other requests, because Asterisk executes
/// actions in order; a smaller number would leave Asterisk idle between two changes
/// (docs/PERFORMANCE.md has the measurements).
pub const MAX_CHANGES_UNDER_WAY: usize = 4;

/// The queries and changes that one API request sends to a PBX.
#[derive(Debug)]
pub struct PbxRequest<'a> {
    pub(super) pbx: &'a Pbx,
    pub(super) queries: QueueQueries,
    origin: RequestOrigin<'a>,
    slots: Semaphore,
    /// The lock with which the request's changes wait for their turns.
    turn_lock: Mutex<()>,
}

impl Pbx {
    /// Begins a request.
    ///
    /// # Errors
    /// The errors of [`crate::ami::Client::begin`].
    pub fn begin<'a>(&'a self, origin: RequestOrigin<'a>) -> Result<PbxRequest<'a>, Failure> {
        Ok(PbxRequest {
            pbx: self,
            queries: self.begin_queries(origin.deadline, origin.request_id)?,
            origin,
            slots: Semaphore::new(MAX_CHANGES_UNDER_WAY),
            turn_lock: Mutex::new(()),
        })
    }
}

impl PbxRequest<'_> {
    /// Queries the names of all queues on the PBX.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the query.
    pub async fn names(&self) -> Result<QueueNames, QueueError> {
        self.queries.names().await
    }

    /// Returns Asterisk's spelling of these queue names. Omits queues that the PBX does not
    /// have.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer a query.
    pub async fn look_up(&self, names: &[String]) -> Result<Vec<QueueName>, QueueError> {
        self.pbx.look_up(names, &self.queries).await
    }

    /// Queries all memberships of an interface, so that the mirror has them.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the query.
    pub async fn look_up_memberships(&self, interface: &str) -> Result<(), QueueError> {
        let _slot = self.slot().await?;
        self.queries.status(None, Some(interface)).await.map(drop)
    }

    /// Waits for the request's turn and makes a change. The next read includes the change.
    ///
    /// # Errors
    /// A [`QueueError`] if Asterisk refuses or does not answer the change.
    /// [`Failure::Unknown`] can also mean that a member was added and only its pause reason is
    /// uncertain.
    pub async fn change(
        &self,
        queue: &QueueName,
        change: &QueueChange,
    ) -> Result<ChangeResult, QueueError> {
        let _slot = self.slot().await?;
        let interface = change.interface();
        let is_member = || self.pbx.is_member(queue, interface);
        match change {
            QueueChange::Pause(pause)
                if pause.keep_existing || (pause.ends_at.is_some() && !is_member()) =>
            {
                self.refresh_member(queue, interface).await?;
                if !is_member() {
                    return Err(missing_member(&self.queries, queue).await);
                }
            }
            // Without this query, a wrong mirror would let the pause lose its end.
            QueueChange::Add(member) if member.ends_at.is_some() && is_member() => {
                self.refresh_member(queue, interface).await?;
                if is_member() {
                    return Err(QueueError::AlreadyMember);
                }
            }
            _ => {}
        }
        let result = self.send_in_turn(queue, change).await?;
        if matches!(change, QueueChange::Pause(_)) && !is_member() {
            self.refresh(queue).await;
        }
        Ok(result)
    }

    /// Waits until fewer than [`MAX_CHANGES_UNDER_WAY`] of the request's changes are under way.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] if that takes until the request's deadline.
    pub(super) async fn slot(&self) -> Result<SemaphorePermit<'_>, Failure> {
        match timeout_at(self.origin.deadline, self.slots.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) | Err(_) => Err(Failure::Overloaded),
        }
    }

    /// Waits for the request's turn and sends a change.
    pub(super) async fn send_in_turn(
        &self,
        queue: &QueueName,
        change: &QueueChange,
    ) -> Result<ChangeResult, QueueError> {
        let (reason, ends_at, keep_existing) = match change {
            QueueChange::Pause(pause) if pause.paused => {
                (pause.reason.as_deref(), pause.ends_at, pause.keep_existing)
            }
            QueueChange::Add(member) if member.paused => {
                (member.reason.as_deref(), member.ends_at, false)
            }
            change => {
                let turn = self.turn().await?;
                let key = MemberKey::new(queue, change.interface());
                let _guard = self.lock(&key, false).await?;
                turn.change(queue, change).await?;
                return Ok(ChangeResult::Made);
            }
        };
        let interface = change.interface();
        let keeps_existing = || keep_existing && self.pbx.is_paused(queue, interface);
        if keeps_existing() {
            return Ok(ChangeResult::KeptExisting);
        }
        let new = NewPromise {
            origin: &self.origin,
            key: &MemberKey::new(queue, interface),
            queue,
            interface,
            reason,
            ends_at,
        };
        let promise = self.pbx.promise(new).await?;
        let turn = self.turn().await?;
        let locked = self.lock_for_pause(new, promise, keep_existing);
        let (mut promise, _guard) = locked.await?;
        // Another request may have paused the member meanwhile.
        if keeps_existing() {
            return Ok(ChangeResult::KeptExisting);
        }
        if let Some(promise) = &mut promise {
            promise.begin();
        }
        let result = turn.change(queue, change).await;
        if let Some(promise) = promise {
            promise.settle(&result);
        }
        result.map(|()| ChangeResult::Made)
    }

    /// Locks a membership for a pause. Also promises the pause if another request has just made
    /// a timed pause that this one replaces.
    async fn lock_for_pause<'a>(
        &'a self,
        new: NewPromise<'_>,
        promise: Option<Promise<'a>>,
        keep_existing: bool,
    ) -> Result<(Option<Promise<'a>>, MembershipGuard<'a>), QueueError> {
        let is_exclusive = promise.is_some() || keep_existing;
        let guard = self.lock(new.key, is_exclusive).await?;
        if promise.is_some() || !self.pbx.has_timed_pause(new.key) {
            return Ok((promise, guard));
        }
        drop(guard);
        let promise = self.pbx.promise(new).await?;
        Ok((promise, self.lock(new.key, true).await?))
    }

    async fn turn(&self) -> Result<Turn<'_>, Failure> {
        let memberships = self.pbx.store.read(Mirror::count_memberships);
        let pace = &self.pbx.pace;
        let owner = TurnOwner {
            organization: self.origin.organization,
            account: self.origin.user,
            request: &self.turn_lock,
        };
        Turn::wait(
            pace,
            owner,
            memberships,
            self.origin.deadline,
            &self.queries,
        )
        .await
    }

    /// Locks a membership for a change.
    async fn lock(
        &self,
        key: &MemberKey,
        is_exclusive: bool,
    ) -> Result<MembershipGuard<'_>, Failure> {
        let locks = &self.pbx.membership_locks;
        let lock = async {
            if is_exclusive {
                locks.exclusive(key).await
            } else {
                locks.shared(key).await
            }
        };
        let lock = timeout_at(self.origin.deadline, lock).await;
        lock.map_err(|_| Failure::Overloaded)
    }

    /// Queries a member before a change. If Asterisk does not answer, the change's outcome is not
    /// unknown, because the change was not sent.
    async fn refresh_member(&self, queue: &QueueName, interface: &str) -> Result<(), QueueError> {
        let status = self.queries.status(Some(queue), Some(interface));
        match status.await {
            Ok(_) => Ok(()),
            Err(QueueError::Failure(Failure::Unknown)) => Err(NOT_ANSWERED.into()),
            Err(error) => Err(error),
        }
    }

    /// Refreshes a queue after a change to a member that the mirror did not list, so that the
    /// next read includes the member.
    pub(super) async fn refresh(&self, queue: &QueueName) {
        // The mirror applies the reply before `status` returns. If there is no reply, a later
        // refresh lists the queue.
        let _ = self.queries.status(Some(queue), None).await;
    }
}
