//! Positions in an event stream.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How far a client has received the changes of a change log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Progress {
    /// The number of the last change that the client has received.
    pub(super) change: u64,
    /// Whether the client has received all events for this change. A `queue` event follows each
    /// `member` event, and a client that reconnects between the two must still receive the
    /// `queue` event.
    pub(super) is_complete: bool,
}

impl Progress {
    /// Returns the progress of a client that has received all events for this change, and for all
    /// changes before it.
    pub(super) fn through(change: u64) -> Self {
        Self {
            change,
            is_complete: true,
        }
    }

    /// Returns the number of the last change for which the client has received all events.
    pub(super) fn last_complete(self) -> u64 {
        self.change.saturating_sub(u64::from(!self.is_complete))
    }
}

/// A client's position in an event stream. Its text form is an event's `id`, which the client
/// sends back as `Last-Event-ID` when it reconnects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPosition {
    /// Identifies the change log and the view. Positions of different streams are unrelated.
    pub(super) stream: Arc<str>,
    pub(super) progress: Progress,
}

impl fmt::Display for StreamPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress {
            change,
            is_complete,
        } = self.progress;
        let id = change * 2 + u64::from(is_complete);
        write!(f, "{}-{id}", self.stream)
    }
}

/// The error for text that is not a position.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAPosition;

impl FromStr for StreamPosition {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let (stream, id) = text.rsplit_once('-').ok_or(NotAPosition)?;
        let id: u64 = id.parse().map_err(|_| NotAPosition)?;
        Ok(Self {
            stream: stream.into(),
            progress: Progress {
                change: id / 2,
                is_complete: id % 2 == 1,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_survives_the_round_trip_through_its_text() {
        for is_complete in [false, true] {
            let position = StreamPosition {
                stream: "2a-ff".into(),
                progress: Progress {
                    change: 7,
                    is_complete,
                },
            };
            assert_eq!(position.to_string().parse(), Ok(position));
        }
    }

    #[test]
    fn other_texts_are_no_position() {
        for text in ["", "7", "2a-", "2a-x", "2a-99999999999999999999"] {
            assert_eq!(text.parse::<StreamPosition>(), Err(NotAPosition), "{text}");
        }
    }
}
