//! Parses the bridge's JSON and Asterisk's `QueueStatus` rows into the same types, to check
//! that the measured responses are correct.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Result;
use crate::pbx_config::PbxConfig;

/// Queues by name, with their members sorted by interface.
pub(crate) type Queues = BTreeMap<String, Vec<Member>>;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    interface: String,
    name: String,
    paused: bool,
    reason: String,
}

impl Member {
    /// Returns true if the member is this agent and has this pause state.
    pub(crate) fn has_state(&self, agent: u32, paused: bool, reason: &str) -> bool {
        let state = (&*self.interface, self.paused);
        state == (&*PbxConfig::interface(agent), paused) && (!paused || self.reason == reason)
    }
}

#[derive(Deserialize)]
struct ShowQueue {
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

/// Parses a `showqueue` response of the bridge.
///
/// # Errors
/// Returns an error if the response is an error or stale.
pub(crate) fn parse_showqueue(body: &[u8]) -> Result<Queues> {
    let response: ShowQueue = serde_json::from_slice(body)
        .map_err(|error| format!("{error}: {}", excerpt(&String::from_utf8_lossy(body))))?;
    if response.status != "success" || response.stale {
        return Err("the response of the bridge is an error or stale".into());
    }
    let queues = response.queues.into_iter().map(|queue| {
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

/// Parses a `QueueStatus` list.
///
/// # Errors
/// Returns an error if the list is incomplete.
pub(crate) fn parse_queue_status(text: &str) -> Result<Queues> {
    if !text.contains("Response: Success") || !text.contains("Event: QueueStatusComplete") {
        return Err(format!("incomplete list: {}", excerpt(text)).into());
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

/// Checks that a side reports the expected queues.
pub(crate) fn verify_equal(side: &str, found: &Queues, expected: &Queues) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let difference = expected.iter().find(|(name, members)| {
        let found = found.get(*name);
        found != Some(members)
    });
    Err(format!(
        "{side} is wrong: {} queues instead of {}; expected {:?}, found {:?}",
        found.len(),
        expected.len(),
        difference,
        difference.and_then(|(name, _)| found.get(name)),
    )
    .into())
}

/// Returns true if the bridge reports success for a change in one queue.
pub(crate) fn is_bridge_success(body: &str) -> bool {
    body.contains(r#""status":"success""#) && body.contains(r#""result":"ok""#)
}

/// Returns true if Asterisk reports success for a `QueuePause`. The HTTP status of `/rawman` is
/// always 200.
pub(crate) fn is_pause_success(body: &str) -> bool {
    body.starts_with("Response: Success") && body.contains("paused successfully")
}

/// Returns the first 300 characters, for error messages.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(300).collect()
}
