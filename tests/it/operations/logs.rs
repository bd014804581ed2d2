//! The log's contents, which never include secrets.

use serde_json::{Value, json};

use crate::support::{ACME, API_PATH, GLOBEX, on_every_pbx, request, start};

on_every_pbx!(
    each_request_is_logged_as_one_line,
    link_messages_name_the_pbx,
    log_contains_no_secret,
    request_id_links_a_request_to_its_ami_actions,
    every_change_has_an_audit_line,
);

fn request_lines(log: &str) -> Vec<Value> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == "request").collect()
}

fn each_request_is_logged_as_one_line(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    bridge.get_as(ACME, "action=pause&agent=1001&queue=9999");
    bridge.get_as(ACME, "action=pause&agent=bad/agent");
    bridge.get("username=globex&password=x&action=showqueue");
    bridge.get("username=nobody&password=x&action=showqueue");
    let (_, log) = bridge.stop();
    let lines = request_lines(&log);
    let field = |name: &str| {
        lines
            .iter()
            .map(|line| line[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        field("outcome"),
        [
            "success",
            "unknown_queue",
            "invalid_parameter",
            "unauthorized",
            "unauthorized"
        ]
    );
    assert_eq!(
        field("action"),
        ["add", "pause", "pause", "showqueue", "showqueue"]
    );
    assert_eq!(
        field("queue"),
        [
            json!("6001,6002"),
            json!("9999"),
            Value::Null,
            Value::Null,
            Value::Null
        ]
    );
    assert_eq!(
        field("agent"),
        [
            json!("1001"),
            json!("1001"),
            Value::Null,
            Value::Null,
            Value::Null
        ]
    );
    let acme = json!("acme@example.com");
    assert_eq!(
        field("user"),
        [
            acme.clone(),
            acme.clone(),
            acme,
            json!("globex"),
            Value::Null
        ]
    );
    assert_eq!(field("organization")[..3], ["acme", "acme", "acme"]);
    assert_eq!(field("pbx")[..3], ["main", "main", "main"]);
    for line in &lines {
        assert_eq!(line["client"], "127.0.0.1");
        assert!(
            line["ms"].is_f64() && line["request_id"].is_string(),
            "{line}"
        );
    }
}

fn link_messages_name_the_pbx(version: u32) {
    let (_asterisk, bridge) = start(version);
    let (_, log) = bridge.stop();
    for message in ["link ready", "live state loaded", "link closed"] {
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut lines = lines.filter(|line: &Value| line["message"] == message);
        let line = lines.next().expect(message);
        assert_eq!(line["spans"][0]["pbx"], "main", "{line}");
    }
}

fn log_contains_no_secret(version: u32) {
    let (_asterisk, bridge) = start(version);
    let secrets = [
        "acme-password",
        "globex-password",
        "sample-secret-change-me",
        "typed-into-the-wrong-field",
        "wrong-guess",
        "unknown-name",
        // acme's password as MD5, and acme's Basic credentials.
        "fd0dee714724a4894fda4f2cf174f44d",
        "YWNtZUBleGFtcGxlLmNvbTphY21lLXBhc3N3b3Jk",
        "action=showqueue",
    ];
    let md5 = "username=acme%40example.com&password=fd0dee714724a4894fda4f2cf174f44d";
    bridge.get(&format!("{md5}&action=showqueue"));
    let basic = [(
        "Authorization",
        "Basic YWNtZUBleGFtcGxlLmNvbTphY21lLXBhc3N3b3Jk",
    )];
    let target = format!("{API_PATH}?action=showqueue");
    let response = request(bridge.address, "GET", &target, &basic, b"");
    assert_eq!(response.outcome(), "200 success");
    bridge.acme_ok("action=showqueue");
    bridge.get_ok(
        GLOBEX,
        "action=add&agent=1001&queue=6001&paused=1&reason=Lunch",
    );
    bridge.get("username=typed-into-the-wrong-field&password=wrong-guess&action=showqueue");
    bridge.get("username=globex&password=wrong-guess&action=typed-into-the-wrong-field");
    bridge.get("username=globex&password=globex-password&unknown-name=wrong-guess");
    bridge.get(
        "username=globex&password=globex-password&action=pause&agent=typed-into-the-wrong-field/",
    );
    let (_, log) = bridge.stop();
    assert!(log.contains("\"TRACE\""), "the log has no trace lines");
    assert_eq!(request_lines(&log).len(), 8);
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let login = log
        .lines()
        .find(|line| line.contains("Login {"))
        .expect("a trace line for the login");
    assert!(login.contains("key: ***"), "{login}");
}

fn request_id_links_a_request_to_its_ami_actions(version: u32) {
    let (_asterisk, bridge) = start(version);
    let response = bridge.acme_ok("action=add&agent=1001&queue=6001");
    let id = response["request_id"].as_str().expect("an id").to_owned();
    let (_, log) = bridge.stop();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<Value> = lines.collect();
    let sent_lines: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "sent" && line["request_id"] == id.as_str())
        .collect();
    // The second action reads the new member from Asterisk.
    let names: Vec<_> = sent_lines
        .iter()
        .map(|line| line["action"].as_str().unwrap_or_default())
        .filter_map(|action| action.split(' ').next())
        .collect();
    assert_eq!(names, ["QueueAdd", "QueueStatus"]);
    let action_id = format!("\"ActionID\": \"{}\"", sent_lines[0]["id"]);
    let received = lines.iter().filter(|line| line["message"] == "received");
    let replies: Vec<_> = received
        .filter(|line| {
            line["frame"]
                .as_str()
                .is_some_and(|frame| frame.contains(&action_id))
        })
        .collect();
    assert_eq!(replies.len(), 1);
    assert!(replies[0].to_string().contains("Added interface to queue"));
}

fn every_change_has_an_audit_line(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    bridge.acme_ok("action=showqueue");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    bridge.get_as(ACME, "action=remove&agent=1001&queue=9999");
    let (_, log) = bridge.stop();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["target"] == "audit").collect();
    let field = |name: &str| {
        lines
            .iter()
            .map(|line| line[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(field("action"), ["add", "pause", "add", "add", "remove"]);
    assert_eq!(field("queue"), ["6001", "6001", "6001", "6002", "9999"]);
    assert_eq!(
        field("outcome"),
        [
            "success",
            "success",
            "already_member",
            "success",
            "unknown_queue"
        ]
    );
    for line in &lines {
        let fields = (
            &line["organization"],
            &line["user"],
            &line["agent"],
            &line["client"],
        );
        let expected = ["acme", "acme@example.com", "1001", "127.0.0.1"].map(Value::from);
        assert_eq!(
            fields,
            (&expected[0], &expected[1], &expected[2], &expected[3])
        );
    }
}
