//! The simulated PBX's state, and all operations that change it.
//!
//! - `state` contains the PBX's queues, devices, calls and timers. `clock` advances the
//!   simulated clock and runs expired timers.
//! - `membership` changes members, `device_changes` changes devices, and `reload` reloads the
//!   queues or restarts Asterisk.
//! - A call passes through `waiting_callers` (join and leave), `distribution` (selection of
//!   members), `ringing`, `answering` and `hang_up`.
//! - `caller_generator` generates calls, `agent_breaks` generates the agents' breaks, and
//!   `scheduled_pauses` begins and ends pauses at fixed times.

mod agent_breaks;
mod answering;
mod call;
mod caller_generator;
mod channel;
mod channel_creation;
mod clock;
mod device;
mod device_changes;
pub(crate) mod device_state;
mod distribution;
mod hang_up;
mod member;
mod membership;
mod queue;
mod queue_log;
mod queues_conf;
mod reload;
mod ringing;
mod scheduled_pauses;
mod state;
mod statistics;
mod timers;
mod waiting_callers;

#[cfg(test)]
mod tests;

pub(crate) use self::member::Member;
pub(crate) use self::membership::ChangeResult;
pub(crate) use self::state::SimulatedPbx;
