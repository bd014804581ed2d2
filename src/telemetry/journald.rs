//! Log lines for systemd's journal. `MESSAGE` has all that a line says, as `journalctl`
//! shows nothing else; each field stands beside it, to be searched for. (The usual layer
//! for it can't write a message of its own.)
//!
//! The protocol is systemd's: <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.

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

/// Where the journal listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// Longer values are cut: what comes from Asterisk can be longer than a datagram.
const LONGEST: usize = 16 * 1024;

/// Where entries go. A journal that hangs blocks whoever sends: that is for a thread
/// apart.
#[derive(Debug)]
pub(super) struct Socket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Socket {
    /// Sends to the journal that listens there.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        // To know whether it does. It may listen anew later, with another socket.
        UnixDatagram::unbound()?.connect(path)?;
        Ok(Self {
            socket: UnixDatagram::unbound()?,
            path: path.to_owned(),
        })
    }
}

impl Write for Socket {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.socket.send_to(entry, &self.path)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes an entry of what is logged.
#[derive(Debug)]
pub(super) struct Journal {
    queue: LogQueue,
}

impl Journal {
    /// Puts entries into that queue.
    pub(super) fn new(queue: LogQueue) -> Self {
        Self { queue }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Journal {
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
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.others.extend_from_slice(&of_span.others);
            }
        }
        let entry = entry(event.metadata(), &fields);
        // It never fails: what can't be written is counted.
        let _ = self.queue.clone().write_all(&entry);
    }
}

/// What a line says, or a span adds to it.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field, format!("{value:?}"));
    }
}

impl Fields {
    fn take(&mut self, field: &Field, mut value: String) {
        if value.len() > LONGEST {
            let mut ends = (0..=LONGEST).rev();
            let end = ends.find(|end| value.is_char_boundary(*end));
            value.truncate(end.unwrap_or_default());
            value.push('…');
        }
        if field.name() == "message" {
            self.message = value;
        } else {
            self.others.push((field.name(), value));
        }
    }
}

fn entry(metadata: &Metadata<'_>, fields: &Fields) -> Vec<u8> {
    // As in syslog.
    let priority = match *metadata.level() {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    };
    let mut text = fields.message.clone();
    for (name, value) in &fields.others {
        // So that no value can be read as several fields, and the line is text: journalctl
        // shows nothing of one with control characters.
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || "=\"".contains(c);
        let _ = if value.contains(is_odd) {
            write!(text, " {name}={value:?}")
        } else {
            write!(text, " {name}={value}")
        };
    }
    let mut entry = Vec::new();
    put(&mut entry, "MESSAGE", &text);
    put(&mut entry, "PRIORITY", priority);
    put(&mut entry, "SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME"));
    put(&mut entry, "TARGET", metadata.target());
    // Without what differs from line to line.
    put(&mut entry, "F_MESSAGE", &fields.message);
    for (name, value) in &fields.others {
        let name = format!("F_{}", name.to_ascii_uppercase());
        put(&mut entry, &name, value);
    }
    entry
}

fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
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

    /// What the journal is sent for what is logged there.
    fn sent(log: impl FnOnce()) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let (queue, _guard) =
            LogQueue::new(Socket::at(&path).expect("connected")).expect("a thread");
        let journal = Journal::new(queue);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(journal), log);
        let mut bytes = vec![0; 1 << 20];
        let length = socket.recv(&mut bytes).expect("an entry");
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn the_message_has_all_and_each_field_stands_by_itself() {
        let entry = sent(|| {
            let _link = info_span!("link", pbx = "main").entered();
            let error = io::Error::from(io::ErrorKind::ConnectionRefused);
            warn!(target: "there", user = None::<&str>, %error, ms = 250, "Asterisk is not reachable");
        });
        assert_eq!(
            String::from_utf8(entry).expect("text"),
            "MESSAGE=Asterisk is not reachable error=\"connection refused\" ms=250 pbx=main\n\
             PRIORITY=4\nSYSLOG_IDENTIFIER=ami-bridge\nTARGET=there\n\
             F_MESSAGE=Asterisk is not reachable\nF_ERROR=connection refused\nF_MS=250\nF_PBX=main\n"
        );
    }

    #[test]
    fn a_value_of_several_lines_adds_no_field_and_a_long_one_is_cut() {
        let entry = sent(|| {
            error!(
                error = "2 mistakes:\nPRIORITY=7",
                "the configuration stays as it was"
            )
        });
        let text = "MESSAGE=the configuration stays as it was error=\"2 mistakes:\\nPRIORITY=7\"\n";
        assert!(entry.starts_with(text.as_bytes()), "{entry:?}");
        let value = "2 mistakes:\nPRIORITY=7";
        let length = (value.len() as u64).to_le_bytes();
        let field = [b"\nF_ERROR\n", &length[..], value.as_bytes(), b"\n"].concat();
        assert!(entry.ends_with(&field), "{entry:?}");

        let entry = sent(|| info!(frame = "é".repeat(1 << 20), "received"));
        let field = memchr::memmem::find(&entry, b"F_FRAME=").expect("the field");
        let value = String::from_utf8(entry[field + 8..].to_vec()).expect("text");
        assert_eq!(value.trim_end().chars().count(), LONGEST / 2 + 1);
    }
}
