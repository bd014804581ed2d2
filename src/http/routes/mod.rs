//! The API listener's routes.

mod cors;
mod forwarded;
mod request;
mod request_task;
mod routes_slot;

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use ipnet::IpNet;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use self::forwarded::client_address;
use self::request::{authorization, form_body, if_none_match};
use self::request_task::run_in_task;
pub use self::routes_slot::RoutesSlot;
use super::body::ReplyBody;
use super::handler::Authenticated;
use super::pages::Pages;
use super::request_id::request_id;
use super::sse::EventBody;
use super::{openapi, reply};
use crate::api::{self, Api, ApiError, ApiRequest, Code, EventStream, reject_tokens};
use crate::wall_clock;

/// The event stream's path.
pub const EVENTS_PATH: &str = "/events";

/// The path that issues tickets for the event stream.
pub(super) const TICKET_PATH: &str = "/events/ticket";

/// The OpenAPI document's path.
pub const OPENAPI_PATH: &str = "/openapi.json";

/// The longest request target that the API accepts, in bytes.
const MAX_TARGET_BYTES: usize = 8 * 1024;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The API listener's routes, built from one configuration.
#[derive(Debug)]
pub struct Routes {
    /// Executes the requests.
    pub api: Arc<Api>,
    /// The API endpoint's path.
    pub path: String,
    /// The web pages; `None` if they are disabled.
    pub pages: Option<Pages>,
    /// Origins whose web pages may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Networks of the proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Tracks the running requests, including requests whose clients have disconnected.
    pub running_requests: TaskTracker,
}

impl Routes {
    async fn handle(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        let request_id = request_id(request.headers());
        let origin = cors::allowed_origin(request.headers(), &self.cors_origins);
        let mut response = if origin.is_some() && cors::is_preflight(&request) {
            cors::preflight_response()
        } else {
            match self.route(peer, request, &request_id).await {
                Ok(response) => response,
                Err(refusal) => refusal.into_response(&request_id),
            }
        };
        if !self.cors_origins.is_empty() {
            cors::set_headers(response.headers_mut(), origin);
        }
        response
    }

    async fn route(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Result<Response<ReplyBody>, Refusal> {
        let target = request.uri().path_and_query();
        if target.is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
            let message = format!("The request target is longer than {MAX_TARGET_BYTES} bytes.");
            return Err(ApiError::new(Code::TargetTooLong, message).into());
        }
        let path = request.uri().path();
        if request.method() == Method::OPTIONS
            && let Some(methods) = self.options_methods(path)
        {
            return Ok(reply::options_response(methods, request_id));
        }
        if path == self.path {
            self.answer_request(peer, request, request_id).await
        } else if path == EVENTS_PATH {
            self.open_event_stream(peer, request, request_id).await
        } else if path == TICKET_PATH {
            self.issue_ticket(peer, request, request_id).await
        } else if let Some(file) = self.pages.as_ref().and_then(|pages| pages.file(path)) {
            require_get_or_head(&request)?;
            // A page's address may be bookmarked and is sent to proxies, unlike its fragment.
            reject_tokens(request.uri().query().unwrap_or_default())?;
            Ok(file.response(&if_none_match(request.headers())))
        } else if path == OPENAPI_PATH {
            require_get_or_head(&request)?;
            Ok(self.openapi_document(request_id))
        } else {
            let message = format!("Nothing is at this path. The API is at {}.", self.path);
            Err(ApiError::new(Code::NotFound, message).into())
        }
    }

