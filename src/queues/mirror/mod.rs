//! The live state of a PBX's queues: reads from memory.
//!
//! It is seeded when the link comes up, follows Asterisk's events, and is asked
//! about again in turn, queue by queue, for what events don't tell. Callers and
//! figures are asked for when someone looks. Whoever was told that a change is
//! done sees it done.
//!
//! [`mirror`] is the state and its rules, [`keeper`] asks what is to be asked,
//! [`Pbx`] answers readers, [`Follower`] tells of changes.

mod apply_event;
mod apply_list;
mod apply_member_list;
mod change_log;
mod clock_offset;
mod drift;
mod event;
mod event_delivery;
mod follower;
mod member_order;
mod memberships;
mod metrics;
mod mirror;
mod mirrored_queue;
mod now;
mod overlay;
mod pbx;
mod pbx_size;
mod pending_refreshes;
mod prepare_read;
mod refresher;
mod replies;
mod reported;
mod request;
mod statistics_refresh;
mod status;
mod store;
mod vanished;
mod watched_queues;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use crate::ami::{LinkSettings, supervise};

pub use change_log::{MemberChange, StateChange};
pub use clock_offset::{TOLERATED_OFFSET, clock_offset};
pub use event_delivery::EventDelivery;
pub use follower::Follower;
pub use metrics::{Metrics, SECONDS};
pub use pbx::{Pbx, Pbxes, ReadRequest};
pub use request::PbxRequest;
pub use status::PbxStatus;
use store::{Feed, Store};
pub use watched_queues::Shows;

/// How a PBX is used.
#[derive(Debug, Clone, Copy)]
pub struct PbxSettings {
    /// Every queue is asked about once within this time.
    pub resync_interval: Duration,
    /// Whether reads are answered with the last known state while the link is down.
    pub serve_stale: bool,
    /// Bound on a whole request, however many queues it names.
    pub action_timeout: Duration,
}

/// Makes the live state of a PBX, and the task that keeps it and its link until
/// `stop`.
pub fn keep(
    link: LinkSettings,
    settings: PbxSettings,
    stop: CancellationToken,
) -> (Pbx, impl Future<Output = ()> + Send) {
    let store = Store::new();
    let span = info_span!("live", pbx = link.name);
    let (client, supervisor) = supervise(link, Feed(store.clone()), stop.clone());
    let refresher = refresher::refresh(
        store.clone(),
        client.clone(),
        settings.resync_interval,
        stop,
    );
    let pbx = Pbx::new(store, client, settings);
    let tasks = async move {
        tokio::join!(tokio::spawn(supervisor), refresher.instrument(span))
            .0
            .ok();
    };
    (pbx, tasks)
}
