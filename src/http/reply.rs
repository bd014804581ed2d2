//! Answers of the interface as HTTP: status, headers and body.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};

use super::body::ReplyBody;
use super::connection::Known;
use super::incoming::REQUEST_ID;
use crate::api::Response as ApiResponse;

/// What a 401 asks for. Clients that send credentials only when challenged (`wget`,
/// Java, Python's `urllib`) don't get in without it.
const CHALLENGE: &str = "Basic realm=\"ami-bridge\", charset=\"UTF-8\"";

pub(super) fn answered(answer: ApiResponse, request_id: &str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    mark(headers, json, request_id);
    if answer.is_authenticated {
        response.extensions_mut().insert(Known);
    }
    let headers = response.headers_mut();
    if answer.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    if let Some(after) = answer.retry_after {
        // Whole seconds, and never "at once".
        let seconds = after.as_secs_f64().ceil().max(1.0) as u64;
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The headers that all answers have.
pub(super) fn mark(headers: &mut HeaderMap, content_type: HeaderValue, request_id: &str) {
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Should a browser ever show it as a page: nothing in it runs or is framed, and
    // the address, which may hold a password, is logged nowhere.
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The methods of a path.
pub(super) fn allowed(methods: &'static str, request_id: &str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(methods));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
