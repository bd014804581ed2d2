//! The metrics at `/metrics`.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{
    ACME, Asterisk, Bridge, GLOBEX, configuration, eventually, on_every_pbx, request, start,
};

on_every_pbx!(
    requests_are_counted_by_action_and_outcome,
    queue_metrics_show_callers_and_agents,
    metrics_show_a_lost_link,
    metrics_count_round_trips_pending_requests_and_reconnects,
    failed_logins_and_lockouts_are_counted,
    changes_with_unknown_outcome_are_counted,
    promtool_accepts_the_metrics,
    content_type_follows_the_accept_header,
);

fn scrape(bridge: &Bridge) -> String {
    let response = request(bridge.admin, "GET", "/metrics", &[], b"");
    assert_eq!(response.status, 200);
    response.body
}

fn content_type_follows_the_accept_header(version: u32) {
    let (_asterisk, bridge) = start(version);
    // The headers of Prometheus 2 and 3, of older Prometheus versions, and of a browser, and
    // an empty header.
    let (open, plain) = ("application/openmetrics-text", "text/plain; version=0.0.4");
    for (accept, expected) in [
        (
            "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.2",
            open,
        ),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", plain),
        ("text/html", plain),
        ("", plain),
    ] {
        let response = request(bridge.admin, "GET", "/metrics", &[("Accept", accept)], b"");
        let content_type = response.header("Content-Type").unwrap_or_default();
        assert!(
            content_type.starts_with(expected),
            "{accept}: {content_type}"
        );
    }
}

/// Returns the scraped values by sample name, including labels.
fn samples(bridge: &Bridge) -> BTreeMap<String, f64> {
    let text = scrape(bridge);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.filter_map(|line| line.rsplit_once(' '));
    samples
        .map(|(name, value)| (name.to_owned(), value.parse().expect("a number")))
        .collect()
}

fn requests_are_counted_by_action_and_outcome(version: u32) {
    let (asterisk, bridge) = start(version);
    let counted = |action: &str, code: &str| {
        let name = format!("ami_bridge_requests_total{{action=\"{action}\",code=\"{code}\"}}");
        samples(&bridge).get(&name).copied().unwrap_or_default()
    };
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    bridge.acme_ok("action=pause&agent=1001");
    bridge.acme_ok("action=pause&agent=1001");
    bridge.get_as(ACME, "action=pause&agent=1001&queue=6001,9999");
    bridge.get_as(GLOBEX, "action=remove&agent=1001&queue=6001");
    bridge.get("username=globex&password=guess&action=showqueue");
    bridge.get("username=globex&password=globex-password&action=nonsense");
    for (action, code, count) in [
        ("add", "success", 1.0),
        ("pause", "success", 2.0),
        ("pause", "partial", 1.0),
        ("remove", "not_a_member", 1.0),
        ("showqueue", "unauthorized", 1.0),
        ("none", "unknown_action", 1.0),
    ] {
        assert_eq!(counted(action, code), count, "{action} {code}");
    }
    let duration_count = "ami_bridge_request_duration_seconds_count{action=\"pause\"}";
    assert_eq!(samples(&bridge)[duration_count], 3.0);
    // Reloading the configuration does not reset the counters.
    bridge.reconfigure(&crate::support::configuration(asterisk.port));
    assert_eq!(counted("pause", "success"), 2.0);
    // Only names and labels: a measured duration may contain any digits.
    for name in samples(&bridge).keys() {
        for secret in ["globex-password", "guess", "1001", "acme@"] {
            assert!(!name.contains(secret), "{name}: {secret}");
        }
    }
}

fn queue_metrics_show_callers_and_agents(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1");
    asterisk.add_caller("acme-6001");
    let value = |name: &str| samples(&bridge).get(name).copied();
    let labels = "pbx=\"main\",queue=\"acme-6001\"";
    eventually("the caller is counted", || {
        let callers = value(&format!("ami_bridge_queue_callers{{{labels}}}"));
        (callers == Some(1.0)).then_some(())
    });
    for (state, agents) in [("paused", 1.0), ("available", 0.0)] {
        let name = format!("ami_bridge_queue_agents{{{labels},state=\"{state}\"}}");
        assert_eq!(value(&name), Some(agents), "{state}");
    }
    assert_eq!(value("ami_bridge_link_up{pbx=\"main\"}"), Some(1.0));
    let drift = value("ami_bridge_drift_total{pbx=\"main\"}");
    assert_eq!(drift, Some(0.0));
}

