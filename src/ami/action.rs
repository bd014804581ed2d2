//! The AMI actions that the bridge can send, and their encoding.
//!
//! Every text field is a checked value ([`super::value`]), so no input can inject a
//! header. None of the actions can place a call.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use md5::{Digest, Md5};

use super::value::{HeaderValue, MemberValue};

/// An AMI action.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Requests the challenge for an MD5 login.
    Challenge,
    /// Logs in.
    Login {
        /// AMI user name.
        username: HeaderValue,
        /// The response to the challenge.
        key: LoginKey,
    },
    /// Checks that Asterisk is still responding.
    Ping,
    /// Ends the session.
    Logoff,
    /// Lists the actions that the AMI user may use.
    ListCommands,
    /// Lists queues with their members and callers.
    QueueStatus {
        /// Lists only this queue.
        queue: Option<HeaderValue>,
        /// Lists only members with this interface or name (case-sensitive). Does not
        /// affect queues and callers.
        member: Option<HeaderValue>,
    },
    /// Pauses or unpauses a member in one queue. The queue is mandatory, because without it
    /// Asterisk would pause the member in every queue on the PBX.
    QueuePause {
        /// The queue's name on the PBX.
        queue: HeaderValue,
        /// The member's interface.
        interface: MemberValue,
        /// Whether to pause the member.
        paused: bool,
        /// Pause reason; `None` clears the current reason.
        reason: Option<MemberValue>,
    },
    /// Sets a member's penalty. Asterisk sends an event and writes to its `queue_log`
    /// even if the member already has that penalty.
    QueuePenalty {
        /// The queue's name on the PBX.
        queue: HeaderValue,
        /// The member's interface.
        interface: MemberValue,
        /// The penalty.
        penalty: i64,
    },
    /// Adds a dynamic member.
    QueueAdd {
        /// The queue's name on the PBX.
        queue: HeaderValue,
        /// The member's interface.
        interface: MemberValue,
        /// The member's display name.
        name: MemberValue,
        /// The device whose state Asterisk uses for the member; `None` means the interface.
        state_interface: Option<MemberValue>,
        /// The penalty. Asterisk rings members with a lower penalty first.
        penalty: u32,
        /// Whether to add the member as paused.
        paused: bool,
        /// Pause reason; ignored by Asterisk before 20.12, 21.7 and 22.2.
        reason: Option<MemberValue>,
    },
    /// Removes a dynamic member.
    QueueRemove {
        /// The queue's name on the PBX.
        queue: HeaderValue,
        /// The member's interface.
        interface: MemberValue,
    },
}

/// The response to a login challenge: md5(challenge ‖ secret) in lowercase hex.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LoginKey(String);

impl LoginKey {
    /// Computes the response to a challenge.
    #[must_use]
    pub fn new(challenge: &[u8], secret: &str) -> Self {
        let digest = Md5::new()
            .chain_update(challenge)
            .chain_update(secret)
            .finalize();
        Self(format!("{:x}", Bytes::copy_from_slice(&digest)))
    }
}

impl fmt::Debug for LoginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Action {
    /// Returns the action's name on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Challenge => "Challenge",
            Self::Login { .. } => "Login",
            Self::Ping => "Ping",
            Self::Logoff => "Logoff",
            Self::ListCommands => "ListCommands",
            Self::QueueStatus { .. } => "QueueStatus",
            Self::QueuePause { .. } => "QueuePause",
            Self::QueuePenalty { .. } => "QueuePenalty",
            Self::QueueAdd { .. } => "QueueAdd",
            Self::QueueRemove { .. } => "QueueRemove",
        }
    }

    /// Returns whether the action reads the state of queues. Identical reads in flight can
    /// share one reply.
    #[must_use]
    pub fn is_read(&self) -> bool {
        matches!(self, Self::QueueStatus { .. })
    }

    /// Returns whether the action changes the PBX.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(
            self,
            Self::QueuePause { .. }
                | Self::QueuePenalty { .. }
                | Self::QueueAdd { .. }
                | Self::QueueRemove { .. }
        )
    }

    /// Appends the action's frame to `out`, with `id` as the ActionID.
    pub fn encode(&self, id: u64, out: &mut BytesMut) {
        put(out, "Action", self.name());
        put(out, "ActionID", &id.to_string());
        self.put_fields(out);
        out.put_slice(b"\r\n");
    }

    fn put_fields(&self, out: &mut BytesMut) {
        match self {
            Self::Challenge => put(out, "AuthType", "MD5"),
            Self::Login { username, key } => {
                put(out, "AuthType", "MD5");
                put(out, "Username", username.as_str());
                put(out, "Key", &key.0);
                // agent: queue members and callers. system: Asterisk's startup and
                // shutdown.
                put(out, "Events", "agent,system");
            }
            Self::Ping | Self::Logoff | Self::ListCommands => {}
            Self::QueueStatus { queue, member } => {
                put_some(out, "Queue", queue.as_ref().map(HeaderValue::as_str));
                put_some(out, "Member", member.as_ref().map(HeaderValue::as_str));
            }
            Self::QueuePause {
                queue,
                interface,
                paused,
                reason,
            } => {
                put(out, "Queue", queue.as_str());
                put(out, "Interface", interface.as_str());
                put_bool(out, "Paused", *paused);
                put_some(out, "Reason", reason.as_ref().map(MemberValue::as_str));
            }
            Self::QueuePenalty {
                queue,
                interface,
                penalty,
            } => {
                put(out, "Queue", queue.as_str());
                put(out, "Interface", interface.as_str());
                put(out, "Penalty", &penalty.to_string());
            }
            Self::QueueAdd {
                queue,
                interface,
                name,
                state_interface,
                penalty,
                paused,
                reason,
            } => {
                put(out, "Queue", queue.as_str());
                put(out, "Interface", interface.as_str());
                put(out, "MemberName", name.as_str());
                let state_interface = state_interface.as_ref().map(MemberValue::as_str);
                put_some(out, "StateInterface", state_interface);
                put(out, "Penalty", &penalty.to_string());
                put_bool(out, "Paused", *paused);
                put_some(out, "Reason", reason.as_ref().map(MemberValue::as_str));
            }
            Self::QueueRemove { queue, interface } => {
                put(out, "Queue", queue.as_str());
                put(out, "Interface", interface.as_str());
            }
        }
    }
}

