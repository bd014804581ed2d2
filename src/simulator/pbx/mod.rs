//! The state of the simulated PBX and everything that changes it.
//!
//! - `state` is the PBX: queues, devices, calls and timers. `clock` advances its time
//!   and runs expired timers.
//! - `membership` changes members, `device_changes` changes devices, `reload` reloads
//!   or restarts.
//! - A call passes through `waiting_callers` (join and leave), `distribution` (which
//!   members are called), `ringing`, `answering` and `hang_up`.
//! - `caller_generator` and `agent_breaks` do what callers and agents do automatically.

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
mod state;
mod statistics;
mod timers;
mod waiting_callers;

#[cfg(test)]
mod tests;

pub(crate) use self::member::Member;
pub(crate) use self::membership::ChangeResult;
pub(crate) use self::state::SimulatedPbx;
