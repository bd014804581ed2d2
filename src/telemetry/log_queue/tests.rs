//! Tests of the queue of log lines.

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
    let queue = LogQueue::new(SlowSink(sender), Batching::None);
    let (queue, guard) = queue.expect("a thread");
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
fn queued_lines_are_written_together() {
    let (sender, writes) = sync_channel(0);
    let queue = LogQueue::new(SlowSink(sender), Batching::Lines);
    let (mut queue, guard) = queue.expect("a thread");
    let text = |size: usize| vec![b'x'; size];
    // The writer thread takes the first line before the others, or together with some of them.
    for size in [1, 3000, 1000, 96, 1, BATCH_BYTES + 1, 2, 3] {
        write_line(&mut queue, &text(size));
    }
    let flow = queue.flow();
    let stop = thread::spawn(move || drop(guard));
    let sizes: Vec<usize> = writes.iter().map(|write| write.len()).collect();
    stop.join().expect("the guard is dropped");
    assert_eq!(sizes.iter().sum::<usize>(), 8200);
    assert!(sizes.len() < 8, "{sizes:?}");
    let large = sizes.iter().copied().filter(|size| *size > BATCH_BYTES);
    assert_eq!(large.collect::<Vec<_>>(), [BATCH_BYTES + 1], "{sizes:?}");
    assert_eq!((flow.waiting(), flow.dropped()), (0, 0));
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
