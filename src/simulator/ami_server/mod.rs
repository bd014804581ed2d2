//! Serves the simulated PBX to AMI clients.
//!
//! - `shared_pbx` locks the PBX and runs its timers. `server_state` is the locked state: the
//!   PBX, the AMI users and the open sessions (`session_registry`).
//! - `connection` reads and writes a client's socket. `session` replies to the client's
//!   actions (`request`), using `action_table`, `credentials` and `queue_actions`.

mod action_table;
mod connection;
mod credentials;
mod queue_actions;
mod request;
mod response;
mod server_state;
mod session;
mod session_registry;
mod shared_pbx;
mod users;

pub(super) use self::connection::serve_connection;
pub(super) use self::server_state::ServerState;
pub(super) use self::shared_pbx::SharedPbx;
pub(super) use self::users::parse_users;
