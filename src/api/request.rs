//! An API request, independent of HTTP.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::time::Instant;

/// An API request. It does not implement `Debug`, because it contains the password or
/// the token.
pub struct ApiRequest {
    /// The query string.
    pub query: Option<String>,
    /// The form in the body.
    pub body: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `If-None-Match` header of a GET; empty if it has none. `None` for a POST, whose response
    /// has no entity tag.
    pub if_none_match: Option<String>,
    /// The client's address.
    pub address: IpAddr,
    /// Identifies the request in the log and the response.
    pub request_id: String,
    /// When the last byte of the request arrived.
    pub arrived: Instant,
    /// The wall-clock time of the arrival, in Unix milliseconds.
    pub arrived_at: i64,
    /// Set before the first change is sent to the PBX.
    pub change_sent: Arc<AtomicBool>,
}

impl ApiRequest {
    /// Returns the query string and the form in the body.
    pub(super) fn form_parts(&self) -> [&str; 2] {
        [self.query.as_deref(), self.body.as_deref()].map(Option::unwrap_or_default)
    }
}
