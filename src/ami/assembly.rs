//! Rejoins messages that a blank line inside a value has split.
//!
//! Asterisk writes names as they are, line feeds included (`AddQueueMember`,
//! `CALLERID(name)` and realtime columns take them). A blank line in a name ends
//! the frame early, and the rest arrives as a frame of its own. Pure.

use super::codec::MAX_FRAME;
use super::message::Message;

/// Asterisk's longest event about a member has far fewer bytes.
const LONGEST_EVENT: usize = 16 * 1024;

/// The parts of messages whose rest may still come.
#[derive(Debug, Default)]
pub struct Assembly {
    /// The first part of a row. A row is complete when it has the ActionID of its
    /// list, which Asterisk writes last.
    row: Option<Message>,
    /// The latest event. Nothing marks its end, so it has been passed on already.
    event: Option<Message>,
}

impl Assembly {
    /// Takes the next frame. `list` is the ActionID of the list that is being
    /// received: Asterisk writes nothing else between its rows.
    ///
    /// Returns the message that is complete now. An event that has been passed on
    /// without its rest is returned once more, as a whole.
    pub fn take(&mut self, frame: Message, list: Option<u64>) -> Option<Message> {
        let Some(list) = list else {
            self.row = None;
            return Some(self.outside_list(frame));
        };
        self.event = None;
        let row = match self.row.take() {
            Some(start) => joined(&start, &frame)?,
            None if frame.is_unsolicited() || frame.event().is_none() => return Some(frame),
            None => frame,
        };
        if row.action_id() == Some(list) {
            return Some(row);
        }
        self.row = Some(row);
        None
    }

    fn outside_list(&mut self, frame: Message) -> Message {
        let event = self.event.take();
        let message = match event {
            Some(event) if lacks_rest(&event) || !is_start(&frame) => {
                joined(&event, &frame).unwrap_or(frame)
            }
            _ => frame,
        };
        self.event = message.is_unsolicited().then(|| message.clone());
        message
    }
}

/// Whether an event about a member ends before what all of them have, and so the next
/// frame is its rest, whatever that looks like.
fn lacks_rest(event: &Message) -> bool {
    let is_member = event
        .event()
        .is_some_and(|name| name.starts_with(b"QueueMember"));
    is_member && event.last("Paused").is_none() && event.size() < LONGEST_EVENT
}

/// Whether a frame can be the start of a message. All actions have an ActionID, so all
/// answers do.
fn is_start(frame: &Message) -> bool {
    let is_answer = frame.is_response() || frame.event().is_some();
    frame.is_unsolicited() || (is_answer && frame.action_id().is_some())
}