fn put(out: &mut BytesMut, name: &str, value: &str) {
    for piece in [name, ": ", value, "\r\n"] {
        out.put_slice(piece.as_bytes());
    }
}

fn put_some(out: &mut BytesMut, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        put(out, name, value);
    }
}

/// Appends a header with a boolean value. Asterisk treats every unknown word as "false".
fn put_bool(out: &mut BytesMut, name: &str, value: bool) {
    put(out, name, if value { "true" } else { "false" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::message::Message;
    use proptest::prelude::*;

    fn headers(action: &Action) -> Vec<(String, String)> {
        let mut out = BytesMut::new();
        action.encode(7, &mut out);
        let bytes = out.freeze();
        let end = bytes.len() - 2;
        assert_eq!(&bytes[end..], b"\r\n");
        Message::parse(bytes.slice(..end))
            .iter()
            .map(|(name, value)| {
                (
                    String::from_utf8_lossy(name).into_owned(),
                    String::from_utf8_lossy(value).into_owned(),
                )
            })
            .collect()
    }

    fn names(action: &Action) -> Vec<String> {
        headers(action).into_iter().map(|(name, _)| name).collect()
    }

    proptest! {
        #[test]
        fn encoded_action_parses_back_to_its_fields(
            queue in "[A-Za-z0-9_.-]{1,64}",
            interface in "[A-Za-z0-9/@_.-]{1,79}",
            penalty in 0u32..1_000_001,
            paused in any::<bool>(),
            alias in "\\PC{1,30}",
        ) {
            let Ok(name) = MemberValue::new(&alias) else { return Ok(()); };
            let action = Action::QueueAdd {
                queue: HeaderValue::new(&queue).expect("a valid queue name"),
                interface: MemberValue::new(&interface).expect("a valid interface"),
                name,
                state_interface: None,
                penalty,
                paused,
                reason: None,
            };
            let expected = [
                ("Action", "QueueAdd"),
                ("ActionID", "7"),
                ("Queue", queue.as_str()),
                ("Interface", interface.as_str()),
                ("MemberName", alias.as_str()),
                ("Penalty", &penalty.to_string()),
                ("Paused", &paused.to_string()),
            ].map(|(n, v)| (n.to_owned(), v.to_owned()));
            prop_assert_eq!(headers(&action), expected);
        }

        #[test]
        fn accepted_value_never_adds_a_header(value in any::<String>()) {
            let pause = |reason| Action::QueuePause {
                queue: HeaderValue::new("6001").expect("a valid queue name"),
                interface: MemberValue::new("PJSIP/1001").expect("a valid interface"),
                paused: true,
                reason,
            };
            let plain = MemberValue::new("Lunch").expect("a valid reason");
            if let Ok(reason) = MemberValue::new(&value) {
                prop_assert_eq!(names(&pause(Some(reason))), names(&pause(Some(plain))));
            }
            if let Ok(queue) = HeaderValue::new(&value) {
                let status = Action::QueueStatus { queue: Some(queue), member: None };
                prop_assert_eq!(names(&status), ["Action", "ActionID", "Queue"]);
            }
        }
    }
}
