//! A minimal HTTP/1.1 client with a persistent connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Result;

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn text(&self) -> Result<&str> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    /// Returns the size of the response on the wire, excluding the chunk framing.
    pub(crate) fn size(&self) -> u64 {
        (self.head.len() + self.body.len()) as u64
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream: BufReader::with_capacity(1 << 18, stream),
        })
    }

    /// Sends a GET request. `headers` are complete lines, each with CRLF.
    pub(crate) fn get(&mut self, target: &str, headers: &str) -> Result<Response> {
        let mut body = Vec::new();
        let (status, head) = self.exchange(target, headers, &mut body)?;
        Ok(Response { status, head, body })
    }

    /// Like [`Self::get`], but returns only the size of the response, so that the client uses
    /// little CPU time.
    ///
    /// # Errors
    /// Returns an error if the status is not 200.
    pub(crate) fn get_size(&mut self, target: &str, headers: &str) -> Result<u64> {
        let mut size = ByteCounter(0);
        let (status, head) = self.exchange(target, headers, &mut size)?;
        if status == 200 {
            Ok(head.len() as u64 + size.0)
        } else {
            Err(format!("status {status}").into())
        }
    }

    fn exchange(
        &mut self,
        target: &str,
        headers: &str,
        body: &mut impl Write,
    ) -> Result<(u16, String)> {
        let request = format!("GET {target} HTTP/1.1\r\nHost: bench\r\n{headers}\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err("the connection was closed without a response".into());
            }
        }
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
        let status = status.ok_or("no status")?;
        match header(&head, "Content-Length") {
            Some(length) => self.copy_body(length.parse()?, body)?,
            None => self.read_chunks(body)?,
        }
        Ok((status, head))
    }

    fn read_chunks(&mut self, body: &mut impl Write) -> Result<()> {
        loop {
            let mut size = String::new();
            self.stream.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim_end(), 16)?;
            self.copy_body(size, body)?;
            self.stream.read_line(&mut String::new())?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn copy_body(&mut self, size: u64, body: &mut impl Write) -> Result<()> {
        let mut rest = size;
        while rest > 0 {
            let bytes = self.stream.fill_buf()?;
            let count = bytes.len().min(usize::try_from(rest)?);
            if count == 0 {
                return Err("the response is truncated".into());
            }
            body.write_all(&bytes[..count])?;
            self.stream.consume(count);
            rest -= count as u64;
        }
        Ok(())
    }
}

/// Counts bytes and discards them.
struct ByteCounter(u64);

impl Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the value of a response header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}
