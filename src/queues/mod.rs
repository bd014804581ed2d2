//! The domain: queues, members and callers as Asterisk knows them, and the
//! commands that change them. Knows no HTTP, no JSON and no organization.

mod command;
mod decode;
pub mod live;
mod model;
mod name;
mod pace;
mod read;
mod time;

pub use command::{Change, CommandError, NOT_NOW, NewMember, QueueCommands};
pub use model::{Caller, DeviceState, Member, MemberState, Membership, Queue};
pub use name::QueueName;
pub use read::{QueueNames, Snapshot};
pub use time::PbxTime;
