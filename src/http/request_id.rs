//! The request id, which the client and the bridge can both log.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::organizations::contains_token;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const MAX_LENGTH: usize = 64;

/// Returns the client's request id if it sent a valid one, otherwise a new id.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    headers
        .get(REQUEST_ID)
        .map(HeaderValue::as_bytes)
        .filter(|id| (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(is_allowed))
        .map(|id| String::from_utf8_lossy(id).into_owned())
        // The id is logged, and a token never is.
        .filter(|id| !contains_token(id))
        .unwrap_or_else(|| format!("{:016x}", fastrand::u64(..)))
}
