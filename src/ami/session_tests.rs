//! What becomes of requests, against a peer that follows a script, by a paused
//! clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep};

use super::*;
use crate::ami::codec::FrameError;

#[path = "session_bench.rs"]
mod bench;
use bench::{PIPES, answer_script, both, greeted, pause, pause_script, script, status, text};

#[path = "session_ends.rs"]
mod ends;
#[path = "login_tests.rs"]
mod login;
#[path = "session_replay.rs"]
mod replay;

const STATUS_1: &str = "
    C: Action: QueueStatus
    C: ActionID: 1
    C: Queue: 6001
    C:
";

const ANSWER_1: &str = "
    S: Response: Success
    S: ActionID: 1
    S: EventList: start
    S:
    S: Event: QueueParams
    S: ActionID: 1
    S:
    S: Event: QueueStatusComplete
    S: ActionID: 1
    S: EventList: Complete
    S:
";

#[tokio::test(start_paused = true)]
async fn equal_reads_under_way_share_one_action() {
    for pipe in PIPES {
        let (bench, exit, mut far) = greeted(pipe).await;
        let first = bench.ask(status("6001"), 5);
        let write = bench.ask(pause(), 5);
        let second = bench.ask(status("6001"), 5);
        let asterisk = async {
            let answer = answer_script(2, "paused");
            script(&[STATUS_1, &pause_script(2), ANSWER_1, &answer])
                .play(&mut far)
                .await;
            let (first, second) = (first.await.expect("rows"), second.await.expect("rows"));
            assert!(Arc::ptr_eq(&first, &second));
            assert_eq!(first.rows.len(), 1);
            assert_eq!(text(&write.await), Ok("paused".into()));
            // What comes after the answer is asked anew, and comes next.
            let third = bench.ask(status("6001"), 5);
            let (question, answer) = (at_id_3(STATUS_1), at_id_3(ANSWER_1));
            script(&[&question, &answer]).play(&mut far).await;
            assert!(!Arc::ptr_eq(&third.await.expect("rows"), &first));
            drop(far);
        };
        assert!(matches!(both(exit, asterisk).await.0, Exit::Closed));
    }
}

fn at_id_3(script: &str) -> String {
    script.replace("ActionID: 1", "ActionID: 3")
}

