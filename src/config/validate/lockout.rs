//! `[lockout]`

use super::value::{count, duration};
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::organizations::LockoutPolicy;

pub(super) fn validate(table: &file::Lockout, mistakes: &mut Mistakes) -> Option<LockoutPolicy> {
    let attempts = mistakes.ok_or_add("lockout.attempts", count(table.attempts));
    let window = mistakes.ok_or_add("lockout.window", duration(&table.window));
    let lockout_duration = mistakes.ok_or_add("lockout.duration", duration(&table.duration));
    Some(LockoutPolicy {
        attempts: attempts? as u32,
        window: window?,
        duration: lockout_duration?,
    })
}
