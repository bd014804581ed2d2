//! Queues: settings, members, waiting callers and statistics.

use std::collections::BTreeMap;

use super::call::CallId;
use super::device::{Device, state_of};
use super::device_state;
use super::member::Member;
use super::statistics::CallStatistics;
use crate::simulator::conf_file::is_true;
use crate::simulator::headers::Headers;

/// The strategy by which a queue selects the members to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Calls all available members.
    RingAll,
    LeastRecent,
    FewestCalls,
    Random,
    /// Round robin.
    RrMemory,
    Linear,
}

const STRATEGIES: [(&str, Strategy); 6] = [
    ("ringall", Strategy::RingAll),
    ("leastrecent", Strategy::LeastRecent),
    ("fewestcalls", Strategy::FewestCalls),
    ("random", Strategy::Random),
    ("rrmemory", Strategy::RrMemory),
    ("linear", Strategy::Linear),
];

impl Strategy {
    /// Parses the name of a strategy. An unknown name means `ringall`.
    pub(crate) fn parse(name: &str) -> Self {
        let known = STRATEGIES.iter().find(|(known, _)| *known == name);
        known.map_or(Self::RingAll, |(_, strategy)| *strategy)
    }

    pub(crate) fn name(self) -> &'static str {
        let known = STRATEGIES.iter().find(|(_, strategy)| *strategy == self);
        known.map_or("ringall", |(name, _)| name)
    }
}

/// What Asterisk does to a member who does not answer: the setting `autopause`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AutoPause {
    Off,
    /// Pauses the member in the queue.
    InQueue,
    /// Pauses the member in all its queues.
    InAllQueues,
}

impl AutoPause {
    pub(crate) fn parse(value: &str) -> Self {
        if value.eq_ignore_ascii_case("all") {
            Self::InAllQueues
        } else if is_true(value) {
            Self::InQueue
        } else {
            Self::Off
        }
    }
}

/// A queue. All durations are in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) strategy: Strategy,
    /// The maximum number of waiting callers, or 0 for no limit.
    pub(crate) max_callers: u32,
    pub(crate) weight: u32,
    pub(crate) service_level: u32,
    pub(crate) wrapup: u32,
    pub(crate) auto_pause: AutoPause,
    /// How long after a call a member is not paused for a missed call.
    pub(crate) auto_pause_delay: u32,
    /// How long a member's device rings.
    pub(crate) timeout: u64,
    pub(crate) ring_in_use: bool,
    /// The members, in the order in which Asterisk lists them.
    pub(crate) members: Vec<Member>,
    /// The waiting callers, in queue order.
    pub(crate) callers: Vec<CallId>,
    /// Whether the queue's distribution timer is running.
    pub(crate) distribution_scheduled: bool,
    /// The interface of the last called member.
    pub(crate) last_called: String,
    pub(crate) statistics: CallStatistics,
}

impl Queue {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            strategy: Strategy::RingAll,
            max_callers: 0,
            weight: 0,
            service_level: 0,
            wrapup: 0,
            auto_pause: AutoPause::Off,
            auto_pause_delay: 0,
            timeout: 15,
            ring_in_use: true,
            members: Vec::new(),
            callers: Vec::new(),
            distribution_scheduled: false,
            last_called: String::new(),
            statistics: CallStatistics::default(),
        }
    }

    /// Returns the hash bucket in which Asterisk stores the queue. Buckets determine the order
    /// of queues in lists.
    pub(crate) fn hash_bucket(&self) -> u32 {
        const BUCKETS: u32 = 53;
        let bytes = self.name.bytes();
        let hash = bytes.fold(5381, |hash: u32, byte| {
            hash.wrapping_mul(33) ^ u32::from(byte.to_ascii_lowercase())
        });
        (hash & 0x7fff_ffff) % BUCKETS
    }

    /// Inserts a member at its position in Asterisk's order.
    pub(crate) fn insert_member(&mut self, member: Member) {
        let bucket = member.hash_bucket();
        let index = match self.strategy {
            Strategy::Linear => self.members.len(),
            _ => self.members.partition_point(|m| m.hash_bucket() <= bucket),
        };
        self.members.insert(index, member);
    }

    pub(crate) fn member_mut(&mut self, interface: &str) -> Option<&mut Member> {
        let mut members = self.members.iter_mut();
        members.find(|member| member.has_interface(interface))
    }

    pub(crate) fn member_index(&self, interface: &str) -> Option<usize> {
        let mut members = self.members.iter();
        members.position(|member| member.has_interface(interface))
    }

    /// Returns the caller's position in the queue, counted from 1.
    pub(crate) fn caller_position(&self, call_id: CallId) -> Option<usize> {
        let index = self.callers.iter().position(|caller| *caller == call_id)?;
        Some(index + 1)
    }

    /// Updates the status of every member from the devices, without an event.
    pub(crate) fn refresh_member_statuses(&mut self, devices: &BTreeMap<String, Device>) {
        for member in &mut self.members {
            member.status = state_of(devices, &member.state_interface);
        }
    }

    /// Returns the QueueParams message for a QueueStatus list.
    pub(crate) fn queue_params(&self, action_id: Option<&str>) -> String {
        let statistics = &self.statistics;
        Headers::default()
            .with("Event", "QueueParams")
            .with("Queue", &self.name)
            .with("Max", self.max_callers)
            .with("Strategy", self.strategy.name())
            .with("Calls", self.callers.len())
            .with("Holdtime", statistics.hold_time)
            .with("TalkTime", statistics.talk_time)
            .with("Completed", statistics.completed)
            .with("Abandoned", statistics.abandoned)
            .with("ServiceLevel", self.service_level)
            .with("ServicelevelPerf", statistics.service_level_performance())
            .with(
                "ServicelevelPerf2",
                statistics.service_level_performance_2(),
            )
            .with("Weight", self.weight)
            .with_optional("ActionID", action_id)
            .into_message()
    }

    /// Returns the QueueSummary message for a QueueSummary list. `longest_hold_time` is in
    /// seconds.
    pub(crate) fn queue_summary(&self, longest_hold_time: u64, action_id: Option<&str>) -> String {
        use device_state::{INVALID, NOT_IN_USE, UNAVAILABLE, UNKNOWN};
        let members = self.members.iter();
        let logged_in = members
            .clone()
            .filter(|m| !matches!(m.status, INVALID | UNAVAILABLE));
        let available = members.filter(|m| matches!(m.status, UNKNOWN | NOT_IN_USE) && !m.paused);
        Headers::default()
            .with("Event", "QueueSummary")
            .with("Queue", &self.name)
            .with("LoggedIn", logged_in.count())
            .with("Available", available.count())
            .with("Callers", self.callers.len())
            .with("HoldTime", self.statistics.hold_time)
            .with("TalkTime", self.statistics.talk_time)
            .with("LongestHoldTime", longest_hold_time)
            .with_optional("ActionID", action_id)
            .into_message()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn queue_params_show_both_service_level_percentages() {
        let mut queue = Queue::new("q");
        let statistics = &mut queue.statistics;
        statistics.count_completed(Duration::from_secs(1), true);
        statistics.count_completed(Duration::from_secs(1), true);
        statistics.count_abandoned(true);
        statistics.count_abandoned(false);
        let message = queue.queue_params(None);
        assert!(
            message.contains("ServicelevelPerf: 100.0\r\nServicelevelPerf2: 75.0\r\n"),
            "{message}"
        );
    }
}
