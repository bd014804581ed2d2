//! Reloading the configuration with SIGHUP. The bridge applies either the whole file or
//! nothing, and drops no connection or request.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, GLOBEX, User, configuration, on_every_pbx, request, run_load,
    start,
};

on_every_pbx!(
    reload_under_load_changes_users_without_failing_requests,
    reload_of_an_invalid_file_changes_nothing,
    reload_applies_every_reloadable_setting,
    reload_names_the_settings_that_need_a_restart,
    reload_reports_that_tls_settings_need_a_restart,
    reload_logs_newly_shared_organizations,
    streams_of_changed_users_end_on_reload,
);

const RELOADED: &str = "configuration reloaded";
const RELOAD_FAILED: &str = "reload failed; the old configuration stays in use";

/// A user missing from the initial configuration.
const NEW_USER: User = User {
    username: "new",
    password: "new-password",
};

fn reload_under_load_changes_users_without_failing_requests(version: u32) {
    let (asterisk, bridge) = start(version);
    for agent in 1001..=1032 {
        bridge.acme_ok(&format!("action=add&agent={agent}&queue=6001"));
    }
    asterisk.take_queue_log();
    let old = configuration(asterisk.port);
    let new = old
        .replace("username = \"globex\"", "username = \"new\"")
        .replace("globex-password", "new-password");
    let (outcomes, ()) = run_load(&bridge, "r", || {
        for _ in 0..3 {
            assert_eq!(bridge.get_as(GLOBEX, "action=showqueue").status, 200);
            assert_eq!(bridge.reconfigure(&new)["message"], RELOADED);
            assert_eq!(bridge.get_as(NEW_USER, "action=showqueue").status, 200);
            let rejected = bridge.get_as(GLOBEX, "action=showqueue");
            assert_eq!(rejected.outcome(), "401 unauthorized");
            assert_eq!(bridge.reconfigure(&old)["message"], RELOADED);
            let rejected = bridge.get_as(NEW_USER, "action=showqueue");
            assert_eq!(rejected.outcome(), "401 unauthorized");
        }
    });
    let statistics = outcomes.check_against_queue_log(&asterisk.queue_log());
    println!("{version}: {statistics}");
    assert!(statistics.success > 0);
    let failed = (
        statistics.not_sent,
        statistics.unknown,
        statistics.unanswered,
    );
    assert_eq!(failed, (0, 0, 0));
    // The bridge did not reconnect its link.
    let (_, log) = bridge.stop();
    assert_eq!(log.matches("\"link ready\"").count(), 1);
}

fn reload_of_an_invalid_file_changes_nothing(version: u32) {
    let (asterisk, bridge) = start(version);
    let valid = configuration(asterisk.port);
    let with_second_pbx = valid.replace(
        "[organization.globex]",
        "[pbx.other]\naddress = \"127.0.0.1:1\"\nusername = \"queuebridge\"\nsecret = \"s\"\n\n\
         [organization.globex]\npbx = \"other\"",
    );
    for (invalid, expected) in [
        (valid.replace("queues", "queue"), "queue"),
        (format!("{valid}\nsecret = \"leaked"), "not valid TOML"),
        (
            valid.replace("\"info,ami_bridge=trace\"", "\"=!\""),
            "log.level",
        ),
        (
            with_second_pbx.replace("[organization.acme]", "[organization.acme]\npbx = \"main\""),
            "restart to add it",
        ),
    ] {
        // The invalid file also changes a password, which would be noticed if the bridge applied
        // the file.
        let invalid = invalid.replace("globex-password", "another-password");
        let line = bridge.reconfigure(&invalid);
        assert_eq!(line["message"], RELOAD_FAILED, "{line}");
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!error.contains("leaked") && !error.contains("password\""));
        assert_eq!(bridge.get_as(GLOBEX, "action=showqueue").status, 200);
    }
    assert_eq!(bridge.reconfigure(&valid)["message"], RELOADED);
}

fn reload_applies_every_reloadable_setting(version: u32) {
    let (asterisk, bridge) = start(version);
    let changed = configuration(asterisk.port)
        .replace("queues = [\"6001\", \"6002\"]", "queues = [\"6001\"]")
        .replace("agents = [\"1001-1099\"]", "agents = [\"1001\"]")
        .replace("info,ami_bridge=trace", "info")
        .replace(
            "[admin]",
            "cors_origins = [\"https://panel.example.com\"]\nunknown_parameters = \"ignore\"\n\
             path = \"/queues\"\n\n[lockout]\nattempts = 1\n\n[admin]",
        );
    let trace_count = |log: &str| log.matches("\"TRACE\"").count();
    assert_eq!(bridge.reconfigure(&changed)["message"], RELOADED);
    let get = |query: &str, headers: &[(&str, &str)]| {
        let User { username, password } = ACME;
        let target = format!("/queues?username={username}&password={password}&{query}");
        request(bridge.address, "GET", &target, headers, b"")
    };
    let initial_trace_count = trace_count(&bridge.log());
    let queues = get("action=showqueue&new=1", &[]).json();
    assert_eq!(queues["queues"].as_array().map(Vec::len), Some(1));
    let refused = get("action=pause&agent=1002", &[]);
    assert_eq!(refused.outcome(), "404 unknown_agent");
    let origin = ("Origin", "https://panel.example.com");
    let response = get("action=showqueue", &[origin]);
    let allowed_origin = response.header("Access-Control-Allow-Origin");
    assert_eq!(allowed_origin, Some("https://panel.example.com"));
    assert_eq!(
        request(bridge.address, "GET", API_PATH, &[], b"").status,
        404
    );
    let target = "/queues?username=globex&password=x&action=showqueue";
    let outcomes = [0, 1].map(|_| request(bridge.address, "GET", target, &[], b"").outcome());
    assert_eq!(outcomes, ["401 unauthorized", "429 too_many_attempts"]);
    assert_eq!(
        trace_count(&bridge.log()),
        initial_trace_count,
        "new trace lines in the log"
    );
}

