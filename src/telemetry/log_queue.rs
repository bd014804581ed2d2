//! A bounded queue of log lines between the threads that log and the writer thread.
//!
//! The log's destination (a pipe, systemd's journal, a disk) may hang, so only the writer
//! thread writes to it. A line that does not fit into the queue is dropped and counted.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, sleep};
use std::time::Duration;

use tokio::time::interval;
use tracing::warn;
use tracing_subscriber::fmt::MakeWriter;

/// Maximum number of queued lines.
const MAX_LINES: usize = 8192;

/// Maximum size of all queued lines, in bytes. Traces of AMI traffic have long lines.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How often to check whether lines were dropped.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Delay before retrying a write to a full nonblocking sink.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// How long the program waits at exit for the queued lines to be written.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Counts queued and dropped log lines.
#[derive(Debug, Clone, Default)]
pub struct LogFlow(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lines: AtomicUsize,
    bytes: AtomicUsize,
    dropped: AtomicU64,
    last_write_succeeded: AtomicBool,
}

impl LogFlow {
    /// Returns the number of queued lines.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.lines.load(Ordering::Acquire)
    }

    /// Returns the number of lines dropped since startup.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Acquire)
    }

    /// Logs the number of dropped lines whenever the log becomes writable again. Never returns.
    pub async fn report_drops(self) {
        let mut reported = 0;
        let mut ticks = interval(REPORT_INTERVAL);
        loop {
            ticks.tick().await;
            let dropped = self.dropped();
            let is_writable = self.0.last_write_succeeded.load(Ordering::Acquire)
                && self.waiting() < MAX_LINES / 2;
            if dropped > reported && is_writable {
                warn!(
                    lines = dropped - reported,
                    "log lines were dropped: the reader of the log is too slow"
                );
                reported = dropped;
            }
        }
    }

    fn count_dropped(&self) {
        self.0.dropped.fetch_add(1, Ordering::AcqRel);
    }

    /// Reserves space for a line. If the queue is full, counts the line as dropped and returns
    /// false.
    fn reserve(&self, bytes: usize) -> bool {
        let counts = &self.0;
        let lines = counts.lines.fetch_add(1, Ordering::AcqRel);
        let waiting = counts.bytes.fetch_add(bytes, Ordering::AcqRel);
        let fits = lines < MAX_LINES && waiting + bytes <= MAX_BYTES;
        if !fits {
            self.release(bytes);
            self.count_dropped();
        }
        fits
    }

    fn release(&self, bytes: usize) {
        self.0.bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.0.lines.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The queue's sending side. Never blocks.
#[derive(Clone)]
pub(super) struct LogQueue {
    entries: Sender<Entry>,
    flow: LogFlow,
}

impl fmt::Debug for LogQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogQueue").finish_non_exhaustive()
    }
}

impl LogQueue {
    /// Creates a queue, and starts a thread that writes each line to `sink` with a single
    /// `write` call.
    ///
    /// # Errors
    /// Returns the operating system's error if it can't start the thread.
    pub(super) fn new(sink: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        let flow = LogFlow::default();
        let (entries, receiver) = channel();
        let writer = LineWriter {
            sink,
            flow: flow.clone(),
        };
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(receiver))?;
        let guard = LogGuard {
            entries: entries.clone(),
        };
        Ok((Self { entries, flow }, guard))
    }

    pub(super) fn flow(&self) -> LogFlow {
        self.flow.clone()
    }
}

impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.flow.reserve(line.len()) && self.entries.send(Entry::Line(line.into())).is_err() {
            self.flow.release(line.len());
            self.flow.count_dropped();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// An entry for the writer thread.
enum Entry {
    Line(Vec<u8>),
    /// The last entry. The writer thread responds once it has written all earlier lines.
    End(Sender<()>),
}

/// Dropping the guard stops the writer thread. The drop waits up to [`EXIT_TIMEOUT`] for the
/// queued lines to be written.
pub(super) struct LogGuard {
    entries: Sender<Entry>,
}

impl fmt::Debug for LogGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogGuard").finish_non_exhaustive()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let (written, end) = channel();
        if self.entries.send(Entry::End(written)).is_ok() {
            let _ = end.recv_timeout(EXIT_TIMEOUT);
        }
    }
}

