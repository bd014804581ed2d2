//! Renders changes as events.

use std::collections::HashMap;

use super::frame::{EventText, Frame};
use super::position::Progress;
use super::view::StreamView;
use crate::queues::QueueName;
use crate::queues::mirror::StateChange;

/// An item that the renderer passes to the streams of a view.
#[derive(Debug)]
pub(super) enum Entry {
    Batch(Batch),
    /// Events can't describe the change with this number. Every client needs a snapshot that
    /// includes it.
    SnapshotNeeded {
        change: u64,
    },
    Heartbeat,
}

/// The events for consecutive changes.
#[derive(Debug)]
pub(super) struct Batch {
    frame: Frame,
    events: Vec<RenderedEvent>,
    /// The number of the last change.
    pub(super) through: u64,
}

#[derive(Debug)]
struct RenderedEvent {
    /// The progress of a client that has received the event.
    progress: Progress,
    /// The length of the text through this event, in bytes.
    end: usize,
    /// The link's state, if the event reports it.
    link: Option<bool>,
}

impl Batch {
    /// Returns the events that a client with this progress has not received. Returns `None` if it
    /// has received all of them.
    pub(super) fn after(&self, progress: Progress) -> Option<Frame> {
        let received = self.received(progress);
        match received.checked_sub(1) {
            None => Some(self.frame.clone()),
            Some(_) if received == self.events.len() => None,
            Some(last) => Some(self.frame.skip(self.events[last].end)),
        }
    }

    /// Returns the link's state that these events report last.
    pub(super) fn link_after(&self, progress: Progress) -> Option<bool> {
        let events = &self.events[self.received(progress)..];
        events.iter().rev().find_map(|event| event.link)
    }

    fn received(&self, progress: Progress) -> usize {
        self.events
            .partition_point(|event| event.progress <= progress)
    }
}

impl Entry {
    /// Returns the size in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Batch(batch) => {
                batch.frame.size() + batch.events.len() * size_of::<RenderedEvent>()
            }
            Self::SnapshotNeeded { .. } | Self::Heartbeat => 0,
        }
    }
}

/// Renders consecutive changes that the view shows. Returns nothing if it shows none of them.
pub(super) fn render(view: &StreamView, changes: &[(u64, StateChange)]) -> Vec<Entry> {
    // A `queue` event contains the current statistics, so one event after the last change
    // is enough for each queue.
    let affected = changes.iter().filter_map(|(number, change)| {
        let queue = change.affects_statistics_of()?;
        Some((queue, *number))
    });
    let last_change: HashMap<_, _> = affected.collect();
    let mut entries = Vec::new();
    let mut batch = BatchBuilder::default();
    for (number, change) in changes {
        let statistics_of = change.affects_statistics_of();
        let statistics_of = statistics_of.filter(|queue| last_change[queue] == *number);
        match change {
            StateChange::Link { connected } => batch.link(view, *number, *connected),
            StateChange::Queue { queue } => {
                if view.number(queue).is_some() {
                    entries.extend(std::mem::take(&mut batch).finish(number - 1));
                    entries.push(Entry::SnapshotNeeded { change: *number });
                }
            }
            StateChange::Member {
                queue,
                change,
                member,
            } => {
                let Some(shown_number) = view.number(queue) else {
                    continue;
                };
                let progress = Progress {
                    change: *number,
                    is_complete: statistics_of.is_none(),
                };
                let names = (queue.as_str(), shown_number.as_str());
                batch.event(progress, |text| {
                    view.write_member(text, progress, names, *change, member)
                });
                batch.statistics(view, *number, statistics_of);
            }
            StateChange::Statistics { .. } => batch.statistics(view, *number, statistics_of),
        }
    }
    let through = changes.last().map_or(0, |(number, _)| *number);
    entries.extend(batch.finish(through));
    entries
}

#[derive(Default)]
struct BatchBuilder {
    text: EventText,
    events: Vec<RenderedEvent>,
}

impl BatchBuilder {
    /// Appends an event. `write` returns false if the view does not show it.
    fn event(&mut self, progress: Progress, write: impl FnOnce(&mut EventText) -> bool) {
        if write(&mut self.text) {
            self.events.push(RenderedEvent {
                progress,
                end: self.text.size(),
                link: None,
            });
        }
    }

    /// Appends a `queue` event, if there is a queue.
    fn statistics(&mut self, view: &StreamView, change: u64, queue: Option<&QueueName>) {
        if let Some(queue) = queue {
            let progress = Progress::through(change);
            self.event(progress, |text| view.write_queue(text, progress, queue));
        }
    }

    fn link(&mut self, view: &StreamView, change: u64, connected: bool) {
        let progress = Progress::through(change);
        view.write_link(&mut self.text, progress, connected);
        self.events.push(RenderedEvent {
            progress,
            end: self.text.size(),
            link: Some(connected),
        });
    }

    fn finish(self, through: u64) -> Option<Entry> {
        if self.events.is_empty() {
            return None;
        }
        Some(Entry::Batch(Batch {
            frame: self.text.finish(),
            events: self.events,
            through,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_gets_only_the_events_that_it_has_not_received() {
        let incomplete = |change| Progress {
            change,
            is_complete: false,
        };
        let mut batch = BatchBuilder::default();
        for (progress, link) in [
            (incomplete(4), None),
            (Progress::through(4), None),
            (Progress::through(6), Some(false)),
        ] {
            batch
                .text
                .event(progress.change, "queue", &progress.is_complete);
            batch.events.push(RenderedEvent {
                progress,
                end: batch.text.size(),
                link,
            });
        }
        let Some(Entry::Batch(batch)) = batch.finish(7) else {
            panic!("a batch");
        };
        for (progress, expected) in [
            (Progress::through(3), 3),
            (incomplete(4), 2),
            (Progress::through(4), 1),
            (Progress::through(5), 1),
            (Progress::through(6), 0),
            (Progress::through(9), 0),
        ] {
            let text = batch.after(progress).map(|frame| {
                let text: Vec<_> = frame.text().collect();
                String::from_utf8(text.concat()).expect("UTF-8")
            });
            let text = text.unwrap_or_default();
            assert_eq!(text.matches("event: ").count(), expected, "{progress:?}");
            assert_eq!(text.starts_with("id: "), expected > 0);
            let link = (expected > 0).then_some(false);
            assert_eq!(batch.link_after(progress), link);
        }
    }
}
