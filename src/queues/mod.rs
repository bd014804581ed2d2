//! Asterisk's queues, members and callers: the types, the queries, the changes, and an
//! in-memory mirror.
//!
//! This module knows nothing about HTTP, JSON or organizations.

mod actions;
mod call_event;
mod decode;
mod error;
pub mod mirror;
mod model;
mod name;
mod observation;
mod observed;
mod pace;
mod queries;
mod reason;
mod time;
mod timing;
mod work_event;

pub use actions::{ChangeResult, NewMember, PauseChange, QueueChange, set_penalty};
pub use error::{QueueError, TEMPORARILY_UNAVAILABLE};
pub use mirror::{
    ChangeAttempt, EndedPause, MAX_CHANGES_UNDER_WAY, PauseRequest, PauseServices, Pbx, PbxRequest,
    PbxStatus, Pbxes, ReadRequest, RequestOrigin,
};
pub use model::{Caller, DeviceState, Member, MemberState, Membership, Queue};
pub use name::QueueName;
pub use observed::Observed;
pub use queries::{MembershipSnapshot, QueueNames, QueueQueries, ReadState, Snapshot};
pub use reason::{PauseReason, ReasonCatalog};
pub use time::PbxTime;
pub use timing::{MemberTiming, TimingRules};
pub use work_event::{WorkCall, WorkEvent, WorkMember, WorkPause, WorkTime};
