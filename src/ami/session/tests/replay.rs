//! Replays recorded sessions: a script sends Asterisk's recorded replies, and the bridge
//! must send exactly the recorded bytes.

use tokio::io::{AsyncWriteExt, duplex};

use super::*;
use crate::ami::login::{self, Booted};
use crate::ami::testing::{self, header, member};
use crate::ami::transcript::{Transcript, VERSIONS};

const BRIDGE: (&str, &str) = ("queuebridge", "sample-secret-change-me");
const READER: (&str, &str) = ("reader", "reader-secret");

const DANA: &str = "Local/1001@acme-agents";
const SAM: &str = "Local/1050@acme-agents";

const STATUS_FOLLOWS: &str = "Queue status will follow";

/// The result of a replayed connection.
struct Replay {
    ami_version: String,
    booted: Booted,
    results: Vec<ReplyResult>,
    end: SessionEnd,
}

/// Replays a scene. The bridge performs the handshake, sends `actions` one by one, and
/// logs off if the recorded client logged off.
async fn replay(
    transcript: &Transcript,
    pipe_size: usize,
    (name, secret): (&str, &str),
    actions: &[Action],
) -> Replay {
    let (near, mut far) = duplex(pipe_size);
    let bridge = async {
        let mut connection = Connection::new(near, usize::MAX);
        let mut last_id = 0;
        let ami_version = login::login(&mut connection, &header(name), secret, &mut last_id)
            .await
            .expect("a successful login");
        let booted = login::wait_for_boot(&mut connection, &mut last_id, || {})
            .await
            .expect("a booted Asterisk");
        let (session, run) = testing::session(connection, last_id);
        let send_all = async {
            let mut results = Vec::new();
            for action in actions {
                results.push(session.send(action.clone(), 5).await);
            }
            if transcript.client().ends_with(&logoff(last_id, actions)) {
                session.stop.cancel();
            }
            results
        };
        let (end, results) = tokio::join!(run, send_all);
        Replay {
            ami_version,
            booted,
            results,
            end,
        }
    };
    let asterisk = async {
        transcript.play(&mut far).await;
        far.shutdown().await.expect("an open pipe");
    };
    run_both(bridge, asterisk).await.0
}

/// The encoded logoff that follows `actions`.
fn logoff(last_id: u64, actions: &[Action]) -> Vec<u8> {
    let id = last_id + actions.len() as u64 + 1;
    format!("Action: Logoff\r\nActionID: {id}\r\n\r\n").into_bytes()
}

