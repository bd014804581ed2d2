//! A connection to Asterisk, with its buffers and framing. Does not match responses to
//! actions.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tracing::trace;

use super::action::Action;
use super::codec::{AmiCodec, Frame, FrameError};
use super::message::Message;

/// Size of the read buffer, in bytes. With this much space, a long event list is read with few
/// system calls.
const READ_BYTES: usize = 64 * 1024;

/// Free buffer space below which the next read uses a new buffer, in bytes. Messages share the old
/// buffer until they are dropped.
const MIN_FREE_BYTES: usize = READ_BYTES / 8;

/// Both directions of a connection to Asterisk.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    pub(crate) incoming: Incoming<S>,
    pub(crate) outgoing: Outgoing<S>,
    /// Maximum number of unanswered actions.
    pub(crate) max_in_flight: usize,
}

/// The reading half.
#[derive(Debug)]
pub(crate) struct Incoming<S> {
    stream: ReadHalf<S>,
    buffer: BytesMut,
    codec: AmiCodec,
}

/// The writing half.
#[derive(Debug)]
pub(crate) struct Outgoing<S> {
    stream: WriteHalf<S>,
    buffer: BytesMut,
    /// Number of bytes that the operating system, or TLS, has accepted.
    written: u64,
    /// False while accepted bytes may still be in a TLS buffer.
    flushed: bool,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    pub(crate) fn new(stream: S, max_in_flight: usize) -> Self {
        let (read, write) = tokio::io::split(stream);
        Self {
            incoming: Incoming {
                stream: read,
                buffer: BytesMut::new(),
                codec: AmiCodec::default(),
            },
            outgoing: Outgoing {
                stream: write,
                buffer: BytesMut::new(),
                written: 0,
                flushed: true,
            },
            max_in_flight,
        }
    }

    /// Writes and flushes one action. Used by the handshake, which sends one action at a
    /// time.
    pub(crate) async fn send(&mut self, id: u64, action: &Action) -> Result<(), FrameError> {
        self.outgoing.enqueue(id, action, "");
        while !self.outgoing.is_empty() {
            self.outgoing.write().await?;
        }
        Ok(())
    }

    /// Waits for the next frame. Returns `None` if Asterisk has closed the connection. Cancel
    /// safe.
    pub(crate) async fn receive(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            if let Some(frame) = self.incoming.next()? {
                return Ok(Some(frame));
            }
            if self.incoming.fill().await? == 0 {
                return Ok(None);
            }
        }
    }
}

impl<S: AsyncRead> Incoming<S> {
    /// Waits for bytes, reads them into the buffer, and returns their number. Returns 0 if
    /// Asterisk has closed the connection. Cancel safe.
    pub(crate) async fn fill(&mut self) -> Result<usize, FrameError> {
        if self.buffer.capacity() - self.buffer.len() < MIN_FREE_BYTES {
            self.buffer.reserve(READ_BYTES);
        }
        Ok(self.stream.read_buf(&mut self.buffer).await?)
    }

    /// Decodes the next complete frame in the buffer.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let frame = self.codec.decode(&mut self.buffer)?;
        if let Some(Frame::Message(frame)) = &frame {
            trace!(target: "ami_bridge::wire", ?frame, "received");
        }
        Ok(frame)
    }

    /// Decodes the next complete message in the buffer. A second greeting is an error.
    pub(crate) fn next_message(&mut self) -> Result<Option<Message>, FrameError> {
        match self.next()? {
            Some(Frame::Message(message)) => Ok(Some(message)),
            Some(Frame::Banner(_)) => Err(FrameError::NotAmi),
            None => Ok(None),
        }
    }
}

impl<S: AsyncWrite> Outgoing<S> {
    /// Appends an action to the write buffer, and returns the offset of the action's end in
    /// the byte stream. Logs the ActionID together with the request id, so that log readers
    /// can correlate the two ids.
    pub(crate) fn enqueue(&mut self, id: u64, action: &Action, request_id: &str) -> u64 {
        trace!(target: "ami_bridge::wire", id, request_id, ?action, "sent");
        action.encode(id, &mut self.buffer);
        self.written + self.buffer.len() as u64
    }

    /// Returns whether every byte has been written and flushed.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.flushed
    }

    /// Returns the number of bytes in the write buffer.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Returns the number of bytes written since the connection was opened.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Writes as much of the buffer as the socket accepts, and flushes. Cancel safe.
    pub(crate) async fn write(&mut self) -> Result<(), FrameError> {
        if !self.buffer.is_empty() {
            let count = self.stream.write_buf(&mut self.buffer).await?;
            if count == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into());
            }
            self.written += count as u64;
            self.flushed = false;
        }
        self.stream.flush().await?;
        self.flushed = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn messages_that_are_still_used_share_a_buffer_while_it_has_space() {
        let (stream, mut asterisk) = duplex(READ_BYTES);
        let mut connection = Connection::new(stream, 1);
        asterisk
            .write_all(b"Asterisk Call Manager/11.0.0\r\n")
            .await
            .expect("a duplex");
        connection.receive().await.expect("a banner");
        let event = format!("Event: Test\r\nValue: {}\r\n\r\n", "x".repeat(1000));
        let mut messages = Vec::new();
        let mut free_bytes = Vec::new();
        for _ in 0..2 * READ_BYTES / event.len() {
            asterisk
                .write_all(event.as_bytes())
                .await
                .expect("a duplex");
            messages.push(connection.receive().await.expect("a message"));
            let buffer = &connection.incoming.buffer;
            free_bytes.push(buffer.capacity() - buffer.len());
        }
        let new_buffers = free_bytes.windows(2).filter(|pair| pair[1] > pair[0]);
        assert_eq!(new_buffers.count(), 2, "{free_bytes:?}");
        let is_whole = |frame: &Option<Frame>| match frame {
            Some(Frame::Message(message)) => message.get("Value").is_some_and(|v| v.len() == 1000),
            _ => false,
        };
        assert!(messages.iter().all(is_whole), "{messages:?}");
    }
}
