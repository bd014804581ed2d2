//! The configuration: one TOML file, overridden by environment variables.
//!
//! [`load()`] reports all mistakes at once. It works in four steps:
//!
//! 1. `syntax` rejects a file that is not TOML, and reports the line.
//! 2. `layers` overrides the file's values with environment variables.
//! 3. `deserialize` fills the structs in `file`. Every key is optional in `file`.
//! 4. `validate` checks the values, with one module for each table, and returns [`Settings`].
//!
//! A new key needs a field in `file`, a check in its table's module in `validate`, a field in
//! `settings` (or in [`crate::organizations`], for an organization's or a user's key), and a
//! row in `docs/CONFIGURATION.md`. `daemon/restart_only.rs` decides whether a reload applies
//! the key or a restart is needed.
//!
//! No other module uses the `config` crate.

mod deserialize;
mod duplicate_key;
mod error;
mod field;
mod file;
mod layers;
mod load;
mod mistake;
mod settings;
mod syntax;
mod validate;
mod wrapup_field;

pub use error::ConfigError;
pub use load::{find, load, load_text};
pub use mistake::Mistake;
pub use settings::{AdminSettings, HttpSettings, PbxSettings, Settings, StateSettings};
pub(crate) use validate::{line_of_file, table_name};
