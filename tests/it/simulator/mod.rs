//! What Asterisk answers and reports over AMI, and that the simulated PBX does the same.

mod events;
mod protocol;
mod replies;
