//! The streams of a cell, and the changes that they show.

use crate::pbx::{FIRST_QUEUE, MEMBERS, bridge_config, interface, queue_name};

/// Which streams show the same.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scene {
    /// All streams show the same.
    OneView { streams: usize },
    /// Each organization has as many streams, which show the same.
    Organizations { count: usize, streams_each: usize },
    /// No two streams show the same, but all show each change.
    OwnViews { streams: usize },
    /// All streams show the same, but the clients of the first `slow` stop reading for a minute.
    SlowReaders { streams: usize, slow: usize },
}

/// A change's number determines the member that it pauses. The reason contains the number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sequence {
    /// The first change that the stream shows.
    pub(crate) first: u32,
    /// The distance between two changes that the stream shows.
    pub(crate) step: u32,
}

/// The number of queues that distinguish own views: one bit of a stream's number for each.
const BITS: usize = 12;

impl Scene {
    pub(crate) fn streams(self) -> usize {
        match self {
            Self::OneView { streams }
            | Self::OwnViews { streams }
            | Self::SlowReaders { streams, .. } => streams,
            Self::Organizations {
                count,
                streams_each,
            } => count * streams_each,
        }
    }

    /// Returns the number of changes a second.
    pub(crate) fn rate(self) -> u32 {
        match self {
            // In a minute, the events are larger than all that the bridge stores for a view.
            Self::SlowReaders { .. } => 150,
            Self::OneView { .. } | Self::OwnViews { .. } | Self::Organizations { .. } => 20,
        }
    }

    /// Returns whether the stream's client stops reading for a while.
    pub(crate) fn is_slow(self, stream: usize) -> bool {
        matches!(self, Self::SlowReaders { slow, .. } if stream < slow)
    }

    pub(crate) fn queues(self) -> usize {
        match self {
            Self::OneView { .. } | Self::SlowReaders { .. } => 2,
            Self::Organizations { count, .. } => count,
            Self::OwnViews { .. } => BITS + 2,
        }
    }

    pub(crate) fn bridge_config(self, ami_port: u16) -> String {
        let organizations: Vec<Vec<usize>> = match self {
            Self::Organizations { count, .. } => (0..count).map(|queue| vec![queue]).collect(),
            Self::OneView { .. } | Self::OwnViews { .. } | Self::SlowReaders { .. } => {
                vec![(0..self.queues()).collect()]
            }
        };
        bridge_config(ami_port, &organizations)
    }

    /// Returns the request target of a stream.
    pub(crate) fn target(self, stream: usize) -> String {
        let user = match self {
            Self::Organizations { count, .. } => stream % count,
            Self::OneView { .. } | Self::OwnViews { .. } | Self::SlowReaders { .. } => 0,
        };
        let mut target = format!("/events?username=u{user}&password=bench-password");
        if let Self::OwnViews { .. } = self {
            target += &format!("&queue={FIRST_QUEUE}");
            for bit in (0..BITS).filter(|bit| stream >> bit & 1 == 1) {
                target += &format!(",{}", FIRST_QUEUE + 1 + bit);
            }
        }
        target
    }

    /// Returns the changes that a stream shows, from the change `start` on.
    pub(crate) fn sequence(self, stream: usize, start: u32) -> Sequence {
        match self {
            Self::OneView { .. } | Self::OwnViews { .. } | Self::SlowReaders { .. } => Sequence {
                first: start,
                step: 1,
            },
            Self::Organizations { count, .. } => Sequence {
                first: start + ((stream % count + count - start as usize % count) % count) as u32,
                step: count as u32,
            },
        }
    }

    /// Returns the AMI action of a change.
    pub(crate) fn action(self, change: u32) -> String {
        let (queue, member) = match self {
            Self::OneView { .. } | Self::OwnViews { .. } | Self::SlowReaders { .. } => {
                (0, change as usize % MEMBERS)
            }
            Self::Organizations { count, .. } => {
                (change as usize % count, change as usize / count % MEMBERS)
            }
        };
        format!(
            "Action: QueuePause\r\nQueue: {}\r\nInterface: {}\r\nPaused: true\r\n\
             Reason: c{change:06}{:-<70}\r\n\r\n",
            queue_name(queue),
            interface(queue, member),
            ""
        )
    }
}
