//! A session of Asterisk's own HTTP interface, `/rawman`.

use std::net::SocketAddr;

use crate::Result;
use crate::http::Connection;
use crate::pbx::USER;

pub(crate) const PATH: &str = "/rawman";

/// A session. It logs off on drop, because Asterisk stores every event in memory for an idle
/// session.
pub(crate) struct Rawman {
    pub(crate) address: SocketAddr,
    /// The header line with the session id.
    pub(crate) cookie: String,
}

impl Rawman {
    pub(crate) fn login(address: SocketAddr) -> Result<Self> {
        let (user, secret) = USER;
        let target = format!("{PATH}?action=login&username={user}&secret={secret}&events=off");
        let response = Connection::open(address)?.get(&target, "")?;
        let session = response
            .head
            .split_once("mansession_id=\"")
            .and_then(|(_, rest)| rest.split('"').next());
        match session {
            Some(session) if response.text()?.contains("Response: Success") => Ok(Self {
                address,
                cookie: format!("Cookie: mansession_id=\"{session}\"\r\n"),
            }),
            _ => Err(format!("{PATH}: login failed: {}", response.text()?).into()),
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
