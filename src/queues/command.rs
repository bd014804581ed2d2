//! Commands that change queues, and what Asterisk's answers to them mean.

use std::sync::Arc;
use std::time::Duration;

use super::decode;
use super::name::QueueName;
use crate::ami::value::{HeaderValue, MemberValue, ValueError};
use crate::ami::{Action, Exchange, Failure, NO_APP_QUEUE, Refusal, Reply};

/// Why a command has not done what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The PBX has no such queue.
    #[error("no such queue")]
    NoSuchQueue,
    /// The queue has no such member.
    #[error("not a member")]
    NotAMember,
    /// The member is there already; nothing was changed.
    #[error("already a member")]
    AlreadyMember,
    /// The member stands in Asterisk's configuration or database.
    #[error("a static member")]
    StaticMember,
    /// Asterisk refuses, for a reason that only its own words tell.
    #[error("{0}")]
    Refused(String),
    /// A value that Asterisk would misread; nothing was sent.
    #[error("a value that {0}")]
    Value(#[from] ValueError),
    /// Asterisk has no queues now.
    #[error("{NO_APP_QUEUE}")]
    NotLoaded,
    /// No answer.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A change of one queue.
#[derive(Debug, Clone)]
pub enum QueueChange {
    /// Pauses or unpauses a member. Repeated, it replaces the reason and the
    /// time of the pause.
    Pause {
        /// The member.
        interface: String,
        /// Pause or unpause.
        paused: bool,
        /// Why; absent clears a former reason.
        reason: Option<String>,
    },
    /// Adds a dynamic member.
    Add(NewMember),
    /// Removes a dynamic member.
    Remove {
        /// The member.
        interface: String,
    },
}

/// A member to be added.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// What is dialled.
    pub interface: String,
    /// Display name.
    pub name: String,
    /// The device whose state counts, where it is not the interface.
    pub state_interface: Option<String>,
    /// Members of a lower penalty are rung first.
    pub penalty: u32,
    /// Whether it starts paused.
    pub paused: bool,
    /// Reason of that pause.
    pub reason: Option<String>,
}

/// Commands and questions about queues, over one exchange with the PBX.
#[derive(Debug, Clone)]
pub struct QueueCommands {
    exchange: Exchange,
    pub(super) questions: Questions,
}

/// How Asterisk is asked about queues.
///
/// Asked about one queue by name, Asterisk looks a realtime queue up in its database. If
/// that is locked or renamed at this moment, it takes the queue for deleted and throws its
/// dynamic members out. Asked about all queues, it never does. But that takes longer the
/// larger the PBX is, and no action reports which queues are realtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Questions {
    /// Never by name, and always with all members: a small PBX.
    Whole,
    /// Never by name: a PBX of moderate size.
    Unnamed,
    /// By name: a large PBX.
    Named,
}

/// Where Asterisk is going down, or not up yet, or without queues.
pub const NOT_NOW: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(2),
};

impl QueueCommands {
    /// Commands over that exchange, to a PBX of unknown size.
    #[must_use]
    pub fn new(exchange: Exchange) -> Self {
        Self::asking(exchange, Questions::Unnamed)
    }

    /// Commands over that exchange, with questions of that kind.
    pub(crate) fn asking(exchange: Exchange, questions: Questions) -> Self {
        Self {
            exchange,
            questions,
        }
    }

    /// Makes a change in the queue of that name.
    ///
    /// # Errors
    /// What [`CommandError`] says. [`Failure::Unknown`] too where a member was
    /// added and only the reason of its pause is in doubt.
    pub async fn change(
        &self,
        queue: &QueueName,
        change: &QueueChange,
    ) -> Result<(), CommandError> {
        match change {
            QueueChange::Pause {
                interface,
                paused,
                reason,
            } => {
                self.pause(queue, interface, *paused, reason.as_deref())
                    .await
            }
            QueueChange::Add(member) => self.add(queue, member).await,
            QueueChange::Remove { interface } => {
                let action = Action::QueueRemove {
                    queue: header(queue)?,
                    interface: MemberValue::new(interface)?,
                };
                self.perform(action).await
            }
        }
    }

    /// Asterisk has one text for "no such queue" and "not a member": a query tells
    /// the two apart.
    async fn pause(
        &self,
        queue: &QueueName,
        interface: &str,
        paused: bool,
        reason: Option<&str>,
    ) -> Result<(), CommandError> {
        let is_member = self.pause_if_member(queue, interface, paused, reason);
        if is_member.await? {
            return Ok(());
        }
        // Asterisk has refused, whatever becomes of the query.
        Err(match self.exists(queue).await {
            Ok(false) => CommandError::NoSuchQueue,
            Ok(true) | Err(_) => CommandError::NotAMember,
        })
    }

