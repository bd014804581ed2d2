//! Changes without the bridge that several tables of cases contain.

use super::steps::Step::{self, Ami};

/// Pauses the agent in queue 6001, with the reason of the tables' timed pauses.
pub(super) const PAUSE: Step =
    Ami("QueuePause, Interface: {interface}, Paused: true, Queue: acme-6001, Reason: Tea");

pub(super) const PAUSE_WITHOUT_REASON: Step =
    Ami("QueuePause, Interface: {interface}, Paused: true, Queue: acme-6001");

/// Pauses the agent in queue 6001, with a listed reason that ends.
pub(super) const LUNCH: Step =
    Ami("QueuePause, Interface: {interface}, Paused: true, Queue: acme-6001, Reason: Lunch");

pub(super) const UNPAUSE: Step =
    Ami("QueuePause, Interface: {interface}, Paused: false, Queue: acme-6001");

pub(super) const REMOVE: Step = Ami("QueueRemove, Interface: {interface}, Queue: acme-6001");

/// Adds the agent to queue 6001 as a paused member.
pub(super) const ADD: Step =
    Ami("QueueAdd, Interface: {interface}, Queue: acme-6001, MemberName: {agent}, Paused: true");
