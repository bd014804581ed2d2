//! The benchmark's cells. Each compares the sides with the same streams.

use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
use crate::ami::Ami;
use crate::bare::{self, Bare};
use crate::bridge::Bridge;
use crate::changes::{Changes, sleep_until};
use crate::messages::{Batch, batches};
use crate::nchan::{self, Nchan};
use crate::options::Options;
use crate::pbx::Pbx;
use crate::process::Server;
use crate::report::Row;
use crate::scene::Scene;
use crate::streams::{Client, Recorded};
use crate::turn::{self, Side, TurnResult};

/// One comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell(Scene);

/// The end of the first chunk, which is the snapshot.
const END_OF_CHUNK: &str = "\n\n\r\n";

/// How long slow readers stop reading.
const SLOW_PAUSE: Duration = Duration::from_secs(60);

/// The numbers of two turns' changes differ by at least this number.
const TURN_NUMBERS: u32 = 10_000;

impl Cell {
    pub(crate) fn all() -> Vec<Self> {
        let one_view = [1_000, 3_000, 10_000].map(|streams| Scene::OneView { streams });
        let many_views = [
            Scene::Organizations {
                count: 200,
                streams_each: 25,
            },
            Scene::OwnViews { streams: 3_000 },
            Scene::SlowReaders {
                streams: 3_000,
                slow: 0,
            },
            Scene::SlowReaders {
                streams: 3_000,
                slow: 1_000,
            },
        ];
        one_view.into_iter().chain(many_views).map(Self).collect()
    }

    /// Returns the label in the table. The command line selects cells by this label.
    pub(crate) fn name(self) -> String {
        match self.0 {
            Scene::OneView { streams: 1_000 } => "1,000 streams".to_owned(),
            Scene::OneView { streams: 3_000 } => "3,000 streams".to_owned(),
            Scene::OneView { streams: 10_000 } => "10,000 streams".to_owned(),
            Scene::OneView { streams } => format!("{streams} streams"),
            Scene::Organizations {
                count,
                streams_each,
            } => format!("{count} organizations with {streams_each} streams each"),
            Scene::OwnViews { .. } => "3,000 streams that all differ".to_owned(),
            Scene::SlowReaders { slow: 0, .. } => "3,000 readers, 150 changes a second".to_owned(),
            Scene::SlowReaders { .. } => "the same, 1,000 readers stop for a minute".to_owned(),
        }
    }

    pub(crate) fn run(self, options: &Options) -> Result<Vec<Row>> {
        let scene = self.0;
        let pbx = Pbx::start(options.asterisk, scene.queues())?;
        let mut turns = Turns {
            scene,
            duration: match scene {
                Scene::SlowReaders { slow: 1.., .. } => SLOW_PAUSE,
                _ => options.turn_duration(),
            },
            next: TURN_NUMBERS,
        };
        let mut rows = Vec::new();
        let mut add = |side: &str, result| {
            rows.push(Row {
                cell: self.name(),
                side: side.to_owned(),
                result,
            });
        };
        if let Some(program) = &options.before {
            add("before", turns.bridge(program, &pbx)?.0);
        }
        let program = Path::new(env!("CARGO_BIN_EXE_ami-bridge"));
        let (result, recorded) = turns.bridge(program, &pbx)?;
        add("bridge", result);
        drop(pbx);
        if let Scene::OneView { .. } = scene {
            let batches = batches(&recorded, turns.next - TURN_NUMBERS);
            if nchan::is_installed() {
                add("nchan", turns.nchan(&batches)?);
            }
            add("bare", turns.bare(&batches)?);
        }
        Ok(rows)
    }
}

/// The turns of a cell.
struct Turns {
    scene: Scene,
    duration: Duration,
    /// The number of the next turn's first change.
    next: u32,
}

impl Turns {
    fn start(&mut self) -> Arc<Changes> {
        let start = self.next;
        self.next += TURN_NUMBERS;
        let count = self.duration.as_secs() as u32 * self.scene.rate();
        Arc::new(Changes::new(start, count))
    }

