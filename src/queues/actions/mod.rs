//! Queue changes.
//!
//! Every change except [`set_penalty`] needs a [`Turn`]. Callers obtain a turn by waiting
//! until the PBX can process another change.

mod add;
mod change;
mod pause;
mod penalty;
mod perform;
mod remove;
mod turn;

pub use change::{ChangeResult, NewMember, PauseChange, QueueChange};
pub(super) use pause::missing_member;
pub use penalty::set_penalty;
pub(super) use turn::Turn;
