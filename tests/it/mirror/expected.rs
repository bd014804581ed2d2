//! Computes the expected API responses from Asterisk's lists. This implementation of the
//! contract shares no code with the bridge.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::comparison::Comparison;
use crate::support::{ACME, Ami, AmiMessage, Asterisk, Bridge, GLOBEX, User};

/// An organization in the test configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Organization {
    pub(crate) user: User,
    pub(crate) name: &'static str,
}

pub(crate) const ORGANIZATIONS: [Organization; 2] = [
    Organization {
        user: ACME,
        name: "acme",
    },
    Organization {
        user: GLOBEX,
        name: "globex",
    },
];

/// Returns the current `QueueStatus` rows of all queues.
pub(crate) fn rows(ami: &mut Ami) -> Vec<AmiMessage> {
    // An empty queue name means all queues.
    let mut rows = ami.queue_status("");
    for row in &mut rows {
        row.remove("ActionID");
    }
    rows
}

/// Returns the rows without waiting times, which change every second.
pub(crate) fn without_waits(rows: &[AmiMessage]) -> Vec<AmiMessage> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.remove("Wait");
    }
    rows
}

/// Returns the expected `queues` in the response to `showqueue`.
fn showqueue(rows: &[AmiMessage], organization: Organization) -> Value {
    let queues = organization_queues(rows, organization).into_iter();
    Value::Array(queues.map(|queue| queue.showqueue(organization)).collect())
}

/// Returns the expected `queues` and `total` in the response to `showqueuestat`.
fn showqueuestat(rows: &[AmiMessage], organization: Organization) -> Value {
    let queues = organization_queues(rows, organization);
    let sum = |name: &str| {
        queues
            .iter()
            .map(|queue| number(queue.params, name))
            .sum::<i64>()
    };
    let waits = queues.iter().map(Queue::longest_wait);
    let callers: usize = queues.iter().map(|queue| queue.callers.len()).sum();
    let (completed, abandoned) = (sum("Completed"), sum("Abandoned"));
    json!({
        "total": {
            "queues": queues.len(), "callers_waiting": callers,
            "longest_wait_seconds": waits.max().unwrap_or(0),
            "completed": completed, "abandoned": abandoned,
            "abandoned_percent": percent(abandoned, completed),
        },
        "queues": queues.iter().map(Queue::statistics).collect::<Vec<_>>(),
    })
}

/// Returns the bridge's `queues` from `showqueue`, and an object with `queues` and `total`
/// from `showqueuestat`.
fn read_from_bridge(bridge: &Bridge, organization: Organization) -> (Value, Value) {
    let read = |action: &str| {
        let mut body = bridge.get_ok(organization.user, &format!("action={action}"));
        assert_eq!(body["stale"], false, "{body}");
        body.as_object_mut().expect("an object").clone()
    };
    let mut statistics = read("showqueuestat");
    statistics.retain(|name, _| ["queues", "total"].contains(&name.as_str()));
    (
        read("showqueue")["queues"].clone(),
        Value::Object(statistics),
    )
}

/// Compares everything that the bridge shows to both organizations with Asterisk's state.
/// Returns the comparison, and Asterisk's rows without waiting times. The rows are empty if
/// Asterisk's state changed during the comparison.
pub(crate) fn compare_all(bridge: &Bridge, ami: &mut Ami) -> (Comparison, Vec<AmiMessage>) {
    let rows = self::rows(ami);
    let mut comparison = Comparison::default();
    for organization in ORGANIZATIONS {
        let name = organization.name;
        let (queues, statistics) = read_from_bridge(bridge, organization);
        comparison.compare(name, &showqueue(&rows, organization), &queues);
        comparison.compare(name, &showqueuestat(&rows, organization), &statistics);
    }
    let mut after = without_waits(&self::rows(ami));
    if after != without_waits(&rows) {
        after.clear();
    }
    (comparison, after)
}

/// Asserts that, within ten seconds, every field that the bridge shows matches Asterisk. The
/// bridge needs some time, because its statistics may be one second old.
pub(crate) fn assert_equal(asterisk: &Asterisk, bridge: &Bridge) {
    let mut ami = asterisk.ami();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let Comparison { differences, .. } = compare_all(bridge, &mut ami).0;
        if differences.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{differences:#?}");
    }
}

struct Queue<'a> {
    number: &'a str,
    params: &'a AmiMessage,
    members: Vec<&'a AmiMessage>,
    callers: Vec<&'a AmiMessage>,
}

/// Returns an organization's queues, sorted by number. Both organizations configure their
/// queues in this order.
fn organization_queues(rows: &[AmiMessage], organization: Organization) -> Vec<Queue<'_>> {
    let rows_of = |event: &str, queue: &str| {
        let rows = rows.iter();
        rows.filter(|row| row["Event"] == event && row["Queue"] == queue)
            .collect()
    };
    let params = rows.iter().filter(|row| row["Event"] == "QueueParams");
    let queues = params.filter_map(|params| {
        let name = &params["Queue"];
        Some(Queue {
            number: name.strip_prefix(organization.name)?.strip_prefix('-')?,
            params,
            members: rows_of("QueueMember", name),
            callers: rows_of("QueueEntry", name),
        })
    });
    let mut queues: Vec<_> = queues.collect();
    queues.sort_by_key(|queue| queue.number);
    queues
}

