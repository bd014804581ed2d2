//! Where log lines go, and what they look like.

use std::io::{self, IsTerminal};
use std::path::Path;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::config::{LogFormat, LogSettings};
use crate::journal::{Journal, SOCKET};

/// Changes what is logged while the program runs.
#[derive(Debug, Clone)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Logs what passes that filter from now on.
    ///
    /// # Errors
    /// When the filter is none.
    pub fn set(&self, filter: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.reload(EnvFilter::try_new(filter)?)?)
    }
}

/// Sets up logging to standard error, or to systemd's journal.
///
/// # Errors
/// When the journal is not there, or the filter is none.
pub fn start(settings: &LogSettings) -> Result<Level, Box<dyn std::error::Error>> {
    let (filter, level) = reload::Layer::new(EnvFilter::try_new(&settings.level)?);
    let terminal = io::stderr().is_terminal();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Journald => {
            let journal = Journal::at(Path::new(SOCKET)).map_err(|error| {
                format!("log.format = \"journald\": there is no journal of systemd here ({error})")
            });
            Box::new(journal?)
        }
        LogFormat::Auto if !terminal => json_lines(),
        LogFormat::Json => json_lines(),
        LogFormat::Auto | LogFormat::Pretty => {
            let lines = fmt::layer().with_ansi(terminal);
            Box::new(lines.with_writer(io::stderr))
        }
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()?;
    Ok(Level(level))
}

fn json_lines() -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().json().flatten_event(true);
    Box::new(lines.with_current_span(false).with_writer(io::stderr))
}
