//! Whoever follows what a link reads.

use std::time::Duration;

use super::action::Action;
use super::message::Message;
use super::reply::Reply;

/// Is told what is read, in the order of the wire, by the task that reads the
/// socket: nothing in it may wait, or take long.
pub trait Observer: Send {
    /// A session has begun. What was known before may have changed meanwhile.
    fn linked(&mut self);

    /// Asterisk tells something of its own accord.
    fn event(&mut self, event: &Message);

    /// An action was answered as a whole. Whoever asked is told afterwards.
    fn answered(&mut self, action: &Action, answer: &Reply);

    /// Asterisk has answered, so long after it was asked, whether anyone still waits
    /// or not.
    fn round_trip(&mut self, _took: Duration) {}

    /// Nothing can be asked any more: the session has ended, or Asterisk has
    /// announced its end.
    fn lost(&mut self);
}

/// For those who only ask.
impl Observer for () {
    fn linked(&mut self) {}
    fn event(&mut self, _: &Message) {}
    fn answered(&mut self, _: &Action, _: &Reply) {}
    fn lost(&mut self) {}
}
