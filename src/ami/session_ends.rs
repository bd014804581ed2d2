//! How a session ends, and when it does not.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use super::bench::{PIPES, answer_script, both, greeted, pause, pause_script, script, text};
use super::*;
use crate::ami::codec::{FrameError, MAX_FRAME};

#[tokio::test(start_paused = true)]
async fn a_broken_stream_ends_the_session() {
    let endless_line = vec![b'x'; MAX_FRAME + 2];
    let endless_frame = b"Garbage: without a blank line\r\n".repeat(MAX_FRAME / 31 + 2);
    let too_long: fn(&Exit) -> bool = |exit| matches!(exit, Exit::Frame(FrameError::TooLong));
    let closed: fn(&Exit) -> bool = |exit| matches!(exit, Exit::Closed);
    for (bytes, expected) in [
        (endless_line.as_slice(), too_long),
        (endless_frame.as_slice(), too_long),
        (b"Response: Success\r\nActionID: 1\r\n", closed),
        (b"Response: Suc", closed),
        (b"", closed),
    ] {
        let (bench, exit, mut far) = greeted(4096).await;
        let write = bench.ask(pause(), 60);
        let asterisk = async {
            script(&[&pause_script(1)]).play(&mut far).await;
            // The client may have had enough before the end.
            let _ = far.write_all(bytes).await;
            drop(far);
            assert_eq!(text(&write.await), Err(Failure::Unknown));
        };
        let (exit, ()) = both(exit, asterisk).await;
        assert!(expected(&exit), "{exit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_given_up_within_ten_seconds() {
    for pipe in PIPES {
        let (bench, exit, mut far) = greeted(pipe).await;
        let since = Instant::now();
        let write = bench.ask(pause(), 60);
        let asterisk = async {
            let mut heard = String::new();
            far.read_to_string(&mut heard).await.expect("text");
            assert_eq!(text(&write.await), Err(Failure::Unknown));
            heard
        };
        let (exit, heard) = both(exit, asterisk).await;
        assert!(matches!(exit, Exit::Unresponsive));
        assert!(
            heard.ends_with("Action: Ping\r\nActionID: 2\r\n\r\n"),
            "{heard}"
        );
        assert!(since.elapsed() <= Duration::from_secs(10));
        // A pause of Asterisk is not its end.
        assert!(since.elapsed() > Duration::from_secs(8));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up_too() {
    let (bench, exit, far) = greeted(8).await;
    let since = Instant::now();
    let writes: Vec<_> = (0..500).map(|_| bench.ask(pause(), 60)).collect();
    let asterisk = async {
        for write in writes {
            // Not one was written to its end.
            assert_eq!(text(&write.await), Err(UNAVAILABLE));
        }
        drop(far);
    };
    assert!(matches!(both(exit, asterisk).await.0, Exit::Unresponsive));
    assert!(since.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_talks_and_does_not_answer_is_given_up() {
    let (bench, exit, mut far) = greeted(128).await;
    let since = Instant::now();
    let write = bench.ask(pause(), 600);
    let asterisk = async {
        script(&[&pause_script(1)]).play(&mut far).await;
        while far.write_all(b"Event: Reload\r\n\r\n").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(text(&write.await), Err(Failure::Unknown));
    };
    assert!(matches!(both(exit, asterisk).await.0, Exit::Unresponsive));
    let took = since.elapsed().as_secs();
    assert!((30..32).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_keep_an_idle_session() {
    for answer in ["Success", "Error\r\nMessage: Asterisk is shutting down"] {
        let (_bench, exit, mut far) = greeted(128).await;
        let since = Instant::now();
        let asterisk = async {
            for id in 1..=20 {
                let ping = format!("C: Action: Ping\nC: ActionID: {id}\nC:\n");
                script(&[&ping]).play(&mut far).await;
                sleep(Duration::from_secs(4)).await;
                let answer = format!("Response: {answer}\r\nActionID: {id}\r\n\r\n");
                far.write_all(answer.as_bytes()).await.expect("a client");
            }
            drop(far);
        };
        assert!(matches!(both(exit, asterisk).await.0, Exit::Closed));
        assert!(since.elapsed() > Duration::from_secs(100));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_once_a_shutdown_is_announced() {
    let (mut bench, exit, mut far) = greeted(128).await;
    let exchange = bench.begin(60);
    let sent = exchange.send(pause());
    let asterisk = async {
        script(&[
            &pause_script(1),
            "S: Event: Shutdown\nS: Restart: False\nS:\n",
        ])
        .play(&mut far)
        .await;
        let down = |state: &LinkState| matches!(state, LinkState::ShuttingDown);
        assert!(down(&bench.client.wait_for(down).await));
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(
            bench.client.begin(deadline, "late").err(),
            Some(UNAVAILABLE)
        );
        // Those who had begun are refused at once, though Asterisk takes its
        // time to close.
        let since = Instant::now();
        let late = exchange.send(pause());
        assert_eq!(text(&late.await), Err(UNAVAILABLE));
        assert!(since.elapsed() < Duration::from_millis(200));
        // What was sent before may still be answered.
        script(&[&answer_script(1, "paused")]).play(&mut far).await;
        assert_eq!(text(&sent.await), Ok("paused".into()));
        far.shutdown().await.expect("open");
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await.expect("closed");
        assert_eq!(rest, b"");
    };
    assert!(matches!(both(exit, asterisk).await.0, Exit::Shutdown));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_refuses_what_waits_to_be_written() {
    let (bench, exit, mut far) = greeted(128).await;
    let mut writes: Vec<_> = (0..500).map(|_| bench.ask(pause(), 60)).collect();
    let asterisk = async {
        script(&[&pause_script(1), "S: Event: Shutdown\nS:\n"])
            .play(&mut far)
            .await;
        let since = Instant::now();
        let last = writes.pop().expect("500");
        assert_eq!(text(&last.await), Err(UNAVAILABLE));
        assert!(since.elapsed() < Duration::from_millis(200));
        drop(far);
        let first = writes.remove(0);
        assert_eq!(text(&first.await), Err(Failure::Unknown));
    };
    assert!(matches!(both(exit, asterisk).await.0, Exit::Shutdown));
}

#[tokio::test(start_paused = true)]
async fn a_stop_logs_off_and_does_not_wait_for_long() {
    for answer in ["", "S: Response: Goodbye\nS: ActionID: 2\nS:\n"] {
        let (bench, exit, mut far) = greeted(128).await;
        let exchange = bench.begin(60);
        let sent = exchange.send(pause());
        let asterisk = async {
            script(&[&pause_script(1)]).play(&mut far).await;
            let since = Instant::now();
            bench.stop.cancel();
            script(&["C: Action: Logoff\nC: ActionID: 2\nC:\n", answer])
                .play(&mut far)
                .await;
            let late = exchange.send(pause());
            assert_eq!(text(&late.await), Err(UNAVAILABLE));
            assert_eq!(text(&sent.await), Err(Failure::Unknown));
            assert!(since.elapsed() < Duration::from_millis(1200));
        };
        assert!(matches!(both(exit, asterisk).await.0, Exit::Stopped));
    }
}
