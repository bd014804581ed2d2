//! Bridge configurations as TOML.

/// A user's credentials, percent-encoded for a query string.
#[derive(Debug, Clone, Copy)]
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
