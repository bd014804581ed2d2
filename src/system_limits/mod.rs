//! The operating system's limits that a busy bridge reaches, compared with the configuration.
//!
//! `limits` reads the limits, and `demand` derives the needs from the configuration. [`shortages`]
//! compares them, and does no IO. The daemon reports its result at startup and after each reload,
//! and `ami-bridge check` reports the same. `descriptors` divides the file descriptors.
//!
//! docs/SCALING.md has the needs of some numbers of panels.

mod demand;
mod descriptors;
mod limits;
#[cfg(test)]
mod packaged_tests;
mod shortage;

pub(crate) use self::demand::Demand;
pub(crate) use self::descriptors::divide;
pub(crate) use self::limits::SystemLimits;
pub(crate) use self::shortage::{Shortage, shortages};
