//! Writes JSON in pieces, so that large cached parts can be shared instead of copied.

use bytes::Bytes;
use serde::Serialize;

/// Rendered JSON shorter than this many bytes is copied, because a separate piece would cost
/// more.
const MIN_SHARED_PART: usize = 8 * 1024;

/// A JSON writer that produces pieces.
#[derive(Debug, Default)]
pub(in crate::api) struct JsonPieces {
    finished: Vec<Bytes>,
    current: Vec<u8>,
    /// The total length of the shared parts in `finished`.
    shared_bytes: usize,
}

impl JsonPieces {
    /// Appends JSON text.
    pub(in crate::api) fn raw(&mut self, text: &str) {
        self.current.extend_from_slice(text.as_bytes());
    }

    /// Appends a value.
    pub(in crate::api) fn value(&mut self, value: &impl Serialize) {
        // Serialization fails only for maps with non-string keys; no view has one.
        let _ = serde_json::to_writer(&mut self.current, value);
    }

    /// Appends the fields of an object without its braces. `value` must serialize as a
    /// non-empty object.
    pub(in crate::api) fn fields(&mut self, value: &impl Serialize) {
        let start = self.current.len();
        self.value(value);
        self.current.pop();
        self.current.remove(start);
    }

    /// Appends rendered JSON, without copying it if it is large.
    pub(in crate::api) fn part(&mut self, part: &Bytes) {
        if part.len() < MIN_SHARED_PART {
            self.current.extend_from_slice(part);
        } else {
            self.finish_current();
            self.finished.push(part.clone());
            self.shared_bytes += part.len();
        }
    }

    /// Returns the length of the JSON without the parts that are shared with others.
    pub(in crate::api) fn own_bytes(&self) -> usize {
        let finished: usize = self.finished.iter().map(Bytes::len).sum();
        finished - self.shared_bytes + self.current.len()
    }

    /// Returns the pieces. Concatenated, they form the JSON text.
    pub(in crate::api) fn finish(mut self) -> Vec<Bytes> {
        self.finish_current();
        self.finished
    }

    fn finish_current(&mut self) {
        if !self.current.is_empty() {
            self.finished.push(std::mem::take(&mut self.current).into());
        }
    }
}

/// Renders a value in one piece.
pub(in crate::api) fn to_json(value: &impl Serialize) -> Vec<Bytes> {
    let mut json = JsonPieces::default();
    json.value(value);
    json.finish()
}
