//! A plain AMI session, by which the tests see what Asterisk itself says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A message: header names and values.
pub(crate) type AmiMessage = HashMap<String, String>;

pub(crate) struct Ami {
    reader: BufReader<TcpStream>,
}

impl Ami {
    pub(crate) fn login(port: u16, username: &str, secret: &str) -> Self {
        Self::login_with_events(port, username, secret, "off")
    }

    /// A session that is told of these classes of events.
    pub(crate) fn login_with_events(port: u16, username: &str, secret: &str, events: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("AMI");
        let timeout = Some(Duration::from_secs(20));
        stream.set_read_timeout(timeout).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        let mut ami = Self {
            reader: BufReader::new(stream),
        };
        let mut banner = String::new();
        ami.reader.read_line(&mut banner).expect("banner");
        let answer = ami.send(&format!(
            "Action: Login\r\nUsername: {username}\r\nSecret: {secret}\r\nEvents: {events}"
        ));
        assert_eq!(answer["Response"], "Success", "{answer:?}");
        ami
    }

    /// Sends an action; returns its answer.
    pub(crate) fn send(&mut self, lines: &str) -> AmiMessage {
        let stream = self.reader.get_mut();
        let frame = format!("{lines}\r\n\r\n");
        stream.write_all(frame.as_bytes()).expect("written");
        loop {
            let message = self.read_message();
            if message.contains_key("Response") {
                return message;
            }
        }
    }

    /// Sends an action; returns what its answer says.
    pub(crate) fn reply_text(&mut self, action: &str) -> String {
        let answer = self.send(&format!("Action: {action}"));
        format!("{}: {}", answer["Response"], answer["Message"])
    }

    /// The rows of a `QueueStatus` of one queue.
    pub(crate) fn queue_status(&mut self, queue: &str) -> Vec<AmiMessage> {
        let answer = self.send(&format!("Action: QueueStatus\r\nQueue: {queue}"));
        assert_eq!(answer["Response"], "Success", "{answer:?}");
        let mut rows = Vec::new();
        loop {
            let row = self.read_message();
            match row.get("Event").map(String::as_str) {
                Some("QueueStatusComplete") => return rows,
                _ => rows.push(row),
            }
        }
    }

    /// The members of a queue, in Asterisk's order.
    pub(crate) fn members(&mut self, queue: &str) -> Vec<AmiMessage> {
        let rows = self.queue_status(queue).into_iter();
        rows.filter(|row| row["Event"] == "QueueMember").collect()
    }

    /// The member of a queue with that interface.
    pub(crate) fn member(&mut self, queue: &str, interface: &str) -> Option<AmiMessage> {
        let members = self.members(queue).into_iter();
        members.into_iter().find(|row| row["Location"] == interface)
    }

    /// The next event, with its headers in their order.
    pub(crate) fn next_event(&mut self) -> Vec<(String, String)> {
        loop {
            let message = self.read_headers();
            if message[0].0 == "Event" {
                return message;
            }
        }
    }

    fn read_message(&mut self) -> AmiMessage {
        self.read_headers().into_iter().collect()
    }

    fn read_headers(&mut self) -> Vec<(String, String)> {
        let mut message = Vec::new();
        loop {
            let mut line = Vec::new();
            let count = self.reader.read_until(b'\n', &mut line).expect("read");
            assert_ne!(count, 0, "Asterisk has closed the tests' session");
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some((name, value)) = line.split_once(':') {
                let value = value.strip_prefix(' ').unwrap_or(value);
                message.push((name.to_owned(), value.to_owned()));
            } else if line.is_empty() && !message.is_empty() {
                return message;
            }
        }
    }
}
