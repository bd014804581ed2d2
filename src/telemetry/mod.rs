//! Where log lines go, and what they look like.

mod journald;
mod log_queue;

use std::io::{self, IsTerminal};
use std::panic::{PanicHookInfo, set_hook};
use std::path::Path;

use tracing::error;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use self::journald::{Journal, SOCKET, Socket};
pub use self::log_queue::LogFlow;
use self::log_queue::{LogGuard, LogQueue};
use crate::config::{LogFormat, LogSettings};

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

/// Logging as it was set up. What is logged is written by a thread apart; when this is
/// dropped, what is left is waited for, a second at most.
#[derive(Debug)]
pub struct Telemetry {
    /// What is logged.
    pub level: Level,
    /// How the log flows.
    pub flow: LogFlow,
    _guard: LogGuard,
}

/// Sets up logging to standard error, or to systemd's journal. A panic is logged there,
/// too: written by the thread that it happens on, it could stop what serves.
///
/// # Errors
/// When the journal is not there, or the filter is none.
pub fn start(settings: &LogSettings) -> Result<Telemetry, Box<dyn std::error::Error>> {
    let (filter, level) = reload::Layer::new(EnvFilter::try_new(&settings.level)?);
    let terminal = io::stderr().is_terminal();
    let (queue, guard) = match settings.format {
        LogFormat::Journald => {
            let socket = Socket::at(Path::new(SOCKET)).map_err(|error| {
                format!("log.format = \"journald\": there is no journal of systemd here ({error})")
            });
            LogQueue::new(socket?)?
        }
        _ => LogQueue::new(io::stderr())?,
    };
    let flow = queue.flow();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Journald => Box::new(Journal::new(queue)),
        LogFormat::Auto if !terminal => json_lines(queue),
        LogFormat::Json => json_lines(queue),
        LogFormat::Auto | LogFormat::Pretty => {
            let lines = fmt::layer().with_ansi(terminal);
            Box::new(lines.with_writer(queue))
        }
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()?;
    set_hook(Box::new(log_panic));
    Ok(Telemetry {
        level: Level(level),
        flow,
        _guard: guard,
    })
}

fn json_lines(queue: LogQueue) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().json().flatten_event(true);
    Box::new(lines.with_current_span(false).with_writer(queue))
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or(payload.downcast_ref::<String>().map(String::as_str));
    let place = panic.location().map(ToString::to_string);
    error!(place, panic = text, "a fault in the bridge");
}
