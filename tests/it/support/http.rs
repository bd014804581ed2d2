//! A plain HTTP/1.1 client that sends requests unchanged, even if they are invalid.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// Returns the HTTP status and the body's `code` (or its `status` if it has no `code`),
    /// such as `404 unknown_queue`.
    pub(crate) fn outcome(&self) -> String {
        let body = self.json();
        let code = body.get("code").or(body.get("status"));
        format!(
            "{} {}",
            self.status,
            code.and_then(Value::as_str).unwrap_or("?")
        )
    }
}

/// Sends a request on a new connection and returns the response. The body of an event stream
/// ends after its first event.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut stream = TcpStream::connect(address).expect("a listening bridge");
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).expect("a socket");
    // chromedriver accepts only its own address in the `Host` header.
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    head += "\r\n";
    // The server may refuse the request and close the connection before it has read the
    // whole request.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body));
    let mut bytes = Vec::new();
    let mut buffer = [0; 64 * 1024];
    // Reads until the server closes the connection or the body has its `Content-Length`,
    // because not every server honors `Connection: close`.
    while !is_complete(&bytes) {
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    parse(&String::from_utf8_lossy(&bytes))
}

fn is_complete(response: &[u8]) -> bool {
    let mut windows = response.windows(4);
    let Some(head) = windows.position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let text = String::from_utf8_lossy(&response[..head]).to_ascii_lowercase();
    if text.contains("content-type: text/event-stream") {
        return memchr::memmem::find(&response[head + 4..], b"\n\n").is_some();
    }
    let mut lines = text.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse::<usize>().ok());
    length.is_some_and(|length| response.len() >= head + 4 + length)
}

/// An HTTP client that reuses its connection, as browsers do.
pub(crate) struct KeepAliveConnection {
    address: SocketAddr,
    /// The local address to connect from. `None` lets the kernel choose.
    source: Option<IpAddr>,
    stream: Option<TcpStream>,
}

impl KeepAliveConnection {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            source: None,
            stream: None,
        }
    }

    /// Creates a client that connects from `source`, one of the host's addresses.
    pub(crate) fn from(source: IpAddr, address: SocketAddr) -> Self {
        Self {
            source: Some(source),
            ..Self::new(address)
        }
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let Some(source) = self.source else {
            return TcpStream::connect(self.address);
        };
        let socket = Socket::new(Domain::for_address(self.address), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
        socket.connect(&self.address.into())?;
        Ok(socket.into())
    }

    /// Sends a GET request, and never retries it. After an error, the next request opens a
    /// new connection.
    pub(crate) fn get(&mut self, target: &str) -> std::io::Result<Response> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = self.connect()?;
                stream.set_read_timeout(Some(Duration::from_secs(30)))?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: bridge\r\n\r\n").as_bytes())?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&bytes);
            if !text.contains("\r\n\r\n") {
                continue;
            }
            let response = parse(&text);
            let length = response.header("Content-Length");
            let length: usize = length
                .and_then(|length| length.parse().ok())
                .expect("a Content-Length");
            if response.body.len() == length {
                let closes = response.header("Connection") == Some("close");
                self.stream = (!closes).then_some(stream);
                return Ok(response);
            }
        }
    }
}

fn parse(text: &str) -> Response {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("not an HTTP response: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    Response {
        status: status
            .and_then(|status| status.parse().ok())
            .expect("a status code"),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}
