//! What is in an answer, whoever gave it: the bridge's JSON, and Asterisk's rows.
//! A fast answer that is wrong is worth nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Result;
use crate::plan::Plan;

/// Queues, with their members in the order of their interfaces.
pub(crate) type Queues = BTreeMap<String, Vec<Member>>;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    interface: String,
    name: String,
    paused: bool,
    reason: String,
}

impl Member {
    pub(crate) fn is(&self, agent: u32, paused: bool, reason: &str) -> bool {
        let known = (&*self.interface, self.paused);
        known == (&*Plan::interface(agent), paused) && (!paused || self.reason == reason)
    }
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    stale: bool,
    queues: Vec<JsonQueue>,
}

#[derive(Deserialize)]
struct JsonQueue {
    name: String,
    members: Vec<JsonMember>,
}

#[derive(Deserialize)]
struct JsonMember {
    interface: String,
    alias: Option<String>,
    paused: bool,
    paused_reason: Option<String>,
}

/// What a `showqueue` says.
pub(crate) fn of_bridge(body: &[u8]) -> Result<Queues> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|error| format!("{error}: {}", beginning(&String::from_utf8_lossy(body))))?;
    if answer.status != "success" || answer.stale {
        return Err("the bridge's answer is no success, or stale".into());
    }
    let queues = answer.queues.into_iter().map(|queue| {
        let members = queue.members.into_iter().map(|member| Member {
            interface: member.interface,
            name: member.alias.unwrap_or_default(),
            paused: member.paused,
            reason: member.paused_reason.unwrap_or_default(),
        });
        (queue.name, members.collect())
    });
    Ok(sorted(queues.collect()))
}

/// What the rows of a `QueueStatus` say.
pub(crate) fn of_asterisk(text: &str) -> Result<Queues> {
    if !text.contains("Response: Success") || !text.contains("Event: QueueStatusComplete") {
        return Err(format!("no whole list: {}", beginning(text)).into());
    }
    let mut queues = Queues::new();
    for row in text.split("\r\n\r\n") {
        let value = |key: &str| {
            let mut lines = row.lines().filter_map(|line| line.split_once(": "));
            let value = lines.find(|(name, _)| *name == key);
            value.map_or("", |(_, value)| value).to_owned()
        };
        match value("Event").as_str() {
            "QueueParams" => {
                queues.entry(value("Queue")).or_default();
            }
            "QueueMember" => queues.entry(value("Queue")).or_default().push(Member {
                interface: value("Location"),
                name: value("Name"),
                paused: value("Paused") == "1",
                reason: value("PausedReason"),
            }),
            _ => {}
        }
    }
    Ok(sorted(queues))
}

fn sorted(mut queues: Queues) -> Queues {
    queues.values_mut().for_each(|members| members.sort());
    queues
}

/// That both say the same; which side is meant is said when they don't.
pub(crate) fn must_equal(side: &str, found: &Queues, expected: &Queues) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let differs = expected.iter().find(|(name, members)| {
        let found = found.get(*name);
        found != Some(members)
    });
    Err(format!(
        "{side} is wrong: {} queues for {}; the first that differs: {:?}, which is {:?}",
        found.len(),
        expected.len(),
        differs,
        differs.and_then(|(name, _)| found.get(name)),
    )
    .into())
}

/// The bridge's answer to a change of one queue.
pub(crate) fn bridge_has_changed(body: &str) -> bool {
    body.contains(r#""status":"success""#) && body.contains(r#""result":"ok""#)
}

/// Asterisk's answer to a `QueuePause`; it comes with a 200, whatever it is.
pub(crate) fn asterisk_has_changed(body: &str) -> bool {
    body.starts_with("Response: Success") && body.contains("paused successfully")
}

pub(crate) fn beginning(text: &str) -> String {
    text.chars().take(300).collect()
}
