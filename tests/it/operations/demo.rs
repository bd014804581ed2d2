//! `ami-bridge demo`: the printed commands work, the scene has breaks and wrap-up, and SIGINT
//! stops the demo.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Stdio};

use serde_json::json;

use crate::support::{bridge_command, eventually, request, send_signal};

/// A running demo, killed on drop.
struct Demo {
    child: Child,
    address: SocketAddr,
    targets: Vec<String>,
}

impl Demo {
    /// Starts the demo and reads its output up to the last line.
    fn start() -> Self {
        let mut child = bridge_command()
            .args(["demo", "--listen", "127.0.0.1:0", "--seed", "7"])
            // The demo ignores configuration from the environment.
            .env("AMI_BRIDGE__HTTP__PATH", "/elsewhere")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a demo process");
        let lines = BufReader::new(child.stdout.take().expect("a piped stdout")).lines();
        let mut text = Vec::new();
        for line in lines.map_while(Result::ok) {
            let is_last = line.contains("Ctrl-C");
            text.push(line);
            if is_last {
                break;
            }
        }
        let url = |line: &String| line.split("http://").nth(1).map(str::to_owned);
        let urls: Vec<String> = text.iter().filter_map(url).collect();
        let (panel, commands) = urls.split_first().expect("the panel's address");
        let targets = commands.iter().map(|command| {
            let (_, target) = command.split_once('/').expect("a path");
            format!("/{}", target.trim_end_matches('\''))
        });
        Self {
            child,
            address: panel.trim_end_matches('/').parse().expect("an address"),
            targets: targets.collect(),
        }
    }

    fn get(&self, query: &str) -> serde_json::Value {
        let path = "/API/UpdateAgentState.php?username=demo&password=demo";
        request(self.address, "GET", &format!("{path}&{query}"), &[], b"").json()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn demo_serves_every_printed_command() {
    let mut demo = Demo::start();
    assert_eq!(demo.targets.len(), 5);
    eventually("the demo listens", || {
        std::net::TcpStream::connect(demo.address).ok()
    });
    for target in &demo.targets {
        let response = eventually(target, || {
            let response = request(demo.address, "GET", target, &[], b"");
            // The link comes up shortly after the demo starts to listen.
            (response.status != 503).then_some(response)
        });
        assert_eq!(response.status, 200, "{target}: {response:?}");
    }
    let agent = demo.get("action=showstate&agent=1021");
    assert_eq!(
        (&agent["alias"], &agent["state"]),
        (&json!("Noa"), &json!("available"))
    );
    let removed = demo.get("action=remove&agent=1020&queue=6005");
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
fn demo_shows_an_overdue_break_wrap_up_and_an_auto_pause() {
    let demo = Demo::start();
    eventually("the demo listens", || {
        std::net::TcpStream::connect(demo.address).ok()
    });
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
    assert_eq!(names, ["Lunch", "Short break", "Back office"]);
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
