//! The program `ami-bridge`: parses the command line, runs the command, and returns the exit
//! status.

#![warn(clippy::too_many_lines)]

use std::error::Error;
use std::io::{IsTerminal, Read, Write, stderr, stdin, stdout};
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use ami_bridge::ami::value::is_trimmed_line;
use ami_bridge::cli::{Cli, Command, SetupArguments};
use ami_bridge::config::{ConfigError, Settings};
use ami_bridge::daemon::ReloadSource;
use ami_bridge::demo::Demo;
use ami_bridge::distribution::ASTERISK_FOLDER;
use ami_bridge::organizations::PasswordDigest;
use ami_bridge::storage::Storage;
use ami_bridge::telemetry::LogFlow;
use ami_bridge::terminal::fitted;
use ami_bridge::{check, config, create_token, daemon, setup, telemetry};
use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Exit status for a wrong command line or configuration.
const USAGE_ERROR: u8 = 2;

/// How long to wait at exit for tasks that can't be canceled, such as name lookups.
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait for standard error to accept an error message.
const ERROR_OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Run) {
        Command::Run => run_command(cli.config),
        Command::Check { json, probe } => check_command(cli.config, json, probe),
        Command::Setup(arguments) => setup_command(*arguments, cli.config.as_deref()),
        Command::CreateToken => create_token_command(),
        Command::HashPassword => hash_password_command(),
        Command::Demo { listen, seed } => demo_command(listen, seed),
    }
}

fn run_command(config: Option<PathBuf>) -> ExitCode {
    let (settings, path) = match load(config) {
        Ok(loaded) => loaded,
        Err(error) => return fail(&error, USAGE_ERROR),
    };
    let result = runtime().and_then(|runtime| {
        let telemetry = telemetry::start(&settings.log)?;
        let reload_source = ReloadSource {
            path,
            signal: Arc::default(),
            log_level: telemetry.level.clone(),
        };
        let flow = telemetry.flow.clone();
        let daemon = run_until_signal(settings, None, Some(reload_source), flow);
        let result = runtime.block_on(daemon);
        runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
        result
    });
    exit_code(result)
}

fn check_command(config: Option<PathBuf>, json: bool, probe: bool) -> ExitCode {
    let settings = match load(config) {
        Ok((settings, _)) => settings,
        Err(error) => {
            if json {
                print(&check::Report::for_unusable_configuration(&error).json());
            }
            return fail(&error, USAGE_ERROR);
        }
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, 1),
    };
    let report = runtime.block_on(check::check(settings, probe, Path::new(ASTERISK_FOLDER)));
    print(&if json {
        report.json()
    } else {
        fitted(&report.to_string(), &stdout())
    });
    ExitCode::from(u8::from(!report.ok))
}

fn setup_command(arguments: SetupArguments, config: Option<&Path>) -> ExitCode {
    if config.is_some() {
        let message = "setup has no --config: choose the folder with --directory";
        return fail(&message, USAGE_ERROR);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, 1),
    };
    match runtime.block_on(setup::run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, error.status()),
    }
}

fn create_token_command() -> ExitCode {
    match create_token::create() {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error, 1),
    }
}

fn hash_password_command() -> ExitCode {
    let password = if stdin().is_terminal() {
        prompt_password_twice()
    } else {
        let mut text = String::new();
        stdin().read_to_string(&mut text).map(|_| text)
    };
    let password = match password {
        Ok(password) => Zeroizing::new(password),
        Err(error) => return fail(&error, 1),
    };
    // PowerShell writes a byte-order mark before piped text.
    let password = password.trim_start_matches('\u{feff}');
    let password = password.trim_end_matches(['\r', '\n']);
    if !is_trimmed_line(password) {
        let message =
            "the password must be one nonempty line without leading or trailing white space";
        return fail(&message, USAGE_ERROR);
    }
    match PasswordDigest::of(password).hash() {
        Ok(hash) => {
            print(&format!("{hash}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error, 1),
    }
}

fn demo_command(listen: SocketAddr, seed: u64) -> ExitCode {
    exit_code(runtime().and_then(|runtime| runtime.block_on(run_demo(listen, seed))))
}

/// Runs the daemon with a simulated PBX, in this process.
async fn run_demo(listen: SocketAddr, seed: u64) -> Result<(), Box<dyn Error>> {
    let demo = Demo::start(listen, seed).await?;
    let telemetry = telemetry::start(&demo.settings.log)?;
    print(&demo.welcome);
    let storage = Some(demo.storage);
    run_until_signal(demo.settings, storage, None, telemetry.flow.clone()).await
}

/// Runs the daemon until SIGTERM or SIGINT. If there is a `reload_source`, SIGHUP reloads the
/// configuration. A `storage` replaces the configured one.
async fn run_until_signal(
    settings: Settings,
    storage: Option<Storage>,
    reload_source: Option<ReloadSource>,
    log: LogFlow,
) -> Result<(), Box<dyn Error>> {
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let reload = reload_source.as_ref();
    let reload = reload.map_or_else(Arc::default, |source| Arc::clone(&source.signal));
    notify_on_hangup(reload)?;
    Ok(daemon::run(settings, storage, stop, reload_source, log).await?)
}

fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
        stop.cancel();
    });
    Ok(())
}

fn notify_on_hangup(reload: Arc<Notify>) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload.notify_one();
        }
    });
    Ok(())
}

/// Finds and loads the configuration file. Returns its settings and path.
fn load(path: Option<PathBuf>) -> Result<(Settings, PathBuf), ConfigError> {
    let path = config::find(path)?;
    Ok((config::load(&path)?, path))
}

/// Starts the runtime, with one thread fewer than there are CPUs. The remaining CPU is left to
/// Asterisk, which does most of the work: one more thread would cost more in wake-ups than it
/// gains.
fn runtime() -> Result<Runtime, Box<dyn Error>> {
    let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads((cpus - 1).max(1)).enable_all();
    Ok(builder.build()?)
}

/// Prompts twice. The terminal does not show the password, so the user would otherwise notice
/// a typo only at the first login.
fn prompt_password_twice() -> std::io::Result<String> {
    let first = Zeroizing::new(rpassword::prompt_password("Password: ")?);
    let second = rpassword::prompt_password("Again: ")?;
    if *first != second {
        return Err(std::io::Error::other("the two passwords differ"));
    }
    Ok(second)
}

fn print(text: &str) {
    // Ignores errors: the reader of a pipe may close it early.
    let _ = stdout().write_all(text.as_bytes());
}

fn exit_code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

/// Writes the error to standard error, and returns the exit status. Writes in a separate
/// thread: if the reader of standard error hangs, the program must still exit.
fn fail(error: &impl std::fmt::Display, status: u8) -> ExitCode {
    let text = fitted(&format!("ami-bridge: {error}\n"), &stderr());
    let (written, end) = channel();
    std::thread::spawn(move || {
        let _ = stderr().write_all(text.as_bytes());
        let _ = written.send(());
    });
    let _ = end.recv_timeout(ERROR_OUTPUT_TIMEOUT);
    ExitCode::from(status)
}
