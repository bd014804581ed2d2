//! Logging: the format and the destination of log lines.

mod journald;
mod log_queue;
mod settings;

use std::io::{self, IsTerminal};
use std::panic::{PanicHookInfo, set_hook};
use std::path::Path;

use tracing::error;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use self::journald::{JournalLayer, JournalSocket};
pub use self::log_queue::LogFlow;
use self::log_queue::{Batching, LogGuard, LogQueue};
pub use self::settings::{LogFormat, LogSettings};

/// Changes the log filter while the program runs.
#[derive(Debug, Clone)]
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// Replaces the filter.
    ///
    /// # Errors
    /// Returns an error if `filter` is not a valid `tracing` filter.
    pub fn set(&self, filter: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.reload(EnvFilter::try_new(filter)?)?)
    }
}

/// The logging set up by [`start`]. Dropping it waits up to a second for the queued log
/// lines to be written.
#[derive(Debug)]
pub struct Telemetry {
    /// Changes the log filter.
    pub level: LogLevel,
    /// Counts queued and dropped lines.
    pub flow: LogFlow,
    _guard: LogGuard,
}

/// Sets up logging to standard error, or to systemd's journal. Also logs panics. Rust's default
/// hook would write to standard error on the panicking thread, and block that thread if the
/// reader of standard error hangs.
///
/// # Errors
/// Returns an error if systemd's journal is configured but does not listen, if the filter is
/// not valid, or if the operating system can't start a thread.
pub fn start(settings: &LogSettings) -> Result<Telemetry, Box<dyn std::error::Error>> {
    let (filter, level) = reload::Layer::new(EnvFilter::try_new(&settings.level)?);
    let is_terminal = io::stderr().is_terminal();
    let (queue, guard) = match settings.format {
        LogFormat::Journald => {
            let socket = JournalSocket::open(Path::new(journald::SOCKET)).map_err(|error| {
                format!("log.format = \"journald\": systemd's journal does not listen ({error})")
            });
            LogQueue::new(socket?, Batching::None)?
        }
        _ => LogQueue::new(io::stderr(), Batching::Lines)?,
    };
    let flow = queue.flow();
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Journald => Box::new(JournalLayer::new(queue)),
        LogFormat::Auto if !is_terminal => json_layer(queue),
        LogFormat::Json => json_layer(queue),
        LogFormat::Auto | LogFormat::Pretty => {
            let layer = fmt::layer().with_ansi(is_terminal);
            Box::new(layer.with_writer(queue))
        }
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init()?;
    set_hook(Box::new(log_panic));
    Ok(Telemetry {
        level: LogLevel(level),
        flow,
        _guard: guard,
    })
}

fn json_layer(queue: LogQueue) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = fmt::layer().json().flatten_event(true);
    Box::new(layer.with_current_span(false).with_writer(queue))
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or(payload.downcast_ref::<String>().map(String::as_str));
    let place = panic.location().map(ToString::to_string);
    error!(place, panic = text, "panic: a bug in the bridge");
}
