//! A session over a pipe that a test holds the other end of.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::ami::action::Action;
use crate::ami::client::{Client, Exchange, Link, LinkState};
use crate::ami::connection::Connection;
use crate::ami::error::{Exit, Failure};
use crate::ami::login::Peer;
use crate::ami::reply::Reply;
use crate::ami::transcript::Transcript;
use crate::ami::value::{HeaderValue, MemberValue};

/// What came of an action.
pub(super) type Outcome = Result<Arc<Reply>, Failure>;

/// How large the pipe is, in bytes: less than a header, and less than a frame.
pub(super) const PIPES: [usize; 2] = [8, 128];

/// How a test reaches its session.
pub(super) struct Bench {
    pub(super) client: Client,
    pub(super) stop: CancellationToken,
}

impl Bench {
    /// Sends an action that has so many seconds.
    pub(super) fn ask(
        &self,
        action: Action,
        seconds: u64,
    ) -> impl Future<Output = Outcome> + use<> {
        self.begin(seconds).send(action)
    }

    pub(super) fn begin(&self, seconds: u64) -> Exchange {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        self.client.begin(deadline, "test").expect("a link")
    }
}

/// A session, and how to reach it. The connection ends with it.
pub(super) fn session(
    mut connection: Connection<DuplexStream>,
    mut last_id: u64,
) -> (Bench, impl Future<Output = Exit>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let peer = Peer {
        ami_version: "11.0.0".into(),
        may_write: true,
        tells_boot: true,
    };
    let (link, watched) = watch::channel(Link {
        state: LinkState::Ready(peer),
        requests: Some(sender),
    });
    let stop = CancellationToken::new();
    let bench = Bench {
        client: Client::new("test".into(), watched, 10_000),
        stop: stop.clone(),
    };
    let exit = async move {
        super::run(
            &mut connection,
            requests,
            &mut last_id,
            &stop,
            &link,
            &mut (),
        )
        .await
    };
    (bench, exit)
}

/// A session that has been greeted and has used no ActionID yet.
pub(super) async fn greeted(pipe: usize) -> (Bench, impl Future<Output = Exit>, DuplexStream) {
    let (near, mut far) = duplex(pipe);
    let mut connection = Connection::new(near, usize::MAX);
    let (frame, sent) = tokio::join!(
        connection.receive(),
        far.write_all(b"Asterisk Call Manager/11.0.0\r\n")
    );
    frame.expect("AMI").expect("a greeting");
    sent.expect("a client");
    let (bench, exit) = session(connection, 0);
    (bench, exit, far)
}

/// Both at once, on the paused clock; what has no end fails.
pub(super) async fn both<A, B>(
    bridge: impl Future<Output = A>,
    asterisk: impl Future<Output = B>,
) -> (A, B) {
    let both = async { tokio::join!(bridge, asterisk) };
    timeout(Duration::from_secs(600), both)
        .await
        .expect("an end")
}

pub(super) fn header(value: &str) -> HeaderValue {
    HeaderValue::new(value).expect("a value")
}

pub(super) fn member(value: &str) -> MemberValue {
    MemberValue::new(value).expect("a value")
}

pub(super) fn status(queue: &str) -> Action {
    Action::QueueStatus {
        queue: Some(header(queue)),
        member: None,
    }
}

/// A change that is as good as any other.
pub(super) fn pause() -> Action {
    Action::QueuePause {
        queue: header("6001"),
        interface: member("PJSIP/1001"),
        paused: true,
        reason: None,
    }
}

/// The text of an answer.
pub(super) fn text(outcome: &Outcome) -> Result<String, Failure> {
    let answer = outcome.as_ref().map_err(|failure| *failure)?;
    let text = answer.response.text("Message");
    Ok(text.unwrap_or_default().into_owned())
}

pub(super) fn script(parts: &[&str]) -> Transcript {
    Transcript::parse(&parts.concat())
}

/// How that change is sent.
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

/// How it is answered, in these words.
pub(super) fn answer_script(id: u64, text: &str) -> String {
    format!(
        "
        S: Response: Success
        S: ActionID: {id}
        S: Message: {text}
        S:
        "
    )
}
