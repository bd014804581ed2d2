//! An AMI message: an ordered multimap of headers, stored as positions in the received
//! bytes.
//!
//! Values are bytes, because Asterisk can truncate a name in the middle of a UTF-8
//! character. Values are decoded to text only on request, and lossily.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::parse::{self, Header};

/// A complete response or event.
#[derive(Clone)]
pub struct Message {
    raw: Bytes,
    headers: Vec<Header>,
}

impl Message {
    /// Parses one complete frame. A line without a colon continues the value of the previous
    /// header, because member names and caller names can contain line feeds.
    #[must_use]
    pub fn parse(raw: Bytes) -> Self {
        let headers = parse::headers(&raw);
        Self { raw, headers }
    }

    /// Returns the value of the first header with this name. Header names are
    /// case-insensitive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Returns the value of the last header with this name. Header names are
    /// case-insensitive. A member's name can contain lines that look like headers, but the
    /// genuine headers follow the name.
    #[must_use]
    pub fn get_last(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .rfind(|(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Returns all headers from the last `name` header that is directly followed by a `next`
    /// header. If there is no such pair, returns all headers from the last `name` header.
    /// Returns `None` if there is no `name` header.
    #[must_use]
    pub fn tail_from_pair(&self, name: &str, next: &str) -> Option<HeaderTail<'_>> {
        let is_named = |index: usize, name: &str| {
            let header = self.headers.get(index);
            header.is_some_and(|h| h.name(&self.raw).eq_ignore_ascii_case(name.as_bytes()))
        };
        let mut indexes = (0..self.headers.len()).rev();
        let pair = indexes
            .clone()
            .find(|index| is_named(*index, name) && is_named(index + 1, next));
        let start = pair.or_else(|| indexes.find(|index| is_named(*index, name)))?;
        Some(HeaderTail {
            message: self,
            start,
        })
    }

    /// Returns whether this is an event that is not part of a reply. The second header of
    /// such an event is `Privilege`; list rows have no `Privilege` header.
    #[must_use]
    pub fn is_unsolicited(&self) -> bool {
        let second = self.iter().nth(1);
        self.event().is_some()
            && second.is_some_and(|(name, _)| name.eq_ignore_ascii_case(b"Privilege"))
    }

    /// Joins this message with `rest`, the part after an empty line in a value.
    #[must_use]
    pub fn join(&self, rest: &Self) -> Self {
        Self::parse([&self.raw[..], b"\n", &rest.raw[..]].concat().into())
    }

    /// Like [`Message::get`], but decodes the value to text. Invalid UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(String::from_utf8_lossy)
    }

    /// Iterates over the names and values of all headers, in the order in which Asterisk sent
    /// them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        self.headers
            .iter()
            .map(|header| (header.name(&self.raw), header.value(&self.raw)))
    }

    /// Returns whether this is the response to an action: its first header is `Response`.
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.value_if_first("Response").is_some()
    }

    /// Returns whether this is a `Success` response.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.value_if_first("Response")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"Success"))
    }

    /// Returns the event's name, or `None` if the message is not an event. An event's first
    /// header is `Event`.
    #[must_use]
    pub fn event(&self) -> Option<&[u8]> {
        self.value_if_first("Event")
    }

    fn value_if_first(&self, name: &str) -> Option<&[u8]> {
        let (first, value) = self.iter().next()?;
        first.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    }

    /// Returns the value of the last `ActionID` header. Asterisk writes this header at the
    /// end of a list row, so a line within a name can't override it.
    #[must_use]
    pub fn action_id(&self) -> Option<u64> {
        number(self.get_last("ActionID")?)
    }

    /// Returns whether this event ends a list: one of its first three headers is `EventList`.
    /// These headers precede any value that can contain line feeds.
    #[must_use]
    pub fn ends_list(&self) -> bool {
        let is_event_list = |(name, _): (&[u8], _)| name.eq_ignore_ascii_case(b"EventList");
        self.iter().take(3).any(is_event_list)
    }

    /// Returns the number of rows that Asterisk reports in the event that ends a list.
    #[must_use]
    pub fn list_items(&self) -> Option<usize> {
        number(self.get("ListItems")?)
    }

    /// Returns the received size in bytes, without the empty line that ends the frame.
    #[must_use]
    pub fn size(&self) -> usize {
        self.raw.len()
    }
}

/// The headers of a message from a certain header to the end.
#[derive(Debug, Clone, Copy)]
pub struct HeaderTail<'a> {
    /// The whole message.
    pub message: &'a Message,
    start: usize,
}

impl<'a> HeaderTail<'a> {
    /// Like [`Message::get`], but searches only these headers.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let mut headers = self.message.headers[self.start..].iter();
        let raw = &self.message.raw;
        let found = headers.find(|h| h.name(raw).eq_ignore_ascii_case(name.as_bytes()));
        found.map(|header| header.value(raw))
    }

    /// Like [`Message::text`], but searches only these headers.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(String::from_utf8_lossy)
    }

    /// Returns a header's value as a number, or 0 if the header is missing or its value is
    /// not a number.
    pub fn number<T: FromStr + Default>(&self, name: &str) -> T {
        self.get(name).and_then(number).unwrap_or_default()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| {
                let name = String::from_utf8_lossy(name);
                let value = if is_secret(&name) {
                    Cow::Borrowed("***")
                } else {
                    String::from_utf8_lossy(value)
                };
                (name, value)
            }))
            .finish()
    }
}

fn number<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Returns whether a header's value must never appear in a log. This applies to the secret.
/// It also applies to the challenge and its response, because someone who knows both could
/// guess a weak secret.
fn is_secret(name: &str) -> bool {
    ["Secret", "Key", "Challenge"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}
