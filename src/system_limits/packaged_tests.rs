//! The packaged limits and docs/SCALING.md match the code.

use std::path::Path;

use super::{Demand, SystemLimits, descriptors, shortages};
use crate::config;
use crate::http::CONNECTION_WARNING_PERCENT;

/// The panels in the table of docs/SCALING.md.
const PANELS: [u64; 4] = [1000, 3000, 10_000, 30_000];

/// Memory of an event stream in the bridge, as measured.
const KILOBYTES_PER_STREAM: u64 = 11;

/// Linux's default `net.core.somaxconn` and number of local ports.
const DEFAULT_BACKLOG: u64 = 4096;
const DEFAULT_PORTS: u64 = 60_999 - 32_768 + 1;

fn project_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).expect(name)
}

/// Returns the number after each `prefix`.
fn numbers_after(text: &str, prefix: &str) -> Vec<u64> {
    let digits = |rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().ok()
    };
    text.split(prefix).skip(1).filter_map(digits).collect()
}

fn default_demand() -> Demand {
    let text = format!(
        "[pbx.main]\nusername = \"bridge\"\nsecret = \"secret\"\n\
         [organization.acme]\nqueues = [\"*\"]\nagents = [\"1001\"]\n\
         [[organization.acme.token]]\nname = \"crm\"\ntoken_hash = \"sha256:{:064}\"\n",
        0
    );
    Demand::of(&config::load_text("default", &text).expect("a valid configuration"))
}

/// Returns the lowest `http.max_connections` at which so many event streams cause no warning.
fn connections_for(panels: u64) -> u64 {
    let percent = CONNECTION_WARNING_PERCENT as u64;
    default_demand()
        .max_connections
        .max((panels * 100).div_ceil(percent))
}

/// Formats a number with thousands separators.
fn grouped(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

#[test]
fn packaged_descriptor_limits_suffice_for_the_default_and_for_the_documented_panels() {
    let files = [
        ("packaging/systemd/ami-bridge.service", "\nLimitNOFILE="),
        ("packaging/compose.yaml", "nofile: "),
        ("docs/INSTALL.md", "--ulimit nofile="),
        ("Dockerfile", "--ulimit nofile="),
    ];
    let default = default_demand();
    for (file, prefix) in files {
        let limits = numbers_after(&project_file(file), prefix);
        assert_eq!(limits.len(), 1, "{file}");
        for max_connections in PANELS.map(connections_for) {
            let system = SystemLimits {
                open_files: Some(limits[0]),
                backlog: None,
                local_ports: None,
                tracked_connections: None,
            };
            let demand = Demand {
                max_connections,
                ..default
            };
            assert_eq!(shortages(&system, &demand), [], "{file}");
        }
    }
}

#[test]
fn packaged_unit_does_not_hide_the_limits_in_proc_sys() {
    let unit = project_file("packaging/systemd/ami-bridge.service");
    assert!(!unit.lines().any(|line| line.starts_with("ProcSubset=")));
}

#[test]
fn defaults_of_linux_suffice_for_the_default_configuration() {
    let system = SystemLimits {
        open_files: None,
        backlog: Some(DEFAULT_BACKLOG),
        local_ports: Some(DEFAULT_PORTS),
        tracked_connections: None,
    };
    assert_eq!(shortages(&system, &default_demand()), []);
}

#[test]
fn scaling_table_has_the_needs_of_each_number_of_panels() {
    let document = project_file("docs/SCALING.md");
    for panels in PANELS {
        let connections = connections_for(panels);
        let cells = [
            panels,
            connections,
            descriptors::needed(connections, 1),
            2 * connections,
        ];
        let row = format!(
            "| {} | {} MB |",
            cells.map(grouped).join(" | "),
            panels * KILOBYTES_PER_STREAM / 1000
        );
        assert!(
            document.contains(&row),
            "docs/SCALING.md lacks the row {row}"
        );
    }
}

#[test]
fn documented_sysctl_lines_suffice_for_the_documented_panels() {
    let document = project_file("docs/SCALING.md");
    let most = connections_for(PANELS[PANELS.len() - 1]);
    for (key, needed) in [
        ("net.core.somaxconn = ", most),
        ("net.netfilter.nf_conntrack_max = ", 2 * most),
        ("worker_connections ", 2 * most),
        ("worker_rlimit_nofile ", 2 * most),
        ("backlog=", most),
    ] {
        let values = numbers_after(&document, key);
        assert!(values.len() == 1 && values[0] >= needed, "{key}{values:?}");
    }
    let first = numbers_after(&document, "net.ipv4.ip_local_port_range = ");
    assert!(first.len() == 1 && 65_536 - first[0] >= most, "{first:?}");
    assert!(document.contains(&format!("{} 65535\n", first[0])));
}
