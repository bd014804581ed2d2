//! The configuration: one TOML file, overridden by environment variables.
//!
//! [`load`] reads and checks everything, and reports all mistakes at once.
//! The only user of the `config` crate.

mod duplicate;
mod file;
mod fixed;
mod load;
mod mistake;
mod network;
mod organizations;
mod pbx;
mod scalar;
mod text;
mod validate;

pub use fixed::changed;
pub use load::{ConfigError, find, load, load_text};
pub use mistake::Mistake;
pub use validate::{AdminSettings, HttpSettings, LogFormat, LogSettings, PbxSettings, Settings};
