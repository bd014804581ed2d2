//! The routes of the interface's listener, and the headers of its answers.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use ipnet::IpNet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use super::body::ReplyBody;
use super::connection::Known;
use super::forwarded::client_address;
use super::incoming::{authorization, form_body, request_id};
use super::pages::Panel;
use super::reply::{allowed, answered, mark};
use super::server::Handler;
use super::{cors, openapi, pages, sse};
use crate::api::{Api, ApiError, ApiRequest, Code, EventStream, Response as ApiResponse};

const MAX_TARGET: usize = 8 * 1024;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The interface's listener.
#[derive(Debug)]
pub struct Routes {
    /// What answers.
    pub api: Arc<Api>,
    /// Path of the documented endpoint.
    pub path: String,
    /// The page at `/`, where it is wanted.
    pub panel: Option<Panel>,
    /// Origins of web pages that may call the interface.
    pub cors_origins: Vec<String>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Every request that runs, also when its client has gone.
    pub running: TaskTracker,
    /// Set when the daemon is told to end: event streams end then.
    pub stop: CancellationToken,
}

/// The routes that are in force.
#[derive(Debug)]
pub struct RoutesSlot(RwLock<Arc<Routes>>);

impl RoutesSlot {
    /// Those, to begin with.
    #[must_use]
    pub fn new(routes: Routes) -> Self {
        Self(RwLock::new(Arc::new(routes)))
    }

    /// What answers now.
    #[must_use]
    pub fn api(&self) -> Arc<Api> {
        Arc::clone(&self.get().api)
    }

    /// Puts others in force. RequestMetrics that run, event streams too, go on by the old
    /// ones.
    pub fn replace(&self, routes: Routes) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
    }

    fn get(&self) -> Arc<Routes> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Handler for RoutesSlot {
    async fn handle(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        self.get().handle(peer, request).await
    }
}

/// What is sent to a client, before the headers that all answers have.
enum Reply {
    ApiResponse(ApiResponse),
    Events(EventStream),
    File(Response<ReplyBody>),
    Contract,
    /// The methods of a path, for who asks with `OPTIONS`.
    Methods(&'static str),
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
            cors::preflight()
        } else {
            match self.route(peer, request, &request_id).await {
                Ok(Reply::ApiResponse(answer)) => answered(answer, &request_id),
                Ok(Reply::Events(events)) => self.streamed(events, &request_id),
                Ok(Reply::File(response)) => response,
                Ok(Reply::Contract) => self.contract(&request_id),
                Ok(Reply::Methods(methods)) => allowed(methods, &request_id),
                Err(refusal) => {
                    let answer = ApiResponse::error(&refusal.error, &request_id);
                    let mut response = answered(answer, &request_id);
                    if let Some(methods) = refusal.allow {
                        let methods = HeaderValue::from_static(methods);
                        response.headers_mut().insert(ALLOW, methods);
                    }
                    response
                }
            }
        };
        if !self.cors_origins.is_empty() {
            cors::mark(response.headers_mut(), origin);
        }
        response
    }
}

/// Why a request does not come to its handler.
#[derive(Debug)]
struct Refusal {
    error: ApiError,
    /// The methods that the path has.
    allow: Option<&'static str>,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { error, allow: None }
    }
}

/// Path of the stream of events.
pub const EVENTS: &str = "/events";

/// Path of the contract for machines.
pub const CONTRACT: &str = "/openapi.json";

impl Routes {
    async fn route(
        self: &Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
        request_id: &str,
    ) -> Result<Reply, Refusal> {
        let target = request.uri().path_and_query();
        if target.is_some_and(|target| target.as_str().len() > MAX_TARGET) {
            let message = format!("The request target is longer than {MAX_TARGET} bytes.");
            return Err(ApiError::new(Code::TargetTooLong, message).into());
        }
        let is_get = request.method() == Method::GET;
        // Of a page or a file, HEAD is a harmless question. hyper leaves the body out.
        let is_page_method = is_get || request.method() == Method::HEAD;
        if request.method() == Method::OPTIONS
            && let Some(methods) = self.methods_of_server(request.uri().path())
        {
            return Ok(Reply::Methods(methods));
        }
        if request.uri().path() == self.path {
            if !is_get && request.method() != Method::POST {
                return Err(not_allowed("Use GET, or POST with a form.", "GET, POST"));
            }
            let mut call = self.call(peer, &request, request_id)?;
            if !is_get {
                call.body = Some(form_body(request).await?);
                // The PBX's time does not run while a client is slow.
                call.arrived = Instant::now();
            }
            let (api, sent) = (Arc::clone(&self.api), Arc::clone(&call.change_sent));
            let served = async move { api.serve(call).await };
            let answer = in_task(&self.running, sent, request_id, served).await;
            answer.map(Reply::ApiResponse)
        } else if request.uri().path() == EVENTS {
            if !is_get {
                return Err(not_allowed("Use GET.", "GET"));
            }
            let call = self.call(peer, &request, request_id)?;
            let last = request.headers().get(LAST_EVENT_ID);
            let last = last.and_then(|id| id.to_str().ok()).map(str::to_owned);
            let api = Arc::clone(&self.api);
            let opened = async move { api.open_stream(call, last.as_deref()).await };
            let stream = in_task(&self.running, Arc::default(), request_id, opened).await?;
            Ok(stream.map_or_else(Reply::ApiResponse, Reply::Events))
        } else if let Some(file) = self.panel_file(request.uri().path()) {
            if !is_page_method {
                return Err(not_allowed("Use GET or HEAD.", "GET, HEAD"));
            }
            Ok(Reply::File(file.response(request.headers())))
        } else if request.uri().path() == CONTRACT {
            if !is_page_method {
                return Err(not_allowed("Use GET or HEAD.", "GET, HEAD"));
            }
            Ok(Reply::Contract)
        } else {
            let message = format!("There is nothing here. The interface is at {}.", self.path);
            Err(ApiError::new(Code::NotFound, message).into())
        }
    }

