//! The configuration is read again at SIGHUP: as a whole, or not at all, and
//! nothing is dropped for it.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, GLOBEX, User, configuration, on_every_pbx, request, run_load,
    start,
};

on_every_pbx!(
    users_change_under_load_and_no_request_fails,
    a_file_with_a_mistake_changes_nothing,
    all_that_can_change_does,
    what_needs_a_start_is_named,
    whom_a_link_trusts_needs_a_start,
    what_is_shared_from_now_on_is_told,
    event_streams_of_who_has_changed_end_and_can_be_taken_up_again,
);

const READ: &str = "configuration reloaded";
const STAYS: &str = "reload failed; the old configuration stays in use";

/// A user that the configuration does not have at first.
const NEW: User = User {
    username: "new",
    password: "new-password",
};

fn users_change_under_load_and_no_request_fails(version: u32) {
    let (asterisk, bridge) = start(version);
    for agent in 1001..=1032 {
        bridge.acme_ok(&format!("action=add&agent={agent}&queue=6001"));
    }
    asterisk.take_queue_log();
    let old = configuration(asterisk.port);
    let new = old
        .replace("username = \"globex\"", "username = \"new\"")
        .replace("globex-password", "new-password");
    let (answers, ()) = run_load(&bridge, "r", || {
        for _ in 0..3 {
            assert_eq!(bridge.get_as(GLOBEX, "action=showqueue").status, 200);
            assert_eq!(bridge.reconfigure(&new)["message"], READ);
            assert_eq!(bridge.get_as(NEW, "action=showqueue").status, 200);
            let gone = bridge.get_as(GLOBEX, "action=showqueue");
            assert_eq!(gone.outcome(), "401 unauthorized");
            assert_eq!(bridge.reconfigure(&old)["message"], READ);
            let gone = bridge.get_as(NEW, "action=showqueue");
            assert_eq!(gone.outcome(), "401 unauthorized");
        }
    });
    let figures = answers.check_against_queue_log(&asterisk.queue_log());
    println!("{version}: {figures}");
    assert!(figures.success > 0);
    let failed = (figures.not_sent, figures.unknown, figures.unanswered);
    assert_eq!(failed, (0, 0, 0));
    // The link is the same one.
    let (_, log) = bridge.stop();
    assert_eq!(log.matches("\"link ready\"").count(), 1);
}

fn a_file_with_a_mistake_changes_nothing(version: u32) {
    let (asterisk, bridge) = start(version);
    let good = configuration(asterisk.port);
    let elsewhere = good.replace(
        "[organization.globex]",
        "[pbx.other]\naddress = \"127.0.0.1:1\"\nusername = \"queuebridge\"\nsecret = \"s\"\n\n\
         [organization.globex]\npbx = \"other\"",
    );
    for (bad, told) in [
        (good.replace("queues", "queue"), "queue"),
        (format!("{good}\nsecret = \"leaked"), "not valid TOML"),
        (
            good.replace("\"info,ami_bridge=trace\"", "\"=!\""),
            "log.level",
        ),
        (
            elsewhere.replace("[organization.acme]", "[organization.acme]\npbx = \"main\""),
            "restart to add it",
        ),
    ] {
        // Something that would show, if it were taken over.
        let bad = bad.replace("globex-password", "another-password");
        let line = bridge.reconfigure(&bad);
        assert_eq!(line["message"], STAYS, "{line}");
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains(told), "{told}: {error}");
        assert!(!error.contains("leaked") && !error.contains("password\""));
        assert_eq!(bridge.get_as(GLOBEX, "action=showqueue").status, 200);
    }
    assert_eq!(bridge.reconfigure(&good)["message"], READ);
}

fn all_that_can_change_does(version: u32) {
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
    let traces = |log: &str| log.matches("\"TRACE\"").count();
    assert_eq!(bridge.reconfigure(&changed)["message"], READ);
    let get = |query: &str, headers: &[(&str, &str)]| {
        let User { username, password } = ACME;
        let target = format!("/queues?username={username}&password={password}&{query}");
        request(bridge.address, "GET", &target, headers, b"")
    };
    let before = traces(&bridge.log());
    let shown = get("action=showqueue&new=1", &[]).json();
    assert_eq!(shown["queues"].as_array().map(Vec::len), Some(1));
    let refused = get("action=pause&agent=1002", &[]);
    assert_eq!(refused.outcome(), "404 unknown_agent");
    let origin = ("Origin", "https://panel.example.com");
    let answer = get("action=showqueue", &[origin]);
    let allowed = answer.header("Access-Control-Allow-Origin");
    assert_eq!(allowed, Some("https://panel.example.com"));
    assert_eq!(
        request(bridge.address, "GET", API_PATH, &[], b"").status,
        404
    );
    let target = "/queues?username=globex&password=x&action=showqueue";
    let outcomes = [0, 1].map(|_| request(bridge.address, "GET", target, &[], b"").outcome());
    assert_eq!(outcomes, ["401 unauthorized", "429 too_many_attempts"]);
    assert_eq!(traces(&bridge.log()), before, "nothing is traced any more");
}

