//! The generated files. A test compares them with the files in `packaging/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ami_bridge::cli::Cli;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

const NAME: &str = "ami-bridge";

/// Returns the folder for the generated files.
pub(crate) fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

/// Returns each file's path below `packaging/`, and the file's contents.
pub(crate) fn texts() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("completions/ami-bridge.bash", bash_completion()),
        ("completions/_ami-bridge", completion(Shell::Zsh)),
        ("completions/ami-bridge.fish", completion(Shell::Fish)),
        ("man/ami-bridge.8", manual()),
    ]
}

fn completion(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut text);
    text
}

/// Works around a bug in clap_complete 4.6: it replaces the hyphen in the program's name
/// differently in command names and in option names. Without the workaround, bash
/// completes no options.
fn bash_completion() -> Vec<u8> {
    let text = String::from_utf8(completion(Shell::Bash)).expect("text");
    text.replace("ami__subcmd__bridge", "ami__bridge").into()
}

/// Returns a single manual page for all commands, because a separate page for each
/// command would have only one line.
fn manual() -> Vec<u8> {
    let mut command = Cli::command();
    command.build();
    let man = Man::new(command.clone()).section("8").manual("ami-bridge");
    let mut page = Vec::new();
    let written = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page))
        .and_then(|()| commands(&command).to_writer(&mut page))
        .and_then(|()| sections().to_writer(&mut page));
    written.expect("writing to memory succeeds");
    page
}

fn commands(command: &clap::Command) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["COMMANDS"]);
    let mut help = String::new();
    for command in command.get_subcommands() {
        help.clear();
        let about = command.get_about().map(ToString::to_string);
        let _ = write!(help, "{}.", about.unwrap_or_default());
        page.control("TP", []);
        page.text([bold(command.get_name())]);
        page.text([roman(help.as_str())]);
        let arguments = command
            .get_arguments()
            .filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
        for argument in arguments {
            let usage = format!("--{}", argument.get_long().unwrap_or_default());
            let about = argument.get_help().map(ToString::to_string);
            page.control("RS", []);
            page.control("TP", []);
            page.text([bold(usage)]);
            page.text([roman(format!("{}.", about.unwrap_or_default()))]);
            page.control("RE", []);
        }
    }
    page
}

fn sections() -> Roff {
    let mut page = Roff::new();
    for (section, entries) in SECTIONS {
        page.control("SH", [*section]);
        for (name, text) in *entries {
            page.control("TP", []);
            page.text([bold(*name)]);
            page.text([roman(*text)]);
        }
    }
    page
}

/// The titles and entries of the sections that follow the commands.
const SECTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "SIGNALS",
        &[
            (
                "SIGHUP",
                "Reloads the configuration. Keeps the old configuration if the new one has a mistake.",
            ),
            (
                "SIGTERM, SIGINT",
                "Completes the running requests, logs off from Asterisk and exits.",
            ),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            ("0", "Success."),
            ("1", "The command failed, or check found a problem."),
            ("2", "The command line or the configuration is wrong."),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            ("AMI_BRIDGE_CONFIG", "The path of the configuration file."),
            (
                "AMI_BRIDGE__*",
                "Overrides a configuration key; __ separates the key's parts.",
            ),
            (
                "CREDENTIALS_DIRECTORY",
                "The folder that a relative secret_file refers to. systemd sets it (LoadCredential=).",
            ),
        ],
    ),
    (
        "FILES",
        &[
            ("/etc/ami-bridge/ami-bridge.toml", "The configuration."),
            (
                "/etc/ami-bridge/pbx-main.secret",
                "The AMI user's secret, which systemd passes to the bridge.",
            ),
        ],
    ),
];
