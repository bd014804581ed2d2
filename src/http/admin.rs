//! Handles the admin listener's requests: `/healthz`, `/readyz` and `/metrics`.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::body::ReplyBody;
use super::handler::Handler;
use super::metrics::{self, BridgeMetrics};
use crate::ami::NO_APP_QUEUE;
use crate::queues::PbxStatus;
use crate::storage::StorageStatus;

/// The admin listener's handler.
#[derive(Debug)]
pub struct Admin {
    metrics: BridgeMetrics,
    stop: CancellationToken,
}

impl Admin {
    /// Creates the handler. Once `stop` is canceled, `/readyz` responds with 503.
    #[must_use]
    pub fn new(metrics: BridgeMetrics, stop: CancellationToken) -> Self {
        Self { metrics, stop }
    }
}

impl Handler for Admin {
    async fn handle(
        self: Arc<Self>,
        _peer: IpAddr,
        request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut refusal =
                json_response(StatusCode::METHOD_NOT_ALLOWED, &json!({"status": "error"}));
            let allow = HeaderValue::from_static("GET, HEAD");
            refusal.headers_mut().insert(ALLOW, allow);
            return refusal;
        }
        match request.uri().path() {
            "/healthz" => self.health(),
            "/readyz" => self.readiness(),
            "/metrics" => self.metrics(request.headers()).await,
            _ => json_response(StatusCode::NOT_FOUND, &json!({"status": "not_found"})),
        }
    }
}

impl Admin {
    fn health(&self) -> Response<ReplyBody> {
        let log = &self.metrics.log;
        let log_lines = json!({"waiting": log.waiting(), "dropped": log.dropped()});
        let body = json!({"status": "alive", "log_lines": log_lines});
        json_response(StatusCode::OK, &body)
    }

    /// Responds with 200 if all PBXes are linked, their queues are loaded, and the daemon is
    /// not shutting down; otherwise with 503. The body contains each PBX's state, and the
    /// storage's state, which does not change the status.
    fn readiness(&self) -> Response<ReplyBody> {
        let mut is_ready = !self.stop.is_cancelled();
        let mut pbxes = Map::new();
        for (name, pbx) in self.metrics.pbxes.iter() {
            let (state, reason) = state_and_reason(pbx.status());
            is_ready &= state == "ready";
            let events = pbx.event_delivery().as_str();
            let details = json!({"state": state, "reason": reason, "events": events});
            pbxes.insert(name.clone(), details);
        }
        let (status, text) = if is_ready {
            (StatusCode::OK, "ready")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
        };
        let storage = storage_details(self.metrics.storage.status());
        let body = json!({"status": text, "pbx": pbxes, "storage": storage});
        json_response(status, &body)
    }

    async fn metrics(&self, request: &HeaderMap) -> Response<ReplyBody> {
        let text = self.metrics.text().await;
        let accept = request.get(ACCEPT);
        let accept = accept.and_then(|accept| accept.to_str().ok());
        let content_type = metrics::content_type(accept.unwrap_or_default());
        uncached_response(text, content_type)
    }
}

/// Returns the PBX's state for the `/readyz` body, and the reason if it is known.
fn state_and_reason(status: PbxStatus) -> (&'static str, Value) {
    let no_write = "the AMI user lacks write=agent: changes are refused";
    match status {
        PbxStatus::Ready { may_write: true } => ("ready", Value::Null),
        PbxStatus::Ready { may_write: false } => ("ready", Value::from(no_write)),
        PbxStatus::Loading => ("loading", Value::Null),
        PbxStatus::NoAppQueue => ("loading", Value::from(NO_APP_QUEUE)),
        PbxStatus::Booting => ("booting", Value::from(NO_APP_QUEUE)),
        PbxStatus::Connecting => ("connecting", Value::Null),
        PbxStatus::ShuttingDown => ("shutting_down", Value::Null),
        PbxStatus::Down { reason } => ("down", Value::from(reason)),
    }
}

fn storage_details(status: StorageStatus) -> Value {
    let (state, reason) = match status {
        StorageStatus::Memory => ("memory", None),
        StorageStatus::Ready => ("ok", None),
        StorageStatus::Unavailable { reason } => ("unavailable", Some(reason)),
    };
    json!({"state": state, "reason": reason})
}

fn json_response(status: StatusCode, body: &Value) -> Response<ReplyBody> {
    let mut response = uncached_response(body.to_string(), "application/json; charset=utf-8");
    *response.status_mut() = status;
    response
}

fn uncached_response(body: String, content_type: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
