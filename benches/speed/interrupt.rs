//! Ends the run early: on Ctrl-C, on SIGTERM, or when its time limit is over. The cells check for
//! this between their steps. They stop everything that they have started by dropping it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::Result;

const BY_SIGNAL: u8 = 1;
const BY_TIME_LIMIT: u8 = 2;

/// Zero while the run may continue.
static STOP_REASON: AtomicU8 = AtomicU8::new(0);

/// Starts to watch for signals and for the time limit.
pub(crate) fn watch(limit: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    std::thread::spawn(move || {
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return;
            };
            let reason = tokio::select! {
                _ = tokio::signal::ctrl_c() => BY_SIGNAL,
                _ = terminate.recv() => BY_SIGNAL,
                () = tokio::time::sleep(limit) => BY_TIME_LIMIT,
            };
            STOP_REASON.store(reason, Ordering::Relaxed);
        });
    });
}

/// Returns an error if the run must end.
pub(crate) fn check() -> Result<()> {
    match STOP_REASON.load(Ordering::Relaxed) {
        0 => Ok(()),
        BY_SIGNAL => Err("interrupted".into()),
        _ => Err("the time limit of the run is over".into()),
    }
}
