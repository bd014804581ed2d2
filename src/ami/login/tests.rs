//! Tests logins and boots that differ from the recorded sessions, with the clock paused.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::Instant;

use super::*;
use crate::ami::testing::{PIPE_SIZES, header, run_both, script};
use crate::ami::transcript::{Step, Transcript, VERSIONS};

const BANNER: &str = "S: Asterisk Call Manager/11.0.0\n";

const CHALLENGE: &str = "
    C: Action: Challenge
    C: ActionID: 1
    C: AuthType: MD5
    C:
";

/// The key is the MD5 digest of `42secret`.
const LOGIN: &str = "
    S: Response: Success
    S: ActionID: 1
    S: Challenge: 42
    S:
    C: Action: Login
    C: ActionID: 2
    C: AuthType: MD5
    C: Username: bridge
    C: Key: d1afeb36ba90aea40da8c47da3591a11
    C: Events: agent,system
    C:
";

const FULLY_BOOTED: &str = "
    S: Event: FullyBooted
    S: Privilege: system,all
    S:
";

/// The script in which the bridge sends a probe.
fn probe_script(id: u64) -> String {
    format!(
        "
        C: Action: QueuePause
        C: ActionID: {id}
        C: Queue: ami-bridge-permission-check
        C: Interface: Local/nobody@ami-bridge-permission-check
        C: Paused: false
        C:
        "
    )
}

/// The script in which Asterisk refuses an action with `text`.
fn error_script(id: u64, text: &str) -> String {
    format!("S: Response: Error\nS: ActionID: {id}\nS: Message: {text}\nS:\n")
}

/// Logs in to a peer that plays the transcript and then closes the connection.
async fn log_in(
    transcript: &Transcript,
    pipe_size: usize,
    (user, secret): (&str, &str),
) -> Result<String, LoginError> {
    let (near, mut far) = duplex(pipe_size);
    let bridge = async {
        let mut connection = Connection::new(near, usize::MAX);
        login(&mut connection, &header(user), secret, &mut 0).await
    };
    let asterisk = async {
        transcript.play(&mut far).await;
        far.shutdown().await.expect("an open pipe");
    };
    run_both(bridge, asterisk).await.0
}

