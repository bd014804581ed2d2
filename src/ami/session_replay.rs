//! Recorded sessions played again: the bridge has to send, byte for byte, what
//! Asterisk gave the recorded answers to.

use tokio::io::{AsyncWriteExt, duplex};

use super::bench::{Outcome, PIPES, both, header, member, session, status, text};
use super::*;
use crate::ami::login;
use crate::ami::transcript::{Transcript, VERSIONS};

const BRIDGE: (&str, &str) = ("queuebridge", "sample-secret-change-me");
const READER: (&str, &str) = ("reader", "reader-secret");

const DANA: &str = "Local/1001@acme-agents";
const SAM: &str = "Local/1050@acme-agents";

/// What became of a connection.
struct Replay {
    ami_version: String,
    boot: (bool, bool),
    outcomes: Vec<Outcome>,
    exit: Exit,
}

/// Plays a scene in which the client did the handshake, these actions one by
/// one, and a logoff if Asterisk did not close of itself.
async fn replay(
    transcript: &Transcript,
    pipe: usize,
    (name, secret): (&str, &str),
    actions: &[Action],
) -> Replay {
    let (near, mut far) = duplex(pipe);
    let bridge = async {
        let mut connection = Connection::new(near, usize::MAX);
        let mut last_id = 0;
        let ami_version = login::login(&mut connection, &header(name), secret, &mut last_id)
            .await
            .expect("a login");
        let boot = login::boot(&mut connection, &mut last_id, || {})
            .await
            .expect("a boot");
        let (bench, exit) = session(connection, last_id);
        let ask = async {
            let mut outcomes = Vec::new();
            for action in actions {
                outcomes.push(bench.ask(action.clone(), 5).await);
            }
            if transcript.client().ends_with(&logoff(last_id, actions)) {
                bench.stop.cancel();
            }
            outcomes
        };
        let (exit, outcomes) = tokio::join!(exit, ask);
        Replay {
            ami_version,
            boot,
            outcomes,
            exit,
        }
    };
    let asterisk = async {
        transcript.play(&mut far).await;
        far.shutdown().await.expect("open");
    };
    both(bridge, asterisk).await.0
}

fn logoff(last_id: u64, actions: &[Action]) -> Vec<u8> {
    let id = last_id + actions.len() as u64 + 1;
    format!("Action: Logoff\r\nActionID: {id}\r\n\r\n").into_bytes()
}

