//! Test helpers: a session over a pipe, with a script that plays Asterisk at the other
//! end.

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

/// Pipe capacities in bytes: one smaller than a header, and one smaller than a frame.
pub(super) const PIPE_SIZES: [usize; 2] = [8, 128];

/// The handles to a running session.
pub(super) struct TestSession {
    pub(super) client: Client,
    pub(super) stop: CancellationToken,
}

impl TestSession {
    /// Sends an action whose deadline is `seconds` from now.
    pub(super) fn send(
        &self,
        action: Action,
        seconds: u64,
    ) -> impl Future<Output = ReplyResult> + use<> {
        self.begin(seconds).send(action)
    }

    pub(super) fn begin(&self, seconds: u64) -> Exchange {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        self.client.begin(deadline, "test").expect("a ready link")
    }
}

/// Creates a session on a connection after the handshake. The returned future runs the
/// session and then closes the connection.
pub(super) fn session(
    mut connection: Connection<DuplexStream>,
    mut last_id: u64,
) -> (TestSession, impl Future<Output = SessionEnd>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let peer = Peer {
        ami_version: "11.0.0".into(),
        may_write: true,
        sends_boot_event: true,
        restarts: None,
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

/// Creates a session whose connection has received the greeting but not used any
/// ActionID. Also returns Asterisk's end of the pipe.
pub(super) async fn greeted_session(
    pipe_size: usize,
) -> (TestSession, impl Future<Output = SessionEnd>, DuplexStream) {
    let (near, mut far) = duplex(pipe_size);
    let mut connection = Connection::new(near, usize::MAX);
    let (frame, sent) = tokio::join!(
        connection.receive(),
        far.write_all(b"Asterisk Call Manager/11.0.0\r\n")
    );
    frame.expect("a valid stream").expect("a greeting");
    sent.expect("an open pipe");
    let (session, run) = session(connection, 0);
    (session, run, far)
}

/// Runs both sides with the clock paused. Panics if they don't finish within ten minutes.
pub(super) async fn run_both<A, B>(
    bridge: impl Future<Output = A>,
    asterisk: impl Future<Output = B>,
) -> (A, B) {
    let both = async { tokio::join!(bridge, asterisk) };
    timeout(Duration::from_secs(600), both)
        .await
        .expect("both sides finish")
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

/// Returns the text of the reply's `Message` header.
pub(super) fn text(result: &ReplyResult) -> Result<String, Failure> {
    let reply: &Arc<Reply> = result.as_ref().map_err(|failure| *failure)?;
    let text = reply.response.text("Message");
    Ok(text.unwrap_or_default().into_owned())
}

pub(super) fn script(parts: &[&str]) -> Transcript {
    Transcript::parse(&parts.concat())
}

/// The script in which the bridge sends [`pause`].
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

/// The script in which Asterisk sends a successful response with `text`.
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
