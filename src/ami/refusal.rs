//! Why Asterisk refused an action. The only place that matches Asterisk's texts.
//!
//! An AMI error has no code, only the text of its `Message` header. The texts are
//! those of Asterisk 13 to 23.

use super::message::Message;

/// The reason in a response that is not `Success`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `QueueAdd` or `QueueRemove` of a queue that does not exist.
    #[error("No such queue")]
    NoSuchQueue,
    /// `QueuePause` of a queue that does not exist, or of an interface that is not a
    /// member of it: Asterisk has one text for both.
    #[error("Interface not found")]
    NotFound,
    /// `QueueRemove` of an interface that is not a member of the queue.
    #[error("Unable to remove interface: Not there")]
    NotAMember,
    /// `QueueAdd` of an interface that is already a member of the queue.
    #[error("Unable to add interface: Already there")]
    AlreadyMember,
    /// `QueueRemove` of a member that comes from queues.conf or a realtime database.
    #[error("Member not dynamic")]
    StaticMember,
    /// A graceful shutdown of Asterisk is pending.
    #[error("Asterisk is shutting down")]
    ShuttingDown,
    /// The AMI user lacks the action's privilege, or the action's module is being
    /// loaded.
    #[error("Permission denied")]
    PermissionDenied,
    /// No loaded module provides the action.
    #[error("Invalid/unknown command")]
    UnknownAction,
    /// Login with an unknown user, a wrong secret, or from an address that the user's
    /// ACL denies: Asterisk has one text for all three.
    #[error("Authentication failed")]
    AuthenticationFailed,
    /// Login of a user who has a session already and `allowmultiplelogin=no`.
    #[error("Login Already In Use")]
    LoginInUse,
    /// Any other text, as Asterisk sent it; empty if the response has no `Message`.
    #[error("{0}")]
    Other(String),
}

impl Refusal {
    /// The refusal in a response; `None` if the response is `Success`.
    pub(super) fn of(response: &Message) -> Option<Self> {
        if response.is_success() {
            return None;
        }
        Some(Self::parse(&response.text("Message").unwrap_or_default()))
    }

    fn parse(text: &str) -> Self {
        match text {
            "Unable to add interface to queue: No such queue"
            | "Unable to remove interface from queue: No such queue" => Self::NoSuchQueue,
            "Interface not found" => Self::NotFound,
            "Unable to remove interface: Not there" => Self::NotAMember,
            "Unable to add interface: Already there" => Self::AlreadyMember,
            "Member not dynamic" => Self::StaticMember,
            "Asterisk is shutting down" => Self::ShuttingDown,
            "Permission denied" => Self::PermissionDenied,
            "Authentication failed" => Self::AuthenticationFailed,
            "Login Already In Use" => Self::LoginInUse,
            // The name of the action and a hint follow.
            text if text.starts_with("Invalid/unknown command") => Self::UnknownAction,
            text => Self::Other(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_of_asterisk_is_recognized() {
        let table = [
            (
                "Unable to add interface to queue: No such queue",
                Refusal::NoSuchQueue,
            ),
            (
                "Unable to remove interface from queue: No such queue",
                Refusal::NoSuchQueue,
            ),
            ("Interface not found", Refusal::NotFound),
            ("Unable to remove interface: Not there", Refusal::NotAMember),
            (
                "Unable to add interface: Already there",
                Refusal::AlreadyMember,
            ),
            ("Member not dynamic", Refusal::StaticMember),
            ("Asterisk is shutting down", Refusal::ShuttingDown),
            ("Permission denied", Refusal::PermissionDenied),
            (
                "Invalid/unknown command: QueuePause. Use Action: ListCommands to show available \
                 commands.",
                Refusal::UnknownAction,
            ),
            ("Authentication failed", Refusal::AuthenticationFailed),
            ("Login Already In Use", Refusal::LoginInUse),
            ("Out of memory", Refusal::Other("Out of memory".to_owned())),
            ("", Refusal::Other(String::new())),
        ];
        for (text, refusal) in table {
            let error = format!("Response: Error\r\nActionID: 7\r\nMessage: {text}\r\n");
            let error = Message::parse(error.into_bytes().into());
            assert_eq!(Refusal::of(&error), Some(refusal), "{text}");
        }
    }

    #[test]
    fn success_is_never_a_refusal() {
        let success = "Response: Success\r\nMessage: Permission denied\r\n";
        let success = Message::parse(success.as_bytes().into());
        assert_eq!(Refusal::of(&success), None);
    }

    #[test]
    fn error_without_a_message_is_a_refusal_with_an_empty_text() {
        let error = Message::parse("Response: Error\r\n".as_bytes().into());
        assert_eq!(Refusal::of(&error), Some(Refusal::Other(String::new())));
    }
}