impl Queue<'_> {
    fn showqueue(&self, organization: Organization) -> Value {
        let members = self.members.iter().map(|row| member(row, organization));
        json!({
            "queue": self.number,
            "name": self.params["Queue"],
            "strategy": self.params["Strategy"],
            "max_callers": number(self.params, "Max"),
            "weight": number(self.params, "Weight"),
            "members_hidden": 0,
            "members": members.collect::<Vec<_>>(),
            "callers": self.callers.iter().map(|row| caller(row)).collect::<Vec<_>>(),
        })
    }

    fn longest_wait(&self) -> i64 {
        let waits = self.callers.iter().map(|row| number(row, "Wait"));
        waits.max().unwrap_or(0)
    }

    fn statistics(&self) -> Value {
        let (completed, abandoned) = (
            number(self.params, "Completed"),
            number(self.params, "Abandoned"),
        );
        let states = self.members.iter().map(|row| state(row));
        let states: Vec<_> = states.collect();
        let count = |state: &str| states.iter().filter(|other| **other == state).count();
        let is_unavailable = |row: &&&AmiMessage| ["4", "5"].contains(&row["Status"].as_str());
        json!({
            "queue": self.number,
            "name": self.params["Queue"],
            "callers_waiting": self.callers.len(),
            "longest_wait_seconds": self.longest_wait(),
            "agents": {
                "logged_in": self.members.len() - self.members.iter().filter(is_unavailable).count(),
                "available": count("available"), "paused": count("paused"),
                "in_call": count("in_call"), "ringing": count("ringing"),
                "on_hold": count("on_hold"), "unavailable": count("unavailable"),
                // The configuration has neither wrap-up times nor reasons with a limit.
                "wrap_up": 0, "overdue": 0,
            },
            "completed": completed,
            "abandoned": abandoned,
            "abandoned_percent": percent(abandoned, completed),
            "average_hold_seconds": number(self.params, "Holdtime"),
            "average_talk_seconds": number(self.params, "TalkTime"),
            "service_level_seconds": number(self.params, "ServiceLevel"),
            "service_level_percent": decimal(self.params, "ServicelevelPerf2"),
            "service_level_answered_percent": decimal(self.params, "ServicelevelPerf"),
        })
    }
}

fn member(row: &AmiMessage, organization: Organization) -> Value {
    let is_paused = row["Paused"] == "1";
    let code = number(row, "Status");
    let names = [
        "unknown",
        "not_in_use",
        "in_use",
        "busy",
        "invalid",
        "unavailable",
        "ringing",
        "ring_in_use",
        "on_hold",
    ];
    let while_paused = |value: Value| if is_paused { value } else { Value::Null };
    let reason = Some(&row["PausedReason"]).filter(|reason| !reason.is_empty());
    json!({
        "agent": agent(&row["Location"], organization),
        "alias": row["Name"],
        "interface": row["Location"],
        "state_interface": row["StateInterface"],
        "membership": row["Membership"],
        "penalty": number(row, "Penalty"),
        "state": state(row),
        "wrap_up_ends_at": null,
        "paused": is_paused,
        "paused_reason": while_paused(json!(reason)),
        "paused_at": while_paused(time(row, "LastPause")),
        "pause_limit_at": null,
        "pause_overdue": false,
        "pause_ends_at": null,
        "auto_paused": is_paused && row["PausedReason"] == "Auto-Pause",
        "device_state": names[usize::try_from(code).expect("a device state code")],
        "device_state_code": code,
        "in_call": row["InCall"] == "1",
        "calls_taken": number(row, "CallsTaken"),
        "last_call_at": time(row, "LastCall"),
        "logged_in_at": time(row, "LoginTime"),
        "wrapup_seconds": number(row, "Wrapuptime"),
    })
}

fn caller(row: &AmiMessage) -> Value {
    json!({
        "position": number(row, "Position"),
        "caller_id_number": row["CallerIDNum"],
        "caller_id_name": row["CallerIDName"],
        "channel": row["Channel"],
        "unique_id": row["Uniqueid"],
        "wait_seconds": number(row, "Wait"),
        "priority": number(row, "Priority"),
    })
}

/// Returns the agent number of `interface`, or `None` if the interface does not belong to the
/// organization. Agents have the numbers 1001 to 1099.
fn agent(interface: &str, organization: Organization) -> Option<String> {
    let interface = interface.to_ascii_lowercase();
    let number = interface
        .strip_prefix("local/")?
        .strip_suffix(&format!("@{}-agents", organization.name))?;
    (1001..=1099)
        .contains(&number.parse::<u16>().ok()?)
        .then(|| number.to_owned())
}

fn state(row: &AmiMessage) -> &'static str {
    match (row["InCall"].as_str(), row["Status"].as_str()) {
        ("1", _) | (_, "2" | "3" | "7") => "in_call",
        (_, "8") => "on_hold",
        (_, "6") => "ringing",
        (_, "4" | "5") => "unavailable",
        _ if row["Paused"] == "1" => "paused",
        _ => "available",
    }
}

fn percent(abandoned: i64, completed: i64) -> f64 {
    match abandoned + completed {
        0 => 0.0,
        total => (abandoned as f64 * 10_000.0 / total as f64).round() / 100.0,
    }
}

fn number(row: &AmiMessage, name: &str) -> i64 {
    row[name].parse().expect("a number")
}

fn decimal(row: &AmiMessage, name: &str) -> f64 {
    row[name].parse().expect("a decimal number")
}

fn time(row: &AmiMessage, name: &str) -> Value {
    match number(row, name) {
        0 => Value::Null,
        seconds => json!(Timestamp::from_second(seconds).expect("a time").to_string()),
    }
}
