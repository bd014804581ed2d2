//! Asterisk's behavior over AMI. The simulated PBX must behave the same way.

mod after_calls;
mod events;
mod protocol;
mod replies;
