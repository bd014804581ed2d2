//! Computes the day's work from `queue_log`, second by second. Shares no code with the bridge.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The queues' service level.
pub(super) const SERVICE_LEVEL_SECONDS: i64 = 1;

/// The time from a second to another.
pub(super) type Span = (i64, i64);

/// A row of `queue_log`.
#[derive(Debug)]
struct LogRow {
    second: i64,
    queue: String,
    agent: String,
    event: String,
    data: Vec<String>,
}

fn log_rows(log: &str) -> Vec<LogRow> {
    let rows = log.lines().filter_map(|line| {
        let fields: Vec<String> = line.split('|').map(str::to_owned).collect();
        let [second, _, queue, agent, event, data @ ..] = &fields[..] else {
            return None;
        };
        // Some rows have the member's interface instead of its name.
        let agent = agent.strip_prefix("Local/").unwrap_or(agent);
        let agent = agent.split('@').next().unwrap_or_default();
        Some(LogRow {
            second: second.parse().ok()?,
            queue: queue.strip_prefix("acme-")?.to_owned(),
            agent: agent.to_owned(),
            event: event.clone(),
            data: data.to_vec(),
        })
    });
    rows.collect()
}

fn number(data: &[String], index: usize) -> i64 {
    data.get(index)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// A kind of changes: of pauses or of logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChangeKind {
    Pause,
    Login,
}

/// The seconds of each member's changes of a kind, by queue and agent.
pub(super) type ChangeSeconds = BTreeMap<(ChangeKind, String, String), Vec<i64>>;

/// Returns the seconds of the changes in `queue_log`.
pub(super) fn change_seconds(log: &str) -> ChangeSeconds {
    let mut seconds = ChangeSeconds::new();
    for row in log_rows(log) {
        let kind = match row.event.as_str() {
            "PAUSE" | "UNPAUSE" => ChangeKind::Pause,
            "ADDMEMBER" | "REMOVEMEMBER" => ChangeKind::Login,
            _ => continue,
        };
        let key = (kind, row.queue, row.agent);
        seconds.entry(key).or_default().push(row.second);
    }
    seconds
}

/// What happened in a group of rows.
#[derive(Debug, Default, Clone)]
struct Work {
    logged_in: BTreeSet<i64>,
    paused: BTreeSet<i64>,
    /// The pauses with each reason.
    reasons: BTreeMap<String, Vec<Span>>,
    calls_taken: i64,
    talk_seconds: i64,
    missed_calls: i64,
    callers: i64,
    answered: i64,
    answered_within_service_level: i64,
    abandoned: i64,
    waits: Vec<i64>,
}

/// What happened to an agent in a queue. Seconds and events within `hidden` spans do not count.
#[derive(Debug)]
pub(super) struct Judge {
    memberships: BTreeMap<(String, String), Work>,
    /// What happened to callers, by queue.
    queues: BTreeMap<String, Work>,
}

impl Judge {
    /// Reads `queue_log`. Members that are still there leave at `end`.
    pub(super) fn of(log: &str, end: i64, hidden: &[Span]) -> Self {
        let is_hidden = |second: &i64| {
            hidden
                .iter()
                .any(|(from, to)| (*from..*to).contains(second))
        };
        let mut judge = Self {
            memberships: BTreeMap::new(),
            queues: BTreeMap::new(),
        };
        let mut logins: BTreeMap<(String, String), i64> = BTreeMap::new();
        let mut pauses: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
        let mut rows = log_rows(log);
        let leave = |(queue, agent): &(String, String)| LogRow {
            second: end,
            queue: queue.clone(),
            agent: agent.clone(),
            event: "REMOVEMEMBER".to_owned(),
            data: Vec::new(),
        };
        let members: BTreeSet<_> = rows
            .iter()
            .filter(|row| row.event == "ADDMEMBER")
            .map(|row| (row.queue.clone(), row.agent.clone()))
            .collect();
        rows.extend(members.iter().map(leave));
        for row in rows {
            let key = (row.queue.clone(), row.agent.clone());
            let work = judge.memberships.entry(key.clone()).or_default();
            let ends_pause = ["PAUSE", "UNPAUSE", "REMOVEMEMBER"].contains(&row.event.as_str());
            if ends_pause && let Some((began, reason)) = pauses.remove(&key) {
                work.paused
                    .extend((began..row.second).filter(|second| !is_hidden(second)));
                if !is_hidden(&began) {
                    let spans = work.reasons.entry(reason).or_default();
                    spans.push((began, row.second));
                }
            }
            match row.event.as_str() {
                "ADDMEMBER" => drop(logins.insert(key, row.second)),
                "PAUSE" => {
                    let reason = row.data.first().cloned().unwrap_or_default();
                    pauses.insert(key, (row.second, reason));
                }
                "REMOVEMEMBER" => {
                    if let Some(began) = logins.remove(&key) {
                        let seconds = began..row.second;
                        work.logged_in
                            .extend(seconds.filter(|second| !is_hidden(second)));
                    }
                }
                _ if is_hidden(&row.second) => {}
                _ => {
                    work.add_call(&row);
                    let queue = judge.queues.entry(row.queue.clone()).or_default();
                    queue.add_caller(&row);
                }
            }
        }
        judge
    }