/// An action, and the text and the number of rows of its answer.
type Call = (Action, &'static str, usize);

/// What the bridge did in each scene.
fn scenes() -> Vec<(&'static str, Vec<Call>)> {
    let dana = |queue, penalty| add(queue, DANA, "Dana Levi", penalty, None);
    let follows = "Queue status will follow";
    let stopping = "Asterisk is shutting down";
    vec![
        ("login", vec![]),
        ("ping", vec![(Action::Ping, "", 0)]),
        (
            "queue-add",
            vec![
                (dana("acme-6001", 2), "Added interface to queue", 0),
                (
                    dana("acme-6001", 2),
                    "Unable to add interface: Already there",
                    0,
                ),
                (
                    dana("nowhere", 2),
                    "Unable to add interface to queue: No such queue",
                    0,
                ),
            ],
        ),
        (
            "queue-pause",
            vec![
                (
                    pause("acme-6001", DANA, true, Some("Lunch")),
                    "Interface paused successfully",
                    0,
                ),
                (
                    pause("acme-6001", DANA, false, None),
                    "Interface unpaused successfully",
                    0,
                ),
                (
                    pause("acme-6001", SAM, true, None),
                    "Interface not found",
                    0,
                ),
                (pause("nowhere", DANA, true, None), "Interface not found", 0),
            ],
        ),
        (
            "queue-remove",
            vec![
                (remove("acme-6001", DANA), "Removed interface from queue", 0),
                (
                    remove("acme-6001", DANA),
                    "Unable to remove interface: Not there",
                    0,
                ),
                (remove("acme-6002", SAM), "Member not dynamic", 0),
                (
                    remove("nowhere", DANA),
                    "Unable to remove interface from queue: No such queue",
                    0,
                ),
            ],
        ),
        (
            "add-with-reason",
            vec![
                (
                    add("acme-6001", DANA, "Dana Levi", 0, Some("Lunch")),
                    "Added interface to queue",
                    0,
                ),
                (filtered(Some("acme-6001")), follows, 2),
                (remove("acme-6001", DANA), "Removed interface from queue", 0),
            ],
        ),
        (
            "status-members",
            vec![
                (
                    add("acme-6002", DANA, "דנה לוי", 0, None),
                    "Added interface to queue",
                    0,
                ),
                (
                    pause("acme-6002", DANA, true, Some("הפסקת צהריים")),
                    "Interface paused successfully",
                    0,
                ),
                (status("acme-6002"), follows, 3),
            ],
        ),
        ("status-empty", vec![(status("nowhere"), follows, 0)]),
        ("status-all", vec![(filtered(None), follows, 5)]),
        ("status-caller", vec![(status("acme-6001"), follows, 3)]),
        ("status-large", vec![(status("globex-6001"), follows, 201)]),
        (
            "shutdown-pending",
            vec![
                (add("acme-6001", SAM, "Dana Levi", 0, None), stopping, 0),
                (pause("acme-6001", DANA, false, None), stopping, 0),
                (remove("acme-6001", DANA), stopping, 0),
                (status("acme-6001"), stopping, 0),
                (Action::Ping, stopping, 0),
            ],
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn sessions_are_as_recorded() {
    for (version, pipe) in cases() {
        for (scene, calls) in scenes() {
            let transcript = Transcript::load(version, scene);
            let actions: Vec<_> = calls.iter().map(|(action, ..)| action.clone()).collect();
            let replay = replay(&transcript, pipe, BRIDGE, &actions).await;
            check(&replay.outcomes, &calls);
            let ami_version = if version == 16 { "5.0.4" } else { "11.0.0" };
            assert_eq!(replay.ami_version, ami_version);
            assert_eq!(replay.boot, (true, true));
            assert!(matches!(replay.exit, Exit::Stopped));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_known_as_such() {
    for (version, pipe) in cases() {
        let transcript = Transcript::load(version, "permission-denied");
        let calls = [
            (remove("acme-6002", SAM), "Permission denied", 0),
            (status("acme-6001"), "Queue status will follow", 1),
        ];
        let actions = calls.clone().map(|(action, ..)| action);
        let replay = replay(&transcript, pipe, READER, &actions).await;
        check(&replay.outcomes, &calls);
        assert_eq!(replay.boot, (false, true));
        assert!(matches!(replay.exit, Exit::Stopped));
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_told_from_a_broken_connection() {
    for (version, pipe) in cases() {
        let transcript = Transcript::load(version, "shutdown");
        let replay = replay(&transcript, pipe, BRIDGE, &[]).await;
        assert!(matches!(replay.exit, Exit::Shutdown));
    }
}

fn cases() -> impl Iterator<Item = (u32, usize)> {
    VERSIONS
        .into_iter()
        .flat_map(|version| PIPES.map(|pipe| (version, pipe)))
}

fn check(outcomes: &[Outcome], calls: &[Call]) {
    assert_eq!(outcomes.len(), calls.len());
    for (outcome, (action, expected, rows)) in outcomes.iter().zip(calls) {
        assert_eq!(text(outcome).as_deref(), Ok(*expected), "{action:?}");
        let answer = outcome.as_ref().expect("an answer");
        assert_eq!(answer.rows.len(), *rows, "{action:?}");
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

fn pause(queue: &str, interface: &str, paused: bool, reason: Option<&str>) -> Action {
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

fn filtered(queue: Option<&str>) -> Action {
    Action::QueueStatus {
        queue: queue.map(header),
        member: Some(header(DANA)),
    }
}
