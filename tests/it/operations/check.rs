//! What `check` tells for machines, and of the certificate.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::{
    Asterisk, bridge_command, configuration, eventually, http_tls_section, on_every_pbx,
    sample_config,
};

on_every_pbx!(
    json_tells_what_the_text_tells,
    a_queue_that_no_action_can_name_is_warned_of,
    a_certificate_that_is_not_long_valid_is_told,
);

/// The exit status, and the report.
fn check(configuration: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let mut command = bridge_command();
    command.args(["check", "--json", "--config"]).arg(file);
    let output = command.output().expect("the program");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(!text.contains("sample-secret"), "{text}");
    let report = serde_json::from_str(&text);
    (output.status.code(), report.expect("JSON"))
}

fn json_tells_what_the_text_tells(version: u32) {
    let asterisk = Asterisk::start(version);
    let sound = configuration(asterisk.port);
    let missing = sound.replace("\"6002\"", "\"6777\"");
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
        ("queues", json!(4)),
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

    let rejected = sound.replace("sample-secret-change-me", "another");
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
    let error = report["errors"][0].as_str().expect("text");
    assert!(error.contains("rejects the AMI user"), "{error}");
}

fn a_queue_that_no_action_can_name_is_warned_of(version: u32) {
    let queues = sample_config("queues.conf") + "\n[trail ]\nstrategy = ringall\n";
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let (status, report) = check(&configuration(asterisk.port));
    assert_eq!(status, Some(0), "{report}");
    assert_eq!(report["pbxes"][0]["queues"], 4);
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("queue \\\"trail \\\" is ignored"),
        "{warnings}"
    );
}

fn a_certificate_that_is_not_long_valid_is_told(version: u32) {
    let asterisk = Asterisk::start(version);
    let folder = tempfile::tempdir().expect("a folder");
    let day = std::time::Duration::from_secs(86_400);
    for (begins, days, status, said) in [
        (-9, 90, 0, ""),
        (-9, 5, 0, "days left"),
        (-9, -2, 1, "expired"),
        (1, 90, 1, "valid only from"),
    ] {
        let now = std::time::SystemTime::now();
        // An hour more than whole days, so that no test runs at the edge.
        let in_days = |days: i32| match days {
            0.. => now + day * days.unsigned_abs() + day / 24,
            _ => now - day * days.unsigned_abs() + day / 24,
        };
        let tls = http_tls_section(folder.path(), |params| {
            params.not_before = in_days(begins).into();
            params.not_after = in_days(days).into();
        });
        let (code, report) = check(&configuration(asterisk.port).replace("[http]", &tls));
        assert_eq!(code, Some(status), "{days}: {report}");
        assert_eq!(report["certificate"]["days_left"], days, "{report}");
        let told = [&report["warnings"], &report["errors"]].map(ToString::to_string);
        let told = told.concat();
        assert_eq!(
            told.contains("http.tls_certificate"),
            !said.is_empty(),
            "{told}"
        );
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn shared_organizations_and_mistakes_are_in_the_json() {
    let shared = configuration(1)
        .replace("@globex-agents", "@acme-agents")
        .replace("[organization.acme]", "[organization.acme]\nshared = true")
        .replace(
            "[organization.globex]",
            "[organization.globex]\nshared = true",
        );
    let (status, report) = check(&shared);
    // Nobody listens on that port.
    assert_eq!(status, Some(1), "{report}");
    let overlap = json!({"first": "acme", "second": "globex", "example": "Local/1001@acme-agents"});
    assert_eq!(report["overlaps"], json!([overlap]));

    let (status, report) = check("[pbx.main]\nsecret = 5\n");
    assert_eq!((status, &report["ok"]), (Some(2), &json!(false)));
    let errors = report["errors"].to_string();
    assert!(errors.contains("pbx.main.username"), "{errors}");
}

/// One that is dead does not hold the others up.
#[test]
fn every_pbx_is_asked_at_once() {
    let names = ["one", "other"];
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
        let asked = scope.spawn(|| check(&pbxes).1);
        // Neither is told anything before both are asked.
        let links = listeners
            .each_ref()
            .map(|listener| eventually("a link is made", || listener.accept().ok()));
        drop(links);
        asked.join().expect("a report")
    });
    let errors = report["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 2, "{report}");
    for (error, name) in errors.iter().zip(names) {
        let error = error.as_str().expect("text");
        assert!(error.starts_with(&format!("pbx {name}: ")), "{error}");
        assert!(error.contains("closed"), "{error}");
    }
}

#[test]
fn what_others_on_the_network_could_read_is_warned_of() {
    // TEST-NET-1: nobody answers there, and nothing is asked of it but a connection.
    let exposed = configuration(1)
        .replace(
            "127.0.0.1:1\"",
            "192.0.2.1:1\"\nconnect_timeout = \"100ms\"",
        )
        .replace("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"");
    let warned = |text: &str| {
        let (_, report) = check(text);
        let warnings = report["warnings"].as_array().expect("warnings").clone();
        let subjects = ["http.listen", "admin.listen", "pbx main"];
        subjects.map(|subject| {
            let of = |told: &&Value| told.as_str().is_some_and(|told| told.starts_with(subject));
            warnings.iter().filter(of).count()
        })
    };
    assert_eq!(warned(&configuration(1)), [0, 0, 0]);
    assert_eq!(warned(&exposed), [1, 1, 1]);
    let behind_a_proxy = exposed.replace("[http]", "[http]\ntrusted_proxies = [\"192.0.2.9\"]");
    assert_eq!(warned(&behind_a_proxy), [0, 1, 1]);
    let over_tls = exposed.replace("[pbx.main]", "[pbx.main]\ntls = true");
    assert_eq!(warned(&over_tls), [1, 1, 0]);
}
