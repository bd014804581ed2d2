//! The actions that the simulated PBX supports.

/// Asterisk's bit for the class `agent`.
const AGENT: u32 = 1 << 5;

/// An AMI action that the simulated PBX supports.
#[derive(Debug)]
pub(crate) struct ActionInfo {
    pub(crate) name: &'static str,
    /// The class for which a user needs write permission, as Asterisk's bit; 0 if the action needs
    /// no permission.
    pub(crate) class: u32,
    /// The description in the response to ListCommands.
    pub(crate) description: &'static str,
}

const fn action(name: &'static str, class: u32, description: &'static str) -> ActionInfo {
    ActionInfo {
        name,
        class,
        description,
    }
}

/// All actions, in the order of the ListCommands response.
pub(crate) const ACTIONS: [ActionInfo; 15] = [
    action("Challenge", 0, "Generate Challenge for MD5 Auth."),
    action("Events", 0, "Control Event Flow."),
    action("ListCommands", 0, "List available manager commands."),
    action("Login", 0, "Login Manager."),
    action("Logoff", 0, "Logoff Manager."),
    action("Ping", 0, "Keepalive command."),
    action("QueueAdd", AGENT, "Add interface to queue."),
    action(
        "QueueMemberRingInUse",
        AGENT,
        "Set the ringinuse value for a queue member.",
    ),
    action(
        "QueuePause",
        AGENT,
        "Makes a queue member temporarily unavailable.",
    ),
    action("QueuePenalty", AGENT, "Set the penalty for a queue member."),
    action(
        "QueueReload",
        0,
        "Reload a queue, queues, or any sub-section of a queue or queues.",
    ),
    action("QueueRemove", AGENT, "Remove interface from queue."),
    action("QueueReset", 0, "Reset queue statistics."),
    action("QueueStatus", 0, "Show queue status."),
    action("QueueSummary", 0, "Show queue summary."),
];

impl ActionInfo {
    /// Finds an action by name. Ignores case, like Asterisk.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        ACTIONS
            .iter()
            .find(|action| action.name.eq_ignore_ascii_case(name))
    }

    /// Returns true if a user with permission to write these classes may send the action.
    pub(crate) fn is_allowed(&self, write_classes: u32) -> bool {
        write_classes & self.class == self.class
    }

    /// Returns true if app_queue provides the action.
    pub(crate) fn is_queue_action(&self) -> bool {
        self.name.starts_with("Queue")
    }
}
