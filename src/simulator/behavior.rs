//! Describes when callers call, and how callers and agents behave.

use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;

/// The behavior of callers and agents. Times are drawn at random from ranges of
/// milliseconds.
#[derive(Debug, Clone)]
pub struct Behavior {
    /// How long a device rings until its agent answers.
    pub answer_delay_ms: Range<u64>,
    /// The percentage of ringing calls that agents answer.
    pub answered_percent: u32,
    /// How long a caller and an agent talk.
    pub talk_time_ms: Range<u64>,
    /// The percentage of answered calls in which the agent hangs up first.
    pub agent_hangup_percent: u32,
    /// How long a caller waits in a queue before hanging up.
    pub patience_ms: Range<u64>,
    /// Where calls come from. If this is empty, nobody calls.
    pub caller_sources: Vec<CallerSource>,
    /// The caller ids of generated calls. If this is empty, calls have no caller id.
    pub caller_ids: Vec<CallerId>,
    /// The breaks that agents take.
    pub breaks: AgentBreaks,
}

/// A source of calls to one queue.
#[derive(Debug, Clone)]
pub struct CallerSource {
    /// The name of the queue.
    pub queue: String,
    /// The time between two calls, in milliseconds.
    pub interval_ms: Range<u64>,
}

/// The number and name of a caller. Either may be empty.
#[derive(Debug, Clone, Default)]
pub struct CallerId {
    /// The phone number.
    pub number: String,
    /// The name.
    pub name: String,
}

/// Which agents take breaks, and when. During a break the agent is paused in every
/// queue.
#[derive(Debug, Clone)]
pub struct AgentBreaks {
    /// The interfaces of the agents who take breaks.
    pub interfaces: Vec<String>,
    /// The pause reasons.
    pub reasons: Vec<String>,
    /// The time until an agent's first break, in milliseconds.
    pub first_after_ms: Range<u64>,
    /// The time between two breaks of an agent, in milliseconds.
    pub interval_ms: Range<u64>,
    /// The length of a break, in milliseconds.
    pub length_ms: Range<u64>,
}

/// The side of a call that hangs up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Caller,
    Agent,
}

impl Behavior {
    /// The behavior of the dialplan in `asterisk-sample`: an agent answers after one
    /// second, and the caller hangs up after one minute, whether waiting or talking.
    /// There are no automatic calls and no breaks.
    #[must_use]
    pub fn sample_dialplan() -> Self {
        Self {
            answer_delay_ms: 1_000..1_001,
            answered_percent: 100,
            talk_time_ms: 60_000..60_001,
            agent_hangup_percent: 0,
            patience_ms: 60_000..60_001,
            caller_sources: Vec::new(),
            caller_ids: Vec::new(),
            breaks: AgentBreaks::none(),
        }
    }

    /// Draws how long a device rings until its agent answers. Returns `None` if the
    /// agent does not answer.
    pub(crate) fn answer_delay(&self, random: &mut Rng) -> Option<Duration> {
        // Always draw both values, so that changing one setting does not change the
        // values drawn for another.
        let delay = random_duration(random, &self.answer_delay_ms);
        (random.u32(0..100) < self.answered_percent).then_some(delay)
    }

    /// Draws how long a conversation lasts, and who hangs up first.
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
    /// No agent takes breaks.
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
    /// The `Reason` of the AgentComplete event.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Agent => "agent",
        }
    }
}

/// Draws a duration from a range of milliseconds.
pub(crate) fn random_duration(random: &mut Rng, range_ms: &Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range_ms.clone()))
}
