//! Framing: splits the byte stream into the greeting and the messages.
//!
//! A line ends with LF, optionally after CR. An empty line ends a frame. Empty frames are
//! skipped, because some Asterisk responses end with two empty lines.

use bytes::{Buf, BytesMut};
use memchr::memchr;

use super::message::Message;

/// Maximum frame length in bytes. The largest frames that Asterisk sends to the bridge
/// are a few kilobytes long, so a peer that sends a longer frame is not Asterisk.
pub const MAX_FRAME_BYTES: usize = 1 << 20;

/// Maximum length of the greeting in bytes.
const MAX_BANNER_BYTES: usize = 256;

/// Asterisk's greeting, up to the AMI version.
const BANNER_PREFIX: &[u8] = b"Asterisk Call Manager/";

/// An AMI proxy's greeting, up to the proxy's version.
const PROXY_BANNER_PREFIX: &[u8] = b"Asterisk Call Manager Proxy/";

/// Prefix of a proxy's version in [`Frame::Banner`].
pub(crate) const PROXY_VERSION_PREFIX: &str = "proxy ";

/// A decoded unit of the byte stream.
#[derive(Debug)]
pub enum Frame {
    /// The greeting, with the AMI version (`5.0.4` from Asterisk 16, `11.0.0` from Asterisk
    /// 22) or a proxy's version (`proxy 1.28`).
    Banner(String),
    /// A response or an event.
    Message(Message),
}

/// An error in the byte stream.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The first line is not an Asterisk Manager Interface greeting.
    #[error("the peer did not send an Asterisk Manager Interface greeting")]
    NotAmi,
    /// A frame is longer than [`MAX_FRAME_BYTES`].
    #[error("a message is longer than {MAX_FRAME_BYTES} bytes")]
    TooLong,
    /// Reading from or writing to the connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The AMI decoder. It remembers how far it has searched the buffer, so it searches each
/// byte only once, even if a frame arrives byte by byte.
#[derive(Debug, Default)]
pub struct AmiCodec {
    banner_decoded: bool,
    /// Start of the current line.
    line_start: usize,
    /// End of the bytes that have been searched for a line feed.
    searched: usize,
}

