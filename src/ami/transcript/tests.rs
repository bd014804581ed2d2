//! Tests the transcript format, and decodes the recorded sessions.

use crate::ami::codec::Frame;
use crate::ami::transcript::{Step, Transcript, VERSIONS, decode, scenes};

/// Scenes whose decoded messages are compared with a snapshot.
const SNAPSHOT_SCENES: [&str; 15] = [
    "add-with-reason",
    "embedded-line-feed",
    "events",
    "login",
    "login-rejected",
    "missing-action",
    "missing-headers",
    "not-logged-in",
    "permission-denied",
    "queue-add",
    "queue-pause",
    "queue-remove",
    "shutdown-pending",
    "status-members",
    "unknown-action",
];

#[test]
fn transcript_format_is_parsed() {
    let transcript = Transcript::parse(
        "# a comment\n\
         S: Asterisk Call Manager/5.0.4\n\
         C: Action: Ping\n\
         C:\n\
         s: A: \\\\ \\xd7\\x90 \\xff\\x0d|\n\
         S: B:\\x20\n\
         S:\n\
         c: C: דנה\n",
    );
    let expected = [
        Step::Server(b"Asterisk Call Manager/5.0.4\r\n".into()),
        Step::Client(b"Action: Ping\r\n\r\n".into()),
        Step::Server(b"A: \\ \xd7\x90 \xff\r|\nB: \r\n\r\n".into()),
        Step::Client("C: דנה\n".into()),
    ];
    assert_eq!(transcript.steps, expected);
}

#[test]
fn recorded_versions_have_the_same_scenes() {
    assert_eq!(scenes(16), scenes(22));
    for scene in SNAPSHOT_SCENES {
        assert!(scenes(16).iter().any(|name| name == scene), "{scene}");
    }
}

#[test]
fn decoding_does_not_depend_on_chunk_sizes() {
    for version in VERSIONS {
        for scene in scenes(version) {
            let server = Transcript::load(version, &scene).server();
            let whole: Vec<_> = decode(&server, usize::MAX).iter().map(content).collect();
            let single: Vec<_> = decode(&server, 1).iter().map(content).collect();
            assert!(whole.len() > 2, "{version}/{scene}");
            assert_eq!(whole, single, "{version}/{scene}");
            let headers: usize = whole.iter().map(|(_, headers)| headers.len()).sum();
            assert_eq!(headers, count_header_lines(&server), "{version}/{scene}");
        }
    }
}

#[test]
fn decoded_messages_match_the_snapshots() {
    for version in VERSIONS {
        for scene in SNAPSHOT_SCENES {
            let server = Transcript::load(version, scene).server();
            let mut text = String::new();
            for frame in decode(&server, usize::MAX) {
                text += &format!("{frame:?}\n");
            }
            insta::with_settings!({
                snapshot_path => "../../../ami-fixtures/snapshots",
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, {
                insta::assert_snapshot!(format!("{version}-{scene}"), text);
            });
        }
    }
}

#[test]
fn large_list_is_decoded_completely() {
    for version in VERSIONS {
        let messages = Transcript::load(version, "status-large").messages();
        let events = |name: &[u8]| {
            let matching = messages.iter().filter(|m| m.event() == Some(name));
            matching.count()
        };
        assert_eq!(events(b"QueueParams"), 1);
        assert_eq!(events(b"QueueMember"), 200);
        assert_eq!(events(b"QueueEntry"), 0);
        let complete = messages.iter().find(|m| m.get("ListItems").is_some());
        let items = complete.and_then(|m| m.text("ListItems"));
        assert_eq!(items.as_deref(), Some("201"));
    }
}

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A greeting's version, or a message's header names and values.
fn content(frame: &Frame) -> (Option<String>, Headers) {
    match frame {
        Frame::Banner(version) => (Some(version.clone()), Vec::new()),
        Frame::Message(message) => {
            let headers = message
                .iter()
                .map(|(name, value)| (name.into(), value.into()));
            (None, headers.collect())
        }
    }
}

/// Counts the header lines: all lines except the greeting and empty lines.
fn count_header_lines(server: &[u8]) -> usize {
    let lines = server.split(|&byte| byte == b'\n').skip(1);
    lines
        .filter(|line| !line.is_empty() && *line != b"\r")
        .count()
}
