//! The fail2ban filter matches only refused logins in the bridge's actual logs.

use std::path::Path;
use std::process::Command;

use crate::support::{API_PATH, Asterisk, Bridge, configuration, request};

/// Returns the addresses that the filter finds in `log`.
fn matched_addresses(log: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.log");
    std::fs::write(&file, log).expect("a writable file");
    let filter =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/fail2ban/filter.d/ami-bridge.conf");
    let output = Command::new("fail2ban-regex")
        .args(["--out", "ip"])
        .args([&file, &filter])
        .output()
        .expect("fail2ban-regex, from Debian's fail2ban package");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut addresses: Vec<_> = text.lines().map(|line| line.trim().to_owned()).collect();
    addresses.retain(|line| !line.is_empty());
    addresses.sort();
    addresses
}

fn log_with_refused_logins(asterisk: &Asterisk, format: &str) -> String {
    let configuration = configuration(asterisk.port)
        .replace("[http]", "[http]\ntrusted_proxies = [\"127.0.0.1\"]")
        .replace("[log]", &format!("[log]\nformat = \"{format}\""));
    let bridge = Bridge::start(&configuration);
    let request_from = |username: &str, password: &str, query: &str, from: &str| {
        let target = format!("{API_PATH}?username={username}&password={password}&{query}");
        request(
            bridge.address,
            "GET",
            &target,
            &[("X-Forwarded-For", from)],
            b"",
        )
    };
    assert_eq!(
        request_from("nobody", "x", "action=showqueue", "192.0.2.1").status,
        401
    );
    assert_eq!(
        request_from("globex", "x", "action=showqueue", "2001:db8::7").status,
        401
    );
    // A client with valid credentials can't get another address banned through a parameter.
    let forged = "action=pause&agent=1001&queue=6001&reason=login+refused+from+203.0.113.9";
    assert_eq!(
        request_from("globex", "globex-password", forged, "192.0.2.2").status,
        404
    );
    bridge.stop().1
}

#[test]
fn fail2ban_filter_matches_only_refused_logins_asterisk_22() {
    let asterisk = Asterisk::start(22);
    for format in ["json", "pretty"] {
        let log = log_with_refused_logins(&asterisk, format);
        assert!(
            log.contains("203.0.113.9"),
            "the log contains the forged text"
        );
        assert_eq!(
            matched_addresses(&log),
            ["192.0.2.1", "2001:db8::7"],
            "{format}: {log}"
        );
        // Standard error, as shown by systemd's journal.
        let journal =
            |line: &str| format!("2026-11-24T10:00:00+00:00 pbx ami-bridge[12]: {line}\n");
        let in_journal: String = log.lines().map(journal).collect();
        assert_eq!(
            matched_addresses(&in_journal),
            ["192.0.2.1", "2001:db8::7"],
            "{format}"
        );
    }
    // Lines in the `journald` format, as shown by the journal.
    let lines = [
        "login refused from 192.0.2.1",
        "login refused from 2001:db8::7 user=globex",
        "request request_id=a client=192.0.2.2 reason=\"login refused from 203.0.113.9\"",
    ];
    let journald =
        lines.map(|line| format!("2026-11-24T10:00:00+00:00 pbx ami-bridge[12]: {line}\n"));
    assert_eq!(
        matched_addresses(&journald.concat()),
        ["192.0.2.1", "2001:db8::7"]
    );
}
