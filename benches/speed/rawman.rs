//! A session of Asterisk's own HTTP interface, `/rawman`.

use std::net::SocketAddr;

use crate::Result;
use crate::http::Connection;
use crate::pbx::USER;

pub(crate) const PATH: &str = "/rawman";

/// Logs off when it is dropped: for a session that only sleeps, Asterisk keeps
/// every event in memory.
pub(crate) struct Rawman {
    pub(crate) address: SocketAddr,
    /// The line of a request's head that carries the session.
    pub(crate) cookie: String,
}

impl Rawman {
    pub(crate) fn login(address: SocketAddr) -> Result<Self> {
        let (user, secret) = USER;
        let target = format!("{PATH}?action=login&username={user}&secret={secret}&events=off");
        let answer = Connection::open(address)?.get(&target, "")?;
        let session = answer
            .head
            .split_once("mansession_id=\"")
            .and_then(|(_, rest)| rest.split('"').next());
        match session {
            Some(session) if answer.text()?.contains("Response: Success") => Ok(Self {
                address,
                cookie: format!("Cookie: mansession_id=\"{session}\"\r\n"),
            }),
            _ => Err(format!("no session of {PATH}: {}", answer.text()?).into()),
        }
    }
}

impl Drop for Rawman {
    fn drop(&mut self) {
        if let Ok(mut connection) = Connection::open(self.address) {
            let _ = connection.get(&format!("{PATH}?action=logoff"), &self.cookie);
        }
    }
}
