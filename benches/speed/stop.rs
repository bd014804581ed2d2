//! Ending early: by Ctrl-C, by SIGTERM, or because the time is up. Whoever works
//! looks between its steps, and everything that was started ends as it is dropped.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::Result;

const SIGNAL: u8 = 1;
const TIME: u8 = 2;

static WHY: AtomicU8 = AtomicU8::new(0);

/// Begins to listen.
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
            let why = tokio::select! {
                _ = tokio::signal::ctrl_c() => SIGNAL,
                _ = terminate.recv() => SIGNAL,
                () = tokio::time::sleep(limit) => TIME,
            };
            WHY.store(why, Ordering::Relaxed);
        });
    });
}

/// An error where it is time to end.
pub(crate) fn check() -> Result<()> {
    match WHY.load(Ordering::Relaxed) {
        0 => Ok(()),
        SIGNAL => Err("interrupted".into()),
        _ => Err("the time for the whole run is up".into()),
    }
}