impl AmiCodec {
    /// Removes and returns the next complete frame in the buffer, or returns `None` if more
    /// bytes are needed.
    ///
    /// # Errors
    /// Returns a [`FrameError`] if the bytes are not AMI. The caller must then close the
    /// connection.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        if !self.banner_decoded {
            return self.decode_banner(buffer);
        }
        while let Some(offset) = memchr(b'\n', &buffer[self.searched..]) {
            let end = self.searched + offset;
            let line = &buffer[self.line_start..end];
            let blank = line.is_empty() || line == b"\r";
            let frame_length = self.line_start;
            self.line_start = end + 1;
            self.searched = end + 1;
            if !blank {
                continue;
            }
            let mut frame = buffer.split_to(end + 1);
            self.line_start = 0;
            self.searched = 0;
            frame.truncate(frame_length);
            if frame_length > MAX_FRAME_BYTES {
                return Err(FrameError::TooLong);
            }
            if !frame.is_empty() {
                return Ok(Some(Frame::Message(Message::parse(frame.freeze()))));
            }
        }
        self.searched = buffer.len();
        // The byte after the frame may be the CR of the empty line that ends the frame.
        if buffer.len() > MAX_FRAME_BYTES + 1 {
            return Err(FrameError::TooLong);
        }
        Ok(None)
    }

    fn decode_banner(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        // The buffer may contain only the beginning of the prefix.
        let matches = |prefix: &&[u8]| {
            let length = buffer.len().min(prefix.len());
            buffer[..length] == prefix[..length]
        };
        let prefixes = [BANNER_PREFIX, PROXY_BANNER_PREFIX];
        let prefix = prefixes.into_iter().find(matches);
        let Some(prefix) = prefix else {
            return Err(FrameError::NotAmi);
        };
        let end = memchr(b'\n', buffer);
        if end.unwrap_or(buffer.len()) > MAX_BANNER_BYTES {
            return Err(FrameError::NotAmi);
        }
        let Some(end) = end else {
            return Ok(None);
        };
        let line = buffer.split_to(end);
        buffer.advance(1);
        self.banner_decoded = true;
        // The line may be shorter than the prefix.
        let version = line.get(prefix.len()..).ok_or(FrameError::NotAmi)?;
        let version = String::from_utf8_lossy(version);
        let is_proxy = prefix == PROXY_BANNER_PREFIX;
        let mark = if is_proxy { PROXY_VERSION_PREFIX } else { "" };
        let version = format!("{mark}{}", version.trim_end());
        Ok(Some(Frame::Banner(version)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode_in_chunks(bytes: &[u8], sizes: &[usize]) -> Vec<String> {
        let mut codec = AmiCodec::default();
        let mut buffer = BytesMut::new();
        let mut frames = Vec::new();
        let mut rest = bytes;
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let size = (*sizes.next().expect("an endless iterator")).clamp(1, rest.len());
            buffer.extend_from_slice(&rest[..size]);
            rest = &rest[size..];
            while let Some(frame) = codec.decode(&mut buffer).expect("a valid stream") {
                frames.push(format!("{frame:?}"));
            }
        }
        frames
    }

    proptest! {
        #[test]
        fn frames_do_not_depend_on_chunk_sizes(
            values in prop::collection::vec("[^\n]{0,40}", 1..20),
            sizes in prop::collection::vec(1usize..60, 1..20),
            crlf in any::<bool>(),
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let mut bytes = format!("Asterisk Call Manager/5.0.4{end}");
            for value in &values {
                bytes += &format!("Event: Test{end}Value: {value}{end}{end}");
            }
            let whole = decode_in_chunks(bytes.as_bytes(), &[usize::MAX]);
            prop_assert_eq!(whole.len(), values.len() + 1);
            prop_assert_eq!(decode_in_chunks(bytes.as_bytes(), &sizes), whole.clone());
            prop_assert_eq!(decode_in_chunks(bytes.as_bytes(), &[1]), whole);
        }
    }

    fn decode_error(bytes: &[u8]) -> FrameError {
        let mut codec = AmiCodec::default();
        let mut buffer = BytesMut::from(bytes);
        loop {
            match codec.decode(&mut buffer) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("expected a decoding error"),
                Err(error) => return error,
            }
        }
    }

    #[test]
    fn peer_that_does_not_speak_ami_is_rejected() {
        assert!(matches!(decode_error(b"SSH-2.0"), FrameError::NotAmi));
        assert!(matches!(
            decode_error(b"Asterisk Call Mana\n"),
            FrameError::NotAmi
        ));
        assert!(matches!(
            decode_error(b"Asterisk Call Manager Prefix/1"),
            FrameError::NotAmi
        ));
        let endless = [BANNER_PREFIX, &[b'1'; 300]].concat();
        assert!(matches!(decode_error(&endless), FrameError::NotAmi));
        let long = [BANNER_PREFIX, &[b'1'; 300], b"\r\n"].concat();
        assert!(matches!(decode_error(&long), FrameError::NotAmi));
    }

    #[test]
    fn proxy_greeting_is_recognized() {
        for sizes in [&[usize::MAX][..], &[1]] {
            let frames = decode_in_chunks(b"Asterisk Call Manager Proxy/1.28.2\r\n", sizes);
            assert_eq!(frames, ["Banner(\"proxy 1.28.2\")"]);
        }
    }

    #[test]
    fn frame_limit_does_not_depend_on_chunk_sizes() {
        let banner = "Asterisk Call Manager/5.0.4\r\n";
        let frame = |size: usize| format!("{banner}{}\r\n\r\n", "x".repeat(size - 2));
        for sizes in [&[usize::MAX][..], &[1]] {
            let frames = decode_in_chunks(frame(MAX_FRAME_BYTES).as_bytes(), sizes);
            assert_eq!(frames.len(), 2);
        }
        assert!(matches!(
            decode_error(frame(MAX_FRAME_BYTES + 1).as_bytes()),
            FrameError::TooLong
        ));
    }

    #[test]
    fn endless_line_and_endless_frame_are_rejected() {
        let banner = b"Asterisk Call Manager/5.0.4\r\n".to_vec();
        let line = [&banner[..], &vec![b'x'; MAX_FRAME_BYTES + 2]].concat();
        assert!(matches!(decode_error(&line), FrameError::TooLong));
        let frame = [&banner[..], &b"A: 1\r\n".repeat(MAX_FRAME_BYTES / 6 + 1)].concat();
        assert!(matches!(decode_error(&frame), FrameError::TooLong));
    }
}
