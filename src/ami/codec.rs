//! Framing: where a banner and a message end in the byte stream.
//!
//! Lines end with LF, with or without CR; an empty line ends a frame; empty
//! frames are passed over (some answers of Asterisk end with two blank lines).

use bytes::{Buf, BytesMut};
use memchr::memchr;

use super::message::Message;

/// The longest frame that is accepted. The largest that Asterisk sends to the
/// bridge is a few kilobytes; beyond this the peer is not an Asterisk.
pub const MAX_FRAME: usize = 1 << 20;

/// The longest banner line that is accepted.
const MAX_BANNER: usize = 256;

/// What an Asterisk greets with, before its AMI version.
const BANNER_PREFIX: &[u8] = b"Asterisk Call Manager/";

/// What an AMI proxy greets with, before its own version.
const PROXY_PREFIX: &[u8] = b"Asterisk Call Manager Proxy/";

/// Stands before the version of a proxy in [`Frame::Banner`].
pub(crate) const PROXY: &str = "proxy ";

/// What the peer sent.
#[derive(Debug)]
pub enum Frame {
    /// The greeting; holds the AMI version (`5.0.4` of Asterisk 16, `11.0.0` of 22), or
    /// that of a proxy (`proxy 1.28`).
    Banner(String),
    /// A response or an event.
    Message(Message),
}

/// Why the byte stream is not AMI.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The first line is not the greeting of an Asterisk Manager Interface.
    #[error("the peer does not greet as an Asterisk Manager Interface")]
    NotAmi,
    /// A frame of more than [`MAX_FRAME`] bytes.
    #[error("a message of more than {MAX_FRAME} bytes")]
    TooLong,
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The decoder's state: how far the buffer has been searched already, so that
/// a frame that arrives byte by byte is not searched from its start each time.
#[derive(Debug, Default)]
pub struct AmiCodec {
    greeted: bool,
    /// Start of the line being searched.
    line: usize,
    /// Everything before this has been searched for a line feed.
    searched: usize,
}

impl AmiCodec {
    /// Takes the next complete frame out of the buffer, if there is one.
    ///
    /// # Errors
    /// [`FrameError`] when the bytes are not AMI; the session must end then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        if !self.greeted {
            return self.decode_banner(buffer);
        }
        while let Some(offset) = memchr(b'\n', &buffer[self.searched..]) {
            let end = self.searched + offset;
            let line = &buffer[self.line..end];
            let blank = line.is_empty() || line == b"\r";
            let frame_length = self.line;
            self.line = end + 1;
            self.searched = end + 1;
            if !blank {
                continue;
            }
            let mut frame = buffer.split_to(end + 1);
            self.line = 0;
            self.searched = 0;
            frame.truncate(frame_length);
            if frame_length > MAX_FRAME {
                return Err(FrameError::TooLong);
            }
            if !frame.is_empty() {
                return Ok(Some(Frame::Message(Message::parse(frame.freeze()))));
            }
        }
        self.searched = buffer.len();
        // One more byte may be the CR of the line that ends the frame.
        if buffer.len() > MAX_FRAME + 1 {
            return Err(FrameError::TooLong);
        }
        Ok(None)
    }

    fn decode_banner(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let begins = |prefix: &&[u8]| {
            let known = buffer.len().min(prefix.len());
            buffer[..known] == prefix[..known]
        };
        let prefix = [BANNER_PREFIX, PROXY_PREFIX].into_iter().find(begins);
        let Some(prefix) = prefix else {
            return Err(FrameError::NotAmi);
        };
        let end = memchr(b'\n', buffer);
        if end.unwrap_or(buffer.len()) > MAX_BANNER {
            return Err(FrameError::NotAmi);
        }
        let Some(end) = end else {
            return Ok(None);
        };
        let line = buffer.split_to(end);
        buffer.advance(1);
        self.greeted = true;
        // The line may end before its prefix does.
        let version = line.get(prefix.len()..).ok_or(FrameError::NotAmi)?;
        let version = String::from_utf8_lossy(version);
        let proxy = if prefix == PROXY_PREFIX { PROXY } else { "" };
        let version = format!("{proxy}{}", version.trim_end());
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
            let size = (*sizes.next().expect("cycle")).clamp(1, rest.len());
            buffer.extend_from_slice(&rest[..size]);
            rest = &rest[size..];
            while let Some(frame) = codec.decode(&mut buffer).expect("valid stream") {
                frames.push(format!("{frame:?}"));
            }
        }
        frames
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_frames(
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

    fn error(bytes: &[u8]) -> FrameError {
        let mut codec = AmiCodec::default();
        let mut buffer = BytesMut::from(bytes);
        loop {
            match codec.decode(&mut buffer) {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error"),
                Err(error) => return error,
            }
        }
    }

    #[test]
    fn a_peer_that_is_no_ami_is_told_apart_at_once() {
        assert!(matches!(error(b"SSH-2.0"), FrameError::NotAmi));
        assert!(matches!(error(b"Asterisk Call Mana\n"), FrameError::NotAmi));
        assert!(matches!(
            error(b"Asterisk Call Manager Prefix/1"),
            FrameError::NotAmi
        ));
        let endless = [BANNER_PREFIX, &[b'1'; 300]].concat();
        assert!(matches!(error(&endless), FrameError::NotAmi));
        let long = [BANNER_PREFIX, &[b'1'; 300], b"\r\n"].concat();
        assert!(matches!(error(&long), FrameError::NotAmi));
    }

    #[test]
    fn a_proxy_greets_as_one() {
        for sizes in [&[usize::MAX][..], &[1]] {
            let frames = decode_in_chunks(b"Asterisk Call Manager Proxy/1.28.2\r\n", sizes);
            assert_eq!(frames, ["Banner(\"proxy 1.28.2\")"]);
        }
    }

    #[test]
    fn the_limit_of_a_frame_does_not_depend_on_its_pieces() {
        let banner = "Asterisk Call Manager/5.0.4\r\n";
        let frame = |size: usize| format!("{banner}{}\r\n\r\n", "x".repeat(size - 2));
        for sizes in [&[usize::MAX][..], &[1]] {
            let frames = decode_in_chunks(frame(MAX_FRAME).as_bytes(), sizes);
            assert_eq!(frames.len(), 2);
        }
        assert!(matches!(
            error(frame(MAX_FRAME + 1).as_bytes()),
            FrameError::TooLong
        ));
    }

    #[test]
    fn an_endless_line_and_an_endless_frame_are_refused() {
        let banner = b"Asterisk Call Manager/5.0.4\r\n".to_vec();
        let line = [&banner[..], &vec![b'x'; MAX_FRAME + 2]].concat();
        assert!(matches!(error(&line), FrameError::TooLong));
        let frame = [&banner[..], &b"A: 1\r\n".repeat(MAX_FRAME / 6 + 1)].concat();
        assert!(matches!(error(&frame), FrameError::TooLong));
    }
}
