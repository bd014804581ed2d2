//! An event stream client, with its own implementation of chunked HTTP/1.1 and
//! `text/event-stream`.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::User;

/// An event from the stream.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// An item received from a stream.
#[derive(Debug)]
pub(crate) enum Item {
    Event(Event),
    Comment,
    /// The end of the chunked body.
    End,
}

/// An open event stream.
pub(crate) struct EventClient {
    reader: BufReader<TcpStream>,
    /// The part of the body that is not parsed yet, without chunk framing.
    text: Vec<u8>,
    /// The bytes of an incomplete line.
    partial: Vec<u8>,
    ended: bool,
}

impl EventClient {
    /// Opens a stream. `query` is appended to the credentials in the URL.
    pub(crate) fn open(address: SocketAddr, user: User, query: &str) -> Self {
        Self::resume(address, user, query, None)
    }

    /// Opens a stream with `last` as the `Last-Event-ID`.
    pub(crate) fn resume(address: SocketAddr, user: User, query: &str, last: Option<&str>) -> Self {
        let stream = TcpStream::connect(address).expect("the bridge listens");
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        Self::open_on(stream, &with_credentials(user, query), &last)
    }

    /// Opens a stream with a small receive buffer, like a client on a slow connection.
    pub(crate) fn slow(address: SocketAddr, user: User, query: &str) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        socket.connect(&address.into()).expect("the bridge listens");
        Self::open_on(socket.into(), &with_credentials(user, query), "")
    }

    /// Opens a stream with a token instead of a user name and a password.
    pub(crate) fn with_token(address: SocketAddr, token: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the bridge listens");
        Self::open_on(stream, "", &format!("Authorization: Bearer {token}\r\n"))
    }

    /// Opens a stream with a ticket instead of credentials.
    pub(crate) fn with_ticket(address: SocketAddr, ticket: &str, query: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the bridge listens");
        Self::open_on(stream, &format!("ticket={ticket}{query}"), "")
    }

    /// `headers` are whole lines.
    fn open_on(mut stream: TcpStream, query: &str, headers: &str) -> Self {
        let head = format!(
            "GET /events?{query} HTTP/1.1\r\n\
             Host: bridge\r\n{headers}\r\n"
        );
        stream
            .write_all(head.as_bytes())
            .expect("a writable stream");
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a response head");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_ascii_lowercase()),
            }
        }
        assert_eq!(lines[0], "http/1.1 200 ok", "{lines:?}");
        for header in [
            "content-type: text/event-stream",
            "cache-control: no-store",
            "transfer-encoding: chunked",
        ] {
            assert!(lines.iter().any(|line| line == header), "{lines:?}");
        }
        Self {
            reader,
            text: Vec::new(),
            partial: Vec::new(),
            ended: false,
        }
    }

    /// Returns the next item, or `None` if no item arrives within `timeout`.
    pub(crate) fn next(&mut self, timeout: Duration) -> Option<Item> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(end) = memchr::memmem::find(&self.text, b"\n\n") {
                let text: Vec<u8> = self.text.drain(..end + 2).collect();
                return Some(parse_item(&String::from_utf8(text).expect("UTF-8")));
            }
            if self.ended {
                assert!(self.text.is_empty(), "the stream ended within an event");
                return Some(Item::End);
            }
            self.read_chunk(deadline)?;
        }
    }

    /// Returns the next event, or `None` if no event arrives within `timeout`. Skips comments.
    pub(crate) fn event(&mut self, timeout: Duration) -> Option<Event> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.next(deadline.saturating_duration_since(Instant::now()))? {
                Item::Event(event) => return Some(event),
                Item::Comment => {}
                Item::End => panic!("the stream has ended"),
            }
        }
    }

    /// Reads up to and including the first event named `name`, and returns all events read.
    pub(crate) fn until(&mut self, name: &str, timeout: Duration) -> Vec<Event> {
        let deadline = Instant::now() + timeout;
        let mut events = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.event(left);
            let event =
                event.unwrap_or_else(|| panic!("no {name} within {timeout:?}: {events:#?}"));
            events.push(event);
            if events.last().is_some_and(|event| event.name == name) {
                return events;
            }
        }
    }

    fn read_chunk(&mut self, deadline: Instant) -> Option<()> {
        let size = self.line(deadline)?;
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        // The rest of a started chunk follows immediately.
        let chunk_timeout = Some(Duration::from_secs(20));
        self.reader
            .get_ref()
            .set_read_timeout(chunk_timeout)
            .expect("a read timeout");
        let start = self.text.len();
        self.text.resize(start + size, 0);
        let body = &mut self.text[start..];
        self.reader.read_exact(body).expect("a chunk");
        let mut end = [0; 2];
        self.reader.read_exact(&mut end).expect("a chunk's end");
        assert_eq!(&end, b"\r\n");
        self.ended = size == 0;
        Some(())
    }

    fn line(&mut self, deadline: Instant) -> Option<String> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // A zero duration is not a valid timeout.
            let left = left.max(Duration::from_millis(1));
            let stream = self.reader.get_ref();
            stream.set_read_timeout(Some(left)).expect("a read timeout");
            match self.reader.read_until(b'\n', &mut self.partial) {
                Ok(0) => panic!("the connection was closed before the end of the body"),
                Ok(_) => {
                    let line = std::mem::take(&mut self.partial);
                    return Some(String::from_utf8(line).expect("UTF-8"));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) =>
                {
                    return None;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn with_credentials(user: User, query: &str) -> String {
    let User { username, password } = user;
    format!("username={username}&password={password}{query}")
}

fn parse_item(text: &str) -> Item {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    if text
        .lines()
        .all(|line| line.is_empty() || line.starts_with(':'))
    {
        return Item::Comment;
    }
    let data = field("data: ").unwrap_or_else(|| panic!("no data: {text:?}"));
    Item::Event(Event {
        id: field("id: ")
            .unwrap_or_else(|| panic!("no id: {text:?}"))
            .to_owned(),
        name: field("event: ")
            .unwrap_or_else(|| panic!("no name: {text:?}"))
            .to_owned(),
        data: serde_json::from_str(data).unwrap_or_else(|_| panic!("no JSON: {text:?}")),
    })
}
