//! The trait for components that follow a link.

use std::time::Duration;

use super::action::Action;
use super::login::Restarts;
use super::message::Message;
use super::reply::Reply;

/// Receives a link's events, replies and state changes, in the order in which they
/// arrive.
///
/// The task that reads the socket calls these methods, so they must return quickly and
/// must not block.
pub trait Observer: Send {
    /// Called before a session begins. `restarts` is `None` if Asterisk does not report when it
    /// was started.
    fn booted(&mut self, _restarts: Option<Restarts>) {}

    /// Called when a session begins. The observer may have missed events that Asterisk sent
    /// before the session.
    fn link_up(&mut self);

    /// Called when Asterisk has sent an event that is not part of a reply.
    fn event(&mut self, event: &Message);

    /// Called when Asterisk has sent a complete reply, before the waiting callers receive the
    /// reply.
    fn answered(&mut self, action: &Action, reply: &Reply);

    /// Called with the time between sending an action and receiving its complete reply, even
    /// if no caller is waiting for the reply any more.
    fn round_trip(&mut self, _duration: Duration) {}

    /// Called when no more actions can be sent, because the session has ended or Asterisk has
    /// announced its shutdown. May be called twice for one session.
    fn link_down(&mut self);
}

/// An observer that ignores everything.
impl Observer for () {
    fn link_up(&mut self) {}
    fn event(&mut self, _: &Message) {}
    fn answered(&mut self, _: &Action, _: &Reply) {}
    fn link_down(&mut self) {}
}
