//! The actions that the simulated PBX knows.

/// The bit of the class `agent`.
const AGENT: u32 = 1 << 5;

/// An action.
#[derive(Debug)]
pub(crate) struct ActionInfo {
    pub(crate) name: &'static str,
    /// The class that a user must be allowed to write, as Asterisk's bit, or 0 for none.
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

/// All actions, in the order of ListCommands.
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
    /// Finds an action. Like in Asterisk, the case of its name does not matter.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        ACTIONS
            .iter()
            .find(|action| action.name.eq_ignore_ascii_case(name))
    }

    /// True if a user who may write these classes may send the action.
    pub(crate) fn is_allowed(&self, write_classes: u32) -> bool {
        write_classes & self.class == self.class
    }

    /// True if the action belongs to app_queue.
    pub(crate) fn is_queue_action(&self) -> bool {
        self.name.starts_with("Queue")
    }
}
