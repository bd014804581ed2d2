//! The listener for operations: whether the process lives, and whether it can
//! do its work.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::body::ReplyBody;
use super::server::Handler;
use crate::ami::LinkState;
use crate::api::Links;

/// The listener for operations.
#[derive(Debug)]
pub struct Admin {
    /// The PBXes.
    pub links: Arc<Links>,
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
            "/healthz" => reply(StatusCode::OK, &json!({"status": "alive"})),
            "/readyz" => self.ready(),
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
        for (name, link) in self.links.iter() {
            let no_write = "the AMI user lacks write=agent: changes are refused";
            let (state, reason) = match link.live.client().state() {
                LinkState::Ready(_) if !link.live.is_loaded() => ("loading", Value::Null),
                LinkState::Ready(peer) if peer.may_write => ("ready", Value::Null),
                LinkState::Ready(_) => ("ready", Value::from(no_write)),
                LinkState::Connecting => ("connecting", Value::Null),
                LinkState::ShuttingDown => ("shutting_down", Value::Null),
                LinkState::Down { reason, .. } => ("down", Value::from(reason)),
            };
            ready &= state == "ready";
            pbxes.insert(name.clone(), json!({"state": state, "reason": reason}));
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
    let mut response = Response::new(ReplyBody::whole(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    headers.insert(CONTENT_TYPE, json);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
