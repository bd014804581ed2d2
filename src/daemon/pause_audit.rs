//! Logs the pauses that the bridge ends.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::api::log_ended_pause;
use crate::http::RoutesSlot;
use crate::queues::EndedPause;

/// Starts a task that writes an audit log line for each pause that the bridge has ended or
/// tried to end. The task stops after the links have closed.
pub(super) fn start(mut ended: UnboundedReceiver<EndedPause>, routes: Arc<RoutesSlot>) {
    tokio::spawn(async move {
        while let Some(pause) = ended.recv().await {
            log_ended_pause(pause, routes.api().directory());
        }
    });
}
