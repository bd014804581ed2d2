//! The interface of a component that follows a link.

use std::time::Duration;

use super::action::Action;
use super::message::Message;
use super::reply::Reply;

/// Receives everything that happens on a link, in the order in which Asterisk sent it.
///
/// The task that reads the socket calls these methods, so they must return quickly and
/// must not block.
pub trait Observer: Send {
    /// A session has begun. Events may have been missed before it.
    fn link_up(&mut self);

    /// Asterisk sent an event that is not part of a reply.
    fn event(&mut self, event: &Message);

    /// Asterisk sent a complete reply. Called before the reply is passed to the callers
    /// that wait for it.
    fn answered(&mut self, action: &Action, reply: &Reply);

    /// Asterisk completed a reply this long after the action was sent. Called even if no
    /// caller waits for the reply any more.
    fn round_trip(&mut self, _duration: Duration) {}

    /// No more actions can be sent: the session has ended, or Asterisk has announced its
    /// shutdown. May be called twice for one session.
    fn link_down(&mut self);
}

/// Ignores everything.
impl Observer for () {
    fn link_up(&mut self) {}
    fn event(&mut self, _: &Message) {}
    fn answered(&mut self, _: &Action, _: &Reply) {}
    fn link_down(&mut self) {}
}