fn what_needs_a_start_is_named(version: u32) {
    let (asterisk, bridge) = start(version);
    let changed = configuration(asterisk.port)
        .replace("action_timeout = \"3s\"", "action_timeout = \"4s\"")
        .replace("sample-secret-change-me", "rotated")
        .replace("[admin]", "max_connections = 7\n\n[admin]")
        + "\n[pbx.new]\naddress = \"127.0.0.1:1\"\nusername = \"u\"\nsecret = \"s\"\n";
    let changed = changed.replace("[organization.acme]", "[organization.acme]\npbx = \"main\"");
    let changed = changed.replace(
        "[organization.globex]",
        "[organization.globex]\npbx = \"main\"",
    );
    assert_eq!(bridge.reconfigure(&changed)["message"], READ);
    assert_eq!(
        named_at_reload(&bridge.log()),
        [
            "http.max_connections",
            "pbx.main.action_timeout",
            "pbx.main.secret",
            "pbx.new"
        ]
    );
    assert!(!bridge.log().contains("rotated"));
}

/// What is said to wait for the next start.
fn named_at_reload(log: &str) -> Vec<&str> {
    let messages = log
        .lines()
        .filter_map(|line| line.split("\"message\":\"").nth(1)?.split('"').next());
    let suffix = " has changed, but takes effect only after a restart";
    messages.filter_map(|m| m.strip_suffix(suffix)).collect()
}

fn whom_a_link_trusts_needs_a_start(version: u32) {
    let asterisk = Asterisk::start(version);
    let pinned = |digit: &str| {
        let tls = format!(
            "[pbx.main]\ntls = true\ntls_pin_sha256 = \"{}\"",
            digit.repeat(64)
        );
        configuration(asterisk.port).replace("[pbx.main]", &tls)
    };
    let bridge = Bridge::start_unready(&pinned("a"));
    assert_eq!(bridge.reconfigure(&pinned("a"))["message"], READ);
    assert!(named_at_reload(&bridge.log()).is_empty());
    assert_eq!(bridge.reconfigure(&pinned("b"))["message"], READ);
    assert_eq!(named_at_reload(&bridge.log()), ["pbx.main.tls"]);
}

fn what_is_shared_from_now_on_is_told(version: u32) {
    let (asterisk, bridge) = start(version);
    let shared = configuration(asterisk.port)
        .replace("@globex-agents", "@acme-agents")
        .replace("\nqueue_name", "\nshared = true\nqueue_name");
    const TOLD: &str = "acme and globex share queues or phones, as configured";
    assert!(!bridge.log().contains(TOLD));
    assert_eq!(bridge.reconfigure(&shared)["message"], READ);
    assert!(bridge.log().contains(TOLD), "{}", bridge.log());
}

fn event_streams_of_who_has_changed_end_and_can_be_taken_up_again(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration(asterisk.port);
    let bridge = Bridge::start(&configuration);
    let follow = |last: &str| {
        let mut stream = TcpStream::connect(bridge.address).expect("connected");
        write!(
            stream,
            "GET /events?username=globex&password=globex-password HTTP/1.1\r\nHost: a\r\n\
             Connection: close\r\nLast-Event-ID: {last}\r\n\r\n"
        )
        .expect("asked");
        // Until it is open.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a head");
            head.extend(byte);
        }
        stream
    };
    let rest = |mut stream: TcpStream| {
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it ends");
        text
    };
    let id = |text: &str| {
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        let mut ids = ids.collect::<Vec<_>>();
        ids.pop().expect("events have ids").to_owned()
    };
    let first = follow("");
    // Nothing has changed, or others have: it goes on, also after several reloads.
    bridge.reconfigure(&configuration);
    bridge.reconfigure(&configuration.replace("acme-password", "another"));
    bridge.reconfigure(&configuration);
    bridge.get_ok(GLOBEX, "action=add&agent=1001&queue=6001");
    let others = configuration.replace("globex-password", "another");
    bridge.reconfigure(&others);
    let text = rest(first);
    assert!(
        text.contains("event: snapshot") && text.contains("\"added\""),
        "{text}"
    );
    assert!(text.contains("event: shutdown"), "{text}");

    // The same organization as before: it goes on where it was.
    bridge.reconfigure(&configuration);
    let second = follow(&id(&text));
    bridge.get_ok(GLOBEX, "action=pause&agent=1001&queue=6001");
    bridge.reconfigure(&configuration.replace("queues = [\"*\"]", "queues = [\"6001\"]"));
    let text = rest(second);
    assert!(
        text.contains("\"paused\"") && !text.contains("event: snapshot"),
        "{text}"
    );

    // Another one: it begins anew.
    let third = follow(&id(&text));
    bridge.terminate();
    let text = rest(third);
    assert!(
        text.contains("event: snapshot") && !text.contains("6002"),
        "{text}"
    );
}
