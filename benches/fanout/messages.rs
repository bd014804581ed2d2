//! The events that the bridge has sent, for the other sides.

use std::time::{Duration, Instant};

use crate::streams::Recorded;

/// The events of one write of the bridge.
pub(crate) struct Batch {
    /// The time since the first batch.
    pub(crate) at: Duration,
    /// The bytes of the HTTP chunk.
    pub(crate) chunk: Vec<u8>,
    /// The data of the events, grouped by change.
    pub(crate) messages: Vec<String>,
}

/// Splits what a stream received into batches. Leaves out those that show none of the turn's
/// changes.
pub(crate) fn batches(recorded: &[Recorded], start: u32) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut rest = Vec::new();
    let mut first = None;
    for (at, bytes) in recorded {
        rest.extend_from_slice(bytes);
        while let Some(end) = chunk_end(&rest) {
            let chunk: Vec<u8> = rest.drain(..end).collect();
            let messages = messages(&String::from_utf8_lossy(&chunk));
            let changes = messages.iter().filter_map(|message| number(message));
            if changes.max() >= Some(start) {
                let first: Instant = *first.get_or_insert(*at);
                batches.push(Batch {
                    at: *at - first,
                    chunk,
                    messages,
                });
            }
        }
    }
    batches
}

/// Returns the length of the first chunk, with its framing.
fn chunk_end(bytes: &[u8]) -> Option<usize> {
    let line = memchr::memmem::find(bytes, b"\r\n")?;
    let size = std::str::from_utf8(&bytes[..line]).ok()?;
    let size = usize::from_str_radix(size, 16).ok()?;
    let end = line + 2 + size + 2;
    (end <= bytes.len()).then_some(end)
}

/// Returns the data of the events. The data of a `queue` event follows that of its change.
fn messages(chunk: &str) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    let data = chunk.lines().filter_map(|line| line.strip_prefix("data: "));
    for data in data {
        match messages.last_mut() {
            Some(last) if number(data).is_none() => {
                last.push('\n');
                last.push_str(data);
            }
            _ => messages.push(data.to_owned()),
        }
    }
    messages
}

fn number(message: &str) -> Option<u32> {
    let (_, text) = message.split_once("\"paused_reason\":\"c")?;
    text.get(..6)?.parse().ok()
}
