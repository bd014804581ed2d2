//! What the listener for operations counts.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{
    ACME, Asterisk, Bridge, GLOBEX, configuration, eventually, on_every_pbx, request, start,
};

on_every_pbx!(
    requests_are_counted_by_action_and_outcome,
    queues_show_as_they_are,
    a_lost_link_shows,
    the_link_and_what_goes_over_it_are_counted,
    failed_logins_and_lockouts_are_counted,
    changes_that_nobody_knows_of_are_counted,
    promtool_finds_nothing_wrong,
    the_text_is_told_as_what_is_accepted,
);

fn scrape(bridge: &Bridge) -> String {
    let response = request(bridge.admin, "GET", "/metrics", &[], b"");
    assert_eq!(response.status, 200);
    response.body
}

fn the_text_is_told_as_what_is_accepted(version: u32) {
    let (_asterisk, bridge) = start(version);
    // Of Prometheus 2 and 3, of older ones, of a browser, and of nobody in particular.
    let (open, plain) = ("application/openmetrics-text", "text/plain; version=0.0.4");
    for (accept, told) in [
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
        assert!(content_type.starts_with(told), "{accept}: {content_type}");
    }
}

/// The samples, by their names with labels.
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
    let took = "ami_bridge_request_duration_seconds_count{action=\"pause\"}";
    assert_eq!(samples(&bridge)[took], 3.0);
    // The counts outlive a change of the configuration.
    bridge.reconfigure(&crate::support::configuration(asterisk.port));
    assert_eq!(counted("pause", "success"), 2.0);
    let text = scrape(&bridge);
    for private in ["globex-password", "guess", "1001", "acme@"] {
        assert!(!text.contains(private), "{private}");
    }
}

fn queues_show_as_they_are(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1");
    asterisk.add_caller("acme-6001");
    let value = |name: &str| samples(&bridge).get(name).copied();
    let labels = "pbx=\"main\",queue=\"acme-6001\"";
    eventually("the caller shows", || {
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

fn a_lost_link_shows(version: u32) {
    let (mut asterisk, bridge) = start(version);
    asterisk.kill();
    eventually("the loss shows", || {
        let up = samples(&bridge)["ami_bridge_link_up{pbx=\"main\"}"];
        (up == 0.0).then_some(())
    });
    assert!(!scrape(&bridge).contains("ami_bridge_queue_callers{"));
}

/// A bridge whose scrapes ask Asterisk nothing.
fn start_without_queues(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let text = configuration(asterisk.port).replace("[admin]", "[admin]\nqueue_metrics = false");
    let bridge = Bridge::start(&text);
    (asterisk, bridge)
}

fn the_link_and_what_goes_over_it_are_counted(version: u32) {
    let (mut asterisk, bridge) = start_without_queues(version);
    let value = |name: &str| samples(&bridge)[&format!("ami_bridge_{name}{{pbx=\"main\"}}")];
    let before = value("ami_round_trip_seconds_count");
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    assert!(value("ami_round_trip_seconds_count") > before);
    // An answer may be there before what was needed for it is given back.
    eventually("nothing is under way", || {
        (value("pending_requests") == 0.0).then_some(())
    });
    assert_eq!(value("pending_requests_limit"), 1024.0);
    assert_eq!(value("reconnects_total"), 0.0);
    let young = value("link_age_seconds");
    assert!(value("link_age_seconds") > young);

    asterisk.freeze();
    let asked = std::thread::scope(|scope| {
        let asked = scope.spawn(|| bridge.get_as(ACME, "action=pause&agent=1001&queue=6001"));
        eventually("the request waits", || {
            (value("pending_requests") == 1.0).then_some(())
        });
        asterisk.resume();
        asked.join().expect("an answer")
    });
    assert_eq!(asked.status, 200, "{asked:?}");
    eventually("the request is over", || {
        (value("pending_requests") == 0.0).then_some(())
    });

    asterisk.kill();
    eventually("the loss shows", || (value("link_up") == 0.0).then_some(()));
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
    // What comes while locked out is not looked at.
    assert_eq!((value("failed_logins"), value("lockouts")), (10.0, 1.0));
}

fn changes_that_nobody_knows_of_are_counted(version: u32) {
    let (asterisk, bridge) = start_without_queues(version);
    let unknown = || samples(&bridge)["ami_bridge_unknown_outcomes_total"];
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    // There from the start: the first one is what an alert waits for.
    assert_eq!(unknown(), 0.0);
    asterisk.freeze();
    let read = bridge.get_as(ACME, "action=showqueue&fresh=1");
    assert_eq!(read.outcome(), "504 outcome_unknown");
    assert_eq!(unknown(), 0.0, "a read changes nothing");
    let change = bridge.get_as(ACME, "action=pause&agent=1001");
    assert_eq!(change.outcome(), "504 outcome_unknown");
    assert_eq!(unknown(), 2.0, "in two queues");
}

fn promtool_finds_nothing_wrong(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    // It reads the older text, to which the end and the units of OpenMetrics are
    // comments.
    let text = scrape(&bridge);
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus");
    let mut stdin = promtool.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("written");
    drop(stdin);
    let output = promtool.wait_with_output().expect("ended");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!told.contains("error"), "{told}\n{text}");
}
