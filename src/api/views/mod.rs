//! Rendered reads, cached for each view.
//!
//! A view is everything that decides a read's response, except the PBX's state: the action, the
//! organization, the account's limits, and the requested agents and queues. Its state is rendered
//! once, however many clients read it. Each new state gets an entity tag, so that a client that
//! already has the state gets a response without a body.

mod cache;
mod shown;

pub(super) use cache::{Rendered, ViewCache, ViewKey};
pub(super) use shown::Shown;
