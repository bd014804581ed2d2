//! An in-memory mirror of a PBX's queues, from which the bridge answers reads.
//!
//! The bridge loads the mirror when the link comes up and then applies Asterisk's events to
//! it. It also lists every queue periodically, because some changes have no event. Callers
//! and statistics are queried when a client reads them. After a client has received the
//! response to a change, its next read includes the change.
//!
//! [`state`] contains the mirror and the rules for updating it. [`refresher`] queries Asterisk
//! on behalf of the mirror. [`Pbx`] answers reads, [`PbxRequest`] makes changes, and
//! [`Follower`] returns the mirror's changes to event streams.

mod attempt;
mod cached_names;
mod follower;
mod membership_locks;
mod metrics;
mod pause_timer;
mod pbx;
mod prepare_read;
mod promise;
mod read;
mod read_request;
mod refresher;
mod request;
mod request_origin;
mod settings;
mod state;
mod statistics_refresh;
mod status;
mod store;
#[cfg(test)]
mod testing;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use self::pause_timer::PauseTimer;
use self::refresher::Refresher;
use self::store::{Feed, Store};
use crate::ami::{LinkSettings, supervise};
use crate::storage::Storage;

pub use attempt::ChangeAttempt;
pub use cached_names::CachedNames;
pub use follower::Follower;
pub use metrics::{LATENCY_BOUNDS, Metrics};
pub use pause_timer::EndedPause;
pub use pbx::{Pbx, Pbxes};
pub use read_request::ReadRequest;
pub use request::{MAX_CHANGES_UNDER_WAY, PbxRequest};
pub use request_origin::RequestOrigin;
pub use settings::PbxOptions;
pub use state::{
    EventDelivery, MemberChange, PauseRequest, ShowsQueue, StateChange, TOLERATED_OFFSET,
    clock_offset,
};
pub use status::PbxStatus;
#[cfg(test)]
pub(crate) use testing::unreachable_pbx;

/// The storage of a PBX's timed pauses, and the channel for the audit log.
#[derive(Debug, Clone)]
pub struct PauseServices {
    /// Stores the promised ends of pauses.
    pub storage: Storage,
    /// Receives each attempt to end a pause.
    pub ended: mpsc::UnboundedSender<EndedPause>,
}

/// Creates a PBX handle, and the future that maintains the PBX's link and mirror until `stop`
/// is canceled.
pub fn connect(
    link: LinkSettings,
    settings: PbxOptions,
    services: PauseServices,
    stop: CancellationToken,
) -> (Pbx, impl Future<Output = ()> + Send) {
    let PauseServices { storage, ended } = services;
    let store = Store::new(storage);
    let name = link.name.clone();
    let span = info_span!("live", pbx = name);
    // The link outlives the pause timer, which may be ending pauses.
    let link_stop = CancellationToken::new();
    let (client, supervisor) = supervise(link, Feed(store.clone()), link_stop.clone());
    let refresher = Refresher::new(store.clone(), client.clone(), settings.resync_interval);
    let pbx = Pbx::new(name, store, client, settings);
    let pause_timer = PauseTimer::new(pbx.clone(), ended, stop.clone()).run();
    let adopt = adopt_stored_pauses(pbx.clone());
    let tasks = async move {
        // The supervisor runs in its own task, so that a slow refresh never delays it.
        let supervisor = tokio::spawn(supervisor);
        let refresher = stop.run_until_cancelled(refresher.run());
        let adopt = stop.run_until_cancelled(adopt);
        tokio::join!(refresher.instrument(span), adopt, pause_timer);
        link_stop.cancel();
        supervisor.await.ok();
    };
    (pbx, tasks)
}

/// Loads the timed pauses that a previous process has stored, as soon as the storage is
/// available.
async fn adopt_stored_pauses(pbx: Pbx) {
    let pauses = pbx.store.storage.pauses(&pbx.name).await;
    pbx.store
        .change(|mirror, now| mirror.adopt_timed_pauses(pauses, now));
}