    /// Pauses or unpauses whoever has that interface, if the queue exists and has
    /// such a member; returns whether it has. Asterisk looks for the member at the
    /// moment of the change and compares without case, so nothing about the queue
    /// needs to be known. Where there is no such member, nothing is changed or
    /// logged (app_queue of Asterisk 13 to 23).
    ///
    /// # Errors
    /// What [`CommandError`] says.
    pub async fn pause_if_member(
        &self,
        queue: &QueueName,
        interface: &str,
        paused: bool,
        reason: Option<&str>,
    ) -> Result<bool, CommandError> {
        let action = Action::QueuePause {
            queue: header(queue)?,
            interface: MemberValue::new(interface)?,
            paused,
            reason: reason.map(MemberValue::new).transpose()?,
        };
        match self.exchange.send(action).await?.refusal() {
            None => Ok(true),
            Some(Refusal::NotFound) => Ok(false),
            Some(refusal) => Err(meaning(refusal, self.exchange.may_write())),
        }
    }

    /// Sets the penalty of a member.
    ///
    /// # Errors
    /// What [`CommandError`] says.
    pub async fn set_penalty(
        &self,
        queue: &QueueName,
        interface: &str,
        penalty: i64,
    ) -> Result<(), CommandError> {
        let action = Action::QueuePenalty {
            queue: header(queue)?,
            interface: MemberValue::new(interface)?,
            penalty,
        };
        self.perform(action).await
    }

    async fn add(&self, queue: &QueueName, member: &NewMember) -> Result<(), CommandError> {
        let reason = member.reason.as_deref().filter(|_| member.paused);
        let state_interface = member.state_interface.as_deref();
        let action = Action::QueueAdd {
            queue: header(queue)?,
            interface: MemberValue::new(&member.interface)?,
            name: MemberValue::new(&member.name)?,
            state_interface: state_interface.map(MemberValue::new).transpose()?,
            penalty: member.penalty,
            paused: member.paused,
            reason: reason.map(MemberValue::new).transpose()?,
        };
        self.perform(action).await?;
        // Only Asterisk knows the state of the member's device: until it has reported
        // that, the member is not shown.
        let row = self.status(Some(queue), Some(&member.interface)).await;
        match reason {
            Some(reason) => {
                // The member was added: whatever goes wrong from here on leaves a
                // doubt about its reason, and must not read as if nothing had been
                // done.
                let doubt = |_| CommandError::Failure(Failure::Unknown);
                let row = row.map_err(doubt)?;
                if !lacks_reason(&row, queue, &member.interface) {
                    // Also where somebody else has changed the member since.
                    return Ok(());
                }
                // Asterisk before 20.12, 21.7 and 22.2 ignores the reason of a
                // QueueAdd: a QueuePause of the member, which is paused already,
                // brings it.
                let given = self.pause(queue, &member.interface, true, Some(reason));
                match given.await {
                    // Somebody else was faster: it was added, and is no more.
                    Err(CommandError::NotAMember | CommandError::NoSuchQueue) => Ok(()),
                    given => given.map_err(doubt),
                }
            }
            None => Ok(()),
        }
    }

    async fn perform(&self, action: Action) -> Result<(), CommandError> {
        self.answer(action).await.map(drop)
    }

    pub(super) async fn answer(&self, action: Action) -> Result<Arc<Reply>, CommandError> {
        // Reading needs no permission, so a denial can only be a passing one.
        let permitted = action.is_read() || self.exchange.may_write();
        let answer = self.exchange.send(action).await?;
        match answer.refusal() {
            None => Ok(answer),
            Some(refusal) => Err(meaning(refusal, permitted)),
        }
    }
}

/// Whether the member is paused as it was added, and for no reason.
fn lacks_reason(answer: &Reply, queue: &QueueName, interface: &str) -> bool {
    let listed = decode::listed(answer);
    let mut queues = listed.queues.iter().filter(|listed| listed.name == *queue);
    let member = queues.find_map(|queue| queue.member(interface));
    member.is_some_and(|member| member.paused && member.paused_reason.is_empty())
}

/// A queue's name, or a filter, as a header.
pub(super) fn header(name: &str) -> Result<HeaderValue, CommandError> {
    Ok(HeaderValue::new(name)?)
}

/// The error that a refusal is for the caller. `permitted`: the AMI user is known to have
/// the privilege.
fn meaning(refusal: Refusal, permitted: bool) -> CommandError {
    match refusal {
        Refusal::NoSuchQueue => CommandError::NoSuchQueue,
        Refusal::AlreadyMember => CommandError::AlreadyMember,
        Refusal::NotAMember | Refusal::NotFound => CommandError::NotAMember,
        Refusal::StaticMember => CommandError::StaticMember,
        Refusal::ShuttingDown => NOT_NOW.into(),
        // app_queue is being loaded.
        Refusal::PermissionDenied if permitted => NOT_NOW.into(),
        Refusal::UnknownAction => CommandError::NotLoaded,
        refusal => CommandError::Refused(refusal.to_string()),
    }
}
