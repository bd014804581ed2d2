//! The text of events, encoded as `text/event-stream`.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde::Serialize;

/// Data smaller than this, in bytes, is copied into the preceding piece, because sending a
/// separate piece costs more than copying.
const MIN_SHARED_PIECE: usize = 8 * 1024;

/// The line break after a chunk.
const CHUNK_END: &[u8] = b"\r\n";

/// The text of one or more events. It is stored as an HTTP/1.1 chunk, so that all streams send the
/// same bytes. Clones share the bytes.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The chunk: its size, the text, and a line break.
    pieces: Arc<[Bytes]>,
    /// The length of the line with the chunk's size, in bytes.
    head: usize,
}

impl Frame {
    /// Returns an SSE comment, which clients ignore.
    pub(super) fn heartbeat() -> Self {
        static HEARTBEAT: LazyLock<Frame> = LazyLock::new(|| {
            let mut text = EventText::default();
            text.current.extend_from_slice(b":\n\n");
            text.finish()
        });
        HEARTBEAT.clone()
    }

    /// Returns the frame as an HTTP/1.1 chunk, in pieces. No piece is empty.
    pub fn chunk(&self) -> impl Iterator<Item = Bytes> {
        self.pieces.iter().cloned()
    }

    /// Returns the text without the chunk's framing, in pieces. No piece is empty.
    pub fn text(&self) -> impl Iterator<Item = Bytes> {
        let last = self.pieces.len() - 1;
        self.pieces.iter().enumerate().map(move |(index, piece)| {
            let start = if index == 0 { self.head } else { 0 };
            let end = if index == last { CHUNK_END.len() } else { 0 };
            piece.slice(start..piece.len() - end)
        })
    }

    /// Returns a frame without the first `count` bytes of the text.
    pub(super) fn skip(&self, mut count: usize) -> Self {
        let mut rest = EventText::default();
        for piece in self.text() {
            let skipped = count.min(piece.len());
            rest.current.extend_from_slice(&piece[skipped..]);
            count -= skipped;
        }
        rest.finish()
    }

    /// Returns the size in bytes.
    pub(super) fn size(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

/// Encodes events.
#[derive(Debug, Default)]
pub(super) struct EventText {
    /// The pieces before `current`.
    pieces: Vec<Bytes>,
    current: Vec<u8>,
}

impl EventText {
    /// Appends an event with data that is serialized as JSON.
    pub(super) fn event(&mut self, id: impl Display, name: &str, data: &impl Serialize) {
        self.begin(id, name);
        // Serialization fails only for maps with non-string keys; no event has one.
        let _ = serde_json::to_writer(&mut self.current, data);
        self.current.extend_from_slice(b"\n\n");
    }

    /// Appends an event with JSON in pieces, without copying large pieces. The JSON must not
    /// contain line breaks.
    pub(super) fn event_in_pieces(&mut self, id: impl Display, name: &str, data: Vec<Bytes>) {
        self.begin(id, name);
        for piece in data {
            if piece.len() < MIN_SHARED_PIECE {
                self.current.extend_from_slice(&piece);
            } else {
                // `current` is empty after another large piece.
                if !self.current.is_empty() {
                    self.pieces.push(std::mem::take(&mut self.current).into());
                }
                self.pieces.push(piece);
            }
        }
        self.current.extend_from_slice(b"\n\n");
    }

    fn begin(&mut self, id: impl Display, name: &str) {
        // Writing to a `Vec` can't fail.
        let _ = write!(self.current, "id: {id}\nevent: {name}\ndata: ");
    }

    /// Returns the size of the text so far, in bytes.
    pub(super) fn size(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum::<usize>() + self.current.len()
    }

    /// Returns the text as a frame.
    pub(super) fn finish(mut self) -> Frame {
        let head = format!("{:x}\r\n", self.size()).into_bytes();
        let length = head.len();
        self.current.extend_from_slice(CHUNK_END);
        self.pieces.push(self.current.into());
        // Each piece is a write of its own, so the head joins the first one.
        self.pieces[0] = [&head[..], &self.pieces[0]].concat().into();
        Frame {
            pieces: self.pieces.into(),
            head: length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concat(pieces: impl Iterator<Item = Bytes>) -> String {
        let pieces: Vec<Bytes> = pieces.collect();
        String::from_utf8(pieces.concat()).expect("UTF-8")
    }

    #[test]
    fn frame_is_a_chunk_of_its_text() {
        for length in [1, MIN_SHARED_PIECE] {
            let data = "7".repeat(length);
            let expected = format!(
                "id: a-1\nevent: queue\ndata: {data}\n\nid: a-2\nevent: pbx\ndata: {data}\n\n"
            );
            let mut text = EventText::default();
            text.event_in_pieces("a-1", "queue", vec![data.clone().into()]);
            let first = text.size();
            text.event_in_pieces("a-2", "pbx", vec![data.clone().into()]);
            let frame = text.finish();
            assert_eq!(concat(frame.text()), expected);
            let chunk = format!("{:x}\r\n{expected}\r\n", expected.len());
            assert_eq!(concat(frame.chunk()), chunk);
            assert_eq!(frame.size(), chunk.len());
            assert_eq!(concat(frame.skip(first).text()), expected[first..]);
        }
        assert_eq!(concat(Frame::heartbeat().chunk()), "3\r\n:\n\n\r\n");
    }

    #[test]
    fn frame_has_no_empty_pieces() {
        let large = Bytes::from("7".repeat(MIN_SHARED_PIECE));
        for data in [
            vec![],
            vec![large.clone()],
            vec![large.clone(), large.clone()],
            vec!["7".into(), large.clone(), large.clone(), "7".into(), large],
        ] {
            let mut text = EventText::default();
            text.event_in_pieces("a-1", "snapshot", data);
            let frame = text.finish();
            assert!(frame.chunk().all(|piece| !piece.is_empty()), "{frame:?}");
            assert!(frame.text().all(|piece| !piece.is_empty()), "{frame:?}");
        }
    }
}
