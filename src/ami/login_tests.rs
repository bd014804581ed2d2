//! Logins and boots that go another way than the recorded one.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::Instant;

use super::bench::{PIPES, both, header, script};
use super::*;
use crate::ami::error::LoginError;
use crate::ami::login::{boot, login};
use crate::ami::transcript::{Step, Transcript, VERSIONS};

const BANNER: &str = "S: Asterisk Call Manager/11.0.0\n";

const CHALLENGE: &str = "
    C: Action: Challenge
    C: ActionID: 1
    C: AuthType: MD5
    C:
";

/// The key is the digest of `42secret`.
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

/// The question that tells whether app_queue is there.
fn probe(id: u64) -> String {
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

fn error(id: u64, text: &str) -> String {
    format!("S: Response: Error\nS: ActionID: {id}\nS: Message: {text}\nS:\n")
}

/// What comes of a login at a peer that closes behind its script.
async fn log_in(
    transcript: &Transcript,
    pipe: usize,
    (user, secret): (&str, &str),
) -> Result<String, LoginError> {
    let (near, mut far) = duplex(pipe);
    let bridge = async {
        let mut connection = Connection::new(near, usize::MAX);
        login(&mut connection, &header(user), secret, &mut 0).await
    };
    let asterisk = async {
        transcript.play(&mut far).await;
        far.shutdown().await.expect("open");
    };
    both(bridge, asterisk).await.0
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_rejected() {
    for version in VERSIONS {
        let transcript = Transcript::load(version, "login-rejected");
        for pipe in PIPES {
            let result = log_in(&transcript, pipe, ("queuebridge", "not-the-secret")).await;
            assert!(matches!(result, Err(LoginError::Rejected)), "{result:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_else_a_login_can_come_to() {
    let stopping = error(1, "Asterisk is shutting down");
    let misread = error(1, "Must specify AuthType");
    let in_use = error(2, "Login Already In Use");
    let rejected = error(2, "Authentication failed");
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
        // Events are no answers.
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

/// What comes of a boot by that script, and how long it takes; behind the
/// script the peer closes, or is silent.
async fn boot_by(parts: &[&str], closes: bool) -> (Result<(bool, bool), Exit>, Duration) {
    let (near, mut far) = duplex(8);
    let since = Instant::now();
    let bridge = async {
        let mut connection = Connection::new(near, usize::MAX);
        connection.receive().await.expect("AMI");
        let result = boot(&mut connection, &mut 2, || {}).await;
        (result, since.elapsed())
    };
    let asterisk = async {
        script(&[&[BANNER], parts].concat()).play(&mut far).await;
        if closes {
            far.shutdown().await.expect("open");
        }
    };
    both(bridge, asterisk).await.0
}

#[tokio::test(start_paused = true)]
async fn a_boot_takes_the_time_that_asterisk_needs() {
    let [probe, again, once_more] = [3, 4, 5].map(probe);
    let found = error(3, "Interface not found");
    let found_later = error(5, "Interface not found");
    let unknown = error(
        3,
        "Invalid/unknown command: QueuePause. Use Action: ListCommands.",
    );
    let stopping = error(4, "Asterisk is shutting down");
    let denied = error(3, "Permission denied");
    let silent = false;
    let closes = true;
    for (parts, then, expected, seconds) in [
        (
            &[FULLY_BOOTED, &probe, &found][..],
            silent,
            "Ok((true, true))",
            0,
        ),
        // A user without read=system never gets the event.
        (&[&probe, &found], silent, "Ok((true, false))", 5),
        (
            &[
                &probe,
                &unknown,
                &again,
                &stopping,
                &once_more,
                &found_later,
            ],
            silent,
            "Ok((true, false))",
            7,
        ),
        // A user who may not write; and an Asterisk that loads its queues.
        (
            &[FULLY_BOOTED, &probe, &denied],
            silent,
            "Ok((false, true))",
            1,
        ),
        (
            &[FULLY_BOOTED, &probe, &denied],
            closes,
            "Err(StillLoading)",
            0,
        ),
        (&[FULLY_BOOTED, &probe, &unknown], closes, "Err(Closed)", 0),
        (&[FULLY_BOOTED, &probe], closes, "Err(Closed)", 0),
        (&[], closes, "Err(Closed)", 0),
        (&[FULLY_BOOTED, &probe], silent, "Err(Unresponsive)", 5),
        (&[], silent, "Err(Unresponsive)", 10),
    ] {
        let (result, took) = boot_by(parts, then).await;
        assert_eq!(format!("{result:?}"), expected, "{parts:?}");
        assert_eq!(took.as_secs(), seconds, "{parts:?}");
    }
}

/// As recorded, but Asterisk closes once it has denied.
#[tokio::test(start_paused = true)]
async fn a_denial_and_a_close_are_a_boot_that_goes_on() {
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
                .expect("a login");
            boot(&mut connection, &mut last_id, || {}).await
        };
        let asterisk = async {
            Transcript { steps }.play(&mut far).await;
            far.shutdown().await.expect("open");
        };
        let (result, ()) = both(bridge, asterisk).await;
        assert!(matches!(result, Err(Exit::StillLoading)), "{result:?}");
    }
}
