//! The JSON report of `ami-bridge check`, and its warnings about certificates and unencrypted
//! traffic.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::{
    Asterisk, bridge_command, configuration, eventually, http_tls_section, on_every_pbx,
    sample_config,
};

on_every_pbx!(
    json_report_contains_the_results_of_all_checks,
    check_warns_about_a_queue_with_an_unusable_name,
    check_reports_a_certificate_that_expires_soon_or_is_invalid,
);

/// Runs `ami-bridge check --json`, and returns its exit status and report.
fn check(configuration: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("a writable file");
    let mut command = bridge_command();
    command.args(["check", "--json", "--config"]).arg(file);
    let output = command.output().expect("the output of ami-bridge");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!text.contains("sample-secret"), "{text}");
    let report = serde_json::from_str(&text);
    (output.status.code(), report.expect("JSON"))
}

fn json_report_contains_the_results_of_all_checks(version: u32) {
    let asterisk = Asterisk::start(version);
    let valid = configuration(asterisk.port);
    let missing = valid.replace("\"6002\"", "\"6777\"");
    let (status, report) = check(&missing);
    assert_eq!((status, &report["ok"]), (Some(0), &json!(true)), "{report}");
    let pbx = &report["pbxes"][0];
    assert_eq!(pbx["name"], "main");
    assert_eq!(pbx["address"], format!("127.0.0.1:{}", asterisk.port));
    assert!(
        pbx["asterisk"].is_u64() && pbx["ami_version"].is_string(),
        "{pbx}"
    );
    let latency = pbx["latency_ms"].as_f64().expect("a number");
    assert!(latency > 0.0 && latency < 3000.0, "{latency}");
    for (key, value) in [
        ("linked", json!(true)),
        ("may_change_queues", json!(true)),
        ("sees_boot", json!(true)),
        ("excess_actions", json!([])),
        ("manager_conf", json!([])),
        ("queues", json!(7)),
    ] {
        assert_eq!(pbx[key], value, "{key}");
    }
    assert_eq!(
        report["organizations"][0],
        json!({"name": "acme", "pbx": "main", "queues": 1, "missing_queues": ["6777"]})
    );
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains("has no queue acme-6777"), "{warnings}");
    assert_eq!(report["errors"], json!([]));
    assert_eq!(report["certificate"], Value::Null);

    let rejected = valid.replace("sample-secret-change-me", "another");
    let (status, report) = check(&rejected);
    assert_eq!(
        (status, &report["ok"]),
        (Some(1), &json!(false)),
        "{report}"
    );
    assert_eq!(report["pbxes"][0]["linked"], false);
    for unknown in ["latency_ms", "excess_actions", "manager_conf", "queues"] {
        assert_eq!(report["pbxes"][0][unknown], Value::Null, "{unknown}");
    }
    let error = report["errors"][0].as_str().expect("a string");
    assert!(error.contains("rejects the AMI user"), "{error}");
}

fn check_warns_about_a_queue_with_an_unusable_name(version: u32) {
    let queues = sample_config("queues.conf") + "\n[trail ]\nstrategy = ringall\n";
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let (status, report) = check(&configuration(asterisk.port));
    assert_eq!(status, Some(0), "{report}");
    assert_eq!(report["pbxes"][0]["queues"], 7);
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("queue \\\"trail \\\" is ignored"),
        "{warnings}"
    );
}

