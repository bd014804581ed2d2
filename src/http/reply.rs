//! Converts API responses to HTTP responses.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};

use super::body::ReplyBody;
use super::handler::Authenticated;
use super::request_id::REQUEST_ID;
use crate::api::{self, BodyFormat, Challenge, EntityTag};

/// Returns the `WWW-Authenticate` header of a 401 response. `wget` and the standard HTTP clients
/// of Java and Python (`urllib`) send a password only after a `Basic` challenge.
fn challenge_header(challenge: Challenge) -> HeaderValue {
    HeaderValue::from_static(match challenge {
        Challenge::Basic => "Basic realm=\"ami-bridge\", charset=\"UTF-8\"",
        Challenge::Bearer => "Bearer realm=\"ami-bridge\"",
    })
}

/// Converts an API response to an HTTP response.
pub(super) fn to_http(reply: api::Response, request_id: &str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if reply.is_authenticated {
        response.extensions_mut().insert(Authenticated);
    }
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static(match reply.format {
        BodyFormat::Json => "application/json; charset=utf-8",
        BodyFormat::Csv => "text/csv; charset=utf-8; header=present",
    });
    set_common_headers(headers, content_type, request_id);
    if reply.status == StatusCode::NOT_MODIFIED {
        headers.remove(CONTENT_TYPE);
    }
    if let Some(tag) = &reply.entity_tag {
        set_entity_tag(headers, tag);
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, challenge_header(reply.challenge));
    }
    if let Some(delay) = reply.retry_after {
        // `Retry-After` takes whole seconds. 0 would invite an immediate retry.
        let seconds = delay.as_secs_f64().ceil().max(1.0) as u64;
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Sets the headers common to all API responses.
pub(super) fn set_common_headers(
    headers: &mut HeaderMap,
    content_type: HeaderValue,
    request_id: &str,
) {
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // If a browser renders the response as a page, it must not run scripts, show the page in a
    // frame, or send the page's address to other sites: the address may contain a password.
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    set_request_id(headers, request_id);
}

pub(super) fn set_entity_tag(headers: &mut HeaderMap, tag: &EntityTag) {
    if let Ok(tag) = HeaderValue::from_str(tag.as_str()) {
        headers.insert(ETAG, tag);
    }
}

/// Returns an empty response to `OPTIONS`, with the methods that the path supports.
pub(super) fn options_response(methods: &'static str, request_id: &str) -> Response<ReplyBody> {
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
