//! A connection to Asterisk, with its buffers and framing. Does not match responses to
//! actions.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tracing::trace;

use super::action::Action;
use super::codec::{AmiCodec, Frame, FrameError};
use super::message::Message;

/// Free buffer space before each read, in bytes. With this much space, a long event list is
/// read with few system calls.
const READ_BYTES: usize = 64 * 1024;

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
        self.buffer.reserve(READ_BYTES);
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
