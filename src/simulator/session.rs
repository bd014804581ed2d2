//! One AMI session: the login, its rights, and its events, which come behind the
//! answer to the action that caused them.

use std::time::Duration;

use bytes::BytesMut;
use md5::{Digest, Md5};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc, watch};

use super::actions::{ACTIONS, answer, message};
use super::conf::{User, is_false, is_true};
use super::event::{Class, Lines, classes};
use super::hub::{Hub, State};
use super::request::{Request, TooLong};

/// Asterisk 22's.
const BANNER: &[u8] = b"Asterisk Call Manager/11.0.0\r\n";

/// What Asterisk lets someone wait whom it rejects.
const REJECTION: Duration = Duration::from_secs(1);

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Continue,
    Close,
    /// The answer is late, and the last one.
    Reject,
}

struct Session<'a> {
    hub: &'a Hub,
    id: u64,
    user: Option<User>,
    challenge: String,
}

/// Serves a client until it logs off, is rejected, or the PBX ends.
pub(super) async fn serve(hub: &Hub, stream: TcpStream) {
    let (id, events) = hub.with(State::open);
    let mut session = Session {
        hub,
        id,
        user: None,
        challenge: String::new(),
    };
    // A client that has gone is no mistake.
    let _ = session.talk(stream, events).await;
    hub.with(|state| state.close(id));
}

