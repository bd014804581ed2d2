//! Reads with `If-None-Match`: a client that already has the state gets a 304 without a body.

use serde_json::Value;

use crate::support::{
    API_PATH, Ami, Asterisk, Bridge, GLOBEX, Reason, Response, User, configuration, eventually,
    on_every_pbx, request, start, with_reasons,
};

on_every_pbx!(
    unchanged_state_is_answered_without_a_body_and_logged_once,
    any_visible_change_has_a_new_tag,
    passing_time_has_a_new_tag,
    tag_is_valid_only_for_its_view_and_configuration,
    form_in_a_post_has_no_tag,
);

const ACME_LOGIN: &str = "Basic YWNtZUBleGFtcGxlLmNvbTphY21lLXBhc3N3b3Jk";

const READS: [&str; 5] = [
    "action=showqueue",
    "action=showqueue&queue=6002",
    "action=showqueuestat",
    "action=showstate&agent=1050",
    "action=showstate&agent=1001,1050",
];

/// Sends a GET with the credentials of acme in a header.
fn get(bridge: &Bridge, query: &str, headers: &[(&str, &str)]) -> Response {
    let login = [("Authorization", ACME_LOGIN)];
    let headers: Vec<_> = login.iter().chain(headers).copied().collect();
    let target = format!("{API_PATH}?{query}");
    request(bridge.address, "GET", &target, &headers, b"")
}

fn tag(response: &Response) -> String {
    assert_eq!(response.status, 200, "{response:?}");
    response.header("ETag").expect("an ETag").to_owned()
}

/// Returns whether the bridge answers this tag with a 304.
fn is_unchanged(bridge: &Bridge, query: &str, tag: &str) -> bool {
    let response = get(bridge, query, &[("If-None-Match", tag)]);
    assert!([200, 304].contains(&response.status), "{response:?}");
    response.status == 304
}

/// Returns the body without the fields that a tag does not cover.
fn covered(response: &Response) -> Value {
    let mut body = response.json();
    let fields = body.as_object_mut().expect("an object");
    for name in ["request_id", "as_of"] {
        fields.remove(name).expect(name);
    }
    body
}

fn unchanged_state_is_answered_without_a_body_and_logged_once(version: u32) {
    let asterisk = Asterisk::start(version);
    // An event about this that arrives after the first read would be a change.
    let mut ami = asterisk.ami();
    let member = "Queue: acme-6002\r\nInterface: Local/1001@acme-agents";
    for action in [
        format!("QueueAdd\r\n{member}"),
        format!("QueuePause\r\n{member}\r\nPaused: true\r\nReason: Lunch"),
    ] {
        let reply = ami.reply_text(&action);
        assert!(reply.starts_with("Success"), "{reply}");
    }
    let bridge = Bridge::start(&configuration(asterisk.port));
    for (index, query) in READS.into_iter().enumerate() {
        let full = get(&bridge, query, &[]);
        let tag = tag(&full);
        assert!(tag.starts_with("W/\""), "{tag}");
        let listed = format!("\"other\", {tag}");
        for (kind, tags) in [&tag, tag.trim_start_matches("W/"), &listed, "*"]
            .into_iter()
            .enumerate()
        {
            let id = format!("unchanged-{index}-{kind}");
            let headers = [("If-None-Match", tags), ("X-Request-Id", &id)];
            let response = get(&bridge, query, &headers);
            assert_eq!(response.status, 304, "{query}, {tags}: {response:?}");
            assert_eq!(response.body, "");
            for (name, value) in [
                ("ETag", Some(&*tag)),
                ("Cache-Control", Some("no-store")),
                ("X-Request-Id", Some(&*id)),
                ("X-Content-Type-Options", Some("nosniff")),
                ("Content-Type", None),
            ] {
                assert_eq!(response.header(name), value, "{query}: {name}");
            }
            let log = bridge.log();
            let lines = log.lines().filter(|line| line.contains(&id));
            let lines: Vec<Value> = lines
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .filter(|line: &Value| line["message"] == "request")
                .collect();
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert_eq!(
                (&lines[0]["status"], &lines[0]["outcome"]),
                (&304.into(), &"success".into())
            );
        }
        // The same state, in full and from Asterisk.
        for query in [query.to_owned(), format!("{query}&fresh=1")] {
            let again = get(&bridge, &query, &[("If-None-Match", "W/\"other\"")]);
            assert_eq!(covered(&again), covered(&full), "{query}");
            assert_eq!(again.header("ETag"), Some(&*tag), "{query}");
        }
        assert!(is_unchanged(&bridge, &format!("{query}&fresh=1"), &tag));
    }
}

/// Makes a change through the bridge or the AMI session.
type Change<'a> = &'a dyn Fn(&mut Ami);

