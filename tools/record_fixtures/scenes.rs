//! The recorded scenes. Each scene has a separate connection.

use super::wire::{User, Wire};
use super::{Asterisk, Result};

/// The bridge's AMI user in the sample configuration.
const BRIDGE: User = ("queuebridge", "sample-secret-change-me");

/// An AMI user without write permission. The tool adds the user to the sample
/// configuration.
pub(super) const READER: User = ("reader", "reader-secret");

const DANA: &str = "Interface: Local/1001@acme-agents";
/// The static member of acme-6002 in the sample configuration.
const SAM: &str = "Interface: Local/1050@acme-agents";
const GLOBEX_DANA: &str = "Interface: Local/1001@globex-agents";

const NAME: &str = "MemberName: Dana Levi";
const HEBREW_NAME: &str = "MemberName: דנה לוי";
const HEBREW_REASON: &str = "Reason: הפסקת צהריים";

const ACME_1: &str = "Queue: acme-6001";
const ACME_2: &str = "Queue: acme-6002";
const GLOBEX_1: &str = "Queue: globex-6001";
const GLOBEX_2: &str = "Queue: globex-6002";
const NOWHERE: &str = "Queue: nowhere";

/// An action and its headers.
type Call = (&'static str, &'static [&'static str]);

/// The script of a scene.
pub(super) enum Scene {
    /// The bridge's AMI user sends these actions.
    Calls(&'static [Call]),
    /// The function plays the scene.
    Play(fn(&Asterisk) -> Result<Wire>),
}
use Scene::{Calls, Play};

/// File name, description and script of each scene, in recording order. Some scenes
/// depend on members and callers that earlier scenes have created.
pub(super) const SCENES: [(&str, &str, Scene); 21] = [
    ("login", "The bridge's handshake and logoff.", Calls(&[])),
    (
        "login-rejected",
        "A login with a wrong secret.",
        Play(login_rejected),
    ),
    (
        "not-logged-in",
        "An action before the login.",
        Play(not_logged_in),
    ),
    (
        "queue-add",
        "QueueAdd: success, an existing member, and an unknown queue.",
        Calls(QUEUE_ADD),
    ),
    (
        "queue-pause",
        "QueuePause: pause, unpause, not a member, and an unknown queue.",
        Calls(QUEUE_PAUSE),
    ),
    (
        "queue-remove",
        "QueueRemove: success, not a member, a static member, and an unknown queue.",
        Calls(QUEUE_REMOVE),
    ),
    (
        "missing-headers",
        "Actions that lack a required header.",
        Calls(MISSING_HEADERS),
    ),
    (
        "add-with-reason",
        "QueueAdd of a paused member with a reason.",
        Calls(ADD_WITH_REASON),
    ),
    (
        "embedded-line-feed",
        "A response whose text ends with a line feed.",
        Calls(LINE_FEED),
    ),
    (
        "unknown-action",
        "An action that Asterisk does not know.",
        Calls(&[("Nonsense", &[])]),
    ),
    (
        "missing-action",
        "A frame without an action.",
        Calls(&[("", &[])]),
    ),
    (
        "permission-denied",
        "A user without write permission.",
        Play(permission_denied),
    ),
    (
        "status-empty",
        "QueueStatus for a queue that does not exist.",
        Calls(&[("QueueStatus", &[NOWHERE])]),
    ),
    (
        "status-members",
        "QueueStatus with a static member and a member with a Hebrew name.",
        Calls(STATUS_MEMBERS),
    ),
    (
        "status-all",
        "QueueStatus for all queues, filtered by member.",
        Calls(STATUS_ALL),
    ),
    (
        "status-caller",
        "QueueStatus with a waiting caller.",
        Play(status_caller),
    ),
    (
        "shutdown-pending",
        "Actions while a graceful shutdown waits for a call to end.",
        Play(shutdown_pending),
    ),
    (
        "status-large",
        "QueueStatus with 200 members.",
        Play(status_large),
    ),
    ("ping", "Ping.", Calls(&[("Ping", &[])])),
    (
        "events",
        "Changes to a member, and their events.",
        Play(events),
    ),
    ("shutdown", "Asterisk stops immediately.", Play(shutdown)),
];

const QUEUE_ADD: &[Call] = &[
    (
        "QueueAdd",
        &[ACME_1, DANA, NAME, "Penalty: 2", "Paused: false"],
    ),
    (
        "QueueAdd",
        &[ACME_1, DANA, NAME, "Penalty: 2", "Paused: false"],
    ),
    (
        "QueueAdd",
        &[NOWHERE, DANA, NAME, "Penalty: 2", "Paused: false"],
    ),
];

const QUEUE_PAUSE: &[Call] = &[
    (
        "QueuePause",
        &[ACME_1, DANA, "Paused: true", "Reason: Lunch"],
    ),
    ("QueuePause", &[ACME_1, DANA, "Paused: false"]),
    ("QueuePause", &[ACME_1, SAM, "Paused: true"]),
    ("QueuePause", &[NOWHERE, DANA, "Paused: true"]),
];

const QUEUE_REMOVE: &[Call] = &[
    ("QueueRemove", &[ACME_1, DANA]),
    ("QueueRemove", &[ACME_1, DANA]),
    ("QueueRemove", &[ACME_2, SAM]),
    ("QueueRemove", &[NOWHERE, DANA]),
];

const MISSING_HEADERS: &[Call] = &[
    ("QueueAdd", &[ACME_1]),
    ("QueueAdd", &[DANA]),
    ("QueuePause", &[ACME_1, DANA]),
    ("QueueRemove", &[ACME_1]),
];

/// Asterisk before 20.12, 21.7 and 22.2 ignores the reason.
const ADD_WITH_REASON: &[Call] = &[
    (
        "QueueAdd",
        &[
            ACME_1,
            DANA,
            NAME,
            "Penalty: 0",
            "Paused: true",
            "Reason: Lunch",
        ],
    ),
    ("QueueStatus", &[ACME_1, "Member: Local/1001@acme-agents"]),
    ("QueueRemove", &[ACME_1, DANA]),
];

const LINE_FEED: &[Call] = &[("QueueMemberRingInUse", &[NOWHERE, DANA, "RingInUse: yes"])];

const STATUS_MEMBERS: &[Call] = &[
    (
        "QueueAdd",
        &[ACME_2, DANA, HEBREW_NAME, "Penalty: 0", "Paused: false"],
    ),
    ("QueuePause", &[ACME_2, DANA, "Paused: true", HEBREW_REASON]),
    ("QueueStatus", &[ACME_2]),
];

const STATUS_ALL: &[Call] = &[("QueueStatus", &["Member: Local/1001@acme-agents"])];

impl Scene {
    pub(super) fn play(&self, asterisk: &Asterisk) -> Result<Wire> {
        match self {
            Calls(calls) => {
                let mut wire = bridge(asterisk)?;
                for (action, headers) in *calls {
                    wire.call(action, headers)?;
                }
                wire.logoff()
            }
            Play(play) => play(asterisk),
        }
    }
}

fn bridge(asterisk: &Asterisk) -> Result<Wire> {
    let mut wire = Wire::connect(asterisk.port)?;
    wire.handshake(BRIDGE)?;
    Ok(wire)
}

fn login_rejected(asterisk: &Asterisk) -> Result<Wire> {
    let mut wire = Wire::connect(asterisk.port)?;
    wire.login((BRIDGE.0, "not-the-secret"), "agent,system")?;
    wire.read_until_closed()
}

fn not_logged_in(asterisk: &Asterisk) -> Result<Wire> {
    let mut wire = Wire::connect(asterisk.port)?;
    wire.call("QueueStatus", &[])?;
    wire.logoff()
}

fn permission_denied(asterisk: &Asterisk) -> Result<Wire> {
    let mut wire = Wire::connect(asterisk.port)?;
    wire.handshake(READER)?;
    wire.call("QueueRemove", &[ACME_2, SAM])?;
    wire.call("QueueStatus", &[ACME_1])?;
    wire.logoff()
}

fn status_caller(asterisk: &Asterisk) -> Result<Wire> {
    let mut unrecorded = bridge(asterisk)?;
    // The member is paused, so that Asterisk does not connect the caller.
    unrecorded.call("QueueAdd", &[ACME_1, DANA, NAME, "Paused: true"])?;
    asterisk
        .cli("channel originate Local/acme-6001@callers application Wait 60")?
        .wait()?;
    unrecorded.call_until("QueueStatus", &[ACME_1], "Event: QueueEntry")?;
    Calls(&[("QueueStatus", &[ACME_1])]).play(asterisk)
}

fn shutdown_pending(asterisk: &Asterisk) -> Result<Wire> {
    let mut unrecorded = bridge(asterisk)?;
    let mut wire = bridge(asterisk)?;
    // The command returns when the shutdown is complete or canceled.
    let mut pending = asterisk.cli("core stop gracefully")?;
    unrecorded.call_until("Ping", &[], "Asterisk is shutting down")?;
    for (action, headers) in [
        (
            "QueueAdd",
            &[ACME_1, SAM, NAME, "Penalty: 0", "Paused: false"][..],
        ),
        ("QueuePause", &[ACME_1, DANA, "Paused: false"]),
        ("QueueRemove", &[ACME_1, DANA]),
        ("QueueStatus", &[ACME_1]),
        ("Ping", &[]),
    ] {
        wire.call(action, headers)?;
    }
    asterisk.cli("core abort shutdown")?.wait()?;
    pending.wait()?;
    wire.logoff()
}

fn status_large(asterisk: &Asterisk) -> Result<Wire> {
    let mut unrecorded = bridge(asterisk)?;
    for number in 1000..1200 {
        let interface = format!("Interface: Local/{number}@globex-agents");
        let name = format!("MemberName: Agent {number}");
        unrecorded.call("QueueAdd", &[GLOBEX_1, &interface, &name])?;
    }
    Calls(&[("QueueStatus", &[GLOBEX_1])]).play(asterisk)
}

fn events(asterisk: &Asterisk) -> Result<Wire> {
    let mut wire = Wire::connect(asterisk.port)?;
    wire.login(BRIDGE, "agent,system")?;
    wire.read_until_frame("Event: FullyBooted")?;
    for (action, headers, event) in [
        ("QueueAdd", &[NAME][..], "Added"),
        ("QueuePause", &["Paused: true", HEBREW_REASON], "Pause"),
        ("QueuePause", &["Paused: false"], "Pause"),
        ("QueuePenalty", &["Penalty: 3"], "Penalty"),
        ("QueueMemberRingInUse", &["RingInUse: yes"], "Ringinuse"),
        ("QueueRemove", &[], "Removed"),
    ] {
        wire.call(action, &[&[GLOBEX_2, GLOBEX_DANA], headers].concat())?;
        // The response always comes before the event.
        wire.read_until_frame(&format!("Event: QueueMember{event}"))?;
    }
    wire.logoff()
}

fn shutdown(asterisk: &Asterisk) -> Result<Wire> {
    let wire = bridge(asterisk)?;
    asterisk.cli("core stop now")?.wait()?;
    wire.read_until_closed()
}
