//! An AMI session: login, permissions, and the replies to actions. Does no IO.

use super::action_table::{ACTIONS, ActionInfo};
use super::credentials;
use super::queue_actions::run_queue_action;
use super::request::ActionRequest;
use super::response::{error_response, message_response, success};
use super::server_state::ServerState;
use super::session_registry::SessionId;
use super::users::AmiUser;
use crate::simulator::event::{EventClass, parse_event_mask};
use crate::simulator::headers::Headers;

/// An AMI session.
#[derive(Debug)]
pub(crate) struct AmiSession {
    id: SessionId,
    /// The logged-in user.
    user: Option<AmiUser>,
    /// The challenge for an MD5 login. It is empty until the client requests a challenge.
    challenge: String,
}

/// A session's reply to an action.
#[derive(Debug)]
pub(crate) struct SessionReply {
    pub(crate) text: String,
    /// Whether the reply rejects a login. Asterisk delays this reply.
    pub(crate) is_login_rejection: bool,
    pub(crate) next_step: NextStep,
}

/// The connection's next step after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    Continue,
    Close,
}

impl From<String> for SessionReply {
    fn from(text: String) -> Self {
        Self {
            text,
            is_login_rejection: false,
            next_step: NextStep::Continue,
        }
    }
}

impl AmiSession {
    pub(crate) fn new(id: SessionId) -> Self {
        Self {
            id,
            user: None,
            challenge: String::new(),
        }
    }

    /// Runs an action and returns the reply.
    pub(crate) fn reply(
        &mut self,
        state: &mut ServerState,
        request: &ActionRequest,
    ) -> SessionReply {
        let id = request.action_id();
        let Some(name) = request.get("Action") else {
            return error_response("Missing action in request", id).into();
        };
        if state.is_shutting_down {
            return error_response("Asterisk is shutting down", id).into();
        }
        let action = ActionInfo::find(name)
            .filter(|action| state.is_app_queue_loaded || !action.is_queue_action());
        match action.map(|action| action.name) {
            Some("Challenge") => return self.new_challenge(request).into(),
            Some("Login") => return self.log_in(state, request),
            Some("Logoff") => return log_off(id),
            _ => {}
        }
        let Some(user) = &self.user else {
            return error_response("Permission denied", id).into();
        };
        let Some(action) = action else {
            let message = format!(
                "Invalid/unknown command: {name}. Use Action: ListCommands to show available \
                 commands."
            );
            return error_response(&message, id).into();
        };
        if !action.is_allowed(user.write) {
            return error_response("Permission denied", id).into();
        }
        let text = match action.name {
            "Ping" => success(id)
                .with("Ping", "Pong")
                .with("Timestamp", state.ping_timestamp())
                .into_message(),
            "Events" => self.change_event_mask(state, request),
            "ListCommands" => list_commands(user, id),
            name => run_queue_action(&mut state.pbx, name, request),
        };
        text.into()
    }

    fn new_challenge(&mut self, request: &ActionRequest) -> String {
        let id = request.action_id();
        if !request
            .get("AuthType")
            .is_some_and(|auth_type| auth_type.eq_ignore_ascii_case("MD5"))
        {
            return error_response("Must specify AuthType", id);
        }
        self.challenge = credentials::new_challenge();
        let response = success(id).with("Challenge", &self.challenge);
        response.into_message()
    }

    fn log_in(&mut self, state: &mut ServerState, request: &ActionRequest) -> SessionReply {
        let id = request.action_id();
        if self.user.is_some() {
            return message_response(Ok("Already authenticated"), id).into();
        }
        let name = request.get("Username").unwrap_or_default();
        let mut users = state.users.iter();
        let user = users.find(|user| user.name.eq_ignore_ascii_case(name));
        let user = user.filter(|user| credentials::are_valid(user, &self.challenge, request));
        let Some(user) = user.cloned() else {
            return SessionReply {
                text: error_response("Authentication failed", id),
                is_login_rejection: true,
                next_step: NextStep::Close,
            };
        };
        state.sessions.set_user(self.id, &user.name);
        self.user = Some(user);
        // Without an `Events` header, the session receives every class that its user may read.
        let mask = self.set_event_mask(state, request.get("Events").unwrap_or("on"));
        let mut text = message_response(Ok("Authentication accepted"), id);
        if mask.is_some_and(|mask| mask & EventClass::System.bit() != 0) {
            text += &state.fully_booted_event();
        }
        text.into()
    }

    /// Runs the Events action.
    fn change_event_mask(&self, state: &mut ServerState, request: &ActionRequest) -> String {
        let id = request.action_id();
        let mask = request.get("EventMask").unwrap_or_default();
        match self.set_event_mask(state, mask) {
            Some(mask) => success(id)
                .with("Events", if mask == 0 { "Off" } else { "On" })
                .into_message(),
            None => error_response("Invalid event mask", id),
        }
    }

    /// Subscribes the session to the event classes in `mask` that its user may read. Returns
    /// these classes, or `None` if the mask is empty.
    fn set_event_mask(&self, state: &mut ServerState, mask: &str) -> Option<u32> {
        let readable = self.user.as_ref().map_or(0, |user| user.read);
        let mask = parse_event_mask(mask)? & readable;
        state.sessions.set_event_mask(self.id, mask);
        Some(mask)
    }
}

fn log_off(action_id: Option<&str>) -> SessionReply {
    let response = Headers::default()
        .with("Response", "Goodbye")
        .with_optional("ActionID", action_id)
        .with("Message", "Thanks for all the fish.");
    SessionReply {
        text: response.into_message(),
        is_login_rejection: false,
        next_step: NextStep::Close,
    }
}

/// Returns the response to ListCommands, which lists the actions that the user may send.
fn list_commands(user: &AmiUser, action_id: Option<&str>) -> String {
    let allowed = ACTIONS
        .iter()
        .filter(|action| action.is_allowed(user.write));
    let response = allowed.fold(success(action_id), |response, action| {
        let privilege = match action.class {
            0 => "<none>",
            _ => "agent,all",
        };
        let description = action.description;
        response.with(action.name, format!("{description}  (Priv: {privilege})"))
    });
    response.into_message()
}
