//! Runs `ami-bridge demo`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{bridge_command, eventually, request};

/// A running demo, killed on drop.
pub(crate) struct Demo {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    /// The pages, in the order in which the demo prints them.
    pub(crate) pages: Vec<DemoPage>,
    /// The query strings of the commands, in the order in which the demo prints them.
    pub(crate) queries: Vec<String>,
}

/// A page that the demo prints.
#[derive(Debug)]
pub(crate) struct DemoPage {
    /// The path and the fragment, such as `/agent`.
    pub(crate) path: String,
    /// The username and the password. `None` if the page needs no login.
    pub(crate) login: Option<(String, String)>,
}

impl Demo {
    /// Starts the demo, reads its output up to the last line, and waits until it listens and is
    /// connected to its PBX.
    pub(crate) fn start() -> Self {
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
        let pages = text.windows(2).filter_map(|lines| {
            let (_, path) = lines[1].strip_prefix("http://")?.split_once('/')?;
            let login = lines[0].split_once("Username ").map(|(_, login)| {
                let (username, password) = login.split_once(", password ").expect("a password");
                (
                    username.to_owned(),
                    password.trim_end_matches(':').to_owned(),
                )
            });
            let path = format!("/{path}");
            Some(DemoPage { path, login })
        });
        let api = text
            .iter()
            .find_map(|line| line.trim().strip_prefix("api=http://"));
        let (address, _) = api
            .and_then(|api| api.split_once('/'))
            .expect("the API's address");
        let query = |line: &String| {
            let (_, query) = line.split_once(" -u demo:demo \"$api?")?;
            Some(query.trim_end_matches('"').to_owned())
        };
        let demo = Self {
            child,
            address: address.parse().expect("an address"),
            pages: pages.collect(),
            queries: text.iter().filter_map(query).collect(),
        };
        eventually("the demo listens", || {
            std::net::TcpStream::connect(demo.address).ok()
        });
        // The link comes up shortly after the demo starts to listen.
        eventually("the demo is connected", || {
            (demo.get("action=showqueue")["status"] == "success").then_some(())
        });
        demo
    }

    /// Sends a request as the demo's supervisor.
    pub(crate) fn get(&self, query: &str) -> Value {
        let target = format!("/API/UpdateAgentState.php?{query}");
        let headers = [("Authorization", "Basic ZGVtbzpkZW1v")];
        request(self.address, "GET", &target, &headers, b"").json()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
