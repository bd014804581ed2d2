//! A bare AMI client: as little as can ask Asterisk, and nothing behind it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use memchr::memmem;

use crate::Result;
use crate::load::Load;
use crate::pbx::USER;

const END: &[u8] = b"\r\n\r\n";

pub(crate) struct Ami {
    stream: TcpStream,
    /// What was read, and belongs to no answer yet.
    read: Vec<u8>,
    chunk: Vec<u8>,
}

impl Ami {
    pub(crate) fn login(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut ami = Self {
            stream,
            read: Vec::new(),
            chunk: vec![0; 1 << 18],
        };
        let (user, secret) = USER;
        // Its greeting is a line, which stands before the answer.
        let answer = ami.action(&format!(
            "Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: off\r\n\r\n"
        ))?;
        if answer.contains("Response: Success") {
            Ok(ami)
        } else {
            Err(format!("no AMI session: {answer}").into())
        }
    }

    /// Sends an action; returns its answer.
    pub(crate) fn action(&mut self, action: &str) -> Result<String> {
        self.stream.write_all(action.as_bytes())?;
        self.take_until(END)
    }

    /// A whole list, as text.
    pub(crate) fn queue_status(&mut self, filter: &str) -> Result<String> {
        let action = format!("Action: QueueStatus\r\n{filter}\r\n");
        self.stream.write_all(action.as_bytes())?;
        let mut text = self.take_until(b"Event: QueueStatusComplete")?;
        text += &self.take_until(END)?;
        Ok(text)
    }

    /// Has Asterisk tell this session what it tells a bridge's.
    pub(crate) fn follow_events(&mut self) -> Result<()> {
        let answer = self.action("Action: Events\r\nEventMask: agent,system\r\n\r\n")?;
        if answer.contains("Response: Success") {
            Ok(())
        } else {
            Err(format!("no events: {answer}").into())
        }
    }

    /// Sends the actions in turn for that long, with so many under way. Events are
    /// taken in, and not looked at.
    pub(crate) fn pipeline(
        &mut self,
        actions: &[String],
        outstanding: usize,
        duration: Duration,
    ) -> Result<Load> {
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
            self.fill()?;
            let now = Instant::now();
            let mut end = 0;
            while let Some(length) = memmem::find(&self.read[end..], END) {
                let answer = &self.read[end..end + length];
                end += length + END.len();
                if answer.starts_with(b"Event: ") {
                    continue;
                }
                if memmem::find(answer, b"Response: Success").is_none() {
                    return Err(String::from_utf8_lossy(answer).into());
                }
                let since = sent.pop_front().ok_or("an answer to nothing")?;
                times.push(now - since);
            }
            self.read.drain(..end);
        }
        Ok(Load::of(times, begin.elapsed()))
    }

    /// Everything up to the end of what is looked for, looking at each byte once.
    fn take_until(&mut self, what: &[u8]) -> Result<String> {
        let mut looked = 0;
        loop {
            if let Some(place) = memmem::find(&self.read[looked..], what) {
                let rest = self.read.split_off(looked + place + what.len());
                let taken = std::mem::replace(&mut self.read, rest);
                return Ok(String::from_utf8_lossy(&taken).into_owned());
            }
            looked = (self.read.len() + 1).saturating_sub(what.len());
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<()> {
        match self.stream.read(&mut self.chunk)? {
            0 => Err("Asterisk has closed the session".into()),
            count => {
                self.read.extend_from_slice(&self.chunk[..count]);
                Ok(())
            }
        }
    }
}
