//! Tests how a session handles requests and replies, with the clock paused and a scripted
//! Asterisk.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep};

use super::*;
use crate::ami::codec::FrameError;
use crate::ami::testing::{
    PIPE_SIZES, greeted_session, pause, pause_script, response_script, run_both, script, status,
    text,
};

mod endings;
mod replay;

const STATUS_1: &str = "
    C: Action: QueueStatus
    C: ActionID: 1
    C: Queue: 6001
    C:
";

const REPLY_1: &str = "
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
async fn identical_reads_in_flight_share_one_action() {
    for pipe_size in PIPE_SIZES {
        let (session, run, mut far) = greeted_session(pipe_size).await;
        let first = session.send(status("6001"), 5);
        let change = session.send(pause(), 5);
        let second = session.send(status("6001"), 5);
        let asterisk = async {
            let paused = response_script(2, "paused");
            script(&[STATUS_1, &pause_script(2), REPLY_1, &paused])
                .play(&mut far)
                .await;
            let (first, second) = (first.await.expect("a list"), second.await.expect("a list"));
            assert!(Arc::ptr_eq(&first, &second));
            assert_eq!(first.rows.len(), 1);
            assert_eq!(text(&change.await), Ok("paused".into()));
            // A read after the reply is sent as a separate action.
            let third = session.send(status("6001"), 5);
            script(&[&with_id_3(STATUS_1), &with_id_3(REPLY_1)])
                .play(&mut far)
                .await;
            assert!(!Arc::ptr_eq(&third.await.expect("a list"), &first));
            drop(far);
        };
        let (end, ()) = run_both(run, asterisk).await;
        assert!(matches!(end, SessionEnd::Closed));
    }
}

fn with_id_3(script: &str) -> String {
    script.replace("ActionID: 1", "ActionID: 3")
}

#[tokio::test(start_paused = true)]
async fn unmatched_messages_do_not_affect_pending_actions() {
    for noise in [
        // An ActionID that was never used.
        "S: Response: Success\nS: ActionID: 77\nS: Message: stray\nS:\n",
        // No ActionID, and an ActionID that is not a number.
        "S: Response: Error\nS: Message: Missing action in request\nS:\n",
        "S: Response: Success\nS: ActionID: 1x\nS:\n",
        // The ActionID of a later action.
        "S: Response: Success\nS: ActionID: 2\nS: Message: early\nS:\n",
        // A row and the end of a list, without the beginning of the list.
        "S: Event: QueueMember\nS: ActionID: 1\nS:\n",
        "S: Event: QueueStatusComplete\nS: ActionID: 1\nS: EventList: Complete\nS:\n",
        // An event, a frame without headers, a second greeting, and empty frames.
        "S: Event: FullyBooted\nS:\n",
        "S: garbage\ns: \\xff\\x0d\\x00\nS:\n",
        "S: Asterisk Call Manager/11.0.0\nS:\n",
        "S:\ns:\nS:\n",
    ] {
        let (session, run, mut far) = greeted_session(8).await;
        let asterisk = async {
            let first = session.send(pause(), 5);
            let response = response_script(1, "first");
            // The second response is a duplicate.
            script(&[&pause_script(1), noise, &response, &response])
                .play(&mut far)
                .await;
            assert_eq!(text(&first.await), Ok("first".into()), "{noise}");
            let second = session.send(pause(), 5);
            script(&[&pause_script(2), &response, &response_script(2, "second")])
                .play(&mut far)
                .await;
            assert_eq!(text(&second.await), Ok("second".into()), "{noise}");
            drop(far);
        };
        let (end, ()) = run_both(run, asterisk).await;
        assert!(matches!(end, SessionEnd::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn late_reply_is_not_matched_to_another_action() {
    for pipe_size in PIPE_SIZES {
        let (session, run, mut far) = greeted_session(pipe_size).await;
        let asterisk = async {
            let sent_at = Instant::now();
            let first = session.send(pause(), 2);
            script(&[&pause_script(1)]).play(&mut far).await;
            assert_eq!(text(&first.await), Err(Failure::Unknown));
            assert!(sent_at.elapsed() < Duration::from_millis(2200));
            let second = session.send(pause(), 2);
            script(&[&pause_script(2), &response_script(1, "late")])
                .play(&mut far)
                .await;
            script(&[&response_script(2, "in time")])
                .play(&mut far)
                .await;
            assert_eq!(text(&second.await), Ok("in time".into()));
            drop(far);
        };
        let (end, ()) = run_both(run, asterisk).await;
        assert!(matches!(end, SessionEnd::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn outcome_is_unknown_only_if_the_last_byte_was_written() {
    let action_bytes = script(&[&pause_script(1)]).client().len();
    for (bytes_read, unknown_count) in [
        (0, 0),
        // The pipe holds eight more bytes: up to the action's last byte, or up to the byte
        // before it.
        (action_bytes - 8, 1),
        (action_bytes - 9, 0),
        (action_bytes, 1),
        (2 * action_bytes - 9, 1),
        (2 * action_bytes - 8, 2),
        (3 * action_bytes, 3),
    ] {
        let (session, run, mut far) = greeted_session(8).await;
        let changes: Vec<_> = (0..300).map(|_| session.send(pause(), 60)).collect();
        let asterisk = async {
            far.read_exact(&mut vec![0; bytes_read])
                .await
                .expect("encoded actions");
            // Gives the session time to fill the pipe again.
            sleep(Duration::from_millis(50)).await;
            drop(far);
            for (index, change) in changes.into_iter().enumerate() {
                let expected = match index < unknown_count {
                    true => Failure::Unknown,
                    false => UNAVAILABLE,
                };
                assert_eq!(text(&change.await), Err(expected), "{index}, {bytes_read}");
            }
        };
        let (end, ()) = run_both(run, asterisk).await;
        assert!(matches!(
            end,
            SessionEnd::Closed | SessionEnd::Frame(FrameError::Io(_))
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn actions_on_a_closed_connection_are_reported_as_not_sent() {
    // It is random whether the session first sees the closed connection or a request.
    for _ in 0..20 {
        let (session, run, far) = greeted_session(8).await;
        drop(far);
        let changes: Vec<_> = (0..3).map(|_| session.send(pause(), 60)).collect();
        let (end, ()) = run_both(run, async {
            for change in changes {
                assert_eq!(text(&change.await), Err(UNAVAILABLE));
            }
        })
        .await;
        assert!(matches!(
            end,
            SessionEnd::Closed | SessionEnd::Frame(FrameError::Io(_))
        ));
        assert_eq!(text(&session.send(pause(), 60).await), Err(UNAVAILABLE));
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_cancels_actions_that_a_full_pipe_blocks() {
    let (session, run, far) = greeted_session(8).await;
    let asterisk = async {
        let changes: Vec<_> = (0..500).map(|_| session.send(pause(), 2)).collect();
        let mut results = Vec::new();
        for change in changes {
            results.push(text(&change.await));
        }
        drop(far);
        results
    };
    let (_, results) = run_both(run, asterisk).await;
    let is_sent = |result: &Result<String, Failure>| *result == Err(Failure::Unknown);
    let first_unsent = results.iter().position(|result| !is_sent(result));
    let (sent, unsent) = results.split_at(first_unsent.expect("an unsent action"));
    assert!(!sent.is_empty());
    assert!(unsent.iter().all(|r| *r == Err(Failure::Overloaded)));
}
