//! Rejoins messages that an empty line within a value has split into several frames.
//!
//! Asterisk does not escape line feeds in names, and `AddQueueMember`, `CALLERID(name)`
//! and realtime columns accept them. An empty line in a name ends the frame early, so the
//! rest of the message arrives as a separate frame.
//!
//! Does no IO.

use super::codec::MAX_FRAME_BYTES;
use super::message::Message;

/// Maximum size of a member event in bytes. Asterisk's member events are far shorter.
const MAX_MEMBER_EVENT_BYTES: usize = 16 * 1024;

/// Stores an incomplete message until the rest of the message arrives.
#[derive(Debug, Default)]
pub struct Reassembler {
    /// An incomplete list row. A row is complete once it has the list's ActionID, because
    /// Asterisk writes the ActionID last.
    partial_row: Option<Message>,
    /// The latest event. The event has already been returned, but may be incomplete, because
    /// nothing marks the end of an event.
    last_event: Option<Message>,
}

impl Reassembler {
    /// Processes the next frame. `open_list` is the ActionID of the list that Asterisk is
    /// sending. Asterisk sends no other message between the list's rows.
    ///
    /// Returns the message that the frame completes, or `None` if a row is still incomplete.
    /// If the frame is the rest of an event that was returned earlier, returns the complete
    /// event.
    pub fn push(&mut self, frame: Message, open_list: Option<u64>) -> Option<Message> {
        let Some(list_id) = open_list else {
            self.partial_row = None;
            return Some(self.push_outside_list(frame));
        };
        self.last_event = None;
        let row = match self.partial_row.take() {
            Some(start) => join(&start, &frame)?,
            None if frame.is_unsolicited() || frame.event().is_none() => return Some(frame),
            None => frame,
        };
        if row.action_id() == Some(list_id) {
            return Some(row);
        }
        self.partial_row = Some(row);
        None
    }

    fn push_outside_list(&mut self, frame: Message) -> Message {
        let message = match self.last_event.take() {
            Some(event) if is_incomplete(&event) || !is_start(&frame) => {
                join(&event, &frame).unwrap_or(frame)
            }
            _ => frame,
        };
        self.last_event = message.is_unsolicited().then(|| message.clone());
        message
    }
}

/// Returns whether a member event lacks the header `Paused`, which every complete member
/// event has. If the header is missing, the next frame is the rest of the event, even if
/// that frame looks like a message.
fn is_incomplete(event: &Message) -> bool {
    let is_member_event = event
        .event()
        .is_some_and(|name| name.starts_with(b"QueueMember"));
    is_member_event && event.get_last("Paused").is_none() && event.size() < MAX_MEMBER_EVENT_BYTES
}

/// Returns whether a frame can be the start of a message. Every message of a reply has an
/// ActionID, because the bridge sends an ActionID with every action.
fn is_start(frame: &Message) -> bool {
    let is_reply = frame.is_response() || frame.event().is_some();
    frame.is_unsolicited() || (is_reply && frame.action_id().is_some())
}

/// Joins two parts of a message. Returns `None` if the message would be too long.
fn join(start: &Message, rest: &Message) -> Option<Message> {
    (start.size() + rest.size() < MAX_FRAME_BYTES).then(|| start.join(rest))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::*;
    use crate::ami::codec::{AmiCodec, Frame};

    const LIST: u64 = 7;

    /// Decodes and reassembles a byte stream. Assumes that each response opens a list, which
    /// stays open until an event that is not a row.
    fn messages(bytes: &[u8]) -> Vec<Message> {
        let mut codec = AmiCodec::default();
        let mut buffer = BytesMut::from(&b"Asterisk Call Manager/5.0.4\r\n"[..]);
        buffer.extend_from_slice(bytes);
        let mut reassembler = Reassembler::default();
        let mut complete: Vec<Message> = Vec::new();
        while let Some(frame) = codec.decode(&mut buffer).expect("a valid stream") {
            let Frame::Message(frame) = frame else {
                continue;
            };
            let last = complete.last();
            let in_list =
                last.is_some_and(|last| last.is_response() || last.event() == Some(b"QueueMember"));
            complete.extend(reassembler.push(frame, in_list.then_some(LIST)));
        }
        complete
    }

    fn row(name: &str, interface: usize) -> String {
        format!(
            "Event: QueueMember\r\nQueue: support\r\nName: {name}\r\n\
             Location: PJSIP/{interface}\r\nPaused: 1\r\nActionID: {LIST}\r\n\r\n"
        )
    }

    /// Generates names that can contain line feeds and lines that look like headers.
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
        fn every_row_is_returned_once_with_its_own_fields(
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
                prop_assert_eq!(row.get_last("Location"), Some(expected.as_bytes()));
            }
            let last = messages.last().expect("the response to the Ping");
            prop_assert_eq!(last.get("Ping"), Some(&b"Pong"[..]));
        }
    }

    #[test]
    fn split_event_is_returned_again_when_complete() {
        let bytes = b"Event: QueueMemberAdded\r\nPrivilege: agent,all\r\nMemberName: Da\r\n\r\n\
            na\n\nLevi\r\nInterface: PJSIP/1001\r\nPaused: 0\r\n\r\nEvent: FullyBooted\r\nPrivilege: system,all\r\n\r\n";
        let messages = messages(bytes);
        let interfaces: Vec<_> = messages.iter().map(|m| m.get("Interface")).collect();
        let interface = Some(&b"PJSIP/1001"[..]);
        assert_eq!(interfaces, [None, None, interface, None]);
        let name = messages[2].text("MemberName").expect("a name");
        assert_eq!(name, "Da\r\n\nna\n\nLevi");
        assert_eq!(messages[3].event(), Some(&b"FullyBooted"[..]));
    }

    #[test]
    fn text_within_a_name_is_never_mistaken_for_a_response() {
        let bytes = b"Event: QueueMemberAdded\r\nPrivilege: agent,all\r\nMemberName: A\n\n\
            Response: Error\nActionID: 7\n\nB\r\nInterface: PJSIP/1001\r\nPaused: 0\r\n\r\n\
            Response: Success\r\nActionID: 7\r\n\r\n";
        let messages = messages(bytes);
        let responses: Vec<_> = messages.iter().filter(|m| m.is_response()).collect();
        assert_eq!(responses.len(), 1);
        assert!(responses[0].is_success());
        let event = &messages[messages.len() - 2];
        assert_eq!(event.get("Interface"), Some(&b"PJSIP/1001"[..]));
    }

    #[test]
    fn endless_row_takes_bounded_memory() {
        let mut reassembler = Reassembler::default();
        let part = |text: &str| Message::parse(text.as_bytes().to_vec().into());
        assert!(
            reassembler
                .push(part("Event: QueueMember\r\n"), Some(LIST))
                .is_none()
        );
        let long = "x".repeat(MAX_FRAME_BYTES / 3);
        for _ in 0..9 {
            reassembler.push(part(&long), Some(LIST));
            let stored_bytes = reassembler.partial_row.as_ref().map_or(0, Message::size);
            assert!(stored_bytes < MAX_FRAME_BYTES, "{stored_bytes}");
        }
    }
}
