//! An AMI client's connection, which reads actions and writes responses and events.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc, watch};

use super::request::{ActionRequest, TooLong};
use super::session::{AmiSession, NextStep};
use super::shared_pbx::{SharedPbx, wait_while_frozen};

/// Asterisk 22's banner.
const BANNER: &[u8] = b"Asterisk Call Manager/11.0.0\r\n";

/// How long Asterisk waits before it rejects a login.
const REJECTION_DELAY: Duration = Duration::from_secs(1);

/// Serves a client until the client disconnects, logs off or is rejected, or until the
/// PBX stops.
pub(crate) async fn serve_connection(pbx: &SharedPbx, stream: TcpStream) {
    let (id, events) = pbx.with_state(|state| state.sessions.open());
    let connection = Connection {
        pbx,
        session: AmiSession::new(id),
        frozen: pbx.watch_frozen(),
    };
    // An error means that the client has disconnected.
    let _ = connection.run(stream, events).await;
    pbx.with_state(|state| state.sessions.close(id));
}

struct Connection<'a> {
    pbx: &'a SharedPbx,
    session: AmiSession,
    frozen: watch::Receiver<bool>,
}

impl Connection<'_> {
    async fn run(
        mut self,
        stream: TcpStream,
        mut events: mpsc::Receiver<String>,
    ) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let (mut reader, mut writer) = stream.into_split();
        wait_while_frozen(&mut self.frozen).await;
        writer.write_all(BANNER).await?;
        let mut buffer = BytesMut::new();
        loop {
            tokio::select! {
                count = reader.read_buf(&mut buffer) => if count? == 0 {
                    return Ok(());
                },
                event = events.recv() => match event {
                    Some(event) => {
                        wait_while_frozen(&mut self.frozen).await;
                        writer.write_all(event.as_bytes()).await?;
                    }
                    None => return writer.shutdown().await,
                },
            }
            // Respond to all received actions before writing events. Real Asterisk does this,
            // too: several responses can precede the event of the first action.
            loop {
                wait_while_frozen(&mut self.frozen).await;
                let request = match ActionRequest::take(&mut buffer) {
                    Ok(Some(request)) => request,
                    Ok(None) => break,
                    Err(TooLong) => return Ok(()),
                };
                if self.respond(&request, &mut writer).await? == NextStep::Close {
                    return writer.shutdown().await;
                }
            }
        }
    }

    async fn respond(
        &mut self,
        request: &ActionRequest,
        writer: &mut OwnedWriteHalf,
    ) -> std::io::Result<NextStep> {
        let session = &mut self.session;
        let reply = self.pbx.with_state(|state| session.reply(state, request));
        if reply.is_login_rejection {
            tokio::time::sleep(REJECTION_DELAY).await;
        }
        writer.write_all(reply.text.as_bytes()).await?;
        Ok(reply.next_step)
    }
}
