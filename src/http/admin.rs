//! The listener for operations: whether the process lives, and whether it can
//! do its work.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::body::ReplyBody;
use super::metrics;
use super::server::Handler;
use super::slots::Slots;
use super::tls::Tls;
use crate::ami::NO_APP_QUEUE;
use crate::api::RequestMetrics;
use crate::queues::{PbxStatus, Pbxes};
use crate::telemetry::LogFlow;

/// The listener for operations.
#[derive(Debug)]
pub struct Admin {
    /// The PBXes.
    pub pbxes: Arc<Pbxes>,
    /// What is counted of requests.
    pub requests: Arc<RequestMetrics>,
    /// The connections of the interface.
    pub slots: Slots,
    /// The interface's TLS, where it has one.
    pub tls: Option<Tls>,
    /// How the log flows.
    pub log: LogFlow,
    /// Whether `/metrics` has those of queues.
    pub queue_metrics: bool,
    /// Set when the daemon is told to end.
    pub stop: CancellationToken,
}

impl Handler for Admin {
    async fn handle(
        self: Arc<Self>,
        _peer: IpAddr,
        request: Request<Incoming>,
    ) -> Response<ReplyBody> {
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut refusal = reply(StatusCode::METHOD_NOT_ALLOWED, &json!({"status": "error"}));
            let allow = HeaderValue::from_static("GET, HEAD");
            refusal.headers_mut().insert(ALLOW, allow);
            return refusal;
        }
        match request.uri().path() {
            "/healthz" => {
                let log = json!({"waiting": self.log.waiting(), "dropped": self.log.dropped()});
                reply(
                    StatusCode::OK,
                    &json!({"status": "alive", "log_lines": log}),
                )
            }
            "/readyz" => self.ready(),
            "/metrics" => {
                let text = metrics::text(&self).await;
                let accept = request.headers().get(ACCEPT);
                let accept = accept.and_then(|accept| accept.to_str().ok());
                let content_type = metrics::content_type(accept.unwrap_or_default());
                plain(ReplyBody::whole(text), content_type)
            }
            _ => reply(StatusCode::NOT_FOUND, &json!({"status": "not_found"})),
        }
    }
}

impl Admin {
    /// Ready is: every PBX is linked and its state loaded, and the daemon goes on. Says of each link
    /// what it is doing.
    fn ready(&self) -> Response<ReplyBody> {
        let mut ready = !self.stop.is_cancelled();
        let mut pbxes = Map::new();
        for (name, pbx) in self.pbxes.iter() {
            let no_write = "the AMI user lacks write=agent: changes are refused";
            let (state, reason) = match pbx.status() {
                PbxStatus::Ready { may_write: true } => ("ready", Value::Null),
                PbxStatus::Ready { may_write: false } => ("ready", Value::from(no_write)),
                PbxStatus::Loading => ("loading", Value::Null),
                PbxStatus::NoAppQueue => ("loading", Value::from(NO_APP_QUEUE)),
                PbxStatus::Booting => ("booting", Value::from(NO_APP_QUEUE)),
                PbxStatus::Connecting => ("connecting", Value::Null),
                PbxStatus::ShuttingDown => ("shutting_down", Value::Null),
                PbxStatus::Down { reason } => ("down", Value::from(reason)),
            };
            ready &= state == "ready";
            let events = pbx.delivery().as_str();
            let details = json!({"state": state, "reason": reason, "events": events});
            pbxes.insert(name.clone(), details);
        }
        let (status, word) = if ready {
            (StatusCode::OK, "ready")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
        };
        reply(status, &json!({"status": word, "pbx": pbxes}))
    }
}

fn reply(status: StatusCode, body: &Value) -> Response<ReplyBody> {
    let json = "application/json; charset=utf-8";
    let mut response = plain(ReplyBody::whole(body.to_string()), json);
    *response.status_mut() = status;
    response
}

fn plain(body: ReplyBody, content_type: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
