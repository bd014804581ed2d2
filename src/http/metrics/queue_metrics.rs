//! The metrics of each queue.

use std::fmt::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use tokio::time::Instant;

use crate::queues::{
    Member, MemberState, MemberTiming, Pbxes, Queue, ReadRequest, Snapshot, TimingRules,
};

/// How long Asterisk may take to report callers and statistics for a scrape.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// Encodes the queue metrics, with the labels `pbx` and `queue`.
#[derive(Debug, Default)]
pub(super) struct QueueCollector(Vec<PbxQueues>);

/// The queues of a PBX.
#[derive(Debug)]
struct PbxQueues {
    pbx: String,
    queues: Vec<Arc<Queue>>,
    rules: Vec<Arc<dyn TimingRules>>,
    /// The time of the members' states, in Unix milliseconds.
    now: i64,
}

impl PbxQueues {
    /// Returns the state of a member of `queue`. In a queue that no organization has, there is
    /// no wrap-up.
    fn state_in(&self, queue: &str, member: &Member) -> MemberState {
        let mut rules = self.rules.iter();
        match rules.find(|rules| rules.has_queue(queue)) {
            Some(rules) => MemberTiming::of(member, queue, &**rules, self.now).state,
            None => member.state_without_wrap_up(),
        }
    }
}

impl QueueCollector {
    /// Queries the queues of all PBXes. Omits the queues of a PBX that does not answer; the PBX
    /// metrics show that the PBX is unreachable.
    pub(super) async fn query(pbxes: &Pbxes) -> Self {
        let request = ReadRequest {
            names: None,
            cached_names: None,
            looks_up_missing: false,
            fresh: false,
            deadline: Instant::now() + QUERY_TIMEOUT,
            request_id: "metrics",
        };
        let queries = pbxes.iter().map(async |(name, pbx)| {
            let snapshot = pbx.queues(request, |_| true).await;
            let Snapshot { queues, read } = snapshot.ok()?;
            Some(PbxQueues {
                pbx: name.clone(),
                queues,
                rules: pbx.timing_rules(),
                now: read.now,
            })
        });
        // The queries run concurrently, so an unresponsive PBX does not delay the other PBXes.
        let answers = join_all(queries).await;
        Self(answers.into_iter().flatten().collect())
    }

    /// Iterates over all queues, each with its PBX's name.
    fn queues(&self) -> impl Iterator<Item = (&str, &Queue)> {
        self.0.iter().flat_map(|on_pbx| {
            let queues = on_pbx.queues.iter();
            queues.map(|queue| (on_pbx.pbx.as_str(), &**queue))
        })
    }

    fn encode_agents(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Agents by state";
        let mut family =
            encoder.encode_descriptor("queue_agents", help, None, MetricType::Gauge)?;
        for on_pbx in &self.0 {
            for queue in &on_pbx.queues {
                let members = queue.members.iter();
                let states = members.map(|member| on_pbx.state_in(&queue.name, member));
                let states: Vec<MemberState> = states.collect();
                for state in MemberState::ALL {
                    let agents = states.iter().filter(|other| **other == state).count();
                    let labels = [
                        ("pbx", on_pbx.pbx.as_str()),
                        ("queue", queue.name.as_str()),
                        ("state", state.as_str()),
                    ];
                    ConstGauge::new(agents as u64).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}

impl Collector for QueueCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for metric in &METRICS {
            let unit = metric.is_in_seconds.then_some(Unit::Seconds);
            let mut family = encoder.encode_descriptor(
                metric.name,
                metric.help,
                unit.as_ref(),
                MetricType::Gauge,
            )?;
            for (pbx, queue) in self.queues() {
                let labels = [("pbx", pbx), ("queue", queue.name.as_str())];
                let value = ConstGauge::new((metric.value)(queue));
                value.encode(family.encode_family(&labels)?)?;
            }
        }
        self.encode_agents(&mut encoder)
    }
}

/// A metric with one value per queue.
struct QueueMetric {
    name: &'static str,
    help: &'static str,
    is_in_seconds: bool,
    value: fn(&Queue) -> u64,
}

/// The metrics of each queue. All are gauges, because Asterisk can reset its counters.
static METRICS: [QueueMetric; 4] = [
    QueueMetric {
        name: "queue_callers",
        help: "Waiting callers",
        is_in_seconds: false,
        value: |queue| queue.callers.len() as u64,
    },
    QueueMetric {
        name: "queue_longest_wait",
        help: "Wait time of the caller who has waited longest",
        is_in_seconds: true,
        value: Queue::longest_wait_seconds,
    },
    QueueMetric {
        name: "queue_completed",
        help: "Answered calls since Asterisk last reset its counters",
        is_in_seconds: false,
        value: |queue| queue.completed,
    },
    QueueMetric {
        name: "queue_abandoned",
        help: "Callers who gave up since Asterisk last reset its counters",
        is_in_seconds: false,
        value: |queue| queue.abandoned,
    },
];
