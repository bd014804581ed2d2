//! The behavior of Asterisk over AMI, and that the simulated PBX behaves in the same way.

mod events;
mod protocol;
mod replies;
