//! The bridge is killed and starts again under 10,000 streams, whose clients reconnect. Meanwhile,
//! another client reads and pauses through the API.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use ami_bridge::organizations::PasswordDigest;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::LocalSet;

use crate::bridge::{Bridge, PATH};
use crate::changes::sleep_until;
use crate::http::Connection;
use crate::options::Options;
use crate::pbx::{FIRST_QUEUE, MEMBERS, Pbx};
use crate::scene::Scene;
use crate::stats::{percentile, time};
use crate::{Result, interrupt};

pub(crate) const NAME: &str = "10,000 streams, restart";

const STREAMS: usize = 10_000;

/// The organizations, each with one user. Each user's streams need one hash.
const USERS: usize = 20;

const PASSWORD: &str = "bench-password";

/// The interval between two requests of the other client.
const REQUEST_INTERVAL: Duration = Duration::from_millis(20);

/// How long the other client continues when all streams are up to date.
const CALM: Duration = Duration::from_secs(1);

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The results of a restart.
pub(crate) struct StormResult {
    /// The time from the restarted bridge's first listening until all streams had a snapshot.
    up_to_date: Duration,
    /// The number of attempts to connect that failed after the restarted bridge listened.
    failed: usize,
    /// The bridge's CPU time until all streams had a snapshot.
    cpu: Duration,
    reads: Vec<Duration>,
    pauses: Vec<Duration>,
}

impl StormResult {
    pub(crate) fn markdown(&self) -> String {
        let p99 = |times: &[Duration]| time(percentile(&mut times.to_vec(), 99));
        format!(
            "\n| cell | up to date within | aim | attempts that failed | CPU | reads, p99 | \
             pauses, p99 | aim |\n|---|---|---|---|---|---|---|---|\n\
             | {NAME} | {} | ≤ 10 s | {} | {} | {} | {} | ≤ 100 ms |\n",
            time(self.up_to_date),
            self.failed,
            time(self.cpu),
            p99(&self.reads),
            p99(&self.pauses),
        )
    }
}

/// The state that the clients share with the benchmark.
#[derive(Default)]
struct Shared {
    /// The number of open streams that have received a snapshot.
    up_to_date: AtomicUsize,
    failed: AtomicUsize,
    has_ended: AtomicBool,
}

pub(crate) fn run(options: &Options) -> Result<StormResult> {
    let pbx = Pbx::start(options.asterisk, USERS)?;
    let config = configuration(&pbx)?;
    let program = Path::new(env!("CARGO_BIN_EXE_ami-bridge"));
    let bridge = Bridge::start_program(program, &config)?;
    bridge.wait_ready()?;
    let address = bridge.address;
    let config = config.replacen("127.0.0.1:0", &address.to_string(), 1);
    let shared = Arc::<Shared>::default();
    let clients = thread::spawn({
        let shared = Arc::clone(&shared);
        move || follow_all(address, &shared)
    });
    let measured = (|| {
        wait_until_up_to_date(&shared, STREAMS)?;
        drop(bridge);
        wait_until_up_to_date(&shared, 0)?;
        let bridge = Bridge::start_program(program, &config)?;
        shared.failed.store(0, Ordering::Relaxed);
        measure(&bridge, &shared)
    })();
    shared.has_ended.store(true, Ordering::Relaxed);
    clients.join().map_err(|_| "the clients have panicked")?;
    measured
}

/// Returns a configuration in which the passwords are stored as hashes.
fn configuration(pbx: &Pbx) -> Result<String> {
    let scene = Scene::Organizations {
        count: USERS,
        streams_each: STREAMS / USERS,
    };
    let hash = PasswordDigest::of(PASSWORD)
        .hash()
        .map_err(|error| error.to_string())?;
    let plain = format!("password = \"{PASSWORD}\"");
    Ok(scene
        .bridge_config(pbx.ami_port)
        .replace(&plain, &format!("password_hash = \"{hash}\"")))
}

