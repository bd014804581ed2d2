//! The end of the wrap-up time after a call.

use super::engine::{Selected, is_cut};
use crate::storage::EntryKind;

/// The wrap-up time after a call.
pub(super) struct WrapUp {
    pub(super) ended: i64,
}

impl WrapUp {
    /// Returns the wrap-up time after `call`. It ends early if the member is paused, leaves the
    /// queue or takes another call. `rows` are all of the agent's rows on that day, sorted by kind
    /// and beginning, and `later_calls` those of its later calls.
    pub(super) fn of(call: &Selected, rows: &[Selected], later_calls: &[Selected]) -> Self {
        let began = call.entry.began;
        let mut ended = began + i64::from(call.entry.value);
        let own = rows.iter().filter(|row| row.queue == call.queue);
        let mut is_member = false;
        for row in own.take_while(|row| row.entry.kind <= EntryKind::Pause) {
            let entry = &row.entry;
            let is_running = (entry.began..=entry.ended()).contains(&began);
            match entry.kind {
                EntryKind::Login if is_running => {
                    is_member = true;
                    if !is_cut(entry.ended()) {
                        ended = ended.min(entry.ended());
                    }
                }
                EntryKind::Pause if entry.ended() > began => {
                    ended = ended.min(entry.began.max(began));
                }
                _ => {}
            }
        }
        let next = later_calls.iter().map(|row| row.entry);
        let next = next.map(|entry| entry.began - i64::from(entry.seconds));
        if let Some(next) = next.filter(|start| *start >= began).min() {
            ended = ended.min(next);
        }
        Self {
            ended: if is_member { ended } else { began },
        }
    }
}
