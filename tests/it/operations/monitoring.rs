//! The dashboard and the alerts tell of metrics that there are.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Bridge, configuration, http_tls_section, on_every_pbx, request, start};

on_every_pbx!(every_metric_of_dashboard_and_alerts_is_there);

fn packaged(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("packaging")
        .join(name);
    std::fs::read_to_string(file).expect(name)
}

/// Names of metrics in a text, as a query writes them.
fn named(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_name(c));
    let ours = words.filter(|word| word.starts_with("ami_bridge_"));
    ours.map(str::to_owned).collect()
}

/// Names of samples that a scrape has; those of comments do not count.
fn scraped_from(bridge: &Bridge) -> BTreeSet<String> {
    let text = request(bridge.admin, "GET", "/metrics", &[], b"").body;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split(['{', ' ']).next());
    names.map(str::to_owned).collect()
}

fn every_metric_of_dashboard_and_alerts_is_there(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut scraped = scraped_from(&bridge);
    // Some there are only with TLS.
    let folder = tempfile::tempdir().expect("a folder");
    let tls = http_tls_section(folder.path(), |_| ());
    let with_tls = Bridge::start(&configuration(asterisk.port).replace("[http]", &tls));
    scraped.extend(scraped_from(&with_tls));
    let mut told = BTreeSet::new();
    for file in ["grafana/ami-bridge.json", "prometheus/alerts.yml"] {
        let named = named(&packaged(file));
        assert!(named.len() > 5, "{file}: {named:?}");
        let missing: Vec<_> = named.difference(&scraped).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}");
        told.extend(named);
    }
    // And the other way round: nothing is measured that nobody would see.
    let unseen = scraped.difference(&told).filter(|name| {
        let part = ["_count", "_sum"].iter().any(|end| name.ends_with(end));
        !part && !name.ends_with("_created")
    });
    assert_eq!(unseen.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn the_dashboard_is_one() {
    let dashboard: Value =
        serde_json::from_str(&packaged("grafana/ami-bridge.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "an id stands twice");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            assert!(
                !named(target["expr"].as_str().expect("text")).is_empty(),
                "{target}"
            );
        }
    }
}

#[test]
fn promtool_takes_the_alerts_and_passes_their_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/prometheus");
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ] {
        let output = Command::new("promtool")
            .args(arguments)
            .current_dir(&folder)
            .output()
            .expect("promtool, of Debian's package prometheus");
        assert!(output.status.success(), "{output:?}");
    }
}

/// Every query of the dashboard is one: Grafana's own variables stand for values.
#[test]
fn promtool_can_read_the_queries_of_the_dashboard() {
    let dashboard: Value =
        serde_json::from_str(&packaged("grafana/ami-bridge.json")).expect("JSON");
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    for (place, target) in targets.enumerate() {
        let query = target["expr"].as_str().expect("text");
        let query = query.replace("$__rate_interval", "5m");
        let query = serde_json::to_string(&query).expect("a string");
        rules += &format!("      - record: dashboard:query:{place}\n        expr: {query}\n");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), rules).expect("written");
    let output = Command::new("promtool")
        .args(["check", "rules"])
        .arg(file.path())
        .output()
        .expect("promtool, of Debian's package prometheus");
    assert!(output.status.success(), "{output:?}");
}
