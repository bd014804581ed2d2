//! Chromium processes that the tests use in turn. Starting one takes more processor time than
//! most tests in it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::{eventually, request};

/// The processes that no test uses at the moment.
static IDLE: Mutex<Vec<Chromium>> = Mutex::new(Vec::new());

/// A chromedriver with a WebDriver session, and its Chromium with a temporary profile. All of
/// this ends when it is dropped, and when the process of the tests exits.
pub(super) struct Chromium {
    /// A shell that stops the other processes when its standard input closes.
    guard: Child,
    address: SocketAddr,
    session: String,
}

/// Starts chromedriver with the session id of its own, and stops everything in that session.
const GUARD: &str = "
    setsid chromedriver --port=0 </dev/null &
    exec >/dev/null
    cat
    kill -s KILL -- -$!
    # Processes that are about to end may still write to the profile.
    until rm -rf \"$0\"; do sleep 0.1; done";

impl Chromium {
    /// Returns a Chromium in the state in which it started.
    pub(super) fn take() -> Self {
        let idle = IDLE.lock().expect("an unpoisoned lock").pop();
        idle.unwrap_or_else(Self::start)
    }

    /// Lets other tests use this Chromium.
    pub(super) fn put_back(self, origins: &[String]) {
        if self.reset(origins).is_ok() {
            IDLE.lock().expect("an unpoisoned lock").push(self);
        }
    }

    fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder").keep();
        let profile = profile.to_str().expect("a path in UTF-8");
        // chromedriver picks a free port, and exits if another program takes that port first.
        let (guard, port) = eventually("chromedriver listens", || start_driver(profile));
        let mut chromium = Self {
            guard,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            session: String::new(),
        };
        let session = chromium.command("POST", "/session", &capabilities(profile));
        let session = session.expect("a WebDriver session");
        let id = session["sessionId"].as_str().expect("a session id");
        chromium.session = format!("/session/{id}");
        chromium
    }

    /// Sends a WebDriver command of the session. Returns its value or its error.
    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.command(method, &format!("{}{path}", self.session), body)
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = match method {
            "POST" => body.to_string(),
            _ => String::new(),
        };
        let response = request(self.address, method, path, &[], body.as_bytes());
        let value = response.json()["value"].take();
        match response.status {
            200 => Ok(value),
            _ => Err(format!("{path}: {}: {}", value["error"], value["message"])),
        }
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Result<Value, String> {
        let body = json!({"cmd": command, "params": parameters});
        self.send("POST", "/goog/cdp/execute", &body)
    }

    /// Replaces all pages by an empty one. Deletes all that the pages stored. Emulated screens,
    /// emulated media and scripts for new documents end with their page.
    fn reset(&self, origins: &[String]) -> Result<(), String> {
        let old = self.send("GET", "/window/handles", &Value::Null)?;
        let new = self.send("POST", "/window/new", &json!({"type": "tab"}))?;
        for handle in old.as_array().into_iter().flatten() {
            self.send("POST", "/window", &json!({"handle": handle}))?;
            self.send("DELETE", "/window", &Value::Null)?;
        }
        self.send("POST", "/window", &json!({"handle": new["handle"]}))?;
        self.devtools("Page.bringToFront", &json!({}))?;
        for origin in origins {
            let data = json!({"origin": origin, "storageTypes": "all"});
            self.devtools("Storage.clearDataForOrigin", &data)?;
        }
        self.devtools("Network.clearBrowserCache", &json!({}))?;
        self.devtools("Network.clearBrowserCookies", &json!({}))?;
        let download = json!({"behavior": "default"});
        self.devtools("Browser.setDownloadBehavior", &download)?;
        self.send("POST", "/timeouts", &json!({"script": 30_000}))?;
        self.send("POST", "/se/log", &json!({"type": "browser"}))?;
        Ok(())
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Starts chromedriver. Returns its guard and its port, or `None` if chromedriver exited.
fn start_driver(profile: &str) -> Option<(Child, u16)> {
    let mut guard = Command::new("sh")
        .args(["-c", GUARD, profile])
        // Ctrl-C in a terminal would stop the guard before it could stop the other processes.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh");
    let mut lines = BufReader::new(guard.stdout.take().expect("piped")).lines();
    let port = lines.find_map(|line| {
        let line = line.expect("text");
        let (_, rest) = line.split_once("successfully on port ")?;
        rest.trim_end_matches('.').parse::<u16>().ok()
    });
    if port.is_none() {
        drop(guard.stdin.take());
        let _ = guard.wait();
    }
    Some((guard, port?))
}

fn capabilities(profile: &str) -> Value {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1440,900",
        &format!("--user-data-dir={profile}"),
    ];
    json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"args": arguments},
    }}})
}
