//! The text of the configuration that setup writes.

use std::fmt::Write as _;
use std::net::SocketAddr;

use zeroize::Zeroizing;

use super::proposal::Proposal;

/// The name of the secret file, in the configuration's folder. The systemd unit loads this file.
pub(super) const SECRET_FILE: &str = "pbx-main.secret";

/// The values of a configuration.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    /// The address of the API.
    pub(super) listen: SocketAddr,
    /// The address for operations; `None` for the default.
    pub(super) admin_listen: Option<SocketAddr>,
    /// Whether the packages' systemd unit reads the configuration. Its log goes to the journal.
    pub(super) is_for_unit: bool,
    /// `host:port` of the AMI.
    pub(super) pbx_address: String,
    /// The AMI user.
    pub(super) ami_username: String,
    /// The organizations, each with one user.
    pub(super) organizations: Vec<NewOrganization>,
}

/// An organization with its user.
#[derive(Debug, Clone)]
pub(super) struct NewOrganization {
    /// The NAME in `[organization.NAME]`.
    pub(super) name: String,
    /// The queues, agents and templates. `interface` is set.
    pub(super) proposal: Proposal,
    /// The name that the user logs in with.
    pub(super) username: String,
    /// The hash of the user's password.
    pub(super) password_hash: String,
    /// Whether the organization may share agents with others.
    pub(super) is_shared: bool,
}

/// Where the configuration has the AMI user's secret.
#[derive(Debug, Clone, Copy)]
pub(super) enum SecretSource<'a> {
    /// In [`SECRET_FILE`]: the form that is written.
    File,
    /// In the configuration itself: the form that is checked before anything is written.
    Inline(&'a str),
}

impl Configuration {
    /// Returns the configuration as TOML. It contains a secret if `secret` does.
    pub(super) fn to_toml(&self, secret: SecretSource<'_>) -> Zeroizing<String> {
        let mut text = String::from(
            "# Written by ami-bridge setup. All keys:\n\
             #   /usr/share/doc/ami-bridge/docs/CONFIGURATION.md\n",
        );
        if self.is_for_unit {
            text += "# Apply a change:\n\
                     #   cd /etc/ami-bridge && ami-bridge check && systemctl reload ami-bridge\n";
        }
        let _ = write!(text, "\n[http]\nlisten = \"{}\"\n", self.listen);
        if let Some(admin) = self.admin_listen {
            let _ = write!(text, "\n[admin]\nlisten = \"{admin}\"\n");
        }
        if self.is_for_unit {
            text += "\n[log]\nformat = \"journald\"\n";
        }
        text += "\n[state]\n# The ends of pauses, which must survive a restart.\n\
                 directory = \"/var/lib/ami-bridge\"\n";
        let _ = write!(
            text,
            "\n[pbx.main]\naddress = {}\nusername = {}\n",
            quoted(&self.pbx_address),
            quoted(&self.ami_username)
        );
        let _ = match secret {
            SecretSource::File => writeln!(text, "secret_file = \"{SECRET_FILE}\""),
            SecretSource::Inline(secret) => writeln!(text, "secret = {}", quoted(secret)),
        };
        for organization in &self.organizations {
            organization.append_to(&mut text);
        }
        Zeroizing::new(text)
    }
}

impl NewOrganization {
    fn append_to(&self, text: &mut String) {
        let Self { name, proposal, .. } = self;
        let _ = write!(
            text,
            "\n[organization.{name}]\nqueues = {}\nqueue_name = {}\nagents = {}\n",
            quoted_list(&proposal.queues),
            quoted(&proposal.queue_name),
            quoted_list(&proposal.agents),
        );
        let interface = proposal.interface.as_deref().unwrap_or_default();
        let _ = writeln!(text, "interface = {}", quoted(interface));
        if !proposal.state_interface.is_empty() {
            let _ = writeln!(
                text,
                "state_interface = {}",
                quoted(&proposal.state_interface)
            );
        }
        if self.is_shared {
            text.push_str("shared = true\n");
        }
        let _ = write!(
            text,
            "\n[[organization.{name}.user]]\nusername = {}\npassword_hash = {}\n",
            quoted(&self.username),
            quoted(&self.password_hash)
        );
    }
}

/// Returns a TOML array. A long array has one line for several items.
fn quoted_list(items: &[String]) -> String {
    /// Maximum length of a line in bytes, including its indentation.
    const MAX_LINE: usize = 78;
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    let line = items.join(", ");
    if line.len() + "queues = []".len() <= MAX_LINE {
        return format!("[{line}]");
    }
    let mut lines = vec![String::from("   ")];
    for item in items {
        let last = lines.last().map_or(0, String::len);
        if last + item.len() + 2 > MAX_LINE {
            lines.push(String::from("   "));
        }
        if let Some(line) = lines.last_mut() {
            let _ = write!(line, " {item},");
        }
    }
    format!("[\n{}\n]", lines.join("\n"))
}

/// Returns a TOML string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_survives_a_toml_parser() {
        for text in ["plain", "a\"b\\c", "\u{7f}\n\t", "Büro", "'x'"] {
            let parsed: toml::Table = format!("key = {}", quoted(text)).parse().expect("TOML");
            assert_eq!(parsed["key"].as_str(), Some(text));
        }
    }

    #[test]
    fn quoted_list_wraps_long_lists() {
        let items: Vec<String> = (6000..6200).map(|n: u32| n.to_string()).collect();
        let text = format!("queues = {}\n", quoted_list(&items));
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        let parsed: toml::Table = text.parse().expect("TOML");
        assert_eq!(parsed["queues"].as_array().map(Vec::len), Some(200));
    }
}
