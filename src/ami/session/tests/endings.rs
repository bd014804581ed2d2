//! Tests when sessions end, and which results the pending actions get.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use super::*;
use crate::ami::codec::{FrameError, MAX_FRAME_BYTES};

#[tokio::test(start_paused = true)]
async fn broken_stream_ends_the_session() {
    let endless_line = vec![b'x'; MAX_FRAME_BYTES + 2];
    let endless_frame = b"Garbage: without a blank line\r\n".repeat(MAX_FRAME_BYTES / 31 + 2);
    let too_long: fn(&SessionEnd) -> bool =
        |end| matches!(end, SessionEnd::Frame(FrameError::TooLong));
    let closed: fn(&SessionEnd) -> bool = |end| matches!(end, SessionEnd::Closed);
    for (bytes, is_expected) in [
        (endless_line.as_slice(), too_long),
        (endless_frame.as_slice(), too_long),
        (b"Response: Success\r\nActionID: 1\r\n", closed),
        (b"Response: Suc", closed),
        (b"", closed),
    ] {
        let (session, run, mut far) = greeted_session(4096).await;
        let change = session.send(pause(), 60);
        let asterisk = async {
            script(&[&pause_script(1)]).play(&mut far).await;
            // The session may close the pipe before it has read everything.
            let _ = far.write_all(bytes).await;
            drop(far);
            assert_eq!(text(&change.await), Err(Failure::Unknown));
        };
        let (end, ()) = run_both(run, asterisk).await;
        assert!(is_expected(&end), "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silent_peer_is_detected_within_ten_seconds() {
    for pipe_size in PIPE_SIZES {
        let (session, run, mut far) = greeted_session(pipe_size).await;
        let started_at = Instant::now();
        let change = session.send(pause(), 60);
        let asterisk = async {
            let mut received = String::new();
            far.read_to_string(&mut received).await.expect("UTF-8 text");
            assert_eq!(text(&change.await), Err(Failure::Unknown));
            received
        };
        let (end, received) = run_both(run, asterisk).await;
        assert!(matches!(end, SessionEnd::Unresponsive));
        assert!(
            received.ends_with("Action: Ping\r\nActionID: 2\r\n\r\n"),
            "{received}"
        );
        assert!(started_at.elapsed() <= Duration::from_secs(10));
        // Asterisk may be silent for a few seconds, so the session must not end earlier.
        assert!(started_at.elapsed() > Duration::from_secs(8));
    }
}

#[tokio::test(start_paused = true)]
async fn peer_that_does_not_read_is_detected_within_ten_seconds() {
    let (session, run, far) = greeted_session(8).await;
    let started_at = Instant::now();
    let changes: Vec<_> = (0..500).map(|_| session.send(pause(), 60)).collect();
    let asterisk = async {
        for change in changes {
            // No action was written completely.
            assert_eq!(text(&change.await), Err(UNAVAILABLE));
        }
        drop(far);
    };
    let (end, ()) = run_both(run, asterisk).await;
    assert!(matches!(end, SessionEnd::Unresponsive));
    assert!(started_at.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn peer_that_sends_events_but_no_reply_is_detected_after_30_seconds() {
    let (session, run, mut far) = greeted_session(128).await;
    let started_at = Instant::now();
    let change = session.send(pause(), 600);
    let asterisk = async {
        script(&[&pause_script(1)]).play(&mut far).await;
        while far.write_all(b"Event: Reload\r\n\r\n").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(text(&change.await), Err(Failure::Unknown));
    };
    let (end, ()) = run_both(run, asterisk).await;
    assert!(matches!(end, SessionEnd::Unresponsive));
    let elapsed_seconds = started_at.elapsed().as_secs();
    assert!((30..32).contains(&elapsed_seconds), "{elapsed_seconds} s");
}

#[tokio::test(start_paused = true)]
async fn answered_pings_keep_an_idle_session_open() {
    for answer in ["Success", "Error\r\nMessage: Asterisk is shutting down"] {
        let (_session, run, mut far) = greeted_session(128).await;
        let started_at = Instant::now();
        let asterisk = async {
            for id in 1..=20 {
                let ping = format!("C: Action: Ping\nC: ActionID: {id}\nC:\n");
                script(&[&ping]).play(&mut far).await;
                sleep(Duration::from_secs(4)).await;
                let answer = format!("Response: {answer}\r\nActionID: {id}\r\n\r\n");
                far.write_all(answer.as_bytes())
                    .await
                    .expect("an open pipe");
            }
            drop(far);
        };
        let (end, ()) = run_both(run, asterisk).await;
        assert!(matches!(end, SessionEnd::Closed));
        assert!(started_at.elapsed() > Duration::from_secs(100));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_a_shutdown_event() {
    let (mut session, run, mut far) = greeted_session(128).await;
    let exchange = session.begin(60);
    let sent = exchange.send(pause());
    let asterisk = async {
        script(&[
            &pause_script(1),
            "S: Event: Shutdown\nS: Restart: False\nS:\n",
        ])
        .play(&mut far)
        .await;
        let is_down = |state: &LinkState| matches!(state, LinkState::ShuttingDown);
        assert!(is_down(&session.client.wait_for(is_down).await));
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(
            session.client.begin(deadline, "late").err(),
            Some(UNAVAILABLE)
        );
        // An exchange that began before the shutdown fails immediately, although Asterisk has not
        // closed the connection yet.
        let started_at = Instant::now();
        let late = exchange.send(pause());
        assert_eq!(text(&late.await), Err(UNAVAILABLE));
        assert!(started_at.elapsed() < Duration::from_millis(200));
        // Asterisk may still answer an action that was sent before the shutdown.
        script(&[&response_script(1, "paused")])
            .play(&mut far)
            .await;
        assert_eq!(text(&sent.await), Ok("paused".into()));
        far.shutdown().await.expect("an open pipe");
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await.expect("a closed pipe");
        assert_eq!(rest, b"");
    };
    let (end, ()) = run_both(run, asterisk).await;
    assert!(matches!(end, SessionEnd::Shutdown));
}

#[tokio::test(start_paused = true)]
async fn queued_actions_fail_immediately_after_a_shutdown_event() {
    let (session, run, mut far) = greeted_session(128).await;
    let mut changes: Vec<_> = (0..500).map(|_| session.send(pause(), 60)).collect();
    let asterisk = async {
        script(&[&pause_script(1), "S: Event: Shutdown\nS:\n"])
            .play(&mut far)
            .await;
        let started_at = Instant::now();
        let last = changes.pop().expect("500 changes");
        assert_eq!(text(&last.await), Err(UNAVAILABLE));
        assert!(started_at.elapsed() < Duration::from_millis(200));
        drop(far);
        let first = changes.remove(0);
        assert_eq!(text(&first.await), Err(Failure::Unknown));
    };
    let (end, ()) = run_both(run, asterisk).await;
    assert!(matches!(end, SessionEnd::Shutdown));
}

#[tokio::test(start_paused = true)]
async fn stop_logs_off_and_ends_the_session_within_a_second() {
    for answer in ["", "S: Response: Goodbye\nS: ActionID: 2\nS:\n"] {
        let (session, run, mut far) = greeted_session(128).await;
        let exchange = session.begin(60);
        let sent = exchange.send(pause());
        let asterisk = async {
            script(&[&pause_script(1)]).play(&mut far).await;
            let started_at = Instant::now();
            session.stop.cancel();
            script(&["C: Action: Logoff\nC: ActionID: 2\nC:\n", answer])
                .play(&mut far)
                .await;
            let late = exchange.send(pause());
            assert_eq!(text(&late.await), Err(UNAVAILABLE));
            assert_eq!(text(&sent.await), Err(Failure::Unknown));
            assert!(started_at.elapsed() < Duration::from_millis(1200));
        };
        let (end, ()) = run_both(run, asterisk).await;
        assert!(matches!(end, SessionEnd::Stopped));
    }
}
