//! The log settings.

/// The log settings.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// A `tracing` filter, such as `info` or `info,ami_bridge=debug`.
    pub level: String,
    /// The format of log lines.
    pub format: LogFormat,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// [`Pretty`](Self::Pretty) on a terminal, otherwise [`Json`](Self::Json).
    Auto,
    /// Human-readable text.
    Pretty,
    /// One JSON object per line.
    Json,
    /// Entries in systemd's journal, with fields.
    Journald,
}