    fn clients(&self, start: u32, target: impl Fn(usize) -> String) -> Vec<Client> {
        let streams = 0..self.scene.streams();
        let client = |stream| Client {
            request: format!(
                "GET {} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n",
                target(stream)
            ),
            sequence: self.scene.sequence(stream, start),
            pause: if self.scene.is_slow(stream) {
                SLOW_PAUSE
            } else {
                Duration::ZERO
            },
        };
        streams.map(client).collect()
    }

    fn bridge(&mut self, program: &Path, pbx: &Pbx) -> Result<(TurnResult, Vec<Recorded>)> {
        eprintln!("  {}", program.display());
        let changes = self.start();
        let bridge = Bridge::start_program(program, &self.scene.bridge_config(pbx.ami_port))?;
        bridge.wait_ready()?;
        // After loading, the bridge lists the queues again.
        sleep(Duration::from_secs(1));
        let mut ami = Ami::login(pbx.ami_port)?;
        let scene = self.scene;
        let side = Side {
            server: Server(bridge.pid()),
            address: bridge.address,
            clients: self.clients(changes.start, |stream| scene.target(stream)),
            first_text: END_OF_CHUNK,
        };
        turn::run(side, &changes, self.duration, || {
            changes.send(scene.rate(), |change| ami.action(&scene.action(change)))
        })
    }

    /// Publishes each change's events as one message.
    fn nchan(&mut self, recorded: &[Batch]) -> Result<TurnResult> {
        eprintln!("  nchan");
        let changes = self.start();
        let nchan = Nchan::start()?;
        let mut publisher = nchan.publisher()?;
        let mut messages = recorded.iter().flat_map(|batch| &batch.messages).cycle();
        let side = Side {
            server: nchan.server(),
            address: nchan.address,
            clients: self.clients(changes.start, |_| "/events".to_owned()),
            first_text: "HTTP/1.1 200",
        };
        let (result, _) = turn::run(side, &changes, self.duration, || {
            changes.send(self.scene.rate(), |change| {
                let message = messages.next().ok_or("no messages")?;
                publisher.publish(&renumber(message, &mut std::iter::once(change)))
            })
        })?;
        Ok(result)
    }

    /// Writes the same batches at the same times.
    fn bare(&mut self, recorded: &[Batch]) -> Result<TurnResult> {
        eprintln!("  bare");
        let changes = self.start();
        let mut bare = Bare::start(self.scene.streams())?;
        let side = Side {
            server: bare.server(),
            address: bare.address,
            clients: self.clients(changes.start, |_| "/events".to_owned()),
            first_text: bare::RESPONSE,
        };
        let (result, _) = turn::run(side, &changes, self.duration, || {
            let begin = Instant::now();
            let mut numbers = changes.start..changes.end();
            for batch in recorded {
                sleep_until(begin + batch.at);
                let first = numbers.start;
                let chunk = renumber(&String::from_utf8_lossy(&batch.chunk), &mut numbers);
                changes.mark_sent(first..numbers.start);
                bare.write(chunk.as_bytes())?;
            }
            Ok(())
        })?;
        Ok(result)
    }
}

/// Replaces the changes' numbers. A repeated number stays the same.
fn renumber(text: &str, numbers: &mut impl Iterator<Item = u32>) -> String {
    let marker = "\"paused_reason\":\"c";
    let mut parts = text.split(marker);
    let mut result = parts.next().unwrap_or_default().to_owned();
    let mut last: Option<(&str, u32)> = None;
    for part in parts {
        let (old, rest) = part.split_at_checked(6).unwrap_or((part, ""));
        let number = match last {
            Some((number, new)) if number == old => new,
            _ => numbers.next().unwrap_or_default(),
        };
        last = Some((old, number));
        result += &format!("{marker}{number:06}{rest}");
    }
    result
}
