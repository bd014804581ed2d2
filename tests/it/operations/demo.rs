//! `ami-bridge demo`: the printed commands and logins work, the scene has breaks and wrap-up, and
//! SIGINT stops the demo.

use std::net::TcpListener;

use serde_json::json;

use crate::support::{Demo, bridge_command, eventually, request, send_signal};

#[test]
fn demo_serves_every_printed_command() {
    let mut demo = Demo::start();
    assert_eq!(demo.queries.len(), 6);
    for query in &demo.queries {
        let response = demo.get(query);
        assert_eq!(response["status"], "success", "{query}: {response}");
    }
    let agent = demo.get("action=showstate&agent=1031");
    assert_eq!(
        (&agent["alias"], &agent["state"]),
        (&json!("Noa"), &json!("available"))
    );
    let removed = demo.get("action=remove&agent=1020&queue=Night-desk");
    assert_eq!(removed["code"], "static_member");
    eventually("a call arrives", || {
        let statistics = demo.get("action=showqueuestat");
        let queues = statistics["queues"].as_array()?;
        let busy = |queue: &serde_json::Value| {
            queue["callers_waiting"] != 0 || queue["agents"]["in_call"] != 0
        };
        queues.iter().any(busy).then_some(())
    });
    send_signal(demo.child.id(), "INT");
    let status = eventually("the demo exits", || {
        demo.child.try_wait().expect("an exit status")
    });
    assert!(status.success(), "{status}");
}

#[test]
fn demo_accepts_every_printed_login() {
    let demo = Demo::start();
    let paths: Vec<_> = demo.pages.iter().map(|page| page.path.as_str()).collect();
    let [_, _, wall] = paths[..] else {
        panic!("{paths:?}");
    };
    assert_eq!(paths[..2], ["/", "/agent"]);
    let token = wall.strip_prefix("/wall#token=").expect("a token");
    let agents = demo.pages.iter().map(|page| {
        let api = "/API/UpdateAgentState.php";
        let response = match &page.login {
            Some((username, password)) => {
                let query = format!("username={username}&password={password}&action=whoami");
                request(demo.address, "GET", &format!("{api}?{query}"), &[], b"")
            }
            None => {
                let bearer = format!("Bearer {token}");
                let headers = [("Authorization", bearer.as_str())];
                let target = format!("{api}?action=whoami");
                request(demo.address, "GET", &target, &headers, b"")
            }
        };
        assert_eq!(response.status, 200, "{page:?}: {response:?}");
        response.json()["agent"].take()
    });
    let agents: Vec<_> = agents.collect();
    assert_eq!(agents, [json!(null), json!("1001"), json!(null)]);
}

#[test]
fn demo_shows_an_overdue_break_wrap_up_and_an_auto_pause() {
    let demo = Demo::start();
    let has_member = |field: &str, value: serde_json::Value| {
        eventually(field, || {
            let response = demo.get("action=showqueue");
            let mut queues = response["queues"].as_array()?.iter();
            let is_shown = queues.any(|queue| {
                let mut members = queue["members"].as_array().into_iter().flatten();
                members.any(|member| member[field] == value)
            });
            is_shown.then_some(())
        });
    };
    has_member("auto_paused", json!(true));
    has_member("state", json!("wrap_up"));
    has_member("pause_overdue", json!(true));
    let reasons = demo.get("action=showreasons");
    let names: Vec<_> = reasons["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|reason| &reason["reason"])
        .collect();
    assert_eq!(names, ["Lunch", "Short break", "Back office", "הפסקה"]);
}

#[test]
fn demo_reports_complete_days_with_work_of_every_agent() {
    let demo = Demo::start();
    let today = demo.get("action=showreport");
    assert_eq!(
        (&today["complete"], &today["gaps"]),
        (&json!(true), &json!([]))
    );
    // At midnight, the shift of today has just begun.
    let yesterday = today["from"].as_str().expect("a date");
    let from = yesterday.parse::<jiff::civil::Date>().expect("a date");
    let from = from.yesterday().expect("a date");
    let report = demo.get(&format!("action=showreport&from={from}&to={yesterday}"));
    let rows = report["rows"].as_array().expect("rows");
    // The agent 1020 logs in for the demo only.
    let working = rows.iter().filter(|row| row["agent"] != "1020");
    assert_eq!(working.clone().count(), 29, "{report}");
    for row in working {
        assert!(row["calls_taken"].as_u64() > Some(30), "{row}");
        assert!(row["logged_in_seconds"].as_u64() > Some(6 * 3600), "{row}");
        let mut reasons = row["reasons"].as_array().expect("reasons").iter();
        assert!(reasons.any(|reason| reason["reason"] == "Lunch"), "{row}");
    }
}

#[test]
fn demo_reports_a_port_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a local address").to_string();
    let output = bridge_command()
        .args(["demo", "--listen", &address])
        .output()
        .expect("the output of the demo");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains(&format!("can't listen on {address}")),
        "{text}"
    );
    assert!(text.contains("--listen"), "{text}");
}
