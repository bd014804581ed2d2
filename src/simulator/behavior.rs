//! The behavior of simulated callers and agents.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

/// The behavior of callers and agents. Durations are drawn at random from ranges in
/// milliseconds.
#[derive(Debug, Clone)]
pub struct Behavior {
    /// How long a device rings until its agent answers.
    pub answer_delay_ms: Range<u64>,
    /// The percentage of ringing calls that agents answer.
    pub answered_percent: u32,
    /// The interfaces of agents who never answer.
    pub absent_interfaces: Vec<String>,
    /// How long an answered call lasts.
    pub talk_time_ms: Range<u64>,
    /// The percentage of answered calls in which the agent hangs up first.
    pub agent_hangup_percent: u32,
    /// How often an agent who is not paused ends the longest conversation before its talk time is
    /// over. If it is `None`, every conversation lasts as long as drawn.
    pub longest_call_end_interval: Option<Duration>,
    /// How long a caller waits in a queue before hanging up.
    pub patience_ms: Range<u64>,
    /// The sources of generated calls. If the list is empty, no calls are generated.
    pub caller_sources: Vec<CallerSource>,
    /// The caller IDs of generated calls. If the list is empty, calls have no caller ID.
    pub caller_ids: Vec<CallerId>,
    /// The breaks that agents take.
    pub breaks: AgentBreaks,
    /// The pauses that begin and end at fixed times.
    pub scheduled_pauses: Vec<ScheduledPause>,
}

/// A source of calls to one queue.
#[derive(Debug, Clone)]
pub struct CallerSource {
    /// The queue's name.
    pub queue: String,
    /// The time from one call to the next, in milliseconds.
    pub interval_ms: Range<u64>,
    /// The number of callers who call each time.
    pub callers: u32,
}

/// A caller's number and name. Either may be empty.
#[derive(Debug, Clone, Default)]
pub struct CallerId {
    /// The caller's phone number.
    pub number: String,
    /// The caller's name.
    pub name: String,
}

/// The breaks that agents take. During a break, an agent is paused in every queue.
#[derive(Debug, Clone)]
pub struct AgentBreaks {
    /// The interfaces of the agents who take breaks.
    pub interfaces: Vec<String>,
    /// The pause reasons, one of which is drawn for each break.
    pub reasons: Vec<String>,
    /// The time until an agent's first break, in milliseconds.
    pub first_after_ms: Range<u64>,
    /// The time between two breaks of an agent, in milliseconds.
    pub interval_ms: Range<u64>,
    /// The length of a break, in milliseconds.
    pub length_ms: Range<u64>,
}

/// A pause of one agent that begins and ends at fixed times, again and again. Times are on the
/// simulated clock.
#[derive(Debug, Clone)]
pub struct ScheduledPause {
    /// The agent's interface.
    pub interface: String,
    /// The reason. A pause with another reason is not ended.
    pub reason: String,
    /// When the pause first begins, or `None` if Asterisk itself begins it, as with autopause.
    pub begins_after: Option<Duration>,
    /// When the pause first ends.
    pub ends_after: Duration,
    /// The time from one beginning or end to the next.
    pub interval: Duration,
}

/// The side of a call that hangs up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Caller,
    Agent,
}

impl Behavior {
    /// Returns the behavior of the dialplan in `asterisk-sample`: agents answer after one
    /// second, and callers hang up after one minute, whether waiting or talking. Agents 1090 to
    /// 1099 never answer. No calls are generated, and agents take no breaks.
    #[must_use]
    pub fn sample_dialplan() -> Self {
        let absent = |number: u32| {
            ["acme", "globex"].map(|organization| format!("Local/{number}@{organization}-agents"))
        };
        Self {
            answer_delay_ms: 1_000..1_001,
            answered_percent: 100,
            absent_interfaces: (1090..=1099).flat_map(absent).collect(),
            talk_time_ms: 60_000..60_001,
            agent_hangup_percent: 0,
            longest_call_end_interval: None,
            patience_ms: 60_000..60_001,
            caller_sources: Vec::new(),
            caller_ids: Vec::new(),
            breaks: AgentBreaks::none(),
            scheduled_pauses: Vec::new(),
        }
    }

    /// Draws how long a device rings until its agent answers. Returns `None` if the
    /// agent does not answer.
    pub(crate) fn answer_delay(&self, random: &mut Rng) -> Option<Duration> {
        // Always draw both values, so that changing one setting does not change the random
        // values for other settings.
        let delay = random_duration(random, &self.answer_delay_ms);
        (random.u32(0..100) < self.answered_percent).then_some(delay)
    }

    /// Returns true if the agent with this interface never answers.
    pub(crate) fn is_absent(&self, interface: &str) -> bool {
        let mut absent = self.absent_interfaces.iter();
        absent.any(|absent| absent.eq_ignore_ascii_case(interface))
    }

    /// Draws the duration of a conversation and the party that hangs up first.
    pub(crate) fn conversation_end(&self, random: &mut Rng) -> (Duration, Party) {
        let talk_time = random_duration(random, &self.talk_time_ms);
        let agent_hangs_up = random.u32(0..100) < self.agent_hangup_percent;
        let party = if agent_hangs_up {
            Party::Agent
        } else {
            Party::Caller
        };
        (talk_time, party)
    }

    /// Draws how long a caller waits in a queue before hanging up.
    pub(crate) fn patience(&self, random: &mut Rng) -> Duration {
        random_duration(random, &self.patience_ms)
    }
}

impl AgentBreaks {
    /// Returns settings under which no agent takes breaks.
    fn none() -> Self {
        Self {
            interfaces: Vec::new(),
            reasons: Vec::new(),
            first_after_ms: 0..1,
            interval_ms: 0..1,
            length_ms: 0..1,
        }
    }
}

impl Party {
    /// Returns the `Reason` for the AgentComplete event.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Agent => "agent",
        }
    }
}

/// Draws a duration from a range in milliseconds.
pub(crate) fn random_duration(random: &mut Rng, range_ms: &Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range_ms.clone()))
}
