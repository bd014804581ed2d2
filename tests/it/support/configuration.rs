//! Bridge configurations as TOML.

use std::fmt::Write as _;
use std::path::Path;

/// A user's credentials, percent-encoded for a query string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
}

/// The user of the sample organization acme.
pub(crate) const ACME: User = User {
    username: "acme%40example.com",
    password: "acme-password",
};

/// The user of the sample organization globex.
pub(crate) const GLOBEX: User = User {
    username: "globex",
    password: "globex-password",
};

/// Returns a configuration with the two sample organizations.
pub(crate) fn configuration(ami_port: u16) -> String {
    let organizations = [
        organization("acme", r#""6001", "6002""#, "acme-{queue}", ACME),
        organization("globex", r#""*""#, "globex-{queue}", GLOBEX),
    ];
    configuration_with(ami_port, &organizations)
}

/// Returns a configuration with organizations from [`organization`].
pub(crate) fn configuration_with(ami_port: u16, organizations: &[String]) -> String {
    let pbx = format!(
        r#"
[http]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[log]
level = "info,ami_bridge=trace"

[pbx.main]
address = "127.0.0.1:{ami_port}"
username = "queuebridge"
secret = "sample-secret-change-me"
action_timeout = "3s"
"#
    );
    pbx + &organizations.concat()
}

/// Returns the configuration sections of an organization with one user and agents 1001 to
/// 1099. `queues` is the content of a TOML array.
pub(crate) fn organization(name: &str, queues: &str, queue_name: &str, user: User) -> String {
    let username = user.username.replace("%40", "@");
    let password = user.password;
    format!(
        r#"
[organization.{name}]
queues = [{queues}]
queue_name = "{queue_name}"
agents = ["1001-1099"]
interface = "Local/{{agent}}@{name}-agents"

[[organization.{name}.user]]
username = "{username}"
password = "{password}"
"#
    )
}

/// A reason in an organization's catalog.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reason {
    pub(crate) name: &'static str,
    /// The limit as a duration in TOML, such as `45m`.
    pub(crate) limit: Option<&'static str>,
    /// Whether the bridge ends pauses with this reason at the limit.
    pub(crate) ends: bool,
}

/// Adds reasons to the catalog of the organization acme.
pub(crate) fn with_reasons(configuration: &str, reasons: &[Reason]) -> String {
    let mut text = configuration.to_owned();
    for Reason { name, limit, ends } in reasons {
        let limit = limit.map_or(String::new(), |limit| format!("limit = \"{limit}\"\n"));
        let _ = write!(
            text,
            "\n[[organization.acme.reason]]\nname = \"{name}\"\n{limit}ends = {ends}\n"
        );
    }
    text
}

/// Adds keys, such as `wrapup = "15s"`, to the section of the organization acme.
pub(crate) fn with_acme_keys(configuration: &str, keys: &str) -> String {
    let section = "[organization.acme]\n";
    configuration.replacen(section, &format!("{section}{keys}\n"), 1)
}

/// Makes the bridge store the ends of pauses in a folder.
pub(crate) fn with_state_directory(configuration: &str, directory: &Path) -> String {
    let directory = directory.display();
    format!("{configuration}\n[state]\ndirectory = \"{directory}\"\n")
}