/// Waits until this number of open streams have received a snapshot.
fn wait_until_up_to_date(shared: &Shared, streams: usize) -> Result<()> {
    let begin = Instant::now();
    while shared.up_to_date.load(Ordering::Relaxed) != streams {
        interrupt::check()?;
        if begin.elapsed() > TIME_LIMIT {
            let count = shared.up_to_date.load(Ordering::Relaxed);
            return Err(format!("{count} streams are up to date, not {streams}").into());
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Reads and pauses in turn until all streams have a snapshot.
fn measure(bridge: &Bridge, shared: &Shared) -> Result<StormResult> {
    let listening = Instant::now();
    bridge.wait_ready()?;
    let mut connection = Connection::open(bridge.address)?;
    let mut result = StormResult {
        up_to_date: Duration::ZERO,
        failed: 0,
        cpu: Duration::ZERO,
        reads: Vec::new(),
        pauses: Vec::new(),
    };
    let login = format!("username=u0&password={PASSWORD}&queue={FIRST_QUEUE}");
    let begin = Instant::now();
    for number in 0_u32.. {
        let due = begin + REQUEST_INTERVAL * number;
        sleep_until(due);
        interrupt::check()?;
        let is_read = number.is_multiple_of(2);
        let agent = 20_000 + number as usize % MEMBERS;
        let target = if is_read {
            format!("{PATH}?action=showqueue&{login}")
        } else {
            format!("{PATH}?action=pause&agent={agent}&reason=r{number}&{login}")
        };
        let response = connection.get(&target, "")?;
        if response.status != 200 {
            return Err(format!("status {}: {}", response.status, response.text()?).into());
        }
        let times = if is_read {
            &mut result.reads
        } else {
            &mut result.pauses
        };
        times.push(due.elapsed());
        let all = shared.up_to_date.load(Ordering::Relaxed) == STREAMS;
        if all && result.up_to_date.is_zero() {
            result.up_to_date = listening.elapsed();
            result.failed = shared.failed.load(Ordering::Relaxed);
            result.cpu = bridge.cpu()?;
        }
        if all && listening.elapsed() > result.up_to_date + CALM {
            return Ok(result);
        }
        if listening.elapsed() > TIME_LIMIT {
            return Err("not all streams were up to date within a minute".into());
        }
    }
    Ok(result)
}

/// Holds all streams open, and reconnects them, until the benchmark ends.
fn follow_all(address: SocketAddr, shared: &Arc<Shared>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let Ok(runtime) = builder.enable_all().build() else {
        return;
    };
    let tasks = LocalSet::new();
    for client in 0..STREAMS {
        tasks.spawn_local(follow(address, client, Arc::clone(shared)));
    }
    runtime.block_on(tasks.run_until(async {
        while !shared.has_ended.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }));
}

/// Reconnects as the pages do, or, for every second client, as the sample clients do.
async fn follow(address: SocketAddr, client: usize, shared: Arc<Shared>) {
    let mut attempt = 0;
    loop {
        if read_stream(address, client, &shared).await.is_ok() {
            attempt = 0;
        } else {
            shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        let delay = if client.is_multiple_of(2) {
            let longest = (500_u64 << attempt.min(10)).min(15_000);
            attempt += 1;
            Duration::from_millis(fastrand::u64(longest / 2..=longest))
        } else {
            Duration::from_secs(1)
        };
        tokio::time::sleep(delay).await;
    }
}

/// Reads a stream until it ends.
///
/// # Errors
/// Returns an error if the stream has shown no snapshot.
async fn read_stream(address: SocketAddr, client: usize, shared: &Shared) -> Result<()> {
    // Clients in an office share an address.
    let office = u8::try_from(client / 100)?;
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 1, office, 1), 0).into())?;
    let mut stream = socket.connect(address).await?;
    let user = client % USERS;
    let request =
        format!("GET /events?username=u{user}&password={PASSWORD} HTTP/1.1\r\nHost: bench\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = Vec::new();
    while memmem::find(&text, b"event: snapshot").is_none() {
        if stream.read_buf(&mut text).await? == 0 {
            return Err("no snapshot".into());
        }
    }
    shared.up_to_date.fetch_add(1, Ordering::Relaxed);
    loop {
        text.clear();
        if !matches!(stream.read_buf(&mut text).await, Ok(1..)) {
            shared.up_to_date.fetch_sub(1, Ordering::Relaxed);
            return Ok(());
        }
    }
}
