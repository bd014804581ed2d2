//! The scenes: what is done on a connection of its own, and in what order.

use super::wire::{User, Wire};
use super::{Asterisk, Result};

/// The bridge's user of the sample.
const BRIDGE: User = ("queuebridge", "sample-secret-change-me");

/// A user that may only read; the sample has none.
pub(super) const READER: User = ("reader", "reader-secret");

const DANA: &str = "Interface: Local/1001@acme-agents";
/// The sample's static member of acme-6002.
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

/// How a scene comes about.
pub(super) enum Scene {
    /// By these actions, of the bridge's user.
    Calls(&'static [Call]),
    Play(fn(&Asterisk) -> Result<Wire>),
}
use Scene::{Calls, Play};

/// Name of the file, what it shows, and how it comes about; in the order of
/// their recording: later ones find the members and callers that earlier ones
/// left.
pub(super) const SCENES: [(&str, &str, Scene); 21] = [
    ("login", "The bridge's handshake, and a logoff.", Calls(&[])),
    ("login-rejected", "A wrong secret.", Play(login_rejected)),
    ("not-logged-in", "A question first.", Play(not_logged_in)),
    ("queue-add", "The answers to QueueAdd.", Calls(QUEUE_ADD)),
    ("queue-pause", "And to QueuePause.", Calls(QUEUE_PAUSE)),
    ("queue-remove", "And to QueueRemove.", Calls(QUEUE_REMOVE)),
    ("missing-headers", "And to half of each.", Calls(HALVES)),
    (
        "add-with-reason",
        "A pause from the start.",
        Calls(WITH_REASON),
    ),
    ("embedded-line-feed", "A line feed in a value.", Calls(FEED)),
    (
        "unknown-action",
        "No such action.",
        Calls(&[("Nonsense", &[])]),
    ),
    ("missing-action", "No action at all.", Calls(&[("", &[])])),
    ("permission-denied", "A reader.", Play(permission_denied)),
    (
        "status-empty",
        "No such queue.",
        Calls(&[("QueueStatus", &[NOWHERE])]),
    ),
    (
        "status-members",
        "A static member, and a Hebrew one.",
        Calls(MEMBERS),
    ),
    (
        "status-all",
        "Every queue, and one member.",
        Calls(ALL_QUEUES),
    ),
    ("status-caller", "A caller who waits.", Play(status_caller)),
    (
        "shutdown-pending",
        "A stop that waits for the caller.",
        Play(shutdown_pending),
    ),
    ("status-large", "200 members.", Play(status_large)),
    ("ping", "A sign of life.", Calls(&[("Ping", &[])])),
    (
        "events",
        "The changes of a member, and their events.",
        Play(events),
    ),
    ("shutdown", "Asterisk stops at once.", Play(shutdown)),
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

const HALVES: &[Call] = &[
    ("QueueAdd", &[ACME_1]),
    ("QueueAdd", &[DANA]),
    ("QueuePause", &[ACME_1, DANA]),
    ("QueueRemove", &[ACME_1]),
];

/// Old versions don't take the reason.
const WITH_REASON: &[Call] = &[
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

const FEED: &[Call] = &[("QueueMemberRingInUse", &[NOWHERE, DANA, "RingInUse: yes"])];

const MEMBERS: &[Call] = &[
    (
        "QueueAdd",
        &[ACME_2, DANA, HEBREW_NAME, "Penalty: 0", "Paused: false"],
    ),
    ("QueuePause", &[ACME_2, DANA, "Paused: true", HEBREW_REASON]),
    ("QueueStatus", &[ACME_2]),
];

const ALL_QUEUES: &[Call] = &[("QueueStatus", &["Member: Local/1001@acme-agents"])];

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
    wire.until_closed()
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
    let mut aside = bridge(asterisk)?;
    // Paused, or the caller would not wait for long.
    aside.call("QueueAdd", &[ACME_1, DANA, NAME, "Paused: true"])?;
    asterisk
        .cli("channel originate Local/acme-6001@callers application Wait 60")?
        .wait()?;
    aside.call_until("QueueStatus", &[ACME_1], "Event: QueueEntry")?;
    Calls(&[("QueueStatus", &[ACME_1])]).play(asterisk)
}

fn shutdown_pending(asterisk: &Asterisk) -> Result<Wire> {
    let mut aside = bridge(asterisk)?;
    let mut wire = bridge(asterisk)?;
    // Returns when the shutdown is over, or called off.
    let mut pending = asterisk.cli("core stop gracefully")?;
    aside.call_until("Ping", &[], "Asterisk is shutting down")?;
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
    let mut aside = bridge(asterisk)?;
    for number in 1000..1200 {
        let interface = format!("Interface: Local/{number}@globex-agents");
        let name = format!("MemberName: Agent {number}");
        aside.call("QueueAdd", &[GLOBEX_1, &interface, &name])?;
    }
    Calls(&[("QueueStatus", &[GLOBEX_1])]).play(asterisk)
}

fn events(asterisk: &Asterisk) -> Result<Wire> {
    let mut wire = Wire::connect(asterisk.port)?;
    wire.login(BRIDGE, "agent,system")?;
    wire.frame_with("Event: FullyBooted")?;
    for (action, headers, event) in [
        ("QueueAdd", &[NAME][..], "Added"),
        ("QueuePause", &["Paused: true", HEBREW_REASON], "Pause"),
        ("QueuePause", &["Paused: false"], "Pause"),
        ("QueuePenalty", &["Penalty: 3"], "Penalty"),
        ("QueueMemberRingInUse", &["RingInUse: yes"], "Ringinuse"),
        ("QueueRemove", &[], "Removed"),
    ] {
        wire.call(action, &[&[GLOBEX_2, GLOBEX_DANA], headers].concat())?;
        // The answer always comes first.
        wire.frame_with(&format!("Event: QueueMember{event}"))?;
    }
    wire.logoff()
}

fn shutdown(asterisk: &Asterisk) -> Result<Wire> {
    let wire = bridge(asterisk)?;
    asterisk.cli("core stop now")?.wait()?;
    wire.until_closed()
}