/// Writes the lines. Runs on the writer thread.
struct LineWriter<S> {
    sink: S,
    flow: LogFlow,
}

impl<S: Write> LineWriter<S> {
    fn run(mut self, entries: Receiver<Entry>) {
        for entry in entries {
            match entry {
                Entry::Line(line) => self.write_line(&line),
                Entry::End(written) => {
                    let _ = written.send(());
                    return;
                }
            }
        }
    }

    fn write_line(&mut self, line: &[u8]) {
        let written = write_all_blocking(&mut self.sink, line);
        let succeeded = &self.flow.0.last_write_succeeded;
        succeeded.store(written.is_ok(), Ordering::Release);
        if written.is_err() {
            self.flow.count_dropped();
        }
        self.flow.release(line.len());
    }
}

/// Writes all bytes, and waits while the sink is full. The sink may be nonblocking, because
/// another process that shares the file description may have set `O_NONBLOCK`.
fn write_all_blocking(sink: &mut impl Write, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = &rest[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(RETRY_DELAY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use super::*;

    /// A sink that accepts a line only when the test receives it.
    struct SlowSink(SyncSender<Vec<u8>>);

    impl Write for SlowSink {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let disconnected = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            self.0.send(line.to_vec()).map_err(disconnected)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow_queue() -> (LogQueue, LogGuard, Receiver<Vec<u8>>) {
        let (sender, lines) = sync_channel(0);
        let (queue, guard) = LogQueue::new(SlowSink(sender)).expect("a thread");
        (queue, guard, lines)
    }

    fn write_line(queue: &mut LogQueue, line: &[u8]) {
        queue.write_all(line).expect("an infallible write");
    }

    #[test]
    fn queue_preserves_order_and_counts_dropped_lines() {
        let (mut queue, _guard, lines) = slow_queue();
        for number in 0..MAX_LINES + 7 {
            write_line(&mut queue, format!("{number}").as_bytes());
        }
        let flow = queue.flow();
        assert_eq!((flow.waiting(), flow.dropped()), (MAX_LINES, 7));
        for number in 0..MAX_LINES {
            let line = lines.recv().expect("a line");
            assert_eq!(line, format!("{number}").into_bytes());
        }
        write_line(&mut queue, b"next");
        assert_eq!(lines.recv().expect("a line"), b"next");
        assert_eq!(flow.dropped(), 7);
    }

    #[test]
    fn queue_limits_the_size_of_queued_lines() {
        let (mut queue, _guard, lines) = slow_queue();
        let line = vec![b'x'; MAX_BYTES / 4];
        for _ in 0..5 {
            write_line(&mut queue, &line);
        }
        assert_eq!((queue.flow().waiting(), queue.flow().dropped()), (4, 1));
        write_line(&mut queue, &vec![b'x'; MAX_BYTES + 1]);
        assert_eq!(queue.flow().dropped(), 2);
        drop(lines);
    }

    #[test]
    fn line_that_cannot_be_written_counts_as_dropped() {
        let (mut queue, guard, lines) = slow_queue();
        drop(lines);
        write_line(&mut queue, b"lost");
        // Waits until the line has been written.
        drop(guard);
        assert_eq!((queue.flow().waiting(), queue.flow().dropped()), (0, 1));
    }

    #[test]
    fn dropping_the_guard_waits_only_briefly_for_a_hanging_sink() {
        let (mut queue, guard, _lines) = slow_queue();
        write_line(&mut queue, b"never read");
        let start = std::time::Instant::now();
        drop(guard);
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
    }

    /// A nonblocking sink that accepts one byte on every second call.
    #[derive(Default)]
    struct NonblockingSink(Vec<u8>, bool);

    impl Write for NonblockingSink {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.0.push(line[0]);
            Ok(1)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nonblocking_sink_receives_whole_lines() {
        let mut sink = NonblockingSink::default();
        write_all_blocking(&mut sink, b"line\n").expect("a successful write");
        assert_eq!(sink.0, b"line\n");
    }
}