#[tokio::test(start_paused = true)]
async fn login_with_a_wrong_secret_is_rejected_as_recorded() {
    for version in VERSIONS {
        let transcript = Transcript::load(version, "login-rejected");
        for pipe_size in PIPE_SIZES {
            let result = log_in(&transcript, pipe_size, ("queuebridge", "not-the-secret")).await;
            assert!(matches!(result, Err(LoginError::Rejected)), "{result:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn login_result_matches_the_peers_response() {
    let stopping = error_script(1, "Asterisk is shutting down");
    let misread = error_script(1, "Must specify AuthType");
    let in_use = error_script(2, "Login Already In Use");
    let rejected = error_script(2, "Authentication failed");
    let accepted = "S: Response: Success\nS: ActionID: 2\nS:\n";
    for (parts, expected) in [
        (&["S: SSH-2.0-OpenSSH_9.2\n"][..], "Err(Frame(NotAmi))"),
        (&["s: HTTP/1.1 400 Bad Request\n"], "Err(Frame(NotAmi))"),
        (&[], "Err(Closed)"),
        (&[BANNER, CHALLENGE], "Err(Closed)"),
        (&[BANNER, CHALLENGE, &stopping], "Err(ShuttingDown)"),
        (
            &[BANNER, CHALLENGE, &misread],
            "Err(Unexpected(\"Must specify AuthType\"))",
        ),
        (&[BANNER, CHALLENGE, LOGIN], "Err(Closed)"),
        (&[BANNER, CHALLENGE, LOGIN, &in_use], "Err(AlreadyInUse)"),
        (&[BANNER, CHALLENGE, LOGIN, &rejected], "Err(Rejected)"),
        // Events are ignored.
        (
            &[
                BANNER,
                FULLY_BOOTED,
                CHALLENGE,
                LOGIN,
                FULLY_BOOTED,
                accepted,
            ],
            "Ok(\"11.0.0\")",
        ),
    ] {
        let result = log_in(&script(parts), 128, ("bridge", "secret")).await;
        assert_eq!(format!("{result:?}"), expected);
    }
}

/// The peer's behavior after its script.
#[derive(Debug, Clone, Copy, PartialEq)]
enum AfterScript {
    Close,
    StaySilent,
}

/// Runs [`wait_for_boot`] against a peer that plays `parts`. Returns whether the user may
/// write, whether the boot event arrived, and the elapsed time.
async fn boot(
    parts: &[&str],
    after_script: AfterScript,
) -> (Result<(bool, bool), SessionEnd>, Duration) {
    let (near, mut far) = duplex(8);
    let started_at = Instant::now();
    let bridge = async {
        let mut connection = Connection::new(near, usize::MAX);
        connection.receive().await.expect("a valid stream");
        let result = wait_for_boot(&mut connection, &mut 2, || {}).await;
        let result = result.map(|booted| (booted.may_write, booted.sends_boot_event));
        (result, started_at.elapsed())
    };
    let asterisk = async {
        script(&[&[BANNER], parts].concat()).play(&mut far).await;
        if after_script == AfterScript::Close {
            far.shutdown().await.expect("an open pipe");
        }
    };
    run_both(bridge, asterisk).await.0
}

async fn check_boot(parts: &[&str], after_script: AfterScript, expected: &str, seconds: u64) {
    let (result, elapsed) = boot(parts, after_script).await;
    assert_eq!(format!("{result:?}"), expected, "{parts:?}");
    assert_eq!(elapsed.as_secs(), seconds, "{parts:?}");
}

#[tokio::test(start_paused = true)]
async fn wait_for_boot_ends_when_asterisk_executes_queue_actions() {
    let [first, second, third] = [3, 4, 5].map(probe_script);
    let not_found = error_script(3, "Interface not found");
    let not_found_later = error_script(5, "Interface not found");
    let unknown = error_script(
        3,
        "Invalid/unknown command: QueuePause. Use Action: ListCommands.",
    );
    let stopping = error_script(4, "Asterisk is shutting down");
    for (parts, expected, seconds) in [
        (
            &[FULLY_BOOTED, &first, &not_found][..],
            "Ok((true, true))",
            0,
        ),
        // A user without read=system never receives `FullyBooted`.
        (&[&first, &not_found], "Ok((true, false))", 5),
        (
            &[
                &first,
                &unknown,
                &second,
                &stopping,
                &third,
                &not_found_later,
            ],
            "Ok((true, false))",
            7,
        ),
    ] {
        check_boot(parts, AfterScript::StaySilent, expected, seconds).await;
    }
}

#[tokio::test(start_paused = true)]
async fn denied_probe_means_no_permission_unless_asterisk_closes_the_connection() {
    let (probe, denied) = (probe_script(3), error_script(3, "Permission denied"));
    let parts = [FULLY_BOOTED, &probe, &denied];
    check_boot(&parts, AfterScript::StaySilent, "Ok((false, true))", 1).await;
    check_boot(&parts, AfterScript::Close, "Err(StillLoading)", 0).await;
}

#[tokio::test(start_paused = true)]
async fn wait_for_boot_fails_if_the_peer_closes_the_connection_or_is_silent() {
    let probe = probe_script(3);
    let unknown = error_script(
        3,
        "Invalid/unknown command: QueuePause. Use Action: ListCommands.",
    );
    for (parts, after_script, expected, seconds) in [
        (
            &[FULLY_BOOTED, &probe, &unknown][..],
            AfterScript::Close,
            "Err(Closed)",
            0,
        ),
        (
            &[FULLY_BOOTED, &probe],
            AfterScript::Close,
            "Err(Closed)",
            0,
        ),
        (&[], AfterScript::Close, "Err(Closed)", 0),
        (
            &[FULLY_BOOTED, &probe],
            AfterScript::StaySilent,
            "Err(Unresponsive)",
            5,
        ),
        (&[], AfterScript::StaySilent, "Err(Unresponsive)", 10),
    ] {
        check_boot(parts, after_script, expected, seconds).await;
    }
}

/// Replays the recorded session, except that Asterisk closes the connection after the
/// denial.
#[tokio::test(start_paused = true)]
async fn denied_probe_before_a_close_means_that_app_queue_is_loading() {
    for version in VERSIONS {
        let mut steps = Transcript::load(version, "permission-denied").steps;
        let denial = steps.iter().position(|step| match step {
            Step::Server(bytes) => String::from_utf8_lossy(bytes).contains("Permission denied"),
            Step::Client(_) => false,
        });
        steps.truncate(denial.expect("a denial") + 1);
        let (near, mut far) = duplex(8);
        let bridge = async {
            let mut connection = Connection::new(near, usize::MAX);
            let (user, mut last_id) = (header("reader"), 0);
            login(&mut connection, &user, "reader-secret", &mut last_id)
                .await
                .expect("a successful login");
            wait_for_boot(&mut connection, &mut last_id, || {}).await
        };
        let asterisk = async {
            Transcript { steps }.play(&mut far).await;
            far.shutdown().await.expect("an open pipe");
        };
        let (result, ()) = run_both(bridge, asterisk).await;
        assert!(
            matches!(result, Err(SessionEnd::StillLoading)),
            "{result:?}"
        );
    }
}