fn any_visible_change_has_a_new_tag(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6002");
    let mut ami = asterisk.ami();
    let changes: [(&str, Change<'_>); 4] = [
        ("paused", &|_| {
            bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
        }),
        ("the reason", &|_| {
            bridge.acme_ok("action=pause&agent=1001&reason=Meeting");
        }),
        ("elsewhere", &|ami| {
            let reply = ami.reply_text(
                "QueuePenalty\r\nQueue: acme-6002\r\nInterface: Local/1001@acme-agents\r\n\
                 Penalty: 7",
            );
            assert!(reply.starts_with("Success"), "{reply}");
        }),
        ("removed", &|_| {
            bridge.acme_ok("action=remove&agent=1001&queue=6002");
        }),
    ];
    let reads = ["action=showqueue&queue=6002", "action=showstate&agent=1001"];
    let mut tags = reads.map(|query| tag(&get(&bridge, query, &[])));
    for (name, change) in changes {
        change(&mut ami);
        for (query, before) in reads.into_iter().zip(&mut tags) {
            // A late event about an earlier change also makes a new tag.
            let changed = eventually(name, || {
                let response = get(&bridge, query, &[("If-None-Match", before)]);
                let fresh = get(&bridge, &format!("{query}&fresh=1"), &[]);
                let is_new = response.status == 200 && covered(&response) == covered(&fresh);
                is_new.then_some(response)
            });
            *before = tag(&changed);
        }
    }
    // A change in another queue or of another organization is not visible here.
    bridge.acme_ok("action=add&agent=1002&queue=6001&paused=1");
    bridge.get_ok(GLOBEX, "action=add&agent=1001&queue=6001");
    assert!(is_unchanged(&bridge, reads[0], &tags[0]));
    assert!(is_unchanged(&bridge, reads[1], &tags[1]));
    // The waiting time of a caller is visible. The queue's only member is paused.
    let query = "action=showqueuestat&queue=6001";
    let empty = tag(&get(&bridge, query, &[]));
    asterisk.add_caller("acme-6001");
    let waiting = eventually("a caller waits", || {
        let response = get(&bridge, query, &[("If-None-Match", &empty)]);
        (response.status == 200 && response.json()["total"]["callers_waiting"] == 1)
            .then_some(response)
    });
    let wait = |response: &Response| response.json()["total"]["longest_wait_seconds"].as_u64();
    let first_tag = tag(&waiting);
    let longer = eventually("the caller has waited for another second", || {
        let response = get(&bridge, query, &[("If-None-Match", &first_tag)]);
        (response.status == 200).then_some(response)
    });
    assert!(wait(&longer) > wait(&waiting), "{longer:?}");
}

fn passing_time_has_a_new_tag(version: u32) {
    let asterisk = Asterisk::start(version);
    let short = Reason {
        name: "Short break",
        limit: Some("2s"),
        ends: false,
    };
    let bridge = Bridge::start(&with_reasons(&configuration(asterisk.port), &[short]));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Short%20break");
    let reads = [
        "action=showqueue&queue=6001",
        "action=showqueuestat&queue=6001",
        "action=showstate&agent=1001",
    ];
    let before = reads.map(|query| get(&bridge, query, &[]));
    // A member that was queried again has a new tag, even if nothing visible has changed.
    let is_overdue = |response: &Response| {
        let signs = ["\"pause_overdue\":true", "\"overdue\":1"];
        signs.iter().any(|sign| response.body.contains(sign))
    };
    for (query, before) in reads.into_iter().zip(&before) {
        assert!(!is_overdue(before), "{before:?}");
        eventually("the pause is overdue", || {
            let response = get(&bridge, query, &[("If-None-Match", &tag(before))]);
            is_overdue(&response).then_some(())
        });
    }
}

fn tag_is_valid_only_for_its_view_and_configuration(version: u32) {
    let asterisk = Asterisk::start(version);
    let limited = User {
        username: "dana",
        password: "dana-password",
    };
    let users = "[[organization.acme.user]]\nusername = \"dana\"\npassword = \"dana-password\"\n\
                 agents = [\"1050\"]\n";
    let configuration = configuration(asterisk.port) + users;
    let bridge = Bridge::start(&configuration);
    let query = "action=showqueue&queue=6002";
    let own = tag(&get(&bridge, query, &[]));
    let as_limited = |tag: &str| {
        let User { username, password } = limited;
        let target = format!("{API_PATH}?username={username}&password={password}&{query}");
        request(
            bridge.address,
            "GET",
            &target,
            &[("If-None-Match", tag)],
            b"",
        )
    };
    let seen = as_limited(&own);
    assert_eq!(seen.json()["queues"][0]["members_hidden"], 0);
    assert_ne!(tag(&seen), own);
    assert_eq!(as_limited(&tag(&seen)).status, 304);
    for other in ["action=showqueue", "action=showqueuestat&queue=6002"] {
        assert!(!is_unchanged(&bridge, other, &own), "{other}");
    }
    assert!(is_unchanged(&bridge, query, &own));
    // A reload may change how the same state is rendered.
    bridge.reconfigure(&configuration.replace("\"1050\"", "\"1001\""));
    assert!(!is_unchanged(&bridge, query, &own));
    let seen = as_limited(&tag(&seen));
    assert_eq!(seen.json()["queues"][0]["members_hidden"], 1);
}

fn form_in_a_post_has_no_tag(version: u32) {
    let (_asterisk, bridge) = start(version);
    let own = tag(&get(&bridge, "action=showqueue", &[]));
    let post = |tags: &str| {
        let headers = [
            ("Authorization", ACME_LOGIN),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("If-None-Match", tags),
        ];
        request(
            bridge.address,
            "POST",
            API_PATH,
            &headers,
            b"action=showqueue",
        )
    };
    for response in [post(&own), post("*")] {
        assert_eq!((response.status, response.header("ETag")), (200, None));
        assert_eq!(response.json()["queues"][0]["queue"], "6001");
    }
    // Changes and errors have no tag either.
    for query in [
        "action=add&agent=1001&queue=6001",
        "action=showqueue&queue=9999",
    ] {
        let response = get(&bridge, query, &[("If-None-Match", "*")]);
        assert_eq!(response.header("ETag"), None, "{query}");
        assert_ne!(response.status, 304, "{query}");
    }
}
