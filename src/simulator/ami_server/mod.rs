//! Serves the simulated PBX to AMI clients.
//!
//! - `shared_pbx` locks the PBX and runs its timers. `server_state` is what the lock
//!   protects: the PBX, the AMI users and the open sessions (`session_registry`).
//! - `connection` reads and writes the socket of a client. `session` decides what the
//!   PBX replies to an action (`request`), with the help of `action_table`,
//!   `credentials` and `queue_actions`.

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
