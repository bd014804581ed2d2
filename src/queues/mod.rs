//! The domain: queues, members and callers as Asterisk knows them, and the
//! commands that change them. Knows no HTTP, no JSON and no organization.

mod command;
mod decode;
pub mod mirror;
mod model;
mod name;
mod pace;
mod read;
mod time;

pub use command::{CommandError, NOT_NOW, NewMember, QueueChange, QueueCommands};
pub use mirror::{Pbx, Pbxes, Question};
pub use model::{Caller, DeviceState, Member, MemberState, Membership, Queue};
pub use name::QueueName;
pub use read::{QueueNames, Snapshot};
pub use time::PbxTime;
