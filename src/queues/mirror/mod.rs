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

mod follower;
mod metrics;
mod pbx;
mod prepare_read;
mod read;
mod read_request;
mod refresher;
mod request;
mod settings;
mod state;
mod statistics_refresh;
mod status;
mod store;
#[cfg(test)]
mod testing;

use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use self::refresher::Refresher;
use self::store::{Feed, Store};
use crate::ami::{LinkSettings, supervise};

pub use follower::Follower;
pub use metrics::{LATENCY_BOUNDS, Metrics};
pub use pbx::{Pbx, Pbxes};
pub use read_request::ReadRequest;
pub use request::{PauseAttempt, PbxRequest};
pub use settings::PbxOptions;
pub use state::{
    EventDelivery, MemberChange, ShowsQueue, StateChange, TOLERATED_OFFSET, clock_offset,
};
pub use status::PbxStatus;
#[cfg(test)]
pub(crate) use testing::unreachable_pbx;

/// Creates a PBX handle, and the future that maintains the PBX's link and mirror until `stop`
/// is canceled.
pub fn connect(
    link: LinkSettings,
    settings: PbxOptions,
    stop: CancellationToken,
) -> (Pbx, impl Future<Output = ()> + Send) {
    let store = Store::new();
    let span = info_span!("live", pbx = link.name);
    let (client, supervisor) = supervise(link, Feed(store.clone()), stop.clone());
    let refresher = Refresher::new(store.clone(), client.clone(), settings.resync_interval);
    let pbx = Pbx::new(store, client, settings);
    let tasks = async move {
        let refresher = stop.run_until_cancelled(refresher.run());
        // The supervisor runs in its own task, so that a slow refresh never delays it.
        let (supervisor, _) = tokio::join!(tokio::spawn(supervisor), refresher.instrument(span));
        supervisor.ok();
    };
    (pbx, tasks)
}
