//! Checks lists whose member names contain arbitrary bytes. Each row must arrive once, with its
//! own interface, and the reply after the list must be intact. The fuzz target and the replay
//! in the tests share this file (`tests/it/security/fuzz_replay.rs`).

use ami_bridge::ami::{AmiCodec, Frame, Message, Reassembler};
use bytes::BytesMut;

/// The list's ActionID.
const LIST_ACTION_ID: u64 = 7;

/// Decodes a list of members whose names are in `data`, separated by 0xFF.
pub(crate) fn check(data: &[u8]) {
    // Names in Asterisk contain no NUL: they are C strings.
    let text: Vec<u8> = data.iter().copied().filter(|byte| *byte != 0).collect();
    let names: Vec<&[u8]> = text.split(|byte| *byte == 0xff).collect();
    if names.iter().any(|name| contains_action_id(name)) {
        return;
    }
    let mut bytes = b"Asterisk Call Manager/5.0.4\r\n".to_vec();
    bytes.extend(format!("Response: Success\r\nActionID: {LIST_ACTION_ID}\r\n\r\n").bytes());
    for (number, name) in names.iter().enumerate() {
        bytes.extend(b"Event: QueueMember\r\nQueue: support\r\nName: ");
        bytes.extend(*name);
        bytes.extend(format!("\r\nLocation: PJSIP/{number}\r\nPaused: 0\r\n").bytes());
        bytes.extend(format!("ActionID: {LIST_ACTION_ID}\r\n\r\n").bytes());
    }
    bytes.extend(b"Event: QueueStatusComplete\r\nActionID: 7\r\nEventList: Complete\r\n\r\n");
    bytes.extend(b"Response: Success\r\nActionID: 8\r\nPing: Pong\r\n\r\n");
    let messages = decode(&bytes);
    assert_eq!(messages.len(), names.len() + 3);
    for (number, row) in messages[1..=names.len()].iter().enumerate() {
        let interface = format!("PJSIP/{number}");
        assert_eq!(row.get_last("Location"), Some(interface.as_bytes()));
    }
    let last = messages.last().expect("the reply to a Ping");
    assert_eq!(last.get("Ping"), Some(&b"Pong"[..]));
}

/// Returns whether a name contains the list's ActionID. Such a name can end its row early, and
/// the rest of the row then lacks its key fields. An attacker would have to guess the ActionID,
/// which is different for each list.
fn contains_action_id(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let id = LIST_ACTION_ID.to_string().into_bytes();
    let ids = name
        .windows(9)
        .enumerate()
        .filter(|(_, window)| *window == b"actionid:");
    let values = ids.map(|(position, _)| name[position + 9..].trim_ascii_start());
    values.into_iter().any(|value| value.starts_with(&id))
}

fn decode(bytes: &[u8]) -> Vec<Message> {
    let mut codec = AmiCodec::default();
    let mut buffer = BytesMut::from(bytes);
    let mut reassembler = Reassembler::default();
    let mut messages: Vec<Message> = Vec::new();
    while let Some(frame) = codec.decode(&mut buffer).expect("valid frames") {
        let Frame::Message(frame) = frame else {
            continue;
        };
        let is_in_list = messages.last().is_some_and(|last| !last.ends_list());
        messages.extend(reassembler.push(frame, is_in_list.then_some(LIST_ACTION_ID)));
    }
    messages
}
