//! Pauses members over AMI, as another client of Asterisk.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::Result;
use crate::pbx::{SECRET, USER};

pub(crate) struct Ami(TcpStream);

impl Ami {
    pub(crate) fn login(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut ami = Self(stream);
        ami.action(&format!(
            "Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\nEvents: off\r\n\r\n"
        ))?;
        Ok(ami)
    }

    /// Sends an action and waits for its success.
    pub(crate) fn action(&mut self, action: &str) -> Result<()> {
        self.0.write_all(action.as_bytes())?;
        let mut reply = Vec::new();
        while !reply.ends_with(b"\r\n\r\n") {
            let mut chunk = [0; 4096];
            let count = self.0.read(&mut chunk)?;
            if count == 0 {
                return Err("Asterisk closed the session".into());
            }
            reply.extend_from_slice(&chunk[..count]);
        }
        let reply = String::from_utf8_lossy(&reply);
        if reply.contains("Response: Success") {
            Ok(())
        } else {
            Err(format!("refused: {reply}").into())
        }
    }
}
