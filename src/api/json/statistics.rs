//! Renders queue statistics as JSON.

use serde::Serialize;

use super::members::members_hidden;
use super::queues::{CallerView, callers};
use crate::api::tenant::OwnQueue;
use crate::organizations::{Account, Organization};
use crate::queues::{MemberState, MemberTiming, Queue};

/// The statistics of one queue.
#[derive(Serialize)]
pub(in crate::api) struct QueueStatistics<'a> {
    queue: &'a str,
    name: &'a str,
    callers_waiting: u64,
    longest_wait_seconds: u64,
    agents: AgentCounts,
    completed: u64,
    abandoned: u64,
    abandoned_percent: f64,
    average_hold_seconds: u64,
    average_talk_seconds: u64,
    service_level_seconds: u64,
    service_level_percent: Option<f64>,
    service_level_answered_percent: f64,
}

/// The data of a `queue` event: the queue's callers and statistics.
#[derive(Serialize)]
pub(in crate::api) struct QueueEvent<'a> {
    #[serde(flatten)]
    statistics: QueueStatistics<'a>,
    members_hidden: usize,
    callers: Vec<CallerView<'a>>,
}

impl<'a> QueueEvent<'a> {
    pub(in crate::api) fn of(own: &'a OwnQueue, account: &Account, now: i64) -> Self {
        Self {
            statistics: QueueStatistics::of(own, &account.organization, now),
            members_hidden: members_hidden(&own.queue, account),
            callers: callers(&own.queue, account),
        }
    }
}

impl<'a> QueueStatistics<'a> {
    /// Returns the queue's statistics. `now`, in Unix milliseconds, determines which agents are
    /// in wrap-up and whose pause is overdue.
    pub(in crate::api) fn of(own: &'a OwnQueue, organization: &Organization, now: i64) -> Self {
        let queue: &Queue = &own.queue;
        Self {
            queue: &own.number,
            name: &queue.name,
            callers_waiting: queue.callers.len() as u64,
            longest_wait_seconds: queue.longest_wait_seconds(),
            agents: AgentCounts::of(queue, organization, now),
            completed: queue.completed,
            abandoned: queue.abandoned,
            abandoned_percent: abandoned_percent(queue.abandoned, queue.completed),
            average_hold_seconds: queue.average_hold_seconds,
            average_talk_seconds: queue.average_talk_seconds,
            service_level_seconds: queue.service_level_seconds,
            service_level_percent: queue.service_level_percent,
            service_level_answered_percent: queue.service_level_answered_percent,
        }
    }
}

/// The number of members in each state. `logged_in` counts those that Asterisk can ring, and
/// `overdue` those whose pause has reached the limit of its reason.
#[derive(Serialize, Default)]
struct AgentCounts {
    logged_in: u64,
    available: u64,
    paused: u64,
    in_call: u64,
    ringing: u64,
    on_hold: u64,
    unavailable: u64,
    wrap_up: u64,
    overdue: u64,
}

impl AgentCounts {
    fn of(queue: &Queue, organization: &Organization, now: i64) -> Self {
        let mut counts = Self::default();
        for member in queue.members.iter() {
            let timing = MemberTiming::of(member, &queue.name, organization, now);
            counts.logged_in += u64::from(member.device_state.is_reachable());
            counts.overdue += u64::from(timing.pause_overdue);
            *match timing.state {
                MemberState::InCall => &mut counts.in_call,
                MemberState::OnHold => &mut counts.on_hold,
                MemberState::Ringing => &mut counts.ringing,
                MemberState::Unavailable => &mut counts.unavailable,
                MemberState::Paused => &mut counts.paused,
                MemberState::WrapUp => &mut counts.wrap_up,
                MemberState::Available => &mut counts.available,
            } += 1;
        }
        counts
    }
}

/// The combined statistics of several queues.
#[derive(Serialize)]
pub(in crate::api) struct TotalStatistics {
    queues: usize,
    callers_waiting: u64,
    longest_wait_seconds: u64,
    completed: u64,
    abandoned: u64,
    abandoned_percent: f64,
}

impl TotalStatistics {
    pub(in crate::api) fn of(statistics: &[QueueStatistics<'_>]) -> Self {
        let sum = |field: fn(&QueueStatistics<'_>) -> u64| statistics.iter().map(field).sum();
        let longest = statistics
            .iter()
            .map(|queue| queue.longest_wait_seconds)
            .max();
        let (completed, abandoned) = (sum(|queue| queue.completed), sum(|queue| queue.abandoned));
        Self {
            queues: statistics.len(),
            callers_waiting: sum(|queue| queue.callers_waiting),
            longest_wait_seconds: longest.unwrap_or(0),
            completed,
            abandoned,
            abandoned_percent: abandoned_percent(abandoned, completed),
        }
    }
}

/// Returns the percentage of abandoned calls, rounded to two decimals. Only completed and
/// abandoned calls count toward the total.
fn abandoned_percent(abandoned: u64, completed: u64) -> f64 {
    let all = abandoned + completed;
    if all == 0 {
        return 0.0;
    }
    (abandoned as f64 * 10_000.0 / all as f64).round() / 100.0
}
