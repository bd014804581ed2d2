//! A connection to Asterisk that records every line.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use md5::{Digest, Md5};

use super::Result;

/// Name and secret of an AMI user.
pub(super) type User = (&'static str, &'static str);

/// A connection, and every line that either side has sent.
pub(super) struct Wire {
    stream: BufReader<TcpStream>,
    lines: Vec<Line>,
    last_id: u32,
}

struct Line {
    is_from_server: bool,
    /// The line, with its line feed.
    bytes: Vec<u8>,
}

impl Wire {
    /// Connects and reads the greeting.
    pub(super) fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut wire = Self {
            stream: BufReader::new(stream),
            lines: Vec::new(),
            last_id: 0,
        };
        wire.read_line()?.ok_or("no greeting")?;
        Ok(wire)
    }

    /// Sends an action, and returns the complete reply.
    pub(super) fn call(&mut self, action: &str, headers: &[&str]) -> Result<String> {
        // Some responses end with two empty lines. The second empty line must be recorded before
        // the next action.
        while self.stream.buffer().contains(&b'\n') {
            self.read_line()?;
        }
        self.last_id += 1;
        let id = format!("ActionID: {}", self.last_id);
        let action = format!("Action: {action}");
        let frame = [&[action.as_str(), &id], headers, &["", ""]].concat();
        let frame = frame.join("\r\n");
        self.stream.get_mut().write_all(frame.as_bytes())?;
        self.lines
            .extend(frame.split_inclusive('\n').map(|line| Line {
                is_from_server: false,
                bytes: line.into(),
            }));
        let mut answer = self.read_until_frame(&id)?;
        if answer.contains("EventList: start") {
            while !answer.contains("EventList: Complete") {
                answer += &self.read_until_frame(&id)?;
            }
        }
        Ok(answer)
    }

    /// Repeats an action until the reply contains `text`.
    pub(super) fn call_until(&mut self, action: &str, headers: &[&str], text: &str) -> Result<()> {
        for _ in 0..200 {
            if self.call(action, headers)?.contains(text) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("no reply to {action} contained {text:?}").into())
    }

    /// Requests a challenge and logs in.
    pub(super) fn login(&mut self, (user, secret): User, events: &str) -> Result<()> {
        let answer = self.call("Challenge", &["AuthType: MD5"])?;
        let challenge = answer
            .lines()
            .find_map(|line| line.strip_prefix("Challenge: "))
            .ok_or("no challenge")?;
        let mut key = "Key: ".to_owned();
        for byte in Md5::digest(format!("{challenge}{secret}")) {
            write!(key, "{byte:02x}")?;
        }
        let user = format!("Username: {user}");
        let events = format!("Events: {events}");
        self.call("Login", &["AuthType: MD5", &user, &key, &events])?;
        Ok(())
    }

    /// Performs the same handshake as the bridge: logs in, waits for the boot event, and
    /// probes app_queue.
    pub(super) fn handshake(&mut self, user: User) -> Result<()> {
        self.login(user, "agent,system")?;
        self.read_until_frame("Event: FullyBooted")?;
        let nowhere = "Queue: ami-bridge-permission-check";
        let nobody = "Interface: Local/nobody@ami-bridge-permission-check";
        self.call("QueuePause", &[nowhere, nobody, "Paused: false"])?;
        Ok(())
    }

    pub(super) fn logoff(mut self) -> Result<Self> {
        self.call("Logoff", &[])?;
        self.read_until_closed()
    }

    /// Reads until Asterisk closes the connection.
    pub(super) fn read_until_closed(mut self) -> Result<Self> {
        while self.read_line()?.is_some() {}
        Ok(self)
    }

    /// Reads until a message with `header` arrives, and returns the message.
    pub(super) fn read_until_frame(&mut self, header: &str) -> Result<String> {
        let mut frame = String::new();
        loop {
            let line = self
                .read_line()?
                .ok_or_else(|| format!("the connection was closed before {header:?}"))?;
            let line = line.trim_end_matches(['\r', '\n']);
            if !line.is_empty() {
                frame += line;
                frame.push('\n');
            } else if frame.lines().any(|line| line == header) {
                return Ok(frame);
            } else {
                frame.clear();
            }
        }
    }

    fn read_line(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        if self.stream.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if !bytes.ends_with(b"\n") {
            return Err(
                "Asterisk closed the connection within a line, which no transcript can express"
                    .into(),
            );
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.lines.push(Line {
            is_from_server: true,
            bytes,
        });
        Ok(Some(text))
    }

    pub(super) fn transcript(&self) -> String {
        self.lines.iter().map(Line::transcript).collect()
    }
}

impl Line {
    fn transcript(&self) -> String {
        let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let (side, line) = match (self.is_from_server, line.strip_suffix(b"\r")) {
            (true, Some(line)) => ("S:", line),
            (true, None) => ("s:", line),
            (false, Some(line)) => ("C:", line),
            (false, None) => ("c:", line),
        };
        let mut text = side.to_owned();
        if !line.is_empty() {
            text.push(' ');
        }
        for chunk in line.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\\' => text += "\\\\",
                    '\0'..'\x20' | '\x7f' => escape(&mut text, character as u8),
                    _ => text.push(character),
                }
            }
            for &byte in chunk.invalid() {
                escape(&mut text, byte);
            }
        }
        // Editors may remove a space at the end of a line.
        if line.ends_with(b" ") {
            text.pop();
            escape(&mut text, b' ');
        }
        text.push('\n');
        text
    }
}

fn escape(text: &mut String, byte: u8) {
    *text += &format!("\\x{byte:02x}");
}
