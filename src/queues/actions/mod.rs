//! Changes of queues.
//!
//! A change can only be made through a [`Turn`], which is obtained by waiting for the
//! pace of the PBX.

mod add;
mod change;
mod pause;
mod penalty;
mod perform;
mod remove;
mod turn;

pub use change::{NewMember, QueueChange};
pub use penalty::set_penalty;
pub(super) use turn::Turn;
