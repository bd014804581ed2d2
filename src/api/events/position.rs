//! Positions in an event stream.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A client's position in an event stream. Its text form is an event's `id`, which the client
/// sends back as `Last-Event-ID` when it reconnects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPosition {
    /// Identifies the change log and the view. Positions of different streams are unrelated.
    pub(super) stream: Arc<str>,
    /// The number of the last change that the client has received.
    pub(super) change: u64,
    /// Whether the client has received all events for this change. A `queue` event follows each
    /// `member` event, and a client that reconnects between the two must still receive the
    /// `queue` event.
    pub(super) is_complete: bool,
}

impl fmt::Display for StreamPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.change * 2 + u64::from(self.is_complete);
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
            change: id / 2,
            is_complete: id % 2 == 1,
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
                change: 7,
                is_complete,
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
