//! Event streams for the tests of `delivery` and `delivery_groups`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::{HeaderMap, Version};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::delivery::Delivery;
use super::delivery_groups::DeliveryGroups;
use super::slots::Slots;
use super::takeover::EventResponse;
use crate::api::{EventStream, StreamViews};
use crate::http::sse::EventBody;
use crate::organizations::{Account, Limits, Organization};
use crate::queues::Pbx;
use crate::queues::mirror::unreachable_pbx;

/// Longer than the interval between two heartbeats. The tests' clock is paused, so nothing waits.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Opens streams of one view. The PBX can't be reached, so the streams get only heartbeats.
pub(super) struct TestStreams {
    groups: Arc<DeliveryGroups>,
    slots: Slots,
    views: Arc<StreamViews>,
    pbx: Pbx,
    account: Arc<Account>,
    stop: CancellationToken,
    _tasks: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl TestStreams {
    pub(super) fn new() -> Self {
        let stop = CancellationToken::new();
        let (pbx, tasks) = unreachable_pbx(stop.clone());
        let organization = Organization::for_test(&["*"], "{queue}");
        Self {
            groups: Arc::default(),
            slots: Slots::new("api", 1000),
            views: StreamViews::new(stop.clone()),
            pbx,
            account: Account::for_test(organization, Limits::default()),
            stop,
            _tasks: Box::pin(tasks),
        }
    }

    pub(super) fn groups(&self) -> &DeliveryGroups {
        &self.groups
    }

    /// Opens a stream on a connection that stores `capacity` unread bytes. Returns the client's end.
    pub(super) fn open(&self, capacity: usize) -> DuplexStream {
        let (client, server) = duplex(capacity);
        self.groups.add(self.delivery(server));
        client
    }

    /// Opens a stream that no group writes.
    pub(super) fn delivery(&self, connection: DuplexStream) -> Delivery {
        let events = EventStream::for_test(&self.views, &self.pbx, &self.account);
        let response = EventResponse {
            headers: HeaderMap::new(),
            version: Version::HTTP_11,
            body: Box::new(EventBody::new(events, "r1")),
        };
        let slot = self.slots.try_take().expect("a free slot");
        let token = self.slots.connections().token();
        Delivery::new(response, Box::pin(connection), slot, token)
    }

    /// Ends the streams, as the daemon does when it stops.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until all connections are closed.
    pub(super) async fn all_closed(&self) {
        let connections = self.slots.connections();
        connections.close();
        let closed = timeout(TIMEOUT, connections.wait());
        closed.await.expect("all streams end");
    }
}

/// Reads until the bridge closes the connection.
pub(super) async fn read_to_end(client: &mut DuplexStream) -> String {
    let mut text = String::new();
    let read = timeout(TIMEOUT, client.read_to_string(&mut text)).await;
    read.expect("the stream ends").expect("UTF-8");
    text
}
