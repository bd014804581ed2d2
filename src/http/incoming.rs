//! What a request brings: its credentials, its form, and its id.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Request};
use tokio::time::timeout;

use crate::api::{ApiError, Code};

const MAX_BODY: usize = 16 * 1024;

/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
    // What is no text is no Basic either, and is refused as such.
    Ok(Some(value.to_str().unwrap_or_default().to_owned()))
}

pub(super) async fn form_body(request: Request<Incoming>) -> Result<String, ApiError> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    let is_form = essence.is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if !is_form {
        let message = "A POST must be application/x-www-form-urlencoded.";
        return Err(ApiError::new(Code::UnsupportedMediaType, message));
    }
    let too_large = || {
        let message = format!("The body is longer than {MAX_BODY} bytes.");
        ApiError::new(Code::RequestTooLarge, message)
    };
    // Refused before it is sent, where its length is told.
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), MAX_BODY).collect();
    let bytes = match timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => {
            let message = "The body is broken, or not whole.";
            return Err(ApiError::parameter(Code::InvalidParameter, "body", message));
        }
        Err(_) => {
            let message = "The body did not come in time.";
            return Err(ApiError::new(Code::RequestTimeout, message));
        }
    };
    String::from_utf8(bytes.into()).map_err(|_| {
        let message = "The body is not a form: it has bytes that must be percent-encoded.";
        ApiError::parameter(Code::InvalidParameter, "body", message)
    })
}

/// The client's own id where it is one, so that both sides' logs can be put
/// side by side; else a new one.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    headers
        .get(REQUEST_ID)
        .map(HeaderValue::as_bytes)
        .filter(|id| (1..=64).contains(&id.len()) && id.iter().all(|byte| allowed(*byte)))
        .map_or_else(
            || format!("{:016x}", fastrand::u64(..)),
            |id| String::from_utf8_lossy(id).into_owned(),
        )
}