    /// Returns the methods to list in the response to `OPTIONS` for `/` or `*` (the whole
    /// server), or `None` for any other path. Load balancers send `OPTIONS` to either as a
    /// health check, so `/` supports `OPTIONS` even if the pages are disabled.
    fn options_methods(&self, path: &str) -> Option<&'static str> {
        match path {
            "*" => Some("GET, HEAD, POST, OPTIONS"),
            "/" if self.pages.is_some() => Some("GET, HEAD, OPTIONS"),
            "/" => Some("OPTIONS"),
            _ => None,
        }
    }

    async fn answer_request(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Result<Response<ReplyBody>, Refusal> {
        let is_get = request.method() == Method::GET;
        if !is_get && request.method() != Method::POST {
            let message = "Use GET, or POST with a form.";
            return Err(Refusal::method(message, "GET, POST"));
        }
        let mut api_request = self.api_request(peer, &request, request_id)?;
        if is_get {
            api_request.if_none_match = Some(if_none_match(request.headers()));
        } else {
            add_body(&mut api_request, request).await?;
        }
        let (api, change_sent) = (Arc::clone(&self.api), Arc::clone(&api_request.change_sent));
        let answer = async move { api.serve(api_request).await };
        let answered = run_in_task(&self.running_requests, change_sent, request_id, answer);
        Ok(reply::to_http(answered.await?, request_id))
    }

    async fn issue_ticket(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Result<Response<ReplyBody>, Refusal> {
        if request.method() != Method::POST {
            return Err(Refusal::method("Use POST.", "POST"));
        }
        let mut api_request = self.api_request(peer, &request, request_id)?;
        add_body(&mut api_request, request).await?;
        let api = Arc::clone(&self.api);
        let issue = async move { api.issue_ticket(api_request).await };
        let no_change = Arc::default();
        let issued = run_in_task(&self.running_requests, no_change, request_id, issue);
        Ok(reply::to_http(issued.await?, request_id))
    }

    async fn open_event_stream(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Result<Response<ReplyBody>, Refusal> {
        if request.method() != Method::GET {
            return Err(Refusal::method("Use GET.", "GET"));
        }
        let api_request = self.api_request(peer, &request, request_id)?;
        let last_event_id = request.headers().get(LAST_EVENT_ID);
        let last_event_id = last_event_id.and_then(|id| id.to_str().ok());
        let last_event_id = last_event_id.map(str::to_owned);
        let api = Arc::clone(&self.api);
        let open = async move { api.open_stream(api_request, last_event_id.as_deref()).await };
        let no_change = Arc::default();
        let opened = run_in_task(&self.running_requests, no_change, request_id, open);
        Ok(match opened.await? {
            Ok(events) => Self::event_stream(events, request_id),
            Err(refusal) => reply::to_http(refusal, request_id),
        })
    }

    fn api_request(
        &self,
        peer: IpAddr,
        request: &Request<Incoming>,
        request_id: &str,
    ) -> Result<ApiRequest, ApiError> {
        let headers = request.headers();
        let forwarded = headers.get_all(FORWARDED_FOR).iter();
        let forwarded: Vec<&[u8]> = forwarded.map(HeaderValue::as_bytes).collect();
        Ok(ApiRequest {
            query: request.uri().query().map(str::to_owned),
            body: None,
            authorization: authorization(headers)?,
            if_none_match: None,
            address: client_address(peer, forwarded.into_iter(), &self.trusted_proxies),
            request_id: request_id.to_owned(),
            arrived: Instant::now(),
            arrived_at: wall_clock::unix_millis(),
            change_sent: Arc::default(),
        })
    }

    fn openapi_document(&self, request_id: &str) -> Response<ReplyBody> {
        let mut response = Response::new(ReplyBody::whole(openapi::text(&self.path)));
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        reply::set_common_headers(headers, json, request_id);
        // The document contains no secrets, so clients may store it. They must revalidate their
        // copy, because a bridge update can change the document.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }

    fn event_stream(events: EventStream, request_id: &str) -> Response<ReplyBody> {
        let body = EventBody::new(events, request_id);
        let mut response = Response::new(ReplyBody::Events(Box::new(body)));
        response.extensions_mut().insert(Authenticated);
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static("text/event-stream");
        reply::set_common_headers(headers, content_type, request_id);
        // Without this, nginx delays events until its buffer is full.
        headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
        response
    }
}

/// Adds the form in the body of a POST.
async fn add_body(
    api_request: &mut ApiRequest,
    request: Request<Incoming>,
) -> Result<(), ApiError> {
    api_request.body = Some(form_body(request).await?);
    // The request's time limit starts when the whole request has arrived.
    api_request.arrived = Instant::now();
    api_request.arrived_at = wall_clock::unix_millis();
    Ok(())
}

/// Refuses all methods except GET and HEAD. hyper omits the body from the response to a HEAD.
fn require_get_or_head(request: &Request<Incoming>) -> Result<(), Refusal> {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return Ok(());
    }
    Err(Refusal::method("Use GET or HEAD.", "GET, HEAD"))
}

/// The error response to a request that is not executed.
#[derive(Debug)]
struct Refusal {
    error: ApiError,
    /// The methods that the path supports, for a 405.
    allow: Option<&'static str>,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { error, allow: None }
    }
}

impl Refusal {
    fn method(message: &str, allow: &'static str) -> Self {
        Self {
            error: ApiError::new(Code::MethodNotAllowed, message),
            allow: Some(allow),
        }
    }

    fn into_response(self, request_id: &str) -> Response<ReplyBody> {
        let error = api::Response::error(&self.error, request_id);
        let mut response = reply::to_http(error, request_id);
        if let Some(methods) = self.allow {
            let methods = HeaderValue::from_static(methods);
            response.headers_mut().insert(ALLOW, methods);
        }
        response
    }
}