fn reload_names_the_settings_that_need_a_restart(version: u32) {
    let (asterisk, bridge) = start(version);
    let changed = configuration(asterisk.port)
        .replace("action_timeout = \"3s\"", "action_timeout = \"4s\"")
        .replace("sample-secret-change-me", "rotated")
        .replace(
            "[admin]",
            "max_connections = 7\n\n[state]\ndirectory = \"/var/lib/x\"\n\n[admin]",
        )
        + "\n[pbx.new]\naddress = \"127.0.0.1:1\"\nusername = \"u\"\nsecret = \"s\"\n";
    let changed = changed.replace("[organization.acme]", "[organization.acme]\npbx = \"main\"");
    let changed = changed.replace(
        "[organization.globex]",
        "[organization.globex]\npbx = \"main\"",
    );
    assert_eq!(bridge.reconfigure(&changed)["message"], RELOADED);
    assert_eq!(
        settings_needing_restart(&bridge.log()),
        [
            "http.max_connections",
            "pbx.main.action_timeout",
            "pbx.main.secret",
            "pbx.new",
            "state.directory"
        ]
    );
    assert!(!bridge.log().contains("rotated"));
}

/// Returns the settings that the log reports as needing a restart.
fn settings_needing_restart(log: &str) -> Vec<&str> {
    let messages = log
        .lines()
        .filter_map(|line| line.split("\"message\":\"").nth(1)?.split('"').next());
    let suffix = " has changed, but takes effect only after a restart";
    messages.filter_map(|m| m.strip_suffix(suffix)).collect()
}

fn reload_reports_that_tls_settings_need_a_restart(version: u32) {
    let asterisk = Asterisk::start(version);
    let pinned = |digit: &str| {
        let tls = format!(
            "[pbx.main]\ntls = true\ntls_pin_sha256 = \"{}\"",
            digit.repeat(64)
        );
        configuration(asterisk.port).replace("[pbx.main]", &tls)
    };
    let bridge = Bridge::start_unready(&pinned("a"));
    assert_eq!(bridge.reconfigure(&pinned("a"))["message"], RELOADED);
    assert!(settings_needing_restart(&bridge.log()).is_empty());
    assert_eq!(bridge.reconfigure(&pinned("b"))["message"], RELOADED);
    assert_eq!(settings_needing_restart(&bridge.log()), ["pbx.main.tls"]);
}

fn reload_logs_newly_shared_organizations(version: u32) {
    let (asterisk, bridge) = start(version);
    let shared = configuration(asterisk.port)
        .replace("@globex-agents", "@acme-agents")
        .replace("\nqueue_name", "\nshared = true\nqueue_name");
    const MESSAGE: &str = "acme and globex share queues or phones, as configured";
    assert!(!bridge.log().contains(MESSAGE));
    assert_eq!(bridge.reconfigure(&shared)["message"], RELOADED);
    assert!(bridge.log().contains(MESSAGE), "{}", bridge.log());
}

fn streams_of_changed_users_end_on_reload(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration(asterisk.port);
    let bridge = Bridge::start(&configuration);
    let open_stream = |last_event_id: &str| {
        let mut stream = TcpStream::connect(bridge.address).expect("a connection");
        write!(
            stream,
            "GET /events?username=globex&password=globex-password HTTP/1.1\r\nHost: a\r\n\
             Connection: close\r\nLast-Event-ID: {last_event_id}\r\n\r\n"
        )
        .expect("a sent request");
        // The stream is open once the response head has arrived.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a response head");
            head.extend(byte);
        }
        stream
    };
    let read_to_end = |mut stream: TcpStream| {
        let mut text = String::new();
        stream
            .read_to_string(&mut text)
            .expect("the end of the stream");
        text
    };
    let last_id_in = |text: &str| {
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        let mut ids = ids.collect::<Vec<_>>();
        ids.pop().expect("an event id").to_owned()
    };
    let first = open_stream("");
    // A reload that changes nothing, or only another user, does not end the stream.
    bridge.reconfigure(&configuration);
    bridge.reconfigure(&configuration.replace("acme-password", "another"));
    bridge.reconfigure(&configuration);
    bridge.get_ok(GLOBEX, "action=add&agent=1001&queue=6001");
    let changed_user = configuration.replace("globex-password", "another");
    bridge.reconfigure(&changed_user);
    let text = read_to_end(first);
    assert!(
        text.contains("event: snapshot") && text.contains("\"added\""),
        "{text}"
    );
    assert!(text.contains("event: shutdown"), "{text}");

    // The user's entry has changed, so the new stream starts with a snapshot.
    bridge.reconfigure(&configuration);
    let second = open_stream(&last_id_in(&text));
    bridge.get_ok(GLOBEX, "action=pause&agent=1001&queue=6001");
    bridge.reconfigure(&configuration.replace("queues = [\"*\"]", "queues = [\"6001\"]"));
    let text = read_to_end(second);
    assert!(
        text.contains("event: snapshot") && text.contains("\"paused\""),
        "{text}"
    );

    // The organization has changed, so the new stream starts with a snapshot.
    let third = open_stream(&last_id_in(&text));
    bridge.terminate();
    let text = read_to_end(third);
    assert!(
        text.contains("event: snapshot") && !text.contains("\"6002\""),
        "{text}"
    );
}
