//! Log lines on their way out. The threads that serve only put a line into a queue of
//! bounded size; a thread apart writes it, since whoever reads the log (a pipe, systemd's
//! journal, a disk) may hang. A line that finds the queue full is dropped and counted.

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

/// Lines that may wait to be written.
const MAX_LINES: usize = 8192;

/// Bytes that may wait to be written: lines of the AMI traffic can be long.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Between two looks whether lines were dropped.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Before a reader that takes nothing is tried again, where the system does not wait.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// How long the end of the program waits for the queued lines to be written.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// How the log flows.
#[derive(Debug, Clone, Default)]
pub struct LogFlow(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lines: AtomicUsize,
    bytes: AtomicUsize,
    dropped: AtomicU64,
    /// Whether the last line could be written.
    flows: AtomicBool,
}

impl LogFlow {
    /// Lines that wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.lines.load(Ordering::Acquire)
    }

    /// Lines that were dropped since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Acquire)
    }

    /// Says in the log how many lines it lacks, once it flows again. Never returns.
    pub async fn report_drops(self) {
        let mut reported = 0;
        let mut looks = interval(REPORT_INTERVAL);
        loop {
            looks.tick().await;
            let dropped = self.dropped();
            let flows = self.0.flows.load(Ordering::Acquire) && self.waiting() < MAX_LINES / 2;
            if dropped > reported && flows {
                warn!(
                    lines = dropped - reported,
                    "log lines were dropped: whoever reads the log is too slow"
                );
                reported = dropped;
            }
        }
    }

    fn drop_line(&self) {
        self.0.dropped.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes room for a line, if there is any.
    fn enter(&self, bytes: usize) -> bool {
        let counts = &self.0;
        let lines = counts.lines.fetch_add(1, Ordering::AcqRel);
        let waiting = counts.bytes.fetch_add(bytes, Ordering::AcqRel);
        let fits = lines < MAX_LINES && waiting + bytes <= MAX_BYTES;
        if !fits {
            self.leave(bytes);
            self.drop_line();
        }
        fits
    }

    fn leave(&self, bytes: usize) {
        self.0.bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.0.lines.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Takes lines, without ever waiting.
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
    /// Starts a thread that writes each line to `sink` with one call of `write`.
    ///
    /// # Errors
    /// If the thread can't be started.
    pub(super) fn new(sink: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        let flow = LogFlow::default();
        let (entries, receiver) = channel();
        let drain = Drain {
            sink,
            flow: flow.clone(),
        };
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || drain.run(receiver))?;
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
        if self.flow.enter(line.len()) && self.entries.send(Entry::Line(line.into())).is_err() {
            self.flow.leave(line.len());
            self.flow.drop_line();
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

/// What the writing thread receives.
enum Entry {
    Line(Vec<u8>),
    /// The last entry. The thread answers it when all lines before it are written.
    End(Sender<()>),
}

/// Ends the writing thread when it is dropped. Waits up to [`END_TIMEOUT`] until the queued
/// lines are written.
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
            let _ = end.recv_timeout(END_TIMEOUT);
        }
    }
}

/// The writing thread.
struct Drain<S> {
    sink: S,
    flow: LogFlow,
}

impl<S: Write> Drain<S> {
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
        let written = write_patiently(&mut self.sink, line);
        self.flow.0.flows.store(written.is_ok(), Ordering::Release);
        if written.is_err() {
            self.flow.drop_line();
        }
        self.flow.leave(line.len());
    }
}

/// Writes all of it; waits where the sink's other end has said that it does not want the
/// system to.
fn write_patiently(sink: &mut impl Write, mut rest: &[u8]) -> io::Result<()> {
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

    /// A sink that takes a line when the test does.
    struct Slow(SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            self.0.send(line.to_vec()).map_err(gone)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (LogQueue, LogGuard, Receiver<Vec<u8>>) {
        let (sender, lines) = sync_channel(0);
        let (queue, guard) = LogQueue::new(Slow(sender)).expect("a thread");
        (queue, guard, lines)
    }

    fn put(queue: &mut LogQueue, line: &[u8]) {
        queue.write_all(line).expect("it never fails");
    }

    #[test]
    fn lines_come_in_their_order_and_those_beyond_the_limit_are_counted() {
        let (mut queue, _guard, lines) = slow();
        for number in 0..MAX_LINES + 7 {
            put(&mut queue, format!("{number}").as_bytes());
        }
        let flow = queue.flow();
        assert_eq!((flow.waiting(), flow.dropped()), (MAX_LINES, 7));
        for number in 0..MAX_LINES {
            let line = lines.recv().expect("a line");
            assert_eq!(line, format!("{number}").into_bytes());
        }
        put(&mut queue, b"again");
        assert_eq!(lines.recv().expect("a line"), b"again");
        assert_eq!(flow.dropped(), 7);
    }

    #[test]
    fn the_bytes_that_wait_are_bounded_too() {
        let (mut queue, _guard, lines) = slow();
        let line = vec![b'x'; MAX_BYTES / 4];
        for _ in 0..5 {
            put(&mut queue, &line);
        }
        assert_eq!((queue.flow().waiting(), queue.flow().dropped()), (4, 1));
        put(&mut queue, &vec![b'x'; MAX_BYTES + 1]);
        assert_eq!(queue.flow().dropped(), 2);
        drop(lines);
    }

    #[test]
    fn a_line_that_can_not_be_written_is_counted() {
        let (mut queue, guard, lines) = slow();
        drop(lines);
        put(&mut queue, b"lost");
        // Waits until it is written.
        drop(guard);
        assert_eq!((queue.flow().waiting(), queue.flow().dropped()), (0, 1));
    }

    #[test]
    fn nobody_waits_long_at_the_end_for_a_reader_that_hangs() {
        let (mut queue, guard, _lines) = slow();
        put(&mut queue, b"never read");
        let begun = std::time::Instant::now();
        drop(guard);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?}");
    }

    /// Takes a byte at a time, and every other time nothing.
    #[derive(Default)]
    struct Unwilling(Vec<u8>, bool);

    impl Write for Unwilling {
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
    fn a_sink_that_does_not_block_gets_whole_lines() {
        let mut sink = Unwilling::default();
        write_patiently(&mut sink, b"line\n").expect("written");
        assert_eq!(sink.0, b"line\n");
    }
}
