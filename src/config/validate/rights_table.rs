//! The keys that users and tokens have in common.

use crate::config::file;

/// The keys of a user or a token that determine its rights.
#[derive(Clone, Copy)]
pub(super) struct RightsTable<'a> {
    pub(super) actions: &'a [String],
    pub(super) allow_from: &'a [String],
    pub(super) agents: &'a [String],
    pub(super) queues: &'a [String],
    pub(super) sees_colleagues: bool,
}

impl<'a> From<&'a file::User> for RightsTable<'a> {
    fn from(user: &'a file::User) -> Self {
        Self {
            actions: &user.actions,
            allow_from: &user.allow_from,
            agents: &user.agents,
            queues: &user.queues,
            sees_colleagues: user.sees_colleagues,
        }
    }
}

impl<'a> From<&'a file::Token> for RightsTable<'a> {
    fn from(token: &'a file::Token) -> Self {
        Self {
            actions: &token.actions,
            allow_from: &token.allow_from,
            agents: &token.agents,
            queues: &token.queues,
            sees_colleagues: token.sees_colleagues,
        }
    }
}