#[tokio::test(start_paused = true)]
async fn what_was_not_asked_for_disturbs_nothing() {
    for noise in [
        // Never asked.
        "S: Response: Success\nS: ActionID: 77\nS: Message: stray\nS:\n",
        // No ActionID, and one that is not a number.
        "S: Response: Error\nS: Message: Missing action in request\nS:\n",
        "S: Response: Success\nS: ActionID: 1x\nS:\n",
        // Not asked yet.
        "S: Response: Success\nS: ActionID: 2\nS: Message: early\nS:\n",
        // A row and an end of a list that has not begun.
        "S: Event: QueueMember\nS: ActionID: 1\nS:\n",
        "S: Event: QueueStatusComplete\nS: ActionID: 1\nS: EventList: Complete\nS:\n",
        // An event, no header at all, a second greeting, empty frames.
        "S: Event: FullyBooted\nS:\n",
        "S: garbage\ns: \\xff\\x0d\\x00\nS:\n",
        "S: Asterisk Call Manager/11.0.0\nS:\n",
        "S:\ns:\nS:\n",
    ] {
        let (bench, exit, mut far) = greeted(8).await;
        let asterisk = async {
            let first = bench.ask(pause(), 5);
            let answer = answer_script(1, "first");
            // Twice: the second time it is a duplicate.
            script(&[&pause_script(1), noise, &answer, &answer])
                .play(&mut far)
                .await;
            assert_eq!(text(&first.await), Ok("first".into()), "{noise}");
            let second = bench.ask(pause(), 5);
            script(&[&pause_script(2), &answer, &answer_script(2, "second")])
                .play(&mut far)
                .await;
            assert_eq!(text(&second.await), Ok("second".into()), "{noise}");
            drop(far);
        };
        assert!(matches!(both(exit, asterisk).await.0, Exit::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_nobody_elses() {
    for pipe in PIPES {
        let (bench, exit, mut far) = greeted(pipe).await;
        let asterisk = async {
            let since = Instant::now();
            let first = bench.ask(pause(), 2);
            script(&[&pause_script(1)]).play(&mut far).await;
            assert_eq!(text(&first.await), Err(Failure::Unknown));
            assert!(since.elapsed() < Duration::from_millis(2200));
            let second = bench.ask(pause(), 2);
            script(&[&pause_script(2), &answer_script(1, "late")])
                .play(&mut far)
                .await;
            script(&[&answer_script(2, "in time")]).play(&mut far).await;
            assert_eq!(text(&second.await), Ok("in time".into()));
            drop(far);
        };
        assert!(matches!(both(exit, asterisk).await.0, Exit::Closed));
    }
}

/// An action is only in doubt where Asterisk may have all of it.
#[tokio::test(start_paused = true)]
async fn what_was_not_written_whole_was_not_executed() {
    let whole = script(&[&pause_script(1)]).client();
    for (taken, doubtful) in [
        (0, 0),
        // The pipe holds the last byte, or lacks it.
        (whole.len() - 8, 1),
        (whole.len() - 9, 0),
        (whole.len(), 1),
        (2 * whole.len() - 9, 1),
        (2 * whole.len() - 8, 2),
        (3 * whole.len(), 3),
    ] {
        let (bench, exit, mut far) = greeted(8).await;
        let writes: Vec<_> = (0..300).map(|_| bench.ask(pause(), 60)).collect();
        let asterisk = async {
            far.read_exact(&mut vec![0; taken]).await.expect("actions");
            // The pipe fills up before anything else happens.
            sleep(Duration::from_millis(50)).await;
            drop(far);
            for (number, write) in writes.into_iter().enumerate() {
                let expected = match number < doubtful {
                    true => Failure::Unknown,
                    false => UNAVAILABLE,
                };
                assert_eq!(text(&write.await), Err(expected), "{number}, {taken}");
            }
        };
        let (exit, ()) = both(exit, asterisk).await;
        assert!(matches!(
            exit,
            Exit::Closed | Exit::Frame(FrameError::Io(_))
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_peer_was_not_sent() {
    // Whether the end or a request is seen first is random.
    for _ in 0..20 {
        let (bench, exit, far) = greeted(8).await;
        drop(far);
        let writes: Vec<_> = (0..3).map(|_| bench.ask(pause(), 60)).collect();
        let (exit, ()) = both(exit, async {
            for write in writes {
                assert_eq!(text(&write.await), Err(UNAVAILABLE));
            }
        })
        .await;
        assert!(matches!(
            exit,
            Exit::Closed | Exit::Frame(FrameError::Io(_))
        ));
        assert_eq!(text(&bench.ask(pause(), 60).await), Err(UNAVAILABLE));
    }
}

/// What is behind a full pipe is not on its way: its deadline calls it back.
#[tokio::test(start_paused = true)]
async fn what_waits_to_be_written_can_be_called_back() {
    let (bench, exit, far) = greeted(8).await;
    let asterisk = async {
        let writes: Vec<_> = (0..500).map(|_| bench.ask(pause(), 2)).collect();
        let mut outcomes = Vec::new();
        for write in writes {
            outcomes.push(text(&write.await));
        }
        drop(far);
        outcomes
    };
    let (_, outcomes) = both(exit, asterisk).await;
    let first_unsent = outcomes.iter().position(|o| *o != Err(Failure::Unknown));
    let (sent, unsent) = outcomes.split_at(first_unsent.expect("a limit"));
    assert!(!sent.is_empty());
    assert!(unsent.iter().all(|o| *o == Err(Failure::Overloaded)));
}
