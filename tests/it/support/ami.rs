//! A plain AMI session, through which tests query Asterisk without the bridge.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An AMI message as a map from header names to values.
pub(crate) type AmiMessage = HashMap<String, String>;

/// A logged-in AMI session.
pub(crate) struct Ami {
    reader: BufReader<TcpStream>,
}

impl Ami {
    pub(crate) fn login(port: u16, username: &str, secret: &str) -> Self {
        Self::login_with_events(port, username, secret, "off")
    }

    /// Logs in with an event mask, such as `agent,call`.
    pub(crate) fn login_with_events(port: u16, username: &str, secret: &str, events: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("an AMI connection");
        let timeout = Some(Duration::from_secs(20));
        stream.set_read_timeout(timeout).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        let mut ami = Self {
            reader: BufReader::new(stream),
        };
        let mut banner = String::new();
        ami.reader.read_line(&mut banner).expect("a banner");
        let response = ami.send(&format!(
            "Action: Login\r\nUsername: {username}\r\nSecret: {secret}\r\nEvents: {events}"
        ));
        assert_eq!(response["Response"], "Success", "{response:?}");
        ami
    }

    /// Sends an action, given as header lines, and returns its response. Skips events.
    pub(crate) fn send(&mut self, headers: &str) -> AmiMessage {
        let stream = self.reader.get_mut();
        let action = format!("{headers}\r\n\r\n");
        stream.write_all(action.as_bytes()).expect("written");
        loop {
            let message = self.read_message();
            if message.contains_key("Response") {
                return message;
            }
        }
    }

    /// Sends an action and returns the values of its `Response` and `Message` headers, such
    /// as `Success: Interface paused successfully`.
    pub(crate) fn reply_text(&mut self, action: &str) -> String {
        let response = self.send(&format!("Action: {action}"));
        format!("{}: {}", response["Response"], response["Message"])
    }

    /// Returns the rows that `QueueStatus` lists for `queue`.
    pub(crate) fn queue_status(&mut self, queue: &str) -> Vec<AmiMessage> {
        let response = self.send(&format!("Action: QueueStatus\r\nQueue: {queue}"));
        assert_eq!(response["Response"], "Success", "{response:?}");
        let mut rows = Vec::new();
        loop {
            let row = self.read_message();
            match row.get("Event").map(String::as_str) {
                Some("QueueStatusComplete") => return rows,
                _ => rows.push(row),
            }
        }
    }

    /// Returns the `QueueMember` rows of `queue`, in Asterisk's order.
    pub(crate) fn members(&mut self, queue: &str) -> Vec<AmiMessage> {
        let rows = self.queue_status(queue).into_iter();
        rows.filter(|row| row["Event"] == "QueueMember").collect()
    }

    /// Returns the `QueueMember` row of `interface` in `queue`.
    pub(crate) fn member(&mut self, queue: &str, interface: &str) -> Option<AmiMessage> {
        let members = self.members(queue).into_iter();
        members.into_iter().find(|row| row["Location"] == interface)
    }

    /// Waits for the next event and returns its headers in Asterisk's order. Skips responses.
    pub(crate) fn next_event(&mut self) -> Vec<(String, String)> {
        loop {
            let message = self.read_headers();
            if message[0].0 == "Event" {
                return message;
            }
        }
    }

    /// Returns the next event, or `None` after Asterisk has closed the session.
    pub(crate) fn next_event_until_closed(&mut self) -> Option<AmiMessage> {
        loop {
            match self.try_read_headers() {
                Ok(headers) if headers[0].0 == "Event" => {
                    return Some(headers.into_iter().collect());
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
    }

    fn read_message(&mut self) -> AmiMessage {
        self.read_headers().into_iter().collect()
    }

    fn read_headers(&mut self) -> Vec<(String, String)> {
        self.try_read_headers()
            .expect("a message on the test's AMI session")
    }

    fn try_read_headers(&mut self) -> std::io::Result<Vec<(String, String)>> {
        let mut message = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.reader.read_until(b'\n', &mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some((name, value)) = line.split_once(':') {
                let value = value.strip_prefix(' ').unwrap_or(value);
                message.push((name.to_owned(), value.to_owned()));
            } else if line.is_empty() && !message.is_empty() {
                return Ok(message);
            }
        }
    }
}
