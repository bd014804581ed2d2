//! The generated files. A test compares them with the files in `packaging/`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ami_bridge::cli::Cli;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

const NAME: &str = "ami-bridge";

/// The folder of the generated files.
pub(crate) fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

/// Returns the path of each file below `packaging/`, and its contents.
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

/// Fixes a bug of clap_complete 4.6, which replaces the hyphen in the program's name
/// differently in the names of commands and of their options. Without the fix, bash
/// completes no options.
fn bash_completion() -> Vec<u8> {
    let text = String::from_utf8(completion(Shell::Bash)).expect("text");
    text.replace("ami__subcmd__bridge", "ami__bridge").into()
}

/// Returns one manual page for all commands, because a page for each would have one line.
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
        let own = command
            .get_arguments()
            .filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
        for argument in own {
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

/// The sections after the commands: the title and the entries of each.
const SECTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "SIGNALS",
        &[
            (
                "SIGHUP",
                "Reloads the configuration, or keeps the old one if the new one has a mistake.",
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
            ("1", "The command failed, or check has found a problem."),
            ("2", "The command line or the configuration is wrong."),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            ("AMI_BRIDGE_CONFIG", "The path of the configuration file."),
            (
                "AMI_BRIDGE__*",
                "Overrides a key of the configuration; __ separates its parts.",
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
                "The secret of the AMI user, which systemd passes to the bridge.",
            ),
        ],
    ),
];