fn metrics_show_a_lost_link(version: u32) {
    let (mut asterisk, bridge) = start(version);
    asterisk.kill();
    eventually("the link is reported as down", || {
        let up = samples(&bridge)["ami_bridge_link_up{pbx=\"main\"}"];
        (up == 0.0).then_some(())
    });
    assert!(!scrape(&bridge).contains("ami_bridge_queue_callers{"));
}

/// Starts a bridge that does not query Asterisk when its metrics are scraped.
fn start_without_queue_metrics(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let text = configuration(asterisk.port).replace("[admin]", "[admin]\nqueue_metrics = false");
    let bridge = Bridge::start(&text);
    (asterisk, bridge)
}

fn metrics_count_round_trips_pending_requests_and_reconnects(version: u32) {
    let (mut asterisk, bridge) = start_without_queue_metrics(version);
    let value = |name: &str| samples(&bridge)[&format!("ami_bridge_{name}{{pbx=\"main\"}}")];
    let before = value("ami_round_trip_seconds_count");
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    assert!(value("ami_round_trip_seconds_count") > before);
    // The response may arrive before the request's slot is released.
    eventually("no request is pending", || {
        (value("pending_requests") == 0.0).then_some(())
    });
    assert_eq!(value("pending_requests_limit"), 1024.0);
    assert_eq!(value("reconnects_total"), 0.0);
    let earlier = value("link_age_seconds");
    assert!(value("link_age_seconds") > earlier);

    asterisk.freeze();
    let response = std::thread::scope(|scope| {
        let request = scope.spawn(|| bridge.get_as(ACME, "action=pause&agent=1001&queue=6001"));
        eventually("the request is pending", || {
            (value("pending_requests") == 1.0).then_some(())
        });
        asterisk.resume();
        request.join().expect("a response")
    });
    assert_eq!(response.status, 200, "{response:?}");
    eventually("the request is no longer pending", || {
        (value("pending_requests") == 0.0).then_some(())
    });

    asterisk.kill();
    eventually("the link is reported as down", || {
        (value("link_up") == 0.0).then_some(())
    });
    asterisk.restart();
    bridge.wait_ready();
    assert_eq!(value("reconnects_total"), 1.0);
}

fn failed_logins_and_lockouts_are_counted(version: u32) {
    let (_asterisk, bridge) = start(version);
    let value = |name: &str| samples(&bridge)[&format!("ami_bridge_{name}_total")];
    assert_eq!((value("failed_logins"), value("lockouts")), (0.0, 0.0));
    for _ in 0..12 {
        bridge.get("username=globex&password=guess&action=showqueue");
    }
    // The bridge does not check a locked-out client's password.
    assert_eq!((value("failed_logins"), value("lockouts")), (10.0, 1.0));
}

fn changes_with_unknown_outcome_are_counted(version: u32) {
    let (asterisk, bridge) = start_without_queue_metrics(version);
    let unknown_outcomes = || samples(&bridge)["ami_bridge_unknown_outcomes_total"];
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    // The metric exists from startup, so that an alert sees the first increase.
    assert_eq!(unknown_outcomes(), 0.0);
    asterisk.freeze();
    let read = bridge.get_as(ACME, "action=showqueue&fresh=1");
    assert_eq!(read.outcome(), "504 outcome_unknown");
    assert_eq!(unknown_outcomes(), 0.0, "a read changes nothing");
    let change = bridge.get_as(ACME, "action=pause&agent=1001");
    assert_eq!(change.outcome(), "504 outcome_unknown");
    assert_eq!(unknown_outcomes(), 2.0, "one per queue");
}

fn promtool_accepts_the_metrics(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    // promtool reads the older text format, in which OpenMetrics' `# EOF` and `# UNIT` lines
    // are comments.
    let text = scrape(&bridge);
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, from Debian's prometheus package");
    let mut stdin = promtool.stdin.take().expect("a piped stdin");
    stdin.write_all(text.as_bytes()).expect("a writable stdin");
    drop(stdin);
    let output = promtool.wait_with_output().expect("the output of promtool");
    let problems = String::from_utf8_lossy(&output.stderr).into_owned();
    // The name of a metric contains "error".
    let mut serious = problems
        .lines()
        .filter(|line| !line.ends_with("no help text"));
    assert!(
        !serious.any(|line| line.contains("error")),
        "{problems}\n{text}"
    );
}
