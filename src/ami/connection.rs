//! A byte stream to Asterisk, its buffers and its framing.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tracing::trace;

use super::action::Action;
use super::codec::{AmiCodec, Frame, FrameError};
use super::message::Message;

/// How much is read at once: a large event list comes in few system calls.
const READ_CHUNK: usize = 64 * 1024;

/// A connection that has not been given up yet.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    pub(crate) incoming: Incoming<S>,
    pub(crate) outgoing: Outgoing<S>,
    /// How many actions may be under way at once.
    pub(crate) most_in_flight: usize,
}

/// The half that reads.
#[derive(Debug)]
pub(crate) struct Incoming<S> {
    stream: ReadHalf<S>,
    buffer: BytesMut,
    codec: AmiCodec,
}

/// The half that writes.
#[derive(Debug)]
pub(crate) struct Outgoing<S> {
    stream: WriteHalf<S>,
    buffer: BytesMut,
    /// Bytes that the operating system (or TLS) has taken over.
    written: u64,
    /// TLS may still hold what it has taken.
    flushed: bool,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    pub(crate) fn new(stream: S, most_in_flight: usize) -> Self {
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
            most_in_flight,
        }
    }

    /// Sends one action and flushes it: for the handshake, where nothing else
    /// is under way.
    pub(crate) async fn send(&mut self, id: u64, action: &Action) -> Result<(), FrameError> {
        self.outgoing.queue(id, action, "");
        while !self.outgoing.is_empty() {
            self.outgoing.write().await?;
        }
        Ok(())
    }

    /// The next frame, or `None` where the peer has closed. Safe to cancel.
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
    /// Reads what has arrived; 0 means that the peer has closed. Safe to cancel.
    pub(crate) async fn fill(&mut self) -> Result<usize, FrameError> {
        self.buffer.reserve(READ_CHUNK);
        Ok(self.stream.read_buf(&mut self.buffer).await?)
    }

    /// The next complete frame among what was read.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let frame = self.codec.decode(&mut self.buffer)?;
        if let Some(Frame::Message(frame)) = &frame {
            trace!(target: "ami_bridge::wire", ?frame, "received");
        }
        Ok(frame)
    }

    /// The next complete message; a session has no second greeting.
    pub(crate) fn next_message(&mut self) -> Result<Option<Message>, FrameError> {
        match self.next()? {
            Some(Frame::Message(message)) => Ok(Some(message)),
            Some(Frame::Banner(_)) => Err(FrameError::NotAmi),
            None => Ok(None),
        }
    }
}

impl<S: AsyncWrite> Outgoing<S> {
    /// Puts an action behind what is to be written; returns the position in
    /// the stream behind its last byte. The log puts the request that it is
    /// part of beside the ActionID, so that one can be followed to the other.
    pub(crate) fn queue(&mut self, id: u64, action: &Action, request_id: &str) -> u64 {
        trace!(target: "ami_bridge::wire", id, request_id, ?action, "sent");
        action.encode(id, &mut self.buffer);
        self.written + self.buffer.len() as u64
    }

    /// Whether nothing is left to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.flushed
    }

    /// Bytes that wait to be written.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes that have been written since the connection was made.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Writes what the peer takes now. Safe to cancel.
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