    /// The methods of `/` and of the server as a whole (`*`). Load balancers ask for
    /// these to see whether it is well, without a panel too.
    fn methods_of_server(&self, path: &str) -> Option<&'static str> {
        match path {
            "*" => Some("GET, HEAD, POST, OPTIONS"),
            "/" if self.panel.is_some() => Some("GET, HEAD, OPTIONS"),
            "/" => Some("OPTIONS"),
            _ => None,
        }
    }

    fn panel_file(&self, path: &str) -> Option<&pages::File> {
        self.panel.as_ref()?.file(path)
    }

    fn call(
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
            address: client_address(peer, forwarded.into_iter(), &self.trusted_proxies),
            request_id: request_id.to_owned(),
            arrived: Instant::now(),
            change_sent: Arc::default(),
        })
    }

    fn contract(&self, request_id: &str) -> Response<ReplyBody> {
        let mut response = Response::new(ReplyBody::whole(openapi::text(&self.path)));
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        mark(response.headers_mut(), json, request_id);
        // There is no secret in it, and the next version may have another.
        let fresh = HeaderValue::from_static("no-cache");
        response.headers_mut().insert(CACHE_CONTROL, fresh);
        response
    }

    fn streamed(&self, events: EventStream, request_id: &str) -> Response<ReplyBody> {
        let text = sse::text(events, self.stop.clone(), request_id.to_owned());
        let mut response = Response::new(ReplyBody::Stream(Box::pin(text)));
        response.extensions_mut().insert(Known);
        let content_type = HeaderValue::from_static("text/event-stream");
        mark(response.headers_mut(), content_type, request_id);
        // nginx would hold events back until its buffer is full.
        let unbuffered = HeaderValue::from_static("no");
        response.headers_mut().insert(ACCEL_BUFFERING, unbuffered);
        response
    }
}

/// Does the work in a task of its own: what was sent to the PBX is followed to its end
/// and logged, also when the client does not wait for it. A task that panics is answered.
async fn in_task<T: Send + 'static>(
    running: &TaskTracker,
    change_sent: Arc<AtomicBool>,
    request_id: &str,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Refusal> {
    running.spawn(work).await.map_err(|error| {
        let failed = bridge_failed(change_sent.load(Ordering::Acquire));
        let outcome = failed.code.as_str();
        error!(%error, request_id, outcome, "a request has died");
        failed.into()
    })
}

/// The answer to a request whose task has died: what is known of it.
fn bridge_failed(change_sent: bool) -> ApiError {
    if change_sent {
        let message = "The bridge has failed: it may or may not have happened.";
        return ApiError::new(Code::OutcomeUnknown, message);
    }
    let message = "The bridge has failed. Nothing was sent.";
    ApiError::retry(Code::Overloaded, Duration::from_secs(1), message)
}

fn not_allowed(message: &str, allow: &'static str) -> Refusal {
    Refusal {
        error: ApiError::new(Code::MethodNotAllowed, message),
        allow: Some(allow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_that_panics_is_answered_with_what_is_known() {
        let running = TaskTracker::new();
        for (sends, code) in [(false, Code::Overloaded), (true, Code::OutcomeUnknown)] {
            let sent = Arc::new(AtomicBool::new(false));
            let noted = Arc::clone(&sent);
            let work = async move {
                noted.store(sends, Ordering::Release);
                tokio::task::yield_now().await;
                panic!("a fault");
            };
            let died = in_task(&running, sent, "r1", work).await;
            let refusal = died.expect_err("it has died").error;
            assert_eq!(refusal.code, code);
            assert_eq!(refusal.retry_after.is_some(), !sends);
        }
    }
}