/// An action, the expected text of its reply, and the expected number of rows.
type Call = (Action, &'static str, usize);

/// The scenes that were recorded with the bridge's AMI user, and the actions of each
/// scene.
fn scenes() -> Vec<(&'static str, Vec<Call>)> {
    vec![
        ("login", vec![]),
        ("ping", vec![(Action::Ping, "", 0)]),
        ("queue-add", add_calls()),
        ("queue-pause", pause_calls()),
        ("queue-remove", remove_calls()),
        ("add-with-reason", add_with_reason_calls()),
        ("status-members", status_members_calls()),
        ("status-empty", vec![(status("nowhere"), STATUS_FOLLOWS, 0)]),
        ("status-all", vec![(dana_status(None), STATUS_FOLLOWS, 5)]),
        (
            "status-caller",
            vec![(status("acme-6001"), STATUS_FOLLOWS, 3)],
        ),
        (
            "status-large",
            vec![(status("globex-6001"), STATUS_FOLLOWS, 201)],
        ),
        ("shutdown-pending", shutdown_pending_calls()),
    ]
}

fn add_calls() -> Vec<Call> {
    let dana = |queue| add(queue, DANA, "Dana Levi", 2, None);
    let already_there = "Unable to add interface: Already there";
    let no_such_queue = "Unable to add interface to queue: No such queue";
    vec![
        (dana("acme-6001"), "Added interface to queue", 0),
        (dana("acme-6001"), already_there, 0),
        (dana("nowhere"), no_such_queue, 0),
    ]
}

fn pause_calls() -> Vec<Call> {
    let lunch = pause_member("acme-6001", DANA, true, Some("Lunch"));
    let unpause = pause_member("acme-6001", DANA, false, None);
    let not_a_member = pause_member("acme-6001", SAM, true, None);
    let no_such_queue = pause_member("nowhere", DANA, true, None);
    vec![
        (lunch, "Interface paused successfully", 0),
        (unpause, "Interface unpaused successfully", 0),
        (not_a_member, "Interface not found", 0),
        (no_such_queue, "Interface not found", 0),
    ]
}

fn remove_calls() -> Vec<Call> {
    let not_there = "Unable to remove interface: Not there";
    let no_such_queue = "Unable to remove interface from queue: No such queue";
    vec![
        (remove("acme-6001", DANA), "Removed interface from queue", 0),
        (remove("acme-6001", DANA), not_there, 0),
        (remove("acme-6002", SAM), "Member not dynamic", 0),
        (remove("nowhere", DANA), no_such_queue, 0),
    ]
}

fn add_with_reason_calls() -> Vec<Call> {
    let dana = add("acme-6001", DANA, "Dana Levi", 0, Some("Lunch"));
    vec![
        (dana, "Added interface to queue", 0),
        (dana_status(Some("acme-6001")), STATUS_FOLLOWS, 2),
        (remove("acme-6001", DANA), "Removed interface from queue", 0),
    ]
}

fn status_members_calls() -> Vec<Call> {
    let dana = add("acme-6002", DANA, "דנה לוי", 0, None);
    let lunch = pause_member("acme-6002", DANA, true, Some("הפסקת צהריים"));
    vec![
        (dana, "Added interface to queue", 0),
        (lunch, "Interface paused successfully", 0),
        (status("acme-6002"), STATUS_FOLLOWS, 3),
    ]
}

fn shutdown_pending_calls() -> Vec<Call> {
    let actions = [
        add("acme-6001", SAM, "Dana Levi", 0, None),
        pause_member("acme-6001", DANA, false, None),
        remove("acme-6001", DANA),
        status("acme-6001"),
        Action::Ping,
    ];
    actions
        .map(|action| (action, "Asterisk is shutting down", 0))
        .into()
}

#[tokio::test(start_paused = true)]
async fn bridge_sends_the_recorded_bytes() {
    for (version, pipe_size) in versions_and_pipe_sizes() {
        for (scene, calls) in scenes() {
            let transcript = Transcript::load(version, scene);
            let actions: Vec<_> = calls.iter().map(|(action, ..)| action.clone()).collect();
            let replay = replay(&transcript, pipe_size, BRIDGE, &actions).await;
            check(&replay.results, &calls);
            let ami_version = if version == 16 { "5.0.4" } else { "11.0.0" };
            assert_eq!(replay.ami_version, ami_version);
            assert!(replay.booted.may_write && replay.booted.sends_boot_event);
            assert!(matches!(replay.end, SessionEnd::Stopped));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn user_without_write_permission_is_recognized() {
    for (version, pipe_size) in versions_and_pipe_sizes() {
        let transcript = Transcript::load(version, "permission-denied");
        let calls = [
            (remove("acme-6002", SAM), "Permission denied", 0),
            (status("acme-6001"), STATUS_FOLLOWS, 1),
        ];
        let actions = calls.clone().map(|(action, ..)| action);
        let replay = replay(&transcript, pipe_size, READER, &actions).await;
        check(&replay.results, &calls);
        assert!(!replay.booted.may_write && replay.booted.sends_boot_event);
        assert!(matches!(replay.end, SessionEnd::Stopped));
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_is_distinguished_from_a_broken_connection() {
    for (version, pipe_size) in versions_and_pipe_sizes() {
        let transcript = Transcript::load(version, "shutdown");
        let replay = replay(&transcript, pipe_size, BRIDGE, &[]).await;
        assert!(matches!(replay.end, SessionEnd::Shutdown));
    }
}

fn versions_and_pipe_sizes() -> impl Iterator<Item = (u32, usize)> {
    VERSIONS
        .into_iter()
        .flat_map(|version| PIPE_SIZES.map(|pipe_size| (version, pipe_size)))
}

fn check(results: &[ReplyResult], calls: &[Call]) {
    assert_eq!(results.len(), calls.len());
    for (result, (action, expected, rows)) in results.iter().zip(calls) {
        assert_eq!(text(result).as_deref(), Ok(*expected), "{action:?}");
        let reply = result.as_ref().expect("a reply");
        assert_eq!(reply.rows.len(), *rows, "{action:?}");
    }
}

fn add(queue: &str, interface: &str, name: &str, penalty: u32, reason: Option<&str>) -> Action {
    Action::QueueAdd {
        queue: header(queue),
        interface: member(interface),
        name: member(name),
        state_interface: None,
        penalty,
        paused: reason.is_some(),
        reason: reason.map(member),
    }
}

fn pause_member(queue: &str, interface: &str, paused: bool, reason: Option<&str>) -> Action {
    Action::QueuePause {
        queue: header(queue),
        interface: member(interface),
        paused,
        reason: reason.map(member),
    }
}

fn remove(queue: &str, interface: &str) -> Action {
    Action::QueueRemove {
        queue: header(queue),
        interface: member(interface),
    }
}

/// A `QueueStatus` that lists no member except Dana.
fn dana_status(queue: Option<&str>) -> Action {
    Action::QueueStatus {
        queue: queue.map(header),
        member: Some(header(DANA)),
    }
}
