//! A minimal AMI client, which only sends actions and reads the replies.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use memchr::memmem;

use crate::Result;
use crate::pbx::USER;
use crate::turn_result::TurnResult;

const END: &[u8] = b"\r\n\r\n";

pub(crate) struct Ami {
    stream: TcpStream,
    /// Bytes that have been received but not yet consumed.
    received: Vec<u8>,
    chunk: Vec<u8>,
}

impl Ami {
    pub(crate) fn login(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut ami = Self {
            stream,
            received: Vec::new(),
            chunk: vec![0; 1 << 18],
        };
        let (user, secret) = USER;
        // Asterisk's greeting line precedes the reply.
        let reply = ami.action(&format!(
            "Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: off\r\n\r\n"
        ))?;
        if reply.contains("Response: Success") {
            Ok(ami)
        } else {
            Err(format!("AMI login failed: {reply}").into())
        }
    }

    /// Sends an action and returns its reply.
    pub(crate) fn action(&mut self, action: &str) -> Result<String> {
        self.stream.write_all(action.as_bytes())?;
        self.read_until(END)
    }

    /// Returns the complete `QueueStatus` list as text.
    pub(crate) fn queue_status(&mut self, filter: &str) -> Result<String> {
        let action = format!("Action: QueueStatus\r\n{filter}\r\n");
        self.stream.write_all(action.as_bytes())?;
        let mut text = self.read_until(b"Event: QueueStatusComplete")?;
        text += &self.read_until(END)?;
        Ok(text)
    }

    /// Subscribes to the same events as the bridge.
    pub(crate) fn enable_events(&mut self) -> Result<()> {
        let reply = self.action("Action: Events\r\nEventMask: agent,system\r\n\r\n")?;
        if reply.contains("Response: Success") {
            Ok(())
        } else {
            Err(format!("events refused: {reply}").into())
        }
    }

    /// Repeats the actions for `duration`, and keeps `outstanding` of them in flight at any time.
    /// Discards events.
    pub(crate) fn pipeline(
        &mut self,
        actions: &[String],
        outstanding: usize,
        duration: Duration,
    ) -> Result<TurnResult> {
        let mut next = actions.iter().cycle();
        let mut sent: VecDeque<Instant> = VecDeque::new();
        let mut times = Vec::new();
        let begin = Instant::now();
        loop {
            let now = Instant::now();
            if now - begin < duration {
                let free = outstanding - sent.len();
                let batch: String = next.by_ref().take(free).map(String::as_str).collect();
                self.stream.write_all(batch.as_bytes())?;
                sent.extend(std::iter::repeat_n(now, free));
            } else if sent.is_empty() {
                break;
            }
            self.receive()?;
            let now = Instant::now();
            let mut end = 0;
            while let Some(length) = memmem::find(&self.received[end..], END) {
                let message = &self.received[end..end + length];
                end += length + END.len();
                if message.starts_with(b"Event: ") {
                    continue;
                }
                if memmem::find(message, b"Response: Success").is_none() {
                    return Err(String::from_utf8_lossy(message).into());
                }
                let sent_at = sent.pop_front().ok_or("a reply without an action")?;
                times.push(now - sent_at);
            }
            self.received.drain(..end);
        }
        Ok(TurnResult::new(times, begin.elapsed()))
    }

    /// Reads up to and including `pattern`. Searches each byte only once.
    fn read_until(&mut self, pattern: &[u8]) -> Result<String> {
        let mut searched = 0;
        loop {
            if let Some(position) = memmem::find(&self.received[searched..], pattern) {
                let rest = self.received.split_off(searched + position + pattern.len());
                let taken = std::mem::replace(&mut self.received, rest);
                return Ok(String::from_utf8_lossy(&taken).into_owned());
            }
            searched = (self.received.len() + 1).saturating_sub(pattern.len());
            self.receive()?;
        }
    }

    fn receive(&mut self) -> Result<()> {
        match self.stream.read(&mut self.chunk)? {
            0 => Err("Asterisk closed the session".into()),
            count => {
                self.received.extend_from_slice(&self.chunk[..count]);
                Ok(())
            }
        }
    }
}