fn check_reports_a_certificate_that_expires_soon_or_is_invalid(version: u32) {
    let asterisk = Asterisk::start(version);
    let folder = tempfile::tempdir().expect("a folder");
    let day = std::time::Duration::from_secs(86_400);
    for (start_days, days, status, expected) in [
        (-9, 90, 0, ""),
        (-9, 5, 0, "days left"),
        (-9, -2, 1, "expired"),
        (1, 90, 1, "valid only from"),
    ] {
        let now = std::time::SystemTime::now();
        // Adds an hour, because otherwise the number of whole days would drop while the test runs.
        let in_days = |days: i32| match days {
            0.. => now + day * days.unsigned_abs() + day / 24,
            _ => now - day * days.unsigned_abs() + day / 24,
        };
        let tls = http_tls_section(folder.path(), |params| {
            params.not_before = in_days(start_days).into();
            params.not_after = in_days(days).into();
        });
        let (code, report) = check(&configuration(asterisk.port).replace("[http]", &tls));
        assert_eq!(code, Some(status), "{days}: {report}");
        assert_eq!(report["certificate"]["days_left"], days, "{report}");
        let texts = [&report["warnings"], &report["errors"]].map(ToString::to_string);
        let text = texts.concat();
        assert_eq!(
            text.contains("http.tls_certificate"),
            !expected.is_empty(),
            "{text}"
        );
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn json_report_contains_overlaps_and_configuration_errors() {
    let shared = configuration(1)
        .replace("@globex-agents", "@acme-agents")
        .replace("[organization.acme]", "[organization.acme]\nshared = true")
        .replace(
            "[organization.globex]",
            "[organization.globex]\nshared = true",
        );
    let (status, report) = check(&shared);
    // The check fails, because nothing listens on the AMI port.
    assert_eq!(status, Some(1), "{report}");
    let overlap = json!({"first": "acme", "second": "globex", "example": "Local/1001@acme-agents"});
    assert_eq!(report["overlaps"], json!([overlap]));

    let (status, report) = check("[pbx.main]\nsecret = 5\n");
    assert_eq!((status, &report["ok"]), (Some(2), &json!(false)));
    let errors = report["errors"].to_string();
    assert!(errors.contains("pbx.main.username"), "{errors}");
}

/// An unresponsive PBX must not delay the checks of the other PBXes.
#[test]
fn check_connects_to_all_pbxes_in_parallel() {
    let names = ["first", "second"];
    let listeners = names.map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"));
    let mut pbxes = String::new();
    for (name, listener) in names.iter().zip(&listeners) {
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        pbxes += &format!(
            r#"
[pbx.{name}]
address = "{address}"
username = "queuebridge"
secret = "sample-secret-change-me"

[organization.{name}]
pbx = "{name}"
queues = ["*"]
queue_name = "{name}-{{queue}}"
agents = ["1001"]
interface = "Local/{{agent}}@{name}"

[[organization.{name}.user]]
username = "{name}"
password = "of-{name}"
"#
        );
    }
    let report = std::thread::scope(|scope| {
        let report = scope.spawn(|| check(&pbxes).1);
        // Neither PBX answers before `check` has connected to both.
        let links = listeners
            .each_ref()
            .map(|listener| eventually("a connection", || listener.accept().ok()));
        drop(links);
        report.join().expect("no panic in check")
    });
    let errors = report["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 2, "{report}");
    for (error, name) in errors.iter().zip(names) {
        let error = error.as_str().expect("a string");
        assert!(error.starts_with(&format!("pbx {name}: ")), "{error}");
        assert!(error.contains("closed"), "{error}");
    }
}

#[test]
fn check_warns_about_unencrypted_traffic_on_the_network() {
    // An address in TEST-NET-1, where no host answers. `check` only tries to connect.
    let exposed = configuration(1)
        .replace(
            "127.0.0.1:1\"",
            "192.0.2.1:1\"\nconnect_timeout = \"100ms\"",
        )
        .replace("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"");
    let warning_counts = |text: &str| {
        let (_, report) = check(text);
        let warnings = report["warnings"].as_array().expect("warnings").clone();
        let subjects = ["http.listen", "admin.listen", "pbx main"];
        subjects.map(|subject| {
            let is_about = |warning: &&Value| {
                let text = warning.as_str();
                text.is_some_and(|text| text.starts_with(subject))
            };
            warnings.iter().filter(is_about).count()
        })
    };
    assert_eq!(warning_counts(&configuration(1)), [0, 0, 0]);
    assert_eq!(warning_counts(&exposed), [1, 1, 1]);
    let behind_a_proxy = exposed.replace("[http]", "[http]\ntrusted_proxies = [\"192.0.2.9\"]");
    assert_eq!(warning_counts(&behind_a_proxy), [0, 1, 1]);
    let over_tls = exposed.replace("[pbx.main]", "[pbx.main]\ntls = true");
    assert_eq!(warning_counts(&over_tls), [1, 1, 0]);
}
