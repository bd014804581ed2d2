//! The packaged dashboard and alerts use only existing metrics.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Bridge, configuration, http_tls_section, on_every_pbx, request, start};

on_every_pbx!(dashboard_and_alerts_use_every_metric_and_no_unknown_one);

fn packaged(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name);
    std::fs::read_to_string(file).expect(name)
}

/// Returns the names of the bridge's metrics in `text`.
fn metric_names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_name(c));
    let names = words.filter(|word| word.starts_with("ami_bridge_"));
    names.map(str::to_owned).collect()
}

/// Returns the names of all samples in a scrape, without comments.
fn scraped_names(bridge: &Bridge) -> BTreeSet<String> {
    let text = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split(['{', ' ']).next());
    names.map(str::to_owned).collect()
}

fn dashboard_and_alerts_use_every_metric_and_no_unknown_one(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut scraped = scraped_names(&bridge);
    // Some metrics exist only with TLS, or with a token that expires.
    let folder = tempfile::tempdir().expect("a folder");
    let tls = http_tls_section(folder.path(), |_| ());
    let token = format!(
        "[[organization.acme.token]]\nname = \"crm\"\ntoken_hash = \"sha256:{:064}\"\n\
         expires = \"2027-06-30T00:00:00Z\"\n",
        0
    );
    let configuration = configuration(asterisk.port).replace("[http]", &tls) + &token;
    scraped.extend(scraped_names(&Bridge::start(&configuration)));
    let mut used = BTreeSet::new();
    for file in ["grafana/ami-bridge.json", "prometheus/alerts.yml"] {
        let names = metric_names(&packaged(file));
        assert!(names.len() > 5, "{file}: {names:?}");
        let missing: Vec<_> = names.difference(&scraped).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}");
        used.extend(names);
    }
    // Every metric must be used by the dashboard or an alert.
    let unused = scraped.difference(&used).filter(|name| {
        let is_count_or_sum = ["_count", "_sum"].iter().any(|end| name.ends_with(end));
        !is_count_or_sum && !name.ends_with("_created")
    });
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_dashboard_panel_has_an_id_and_a_query() {
    let dashboard: Value =
        serde_json::from_str(&packaged("grafana/ami-bridge.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "two panels have the same id");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            assert!(
                !metric_names(target["expr"].as_str().expect("a string")).is_empty(),
                "{target}"
            );
        }
    }
}

#[test]
fn promtool_accepts_the_alerts_and_their_tests_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/prometheus");
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ] {
        let output = Command::new("promtool")
            .args(arguments)
            .current_dir(&folder)
            .output()
            .expect("promtool, from Debian's prometheus package");
        assert!(output.status.success(), "{output:?}");
    }
}

/// Checks every dashboard query, with values in place of Grafana's variables.
#[test]
fn promtool_accepts_the_dashboard_queries() {
    let dashboard: Value =
        serde_json::from_str(&packaged("grafana/ami-bridge.json")).expect("JSON");
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    for (number, target) in targets.enumerate() {
        let query = target["expr"].as_str().expect("a string");
        let query = query.replace("$__rate_interval", "5m");
        let query = serde_json::to_string(&query).expect("a string");
        rules += &format!("      - record: dashboard:query:{number}\n        expr: {query}\n");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), rules).expect("a writable file");
    let output = Command::new("promtool")
        .args(["check", "rules"])
        .arg(file.path())
        .output()
        .expect("promtool, from Debian's prometheus package");
    assert!(output.status.success(), "{output:?}");
}