/// Both parts as one message; `None` if it would be too long.
fn joined(start: &Message, rest: &Message) -> Option<Message> {
    (start.size() + rest.size() < MAX_FRAME).then(|| start.joined(rest))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::*;
    use crate::ami::codec::{AmiCodec, Frame};

    const LIST: u64 = 7;

    /// The complete messages of a byte stream, in a list from the first response
    /// to the event that ends it.
    fn messages(bytes: &[u8]) -> Vec<Message> {
        let mut codec = AmiCodec::default();
        let mut buffer = BytesMut::from(&b"Asterisk Call Manager/5.0.4\r\n"[..]);
        buffer.extend_from_slice(bytes);
        let mut assembly = Assembly::default();
        let mut complete: Vec<Message> = Vec::new();
        while let Some(frame) = codec.decode(&mut buffer).expect("AMI") {
            let Frame::Message(frame) = frame else {
                continue;
            };
            let last = complete.last();
            let in_list =
                last.is_some_and(|last| last.is_response() || last.event() == Some(b"QueueMember"));
            complete.extend(assembly.take(frame, in_list.then_some(LIST)));
        }
        complete
    }

    fn row(name: &str, interface: usize) -> String {
        format!(
            "Event: QueueMember\r\nQueue: support\r\nName: {name}\r\n\
             Location: PJSIP/{interface}\r\nPaused: 1\r\nActionID: {LIST}\r\n\r\n"
        )
    }

    /// What a name can hold: also what looks like the parts of a message.
    fn name() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[^\0]{0,6}",
            Just("\n".to_owned()),
            Just("\r\n".to_owned()),
            Just("\r\n\r\n".to_owned()),
            Just("Location: PJSIP/9999\r\n".to_owned()),
            Just("Event: QueueMember\r\n".to_owned()),
            Just("ActionID: 1x\r\n".to_owned()),
            Just("\n\nResponse: Error\nMessage: x\n\n".to_owned()),
        ];
        prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_row_arrives_once_with_its_own_fields(
            names in prop::collection::vec(name(), 1..6),
        ) {
            let mut bytes = format!("Response: Success\r\nActionID: {LIST}\r\n\r\n");
            for (interface, name) in names.iter().enumerate() {
                bytes += &row(name, interface);
            }
            bytes += &format!("Event: QueueStatusComplete\r\nActionID: {LIST}\r\n\r\n");
            bytes += "Response: Success\r\nActionID: 8\r\nPing: Pong\r\n\r\n";
            let messages = messages(bytes.as_bytes());
            prop_assert_eq!(messages.len(), names.len() + 3);
            for (interface, row) in messages[1..=names.len()].iter().enumerate() {
                prop_assert_eq!(row.event(), Some(&b"QueueMember"[..]));
                let expected = format!("PJSIP/{interface}");
                prop_assert_eq!(row.last("Location"), Some(expected.as_bytes()));
            }
            let last = messages.last().expect("the answer to a Ping");
            prop_assert_eq!(last.get("Ping"), Some(&b"Pong"[..]));
        }
    }

    #[test]
    fn a_split_event_is_passed_on_again_as_a_whole() {
        let bytes = b"Event: QueueMemberAdded\r\nPrivilege: agent,all\r\nMemberName: Da\r\n\r\n\
            na\n\nLevi\r\nInterface: PJSIP/1001\r\nPaused: 0\r\n\r\nEvent: FullyBooted\r\nPrivilege: system,all\r\n\r\n";
        let messages = messages(bytes);
        let interfaces: Vec<_> = messages.iter().map(|m| m.get("Interface")).collect();
        let whole = Some(&b"PJSIP/1001"[..]);
        assert_eq!(interfaces, [None, None, whole, None]);
        let name = messages[2].text("MemberName").expect("a name");
        assert_eq!(name, "Da\r\n\nna\n\nLevi");
        assert_eq!(messages[3].event(), Some(&b"FullyBooted"[..]));
    }

    #[test]
    fn nothing_in_a_name_is_an_answer() {
        let bytes = b"Event: QueueMemberAdded\r\nPrivilege: agent,all\r\nMemberName: A\n\n\
            Response: Error\nActionID: 7\n\nB\r\nInterface: PJSIP/1001\r\nPaused: 0\r\n\r\n\
            Response: Success\r\nActionID: 7\r\n\r\n";
        let messages = messages(bytes);
        let answers: Vec<_> = messages.iter().filter(|m| m.is_response()).collect();
        assert_eq!(answers.len(), 1);
        assert!(answers[0].is_success());
        let whole = &messages[messages.len() - 2];
        assert_eq!(whole.get("Interface"), Some(&b"PJSIP/1001"[..]));
    }

    #[test]
    fn a_row_that_never_ends_is_bounded() {
        let mut assembly = Assembly::default();
        let part = |text: &str| Message::parse(text.as_bytes().to_vec().into());
        assert!(
            assembly
                .take(part("Event: QueueMember\r\n"), Some(LIST))
                .is_none()
        );
        let long = "x".repeat(MAX_FRAME / 3);
        for _ in 0..9 {
            assembly.take(part(&long), Some(LIST));
            let held = assembly.row.as_ref().map_or(0, Message::size);
            assert!(held < MAX_FRAME, "{held}");
        }
    }
}
