//! The reasons why Asterisk refuses actions. Only this module matches Asterisk's error
//! texts.
//!
//! An AMI error has no code, only the text in its `Message` header. The texts here are
//! from Asterisk 13 to 23.

use super::message::Message;

/// The reason that Asterisk gives in an error response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `QueueAdd` or `QueueRemove` for a queue that does not exist.
    #[error("No such queue")]
    NoSuchQueue,
    /// `QueuePause` for a queue that does not exist, or for an interface that is not a member
    /// of the queue. Asterisk sends the same text in both cases.
    #[error("Interface not found")]
    NotFound,
    /// `QueueRemove` for an interface that is not a member of the queue.
    #[error("Unable to remove interface: Not there")]
    NotAMember,
    /// `QueueAdd` for an interface that is already a member of the queue.
    #[error("Unable to add interface: Already there")]
    AlreadyMember,
    /// `QueueRemove` for a member that is configured in queues.conf or a realtime database.
    #[error("Member not dynamic")]
    StaticMember,
    /// A graceful shutdown of Asterisk is pending.
    #[error("Asterisk is shutting down")]
    ShuttingDown,
    /// The AMI user lacks the privilege for the action, or Asterisk is still loading the
    /// action's module.
    #[error("Permission denied")]
    PermissionDenied,
    /// No loaded module provides the action.
    #[error("Invalid/unknown command")]
    UnknownAction,
    /// Login with an unknown user, with a wrong secret, or from an address that the user's
    /// ACL denies. Asterisk sends the same text in all three cases.
    #[error("Authentication failed")]
    AuthenticationFailed,
    /// Login by a user with `allowmultiplelogin=no` who already has a session.
    #[error("Login Already In Use")]
    LoginInUse,
    /// Any other text, as Asterisk sent it. Empty if the response has no `Message` header.
    #[error("{0}")]
    Other(String),
}

impl Refusal {
    /// Returns the refusal in a response, or `None` if the response is a success.
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
            // The rest of the text is the action's name and a hint.
            text if text.starts_with("Invalid/unknown command") => Self::UnknownAction,
            text => Self::Other(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asterisk_error_text_is_recognized() {
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
    fn error_without_a_message_has_an_empty_refusal_text() {
        let error = Message::parse("Response: Error\r\n".as_bytes().into());
        assert_eq!(Refusal::of(&error), Some(Refusal::Other(String::new())));
    }
}
