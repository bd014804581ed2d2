//! The texts, each with its path below `packaging/`. A test compares them with the
//! files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ami_bridge::cli::Cli;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

const NAME: &str = "ami-bridge";

/// Where the files are.
pub(crate) fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

/// All of them.
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

/// clap_complete 4.6 writes the hyphen of the program's name in one way where a command
/// is found, and in another where its options are: none would be completed.
fn bash_completion() -> Vec<u8> {
    let text = String::from_utf8(completion(Shell::Bash)).expect("text");
    text.replace("ami__subcmd__bridge", "ami__bridge").into()
}

/// One page with every command: pages of their own would hold a line each.
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
        .and_then(|()| remarks().to_writer(&mut page));
    written.expect("memory takes everything");
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

fn remarks() -> Roff {
    let mut page = Roff::new();
    for (section, entries) in REMARKS {
        page.control("SH", [*section]);
        for (name, text) in *entries {
            page.control("TP", []);
            page.text([bold(*name)]);
            page.text([roman(*text)]);
        }
    }
    page
}

const REMARKS: &[(&str, &[(&str, &str)])] = &[
    (
        "SIGNALS",
        &[
            (
                "SIGHUP",
                "Reads the configuration again, as a whole or not at all.",
            ),
            (
                "SIGTERM, SIGINT",
                "Finishes what is running, logs off and ends.",
            ),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            ("0", "Success."),
            (
                "1",
                "It could not be done; check has found something missing.",
            ),
            ("2", "The command line or the configuration is wrong."),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            ("AMI_BRIDGE_CONFIG", "The configuration file."),
            (
                "AMI_BRIDGE__*",
                "A key of the configuration, with __ between its parts.",
            ),
            (
                "CREDENTIALS_DIRECTORY",
                "The folder of a relative secret_file; systemd sets it (LoadCredential=).",
            ),
        ],
    ),
    (
        "FILES",
        &[
            ("/etc/ami-bridge/ami-bridge.toml", "The configuration."),
            (
                "/etc/ami-bridge/pbx-main.secret",
                "The secret of the AMI user, for systemd.",
            ),
        ],
    ),
];
