//! The origin of a request.

use tokio::time::Instant;

/// Who makes a request, and until when.
#[derive(Debug, Clone, Copy)]
pub struct RequestOrigin<'a> {
    /// The organization whose turns the request's changes use.
    pub organization: &'a str,
    /// The user who makes the request.
    pub user: &'a str,
    /// The request's id.
    pub request_id: &'a str,
    /// The time by which the request must be complete.
    pub deadline: Instant,
}
