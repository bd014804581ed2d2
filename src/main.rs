//! The daemon `ami-bridge`: arguments, configuration, telemetry, app, exit code.

use std::io::{IsTerminal, Read, Write, stderr, stdin, stdout};
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use ami_bridge::ami::value::is_trimmed_line;
use ami_bridge::cli::{Cli, Command};
use ami_bridge::daemon::reload::Source;
use ami_bridge::demo::Demo;
use ami_bridge::organizations::PasswordDigest;
use ami_bridge::telemetry::{Level, LogFlow};
use ami_bridge::{check, config, daemon, telemetry};
use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// The exit status for a wrong command line or configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Run);
    if matches!(command, Command::HashPassword) {
        return hash_password();
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, 1),
    };
    if let Command::Demo { listen, seed } = command {
        return match runtime.block_on(run_demo(listen, seed)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 1),
        };
    }
    let found = config::find(cli.config).and_then(|path| Ok((config::load(&path)?, path)));
    let (settings, path) = match found {
        Ok(found) => found,
        Err(error) => {
            if matches!(command, Command::Check { json: true, .. }) {
                print(&check::Report::of_mistakes(&error).json());
            }
            return fail(&error, USAGE);
        }
    };
    if let Command::Check { json, probe } = command {
        let report = runtime.block_on(check::check(settings, probe));
        print(&if json {
            report.json()
        } else {
            report.to_string()
        });
        return ExitCode::from(u8::from(!report.ok));
    }
    let telemetry = match telemetry::start(&settings.log) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(&error, 1),
    };
    let (level, flow) = (telemetry.level.clone(), telemetry.flow.clone());
    let ended = runtime.block_on(run(settings, Some((path, level)), flow));
    // A name that is being looked up can't be called back.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(telemetry);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

/// All processors but one, which is Asterisk's: it does most of the work, and
/// threads that wake each other cost more than they bring.
fn runtime() -> std::io::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread()
        .worker_threads((processors - 1).max(1))
        .enable_all()
        .build()
}

/// The daemon, until a signal ends it. SIGHUP reads the file again, where there is
/// one.
async fn run(
    settings: config::Settings,
    file: Option<(PathBuf, Level)>,
    flow: LogFlow,
) -> Result<(), Box<dyn std::error::Error>> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let on_signal = stop.clone();
    let reload = Arc::new(Notify::new());
    let on_hangup = Arc::clone(&reload);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            on_hangup.notify_one();
        }
    });
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
        on_signal.cancel();
    });
    let source = file.map(|(path, level)| Source {
        path,
        signal: reload,
        level,
    });
    Ok(daemon::run(settings, stop, source, flow).await?)
}

/// Runs the daemon on a simulated PBX, in one process.
async fn run_demo(listen: SocketAddr, seed: u64) -> Result<(), Box<dyn std::error::Error>> {
    let demo = Demo::start(listen, seed).await?;
    let telemetry = telemetry::start(&demo.settings.log)?;
    print(&demo.welcome);
    run(demo.settings, None, telemetry.flow.clone()).await
}

fn hash_password() -> ExitCode {
    let password = if stdin().is_terminal() {
        ask_twice()
    } else {
        let mut text = String::new();
        stdin().read_to_string(&mut text).map(|_| text)
    };
    let password = match password {
        Ok(password) => Zeroizing::new(password),
        Err(error) => return fail(&error, 1),
    };
    // PowerShell puts a byte-order mark before what it pipes.
    let password = password.trim_start_matches('\u{feff}');
    let password = password.trim_end_matches(['\r', '\n']);
    if !is_trimmed_line(password) {
        let message = "a password is one line, not empty, without white space at its ends";
        return fail(&message, USAGE);
    }
    match PasswordDigest::of(password).hash() {
        Ok(hash) => {
            print(&format!("{hash}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error, 1),
    }
}

/// Without echo a slip of the finger would show at the first login only.
fn ask_twice() -> std::io::Result<String> {
    let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
    let second = rpassword::prompt_password("Again: ")?;
    if *first != second {
        return Err(std::io::Error::other("the two passwords differ"));
    }
    Ok(second)
}

fn print(text: &str) {
    // A closed pipe is the reader's wish.
    let _ = stdout().write_all(text.as_bytes());
}

/// Says on standard error why it ends. Whoever reads that may hang, which must not keep
/// the program from ending.
fn fail(error: &impl std::fmt::Display, status: u8) -> ExitCode {
    let text = format!("ami-bridge: {error}\n");
    let (written, end) = channel();
    std::thread::spawn(move || {
        let _ = stderr().write_all(text.as_bytes());
        let _ = written.send(());
    });
    let _ = end.recv_timeout(Duration::from_secs(1));
    ExitCode::from(status)
}
