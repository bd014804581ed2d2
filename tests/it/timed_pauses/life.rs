//! The life of a timed pause: which changes end its timer, and when the bridge ends it.

use super::Scene;
use super::changes::{PAUSE, REMOVE, UNPAUSE};
use super::steps::Expected::{Ends, Removed, Stays, Unpaused};
use super::steps::Step::{Ami, Api, Cli, NewSecond, Wait};
use super::steps::{Case, Step, case, run_cases};
use crate::support::on_both_versions;

on_both_versions!(bridge_ends_only_the_pause_that_it_has_promised_to_end);

fn bridge_ends_only_the_pause_that_it_has_promised_to_end(version: u32) {
    let mut scene = Scene::start(version, &[]);
    let cases = [
        undisturbed(),
        unpaused(),
        paused_again(),
        paused_again_by_the_bridge(),
        removed(),
        several_queues(),
    ];
    run_cases(&mut scene, &cases.concat());
}

/// A timed pause in queue 6001. It is long enough for the steps that follow, even on a busy
/// machine.
const TIMED: Step = Api("pause&queue=6001&reason=Tea&duration=4");

fn undisturbed() -> Vec<Case> {
    vec![
        case("a pause with a duration", &[TIMED], Ends),
        case("no reason", &[Api("pause&queue=6001&duration=2")], Ends),
        case(
            "a listed reason that ends, in another case",
            &[Api("pause&queue=6001&reason=lunch")],
            Ends,
        ),
        case(
            "a listed reason that ends, with a shorter duration",
            &[Api("pause&queue=6001&reason=Lunch&duration=1")],
            Ends,
        ),
        case(
            "a listed reason whose limit does not end it",
            &[Api("pause&queue=6001&reason=Break")],
            Stays("Break"),
        ),
        case(
            "a listed reason whose limit does not end it, with a duration",
            &[Api("pause&queue=6001&reason=Break&duration=3")],
            Ends,
        ),
        case(
            "a penalty that changes during the pause",
            &[
                TIMED,
                Ami("QueuePenalty, Interface: {interface}, Penalty: 3, Queue: acme-6001"),
            ],
            Ends,
        ),
        case(
            "an agent who is added paused",
            &[
                Api("remove&queue=6001"),
                Api("add&queue=6001&paused=1&reason=Tea&duration=2"),
            ],
            Ends,
        ),
        case(
            "an agent who is added paused with a reason that ends",
            &[
                Api("remove&queue=6001"),
                Api("add&queue=6001&paused=1&reason=Lunch"),
            ],
            Ends,
        ),
    ]
}

fn unpaused() -> Vec<Case> {
    vec![
        case(
            "unpaused through the API",
            &[TIMED, Api("unpause&queue=6001")],
            Unpaused,
        ),
        case("unpaused through AMI", &[TIMED, UNPAUSE], Unpaused),
        case(
            "unpaused on the command line",
            &[
                TIMED,
                Cli("queue unpause member {interface} queue acme-6001"),
            ],
            Unpaused,
        ),
        case(
            "unpaused in all queues through AMI",
            &[
                TIMED,
                Ami("QueuePause, Interface: {interface}, Paused: false"),
            ],
            Unpaused,
        ),
        case(
            "unpaused and paused again with the same reason in the same second",
            &[NewSecond, TIMED, UNPAUSE, PAUSE],
            Stays("Tea"),
        ),
        case(
            "unpaused and paused again through the API, with a duration",
            &[TIMED, Wait(700), Api("unpause&queue=6001"), TIMED],
            Ends,
        ),
        case(
            "unpaused and paused again through the API, without a duration",
            &[
                TIMED,
                Api("unpause&queue=6001"),
                Api("pause&queue=6001&reason=Tea"),
            ],
            Stays("Tea"),
        ),
    ]
}

fn paused_again() -> Vec<Case> {
    vec![
        case(
            "paused again through AMI with the same reason a second later",
            &[TIMED, Wait(1100), PAUSE],
            Stays("Tea"),
        ),
        case(
            "paused again through AMI with the same reason in the same second",
            &[NewSecond, TIMED, PAUSE],
            Stays("Tea"),
        ),
        case(
            "paused again on the command line with the same reason in the same second",
            &[
                NewSecond,
                TIMED,
                Cli("queue pause member {interface} queue acme-6001 reason Tea"),
            ],
            Stays("Tea"),
        ),
        case(
            "paused again through AMI with another reason in the same second",
            &[
                NewSecond,
                TIMED,
                Ami(
                    "QueuePause, Interface: {interface}, Paused: true, Queue: acme-6001, Reason: Meeting",
                ),
            ],
            Stays("Meeting"),
        ),
        case(
            "paused again in all queues through AMI with the same reason",
            &[
                TIMED,
                Ami("QueuePause, Interface: {interface}, Paused: true, Reason: Tea"),
            ],
            Stays("Tea"),
        ),
        case(
            "paused again just before the end",
            &[TIMED, Wait(3300), PAUSE],
            Stays("Tea"),
        ),
    ]
}

