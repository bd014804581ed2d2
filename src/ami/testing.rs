//! Test helpers: a session over a pipe whose other end plays Asterisk by a script.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::action::Action;
use super::client::{Client, Exchange, LinkState, LinkUpdate};
use super::connection::Connection;
use super::error::{Failure, SessionEnd};
use super::login::Peer;
use super::reply::{Reply, ReplyResult};
use super::session;
use super::transcript::Transcript;
use super::value::{HeaderValue, MemberValue};

/// Capacities of the pipe in bytes: less than a header, and less than a frame.
pub(super) const PIPE_SIZES: [usize; 2] = [8, 128];

/// The handles of a running session.
pub(super) struct TestSession {
    pub(super) client: Client,
    pub(super) stop: CancellationToken,
}

impl TestSession {
    /// Sends an action with a deadline in `seconds`.
    pub(super) fn send(
        &self,
        action: Action,
        seconds: u64,
    ) -> impl Future<Output = ReplyResult> + use<> {
        self.begin(seconds).send(action)
    }

    pub(super) fn begin(&self, seconds: u64) -> Exchange {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        self.client.begin(deadline, "test").expect("a link")
    }
}

/// Creates a session after the handshake, and the future that runs it and then closes the
/// connection.
pub(super) fn session(
    mut connection: Connection<DuplexStream>,
    mut last_id: u64,
) -> (TestSession, impl Future<Output = SessionEnd>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let peer = Peer {
        ami_version: "11.0.0".into(),
        may_write: true,
        sends_boot_event: true,
    };
    let (link, receiver) = watch::channel(LinkUpdate {
        state: LinkState::Ready(peer),
        requests: Some(sender),
    });
    let stop = CancellationToken::new();
    let session = TestSession {
        client: Client::new("test".into(), receiver, 10_000),
        stop: stop.clone(),
    };
    let run = async move {
        session::run(
            &mut connection,
            requests,
            &mut last_id,
            &stop,
            &link,
            &mut (),
        )
        .await
    };
    (session, run)
}

/// Creates a session that has read the greeting and has used no ActionID yet. Also returns
/// Asterisk's end of the pipe.
pub(super) async fn greeted_session(
    pipe_size: usize,
) -> (TestSession, impl Future<Output = SessionEnd>, DuplexStream) {
    let (near, mut far) = duplex(pipe_size);
    let mut connection = Connection::new(near, usize::MAX);
    let (frame, sent) = tokio::join!(
        connection.receive(),
        far.write_all(b"Asterisk Call Manager/11.0.0\r\n")
    );
    frame.expect("AMI").expect("a greeting");
    sent.expect("an open pipe");
    let (session, run) = session(connection, 0);
    (session, run, far)
}

/// Runs both sides on the paused clock. Panics if they do not end within ten minutes.
pub(super) async fn run_both<A, B>(
    bridge: impl Future<Output = A>,
    asterisk: impl Future<Output = B>,
) -> (A, B) {
    let both = async { tokio::join!(bridge, asterisk) };
    timeout(Duration::from_secs(600), both)
        .await
        .expect("both sides end")
}

pub(super) fn header(value: &str) -> HeaderValue {
    HeaderValue::new(value).expect("a valid value")
}

pub(super) fn member(value: &str) -> MemberValue {
    MemberValue::new(value).expect("a valid value")
}

pub(super) fn status(queue: &str) -> Action {
    Action::QueueStatus {
        queue: Some(header(queue)),
        member: None,
    }
}

/// The change that most tests send.
pub(super) fn pause() -> Action {
    Action::QueuePause {
        queue: header("6001"),
        interface: member("PJSIP/1001"),
        paused: true,
        reason: None,
    }
}

/// The `Message` header of a reply.
pub(super) fn text(result: &ReplyResult) -> Result<String, Failure> {
    let reply: &Arc<Reply> = result.as_ref().map_err(|failure| *failure)?;
    let text = reply.response.text("Message");
    Ok(text.unwrap_or_default().into_owned())
}

pub(super) fn script(parts: &[&str]) -> Transcript {
    Transcript::parse(&parts.concat())
}

/// The script by which the bridge sends [`pause`].
pub(super) fn pause_script(id: u64) -> String {
    format!(
        "
        C: Action: QueuePause
        C: ActionID: {id}
        C: Queue: 6001
        C: Interface: PJSIP/1001
        C: Paused: true
        C:
        "
    )
}

/// The script by which Asterisk sends a response with this text.
pub(super) fn response_script(id: u64, text: &str) -> String {
    format!(
        "
        S: Response: Success
        S: ActionID: {id}
        S: Message: {text}
        S:
        "
    )
}