    /// Returns the row that the report should have about an agent.
    pub(super) fn agent(&self, agent: &str) -> Value {
        let own = self.memberships.iter().filter(|((_, a), _)| a == agent);
        united(own.map(|(_, work)| work)).agent_row()
    }

    /// Returns the row that the report should have about a queue, with the figures of `agents`.
    pub(super) fn queue(&self, queue: &str, agents: &[&str]) -> Value {
        let own = self
            .memberships
            .iter()
            .filter(|((q, agent), _)| q == queue && agents.contains(&agent.as_str()));
        let mut row = sum(own.map(|(_, work)| work.agent_row()));
        let callers = self.queues.get(queue).cloned().unwrap_or_default();
        let waits: i64 = callers.waits.iter().sum();
        let count = callers.waits.len() as i64;
        row["callers"] = json!(callers.callers);
        row["answered"] = json!(callers.answered);
        row["abandoned"] = json!(callers.abandoned);
        row["average_wait_seconds"] = json!(if count == 0 {
            0
        } else {
            (waits + count / 2) / count
        });
        row["answered_within_service_level"] = json!(callers.answered_within_service_level);
        row["longest_wait_seconds"] = json!(callers.waits.iter().max().copied().unwrap_or(0));
        row
    }
}

impl Work {
    fn add_call(&mut self, row: &LogRow) {
        match row.event.as_str() {
            "COMPLETECALLER" | "COMPLETEAGENT" => {
                self.calls_taken += 1;
                self.talk_seconds += number(&row.data, 1);
            }
            "RINGNOANSWER" => self.missed_calls += 1,
            _ => {}
        }
    }

    fn add_caller(&mut self, row: &LogRow) {
        match row.event.as_str() {
            "CONNECT" => {
                let wait = number(&row.data, 0);
                self.answered += 1;
                self.answered_within_service_level += i64::from(wait <= SERVICE_LEVEL_SECONDS);
                self.waits.push(wait);
            }
            "ABANDON" => {
                self.abandoned += 1;
                self.waits.push(number(&row.data, 2));
            }
            "EXITWITHTIMEOUT" | "EXITWITHKEY" | "EXITEMPTY" => {}
            _ => return,
        }
        self.callers += 1;
    }

    fn agent_row(&self) -> Value {
        let reasons = self.reasons.iter().map(|(reason, spans)| {
            let seconds: BTreeSet<i64> = spans.iter().flat_map(|(from, to)| *from..*to).collect();
            let reason = (!reason.is_empty()).then_some(reason);
            json!({"reason": reason, "pauses": stretches(spans), "paused_seconds": seconds.len()})
        });
        let reasons: Vec<Value> = reasons.collect();
        let pauses: u64 = reasons
            .iter()
            .filter_map(|row| row["pauses"].as_u64())
            .sum();
        json!({
            "logged_in_seconds": self.logged_in.len(),
            "paused_seconds": self.paused.len(),
            "pauses": pauses,
            "calls_taken": self.calls_taken,
            "talk_seconds": self.talk_seconds,
            "missed_calls": self.missed_calls,
            "reasons": reasons,
        })
    }
}

/// Counts pauses: spans that overlap, or begin in the same second, are one pause.
fn stretches(spans: &[Span]) -> usize {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    let mut count = 0;
    let mut last: Option<Span> = None;
    for (from, to) in spans {
        match &mut last {
            Some((began, ended)) if from < *ended || from == *began => *ended = to.max(*ended),
            _ => {
                count += 1;
                last = Some((from, to));
            }
        }
    }
    count
}

fn united<'a>(works: impl Iterator<Item = &'a Work>) -> Work {
    let mut all = Work::default();
    for work in works {
        all.logged_in.extend(&work.logged_in);
        all.paused.extend(&work.paused);
        for (reason, spans) in &work.reasons {
            let own = all.reasons.entry(reason.clone()).or_default();
            own.extend(spans);
        }
        all.calls_taken += work.calls_taken;
        all.talk_seconds += work.talk_seconds;
        all.missed_calls += work.missed_calls;
    }
    all
}

/// Adds up the numbers of rows. Leaves out the reasons.
fn sum(rows: impl Iterator<Item = Value>) -> Value {
    let mut total = json!({});
    for row in rows {
        for (name, value) in row.as_object().expect("an object") {
            if let Some(number) = value.as_i64() {
                let before = total[name].as_i64().unwrap_or(0);
                total[name] = json!(before + number);
            }
        }
    }
    total
}