fn paused_again_by_the_bridge() -> Vec<Case> {
    vec![
        case(
            "paused again with a longer duration",
            &[TIMED, Api("pause&queue=6001&reason=Tea&duration=6")],
            Ends,
        ),
        case(
            "paused again with a shorter duration",
            &[Api("pause&queue=6001&reason=Tea&duration=5"), TIMED],
            Ends,
        ),
        case(
            "paused again in a later second with a duration",
            &[
                TIMED,
                Wait(1500),
                Api("pause&queue=6001&reason=Tea&duration=3"),
            ],
            Ends,
        ),
        case(
            "paused again with another reason and a duration",
            &[TIMED, Api("pause&queue=6001&reason=Meeting&duration=5")],
            Ends,
        ),
        case(
            "paused again without a duration and with the same reason",
            &[TIMED, Api("pause&queue=6001&reason=Tea")],
            Stays("Tea"),
        ),
        case(
            "paused again without a duration and without a reason",
            &[TIMED, Api("pause&queue=6001")],
            Stays(""),
        ),
        case(
            "paused again many times in one second",
            &[TIMED, TIMED, TIMED, TIMED, TIMED],
            Ends,
        ),
    ]
}

fn removed() -> Vec<Case> {
    vec![
        case(
            "removed through the API",
            &[TIMED, Api("remove&queue=6001")],
            Removed,
        ),
        case("removed through AMI", &[TIMED, REMOVE], Removed),
        case(
            "removed on the command line",
            &[TIMED, Cli("queue remove member {interface} from acme-6001")],
            Removed,
        ),
        case(
            "removed and added again unpaused",
            &[TIMED, Api("remove&queue=6001"), Api("add&queue=6001")],
            Unpaused,
        ),
        case(
            "removed and added again paused through the API with the same reason",
            &[
                NewSecond,
                TIMED,
                Api("remove&queue=6001"),
                Api("add&queue=6001&paused=1&reason=Tea"),
            ],
            Stays("Tea"),
        ),
        case(
            "removed and added again paused through AMI in the same second",
            &[
                NewSecond,
                Api("pause&queue=6001&duration=4"),
                REMOVE,
                Ami(
                    "QueueAdd, Interface: {interface}, Queue: acme-6001, Paused: true, MemberName: {agent}",
                ),
            ],
            Stays(""),
        ),
        case(
            "added paused with a duration, and paused again through AMI in the same second",
            &[
                Api("remove&queue=6001"),
                NewSecond,
                Api("add&queue=6001&paused=1&reason=Tea&duration=4"),
                PAUSE,
            ],
            Stays("Tea"),
        ),
        case(
            "removed and added again paused with a duration",
            &[
                TIMED,
                Api("remove&queue=6001"),
                Api("add&queue=6001&paused=1&reason=Tea&duration=3"),
            ],
            Ends,
        ),
    ]
}

/// Each queue has its own timer.
fn several_queues() -> Vec<Case> {
    let in_both = |name, steps: &[Step], first, second| Case {
        expected: vec![("6001", first), ("6002", second)],
        ..case(name, steps, Ends)
    };
    vec![
        in_both(
            "paused in all queues",
            &[Api("pause&reason=Tea&duration=2")],
            Ends,
            Ends,
        ),
        in_both(
            "paused in all queues and unpaused by hand in one",
            &[
                Api("pause&reason=Tea&duration=4"),
                Api("unpause&queue=6001"),
            ],
            Unpaused,
            Ends,
        ),
        in_both(
            "paused in all queues and unpaused on the command line in one",
            &[
                Api("pause&reason=Tea&duration=4"),
                Cli("queue unpause member {interface} queue acme-6002"),
            ],
            Ends,
            Unpaused,
        ),
        in_both(
            "paused in two queues with different durations",
            &[
                Api("pause&queue=6001&reason=Tea&duration=2"),
                Api("pause&queue=6002&reason=Tea&duration=4"),
            ],
            Ends,
            Ends,
        ),
        in_both(
            "paused in two queues and removed from one",
            &[Api("pause&reason=Tea&duration=4"), Api("remove&queue=6001")],
            Removed,
            Ends,
        ),
        in_both(
            "paused in two queues and paused again in one",
            &[
                Api("pause&reason=Tea&duration=4"),
                Ami(
                    "QueuePause, Interface: {interface}, Paused: true, Queue: acme-6002, Reason: Tea",
                ),
            ],
            Ends,
            Stays("Tea"),
        ),
        in_both(
            "paused with a duration in a list of queues, and without one in one of them",
            &[
                Api("pause&queue=6001,6002&reason=Tea&duration=4"),
                Api("pause&queue=6002&reason=Tea"),
            ],
            Ends,
            Stays("Tea"),
        ),
    ]
}
