//! Reads the operating system's limits.

use std::fs::read_to_string;
use std::process::{Command, Stdio};

use rlimit::Resource;
use tracing::warn;

/// The unit of the packages.
const UNIT: &str = "ami-bridge.service";

/// The operating system's limits. A limit that is `None` is unknown or does not exist, and causes
/// no warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SystemLimits {
    /// Maximum number of the daemon's open file descriptors.
    pub(crate) open_files: Option<u64>,
    /// `net.core.somaxconn`: maximum number of connections that wait until they are accepted.
    pub(crate) backlog: Option<u64>,
    /// Number of ports in `net.ipv4.ip_local_port_range`. A client needs one for each connection
    /// to the same address.
    pub(crate) local_ports: Option<u64>,
    /// `net.netfilter.nf_conntrack_max`: maximum number of connections that the firewall tracks.
    /// `None` if no firewall tracks connections.
    pub(crate) tracked_connections: Option<u64>,
}

impl SystemLimits {
    /// Returns the limits of this process. Raises its soft limit on file descriptors to the hard
    /// limit.
    pub(crate) fn of_this_process() -> Self {
        let open_files = rlimit::increase_nofile_limit(u64::MAX).or_else(|error| {
            warn!(%error, "can't raise the limit on file descriptors");
            Resource::NOFILE.get_soft()
        });
        Self::with_open_files(open_files.ok())
    }

    /// Returns the limits of the daemon that will run on this machine. If systemd has the
    /// packages' unit, its `LimitNOFILE=` applies, and otherwise the hard limit of this process.
    pub(crate) fn of_daemon() -> Self {
        let open_files = unit_open_files().or_else(|| Resource::NOFILE.get_hard().ok());
        Self::with_open_files(open_files)
    }

    fn with_open_files(open_files: Option<u64>) -> Self {
        let read = |name: &str| read_to_string(format!("/proc/sys/net/{name}")).ok();
        let read_number = |name| read(name)?.trim().parse().ok();
        Self {
            open_files,
            backlog: read_number("core/somaxconn"),
            local_ports: read("ipv4/ip_local_port_range").and_then(|text| port_count(&text)),
            tracked_connections: read_number("netfilter/nf_conntrack_max"),
        }
    }
}

/// Returns the number of ports in a range such as `32768 60999`.
fn port_count(range: &str) -> Option<u64> {
    let mut ports = range.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ports.next()?.ok()?, ports.next()?.ok()?);
    (last + 1).checked_sub(first)
}

/// Returns the `LimitNOFILE=` of the packages' unit, or `None` if systemd does not run or does not
/// have the unit.
fn unit_open_files() -> Option<u64> {
    let output = Command::new("systemctl")
        .args(["show", "--property=LoadState,LimitNOFILE", UNIT])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    loaded_unit_open_files(&String::from_utf8_lossy(&output.stdout))
}

/// Parses the output of `systemctl show`. systemd reports its default limit for a unit that does
/// not exist.
fn loaded_unit_open_files(properties: &str) -> Option<u64> {
    let property = |name| {
        let mut lines = properties.lines();
        lines.find_map(|line| line.split_once('=').filter(|(key, _)| *key == name))
    };
    property("LoadState").filter(|(_, state)| *state == "loaded")?;
    match property("LimitNOFILE")?.1 {
        "infinity" => Some(u64::MAX),
        limit => limit.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_range_includes_both_ends() {
        assert_eq!(port_count("32768\t60999\n"), Some(28_232));
        assert_eq!(port_count("5 5"), Some(1));
        assert_eq!(port_count("5 3"), None);
        assert_eq!(port_count("32768"), None);
    }

    #[test]
    fn unit_limit_is_that_of_a_loaded_unit() {
        for (properties, expected) in [
            ("LimitNOFILE=8192\nLoadState=loaded\n", Some(8192)),
            ("LoadState=loaded\nLimitNOFILE=infinity\n", Some(u64::MAX)),
            ("LimitNOFILE=524288\nLoadState=not-found\n", None),
            ("LoadState=loaded\n", None),
            ("", None),
        ] {
            assert_eq!(loaded_unit_open_files(properties), expected, "{properties}");
        }
    }
}
