//! Opens and closes the storage.

use std::time::Duration;

use tracing::{info, warn};

use crate::config::StateSettings;
use crate::storage::{DirectoryInUse, Storage};

/// How long the shutdown waits for the disk.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens the storage, and logs where the state is.
pub(super) fn open(settings: &StateSettings) -> Result<Storage, DirectoryInUse> {
    let Some(directory) = &settings.directory else {
        info!(
            "the state is stored in memory only: a restart forgets the ends of pauses \
             and the day's work (set state.directory)"
        );
        return Ok(Storage::in_memory());
    };
    let storage = Storage::open(directory)?;
    info!(directory = %directory.display(), "the state is stored on disk");
    Ok(storage)
}

/// Closes the storage after its queued writes.
pub(super) async fn close(storage: Storage) {
    if !storage.close(CLOSE_TIMEOUT).await {
        warn!("the disk does not respond; the latest changes of the state may be lost");
    }
}
