//! Pauses that were made without the bridge, with a listed reason that ends. The bridge ends
//! them at the reason's limit, counted from the time that Asterisk reports.

use super::changes::{LUNCH, PAUSE, REMOVE};
use super::steps::Expected::{EndsAfter, Removed, Stays, Unpaused};
use super::steps::Step::{Ami, Api, Cli, NewSecond, Wait};
use super::steps::{Case, case, run_cases};
use super::{LUNCH_SECONDS, Scene};
use crate::support::on_both_versions;

on_both_versions!(bridge_ends_pauses_made_elsewhere_at_the_limit_of_their_reason);

fn bridge_ends_pauses_made_elsewhere_at_the_limit_of_their_reason(version: u32) {
    let mut scene = Scene::start(version, &[]);
    run_cases(&mut scene, &[ended(), not_ended()].concat());
}
fn ended() -> Vec<Case> {
    let at_limit = EndsAfter(LUNCH_SECONDS);
    vec![
        case("paused through AMI", &[LUNCH], at_limit),
        case(
            "paused on the command line",
            &[Cli(
                "queue pause member {interface} queue acme-6001 reason Lunch",
            )],
            at_limit,
        ),
        case(
            "paused with the reason in another case",
            &[Ami(
                "QueuePause, Interface: {interface}, Paused: true, Queue: acme-6001, Reason: LUNCH",
            )],
            at_limit,
        ),
        Case {
            expected: vec![("6001", at_limit), ("6002", at_limit)],
            ..case(
                "paused in all queues",
                &[Ami(
                    "QueuePause, Interface: {interface}, Paused: true, Reason: Lunch",
                )],
                at_limit,
            )
        },
        case(
            "paused again, so that the limit counts from the second pause",
            &[LUNCH, Wait(1200), LUNCH],
            at_limit,
        ),
        case(
            "paused again after the bridge has promised another end",
            &[Api("pause&queue=6001&reason=Tea&duration=10"), LUNCH],
            at_limit,
        ),
        case(
            "paused again after the bridge has promised the end of the same reason",
            &[Api("pause&queue=6001&reason=Lunch"), Wait(1200), LUNCH],
            at_limit,
        ),
        case("another reason is replaced", &[PAUSE, LUNCH], at_limit),
    ]
}

fn not_ended() -> Vec<Case> {
    vec![
        case(
            "unpaused in time",
            &[
                LUNCH,
                Cli("queue unpause member {interface} queue acme-6001"),
            ],
            Unpaused,
        ),
        case(
            "paused again in the same second with a reason that does not end",
            &[NewSecond, LUNCH, PAUSE],
            Stays("Tea"),
        ),
        case(
            "paused again through the API with a listed reason that does not end",
            &[LUNCH, Api("pause&queue=6001&reason=Back%20office")],
            Stays("Back office"),
        ),
        case("removed in time", &[LUNCH, REMOVE], Removed),
        case(
            "paused with a reason that only begins like a listed one",
            &[Ami(
                "QueuePause, Interface: {interface}, Paused: true, Queue: acme-6001, Reason: Lunch break",
            )],
            Stays("Lunch break"),
        ),
        case(
            "paused with a limit that does not end the pause",
            &[Ami(
                "QueuePause, Interface: {interface}, Paused: true, Queue: acme-6001, Reason: Break",
            )],
            Stays("Break"),
        ),
    ]
}
