//! Responses of the API as HTTP: status, headers and body.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};

use super::body::ReplyBody;
use super::handler::Authenticated;
use super::request_id::REQUEST_ID;
use crate::api;

/// The challenge of a 401. `wget` and the standard clients of Java and Python (`urllib`)
/// send credentials only after a challenge.
const CHALLENGE: &str = "Basic realm=\"ami-bridge\", charset=\"UTF-8\"";

/// Turns a response of the API into one of HTTP.
pub(super) fn to_http(reply: api::Response, request_id: &str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if reply.is_authenticated {
        response.extensions_mut().insert(Authenticated);
    }
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    set_common_headers(headers, json, request_id);
    if reply.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    if let Some(after) = reply.retry_after {
        // The header has whole seconds; 0 would mean "at once".
        let seconds = after.as_secs_f64().ceil().max(1.0) as u64;
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Sets the headers that all responses of the API have.
pub(super) fn set_common_headers(
    headers: &mut HeaderMap,
    content_type: HeaderValue,
    request_id: &str,
) {
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // If a browser renders the response as a page, it must not run scripts, show the page
    // in a frame, or send the page's address to other sites: the address may hold a
    // password.
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    set_request_id(headers, request_id);
}

/// The response to `OPTIONS`: an empty one with the methods of the path.
pub(super) fn allowed_methods(methods: &'static str, request_id: &str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_request_id(headers, request_id);
    response
}

fn set_request_id(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}
