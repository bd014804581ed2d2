//! The actions of the program, and how each uses `agent` and `queue`.

use ami_bridge::api::{action_names, permissions};

use crate::support::API_PATH;

/// How an action uses a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Required,
    Optional,
    Refused,
}

/// How an action uses its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) action: &'static str,
    pub(super) agent: Use,
    pub(super) queue: Use,
    /// Whether the action fails if the agent is a member of the queue already.
    pub(super) adds_member: bool,
}

impl Usage {
    /// Returns the usages of everything that an account can do: all actions, and the stream.
    pub(super) fn all() -> Vec<Self> {
        let mut names = action_names();
        names.extend(permissions());
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(Self::of).collect()
    }

    fn of(action: &'static str) -> Self {
        let (agent, queue) = match action {
            "add" | "remove" => (Use::Required, Use::Required),
            "pause" | "unpause" | "showstate" => (Use::Required, Use::Optional),
            "showqueue" | "showqueuestat" | "events" => (Use::Refused, Use::Optional),
            "showreport" => (Use::Optional, Use::Optional),
            "showreasons" | "whoami" => (Use::Refused, Use::Refused),
            _ => panic!(
                "The tests of rights do not know how the action {action} uses `agent` and \
                 `queue`: add it to Usage::of."
            ),
        };
        Self {
            action,
            agent,
            queue,
            adds_member: action == "add",
        }
    }

    /// Whether the action is the event stream.
    pub(super) fn is_stream(&self) -> bool {
        self.action == "events"
    }

    /// Returns the request target without credentials. `parameters` begins with `&` unless it is
    /// empty.
    pub(super) fn target(&self, parameters: &str) -> String {
        match self.action {
            "events" => format!("/events?_=1{parameters}"),
            action => format!("{API_PATH}?action={action}{parameters}"),
        }
    }
}
