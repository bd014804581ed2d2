//! What a program that a test has started writes to its standard error.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::ChildStderr;
use std::sync::{Arc, Mutex};

/// Collects its lines while it runs, so that it never waits for a reader.
pub(super) fn collect(stderr: ChildStderr) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let collected = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = writeln!(collected.lock().expect("log"), "{line}");
        }
    });
    log
}
