//! Reads a request's credentials and form.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH};
use hyper::{HeaderMap, Request};
use tokio::time::timeout;

use crate::api::{ApiError, Code};

/// The longest request body that the API accepts, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// How long a client may take to send a request body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the value of the `Authorization` header, if the request has one.
///
/// # Errors
/// Returns [`Code::DuplicateParameter`] if the request has more than one `Authorization`
/// header.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        let message = "There are two Authorization headers.";
        return Err(ApiError::parameter(
            Code::DuplicateParameter,
            "Authorization",
            message,
        ));
    }
    // A value that is not text can't be valid. It becomes an empty value, which the API
    // refuses.
    Ok(Some(value.to_str().unwrap_or_default().to_owned()))
}

/// Returns the entity tags in all `If-None-Match` headers as one list.
pub(super) fn if_none_match(headers: &HeaderMap) -> String {
    let values = headers.get_all(IF_NONE_MATCH).into_iter();
    // A value that is not text can't be one of the bridge's tags.
    let values = values.filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

/// Reads the form in a POST request's body. A request without a body needs no content type.
///
/// # Errors
/// - [`Code::UnsupportedMediaType`] if the body is not a form.
/// - [`Code::RequestTooLarge`] if the body is longer than [`MAX_BODY_BYTES`].
/// - [`Code::RequestTimeout`] if the client sends the body too slowly.
/// - [`Code::InvalidParameter`] if the body is malformed, incomplete or not UTF-8.
pub(super) async fn form_body(request: Request<Incoming>) -> Result<String, ApiError> {
    let is_empty = request.body().is_end_stream();
    if is_empty && !request.headers().contains_key(CONTENT_TYPE) {
        return Ok(String::new());
    }
    if !is_form(request.headers()) {
        let message = "A POST must be application/x-www-form-urlencoded.";
        return Err(ApiError::new(Code::UnsupportedMediaType, message));
    }
    let too_large = || {
        let message = format!("The body is longer than {MAX_BODY_BYTES} bytes.");
        ApiError::new(Code::RequestTooLarge, message)
    };
    // If the client has declared the length, the bridge refuses the body before reading it.
    if request.body().size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect();
    let bytes = match timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => {
            let message = "The body is malformed or incomplete.";
            return Err(ApiError::parameter(Code::InvalidParameter, "body", message));
        }
        Err(_) => {
            let message = "The body did not arrive in time.";
            return Err(ApiError::new(Code::RequestTimeout, message));
        }
    };
    String::from_utf8(bytes.into()).map_err(|_| {
        let message = "The body is not a form: it has bytes that must be percent-encoded.";
        ApiError::parameter(Code::InvalidParameter, "body", message)
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}
