//! The part of the PBX's state that a read shows.

use std::sync::Arc;

use crate::api::tenant::{AgentMemberships, OwnQueue};
use crate::queues::{Member, Queue, QueueName};

/// The part of the PBX's state that a read shows. Its parts are shared with the mirror.
#[derive(Debug)]
pub(in crate::api) struct Shown {
    parts: Vec<Part>,
    /// Whether the link is down.
    stale: bool,
}

#[derive(Debug)]
enum Part {
    Queue(Arc<Queue>),
    Membership(QueueName, Arc<Member>),
}

impl Shown {
    pub(in crate::api) fn queues(queues: &[OwnQueue], stale: bool) -> Self {
        let parts = queues.iter().map(|own| Part::Queue(Arc::clone(&own.queue)));
        Self {
            parts: parts.collect(),
            stale,
        }
    }

    pub(in crate::api) fn agents(agents: &[AgentMemberships], stale: bool) -> Self {
        let memberships = agents.iter().flat_map(|agent| &agent.memberships);
        let parts =
            memberships.map(|own| Part::Membership(own.queue.clone(), Arc::clone(&own.member)));
        Self {
            parts: parts.collect(),
            stale,
        }
    }

    /// Returns whether both are rendered in the same way by the same view.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let parts = || self.parts.iter().zip(&other.parts);
        self.stale == other.stale
            && self.parts.len() == other.parts.len()
            && parts().all(|(part, other)| part.is_same(other))
    }
}

impl Part {
    /// Compares members by their addresses: the mirror creates a new member even if only time has
    /// changed its state. Everything else in a queue is compared by value, because each query of
    /// its statistics creates a new queue.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Queue(queue), Self::Queue(other)) => {
                Arc::ptr_eq(queue, other)
                    || (Arc::ptr_eq(&queue.members, &other.members) && queue == other)
            }
            (Self::Membership(queue, member), Self::Membership(other_queue, other)) => {
                queue == other_queue && Arc::ptr_eq(member, other)
            }
            (Self::Queue(_), Self::Membership(..)) | (Self::Membership(..), Self::Queue(_)) => {
                false
            }
        }
    }
}