impl Session<'_> {
    async fn talk(
        &mut self,
        stream: TcpStream,
        mut events: mpsc::Receiver<String>,
    ) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut frozen = self.hub.frozen.subscribe();
        let (mut reader, mut writer) = stream.into_split();
        thawed(&mut frozen).await;
        writer.write_all(BANNER).await?;
        let mut buffer = BytesMut::new();
        loop {
            tokio::select! {
                count = reader.read_buf(&mut buffer) => if count? == 0 {
                    return Ok(());
                },
                event = events.recv() => match event {
                    Some(event) => {
                        thawed(&mut frozen).await;
                        writer.write_all(event.as_bytes()).await?;
                    }
                    None => return writer.shutdown().await,
                },
            }
            // What was sent together is answered first: Asterisk's events can be many
            // answers late too.
            loop {
                thawed(&mut frozen).await;
                let request = match Request::take(&mut buffer) {
                    Ok(Some(request)) => request,
                    Ok(None) => break,
                    Err(TooLong) => return Ok(()),
                };
                if !self.answer(&request, &mut writer).await? {
                    return writer.shutdown().await;
                }
            }
        }
    }

    /// Answers; whether the session goes on.
    async fn answer(
        &mut self,
        request: &Request,
        writer: &mut OwnedWriteHalf,
    ) -> std::io::Result<bool> {
        let hub = self.hub;
        let (text, then) = hub.with(|state| self.reply(state, request));
        if then == Then::Reject {
            tokio::time::sleep(REJECTION).await;
        }
        writer.write_all(text.as_bytes()).await?;
        Ok(then == Then::Continue)
    }

    fn reply(&mut self, state: &mut State, request: &Request) -> (String, Then) {
        let id = request.get("ActionID");
        let error = |text| (message(Err(text), id), Then::Continue);
        let Some(action) = request.get("Action") else {
            return error("Missing action in request");
        };
        if state.stopping {
            return error("Asterisk is shutting down");
        }
        let mut actions = ACTIONS.iter();
        let known = actions.find(|(name, ..)| name.eq_ignore_ascii_case(action));
        let known = known.filter(|(name, ..)| state.loaded || !name.starts_with("Queue"));
        match known.map(|(name, ..)| *name) {
            Some("Challenge") => return (self.challenge(request, id), Then::Continue),
            Some("Login") => return self.login(state, request, id),
            Some("Logoff") => {
                let lines = Lines::default()
                    .put("Response", "Goodbye")
                    .put_some("ActionID", id);
                let lines = lines.put("Message", "Thanks for all the fish.");
                return (lines.end(), Then::Close);
            }
            _ => {}
        }
        let Some(user) = &self.user else {
            return error("Permission denied");
        };
        let Some((name, class, _)) = known else {
            let text = format!(
                "Invalid/unknown command: {action}. Use Action: ListCommands to show available \
                 commands."
            );
            let lines = Lines::default()
                .put("Response", "Error")
                .put_some("ActionID", id);
            return (lines.put("Message", text).end(), Then::Continue);
        };
        if user.write & class != *class {
            return error("Permission denied");
        }
        let success = || {
            Lines::default()
                .put("Response", "Success")
                .put_some("ActionID", id)
        };
        let text = match *name {
            "Ping" => success()
                .put("Ping", "Pong")
                .put("Timestamp", state.timestamp())
                .end(),
            "Events" => match self.set_mask(state, request.get("EventMask").unwrap_or_default()) {
                Some(mask) => success()
                    .put("Events", if mask == 0 { "Off" } else { "On" })
                    .end(),
                None => message(Err("Invalid event mask"), id),
            },
            "ListCommands" => {
                let may = ACTIONS
                    .iter()
                    .filter(|(_, class, _)| user.write & class == *class);
                let lines = may.fold(success(), |lines, (name, class, description)| {
                    let class = if *class == 0 { "<none>" } else { "agent,all" };
                    lines.put(name, format!("{description}  (Priv: {class})"))
                });
                lines.end()
            }
            name => answer(&mut state.pbx, name, request),
        };
        (text, Then::Continue)
    }

    fn challenge(&mut self, request: &Request, id: Option<&str>) -> String {
        if !request
            .get("AuthType")
            .is_some_and(|t| t.eq_ignore_ascii_case("MD5"))
        {
            return message(Err("Must specify AuthType"), id);
        }
        self.challenge = fastrand::u32(100_000_000..1_000_000_000).to_string();
        let lines = Lines::default()
            .put("Response", "Success")
            .put_some("ActionID", id);
        lines.put("Challenge", &self.challenge).end()
    }

    fn login(&mut self, state: &mut State, request: &Request, id: Option<&str>) -> (String, Then) {
        if self.user.is_some() {
            return (message(Ok("Already authenticated"), id), Then::Continue);
        }
        let name = request.get("Username").unwrap_or_default();
        let mut users = state.users.iter();
        let user = users.find(|user| user.name.eq_ignore_ascii_case(name));
        let Some(user) = user.filter(|user| self.is_proven(user, request)).cloned() else {
            return (message(Err("Authentication failed"), id), Then::Reject);
        };
        state.set_user(self.id, &user.name);
        self.user = Some(user);
        // Without the header every class that may be read.
        let mask = self.set_mask(state, request.get("Events").unwrap_or("on"));
        let mut text = message(Ok("Authentication accepted"), id);
        if mask.is_some_and(|mask| mask & Class::System.bit() != 0) {
            text += &state.fully_booted();
        }
        (text, Then::Continue)
    }

    fn is_proven(&self, user: &User, request: &Request) -> bool {
        match request.get("Key") {
            Some(key) => {
                let digest = Md5::new()
                    .chain_update(&self.challenge)
                    .chain_update(&user.secret)
                    .finalize();
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                !self.challenge.is_empty() && key == hex
            }
            None => request.get("Secret") == Some(&user.secret),
        }
    }

    /// The classes that the session gets now: of those asked for, the ones that
    /// its user may read.
    fn set_mask(&self, state: &mut State, words: &str) -> Option<u32> {
        let asked = match words {
            "" => return None,
            words if is_false(words) => 0,
            words => match words.parse() {
                Ok(bits) if bits > 1 => bits,
                _ if is_true(words) => u32::MAX,
                _ => classes(words),
            },
        };
        let mask = asked & self.user.as_ref().map_or(0, |user| user.read);
        state.set_mask(self.id, mask);
        Some(asked).map(|asked| if asked == 0 { 0 } else { mask })
    }
}

/// Waits while nothing moves.
async fn thawed(frozen: &mut watch::Receiver<bool>) {
    // The sender lives as long as the hub.
    let _ = frozen.wait_for(|frozen| !frozen).await;
}
