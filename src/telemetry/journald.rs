//! Writes log lines to systemd's journal, in its native protocol
//! (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).
//!
//! `journalctl` shows only `MESSAGE`, so `MESSAGE` contains a line's message and all its
//! fields. Each field is also sent as a journal field, for searches. The `tracing-journald`
//! crate can't compose such a `MESSAGE`.

use std::fmt::{Debug, Write as _};
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::log_queue::LogQueue;

/// The journal's socket.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// Maximum size of a field value. Longer values are truncated, because Asterisk can send values
/// that do not fit into a datagram.
const MAX_VALUE_BYTES: usize = 16 * 1024;

/// Sends entries to the journal. A send blocks while the journal hangs, so only the
/// [`LogQueue`]'s thread may use the socket.
#[derive(Debug)]
pub(super) struct JournalSocket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl JournalSocket {
    /// Creates a socket for the journal at `path`.
    ///
    /// # Errors
    /// Returns the operating system's error if nothing listens at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // Connects only to check that the journal listens. The socket for the entries is
        // not connected, because a restarted journal has a new socket at the same path.
        UnixDatagram::unbound()?.connect(path)?;
        Ok(Self {
            socket: UnixDatagram::unbound()?,
            path: path.to_owned(),
        })
    }
}

impl Write for JournalSocket {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.socket.send_to(entry, &self.path)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Converts log events to journal entries.
#[derive(Debug)]
pub(super) struct JournalLayer {
    queue: LogQueue,
}

impl JournalLayer {
    pub(super) fn new(queue: LogQueue) -> Self {
        Self { queue }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JournalLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(span_fields) = span.extensions().get::<Fields>() {
                fields.named.extend_from_slice(&span_fields.named);
            }
        }
        let entry = encode_entry(event.metadata(), &fields);
        // Writing never fails: the queue drops and counts the entries that do not fit.
        let _ = self.queue.clone().write_all(&entry);
    }
}

/// The message and the named fields of an event or a span.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    named: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format!("{value:?}"));
    }
}

impl Fields {
    fn add(&mut self, field: &Field, mut value: String) {
        if value.len() > MAX_VALUE_BYTES {
            let mut ends = (0..=MAX_VALUE_BYTES).rev();
            let end = ends.find(|end| value.is_char_boundary(*end));
            value.truncate(end.unwrap_or_default());
            value.push('…');
        }
        if field.name() == "message" {
            self.message = value;
        } else {
            self.named.push((field.name(), value));
        }
    }
}

fn encode_entry(metadata: &Metadata<'_>, fields: &Fields) -> Vec<u8> {
    // These are syslog priorities.
    let priority = match *metadata.level() {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    };
    let mut text = fields.message.clone();
    for (name, value) in &fields.named {
        // Values are quoted and escaped for two reasons: one value must not look like several
        // fields, and journalctl does not show lines that contain control characters.
        let needs_quotes = |c: char| c.is_whitespace() || c.is_control() || "=\"".contains(c);
        let _ = if value.contains(needs_quotes) {
            write!(text, " {name}={value:?}")
        } else {
            write!(text, " {name}={value}")
        };
    }
    let mut entry = Vec::new();
    push_field(&mut entry, "MESSAGE", &text);
    push_field(&mut entry, "PRIORITY", priority);
    push_field(&mut entry, "SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME"));
    push_field(&mut entry, "TARGET", metadata.target());
    // For searches: without its fields, the message is the same in all lines of one kind.
    push_field(&mut entry, "F_MESSAGE", &fields.message);
    for (name, value) in &fields.named {
        let name = format!("F_{}", name.to_ascii_uppercase());
        push_field(&mut entry, &name, value);
    }
    entry
}

/// Appends a field. The protocol requires the length before a value with line feeds.
fn push_field(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use tracing::{error, info, info_span, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::telemetry::log_queue::Batching;

    /// Runs `log`, and returns the entry that the journal receives.
    fn journal_entry(log: impl FnOnce()) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let journal = JournalSocket::open(&path).expect("a listening journal");
        let (queue, _guard) = LogQueue::new(journal, Batching::None).expect("a thread");
        let journal = JournalLayer::new(queue);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(journal), log);
        let mut bytes = vec![0; 1 << 20];
        let length = socket.recv(&mut bytes).expect("an entry");
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn message_contains_all_fields_and_each_field_is_also_sent_separately() {
        let entry = journal_entry(|| {
            let _link = info_span!("link", pbx = "main").entered();
            let error = io::Error::from(io::ErrorKind::ConnectionRefused);
            warn!(target: "there", user = None::<&str>, %error, ms = 250, "Asterisk is not reachable");
        });
        assert_eq!(
            String::from_utf8(entry).expect("UTF-8"),
            "MESSAGE=Asterisk is not reachable error=\"connection refused\" ms=250 pbx=main\n\
             PRIORITY=4\nSYSLOG_IDENTIFIER=ami-bridge\nTARGET=there\n\
             F_MESSAGE=Asterisk is not reachable\nF_ERROR=connection refused\nF_MS=250\nF_PBX=main\n"
        );
    }

    #[test]
    fn value_with_line_feeds_stays_one_field_and_long_value_is_truncated() {
        let entry = journal_entry(|| {
            error!(
                error = "2 mistakes:\nPRIORITY=7",
                "reload failed; the old configuration stays in use"
            )
        });
        let text = "MESSAGE=reload failed; the old configuration stays in use error=\"2 mistakes:\\nPRIORITY=7\"\n";
        assert!(entry.starts_with(text.as_bytes()), "{entry:?}");
        let value = "2 mistakes:\nPRIORITY=7";
        let length = (value.len() as u64).to_le_bytes();
        let field = [b"\nF_ERROR\n", &length[..], value.as_bytes(), b"\n"].concat();
        assert!(entry.ends_with(&field), "{entry:?}");

        let entry = journal_entry(|| info!(frame = "é".repeat(1 << 20), "received"));
        let field = memchr::memmem::find(&entry, b"F_FRAME=").expect("F_FRAME");
        let value = String::from_utf8(entry[field + 8..].to_vec()).expect("UTF-8");
        assert_eq!(value.trim_end().chars().count(), MAX_VALUE_BYTES / 2 + 1);
    }
}
