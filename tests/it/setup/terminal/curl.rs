//! The `curl` command that setup prints.

use std::fs;
use std::net::TcpStream;

use super::Terminal;
use crate::setup::{Outcome, Site, layouts};
use crate::support::{ReservedPort, http_tls_section, on_both_versions};

on_both_versions!(printed_curl_command_works);

/// Runs the command in setup's output, and types the password.
fn run_printed_command(outcome: &Outcome, password: &str) -> String {
    let lines = outcome.text.lines().map(str::trim);
    let lines = lines.skip_while(|line| !line.starts_with("curl "));
    let lines: Vec<&str> = lines.take(2).collect();
    let command = lines.join("\n");
    let mut terminal = Terminal::start_shell(&command);
    terminal.wait_for("password for user 'acme':");
    terminal.type_line(password);
    assert_eq!(terminal.status(), Some(0), "{command}: {}", terminal.text());
    let text = terminal.text();
    assert!(
        text.contains("\"status\":\"success\"") && text.contains("6001"),
        "{text}"
    );
    command
}

/// Returns the host and the port of the page in setup's output.
fn page(outcome: &Outcome) -> (&str, &str) {
    let mut lines = outcome.text.lines().map(str::trim);
    lines.find(|line| *line == "The page:").expect("a page");
    let page = lines.next();
    let (scheme, rest) = page
        .and_then(|page| page.split_once("://"))
        .expect("a page");
    (scheme, rest.trim_end_matches('/'))
}

fn printed_curl_command_works(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let port = ReservedPort::reserve();
    let listen = port.address.to_string();
    let outcome = site.setup(&["--yes", "--organization", "acme", "--listen", &listen]);
    outcome.assert(0, &[&format!("The page: http://{listen}/")]);
    let password = outcome.password_of("acme");
    {
        let _bridge = site.start_bridge_with(&[]);
        run_printed_command(&outcome, &password);
    }

    // The operator changes the address, and asks setup again.
    let path = site.directory().join("ami-bridge.toml");
    let original = site.read("ami-bridge.toml");
    let all = format!("0.0.0.0:{}", port.address.port());
    fs::write(&path, original.replace(&listen, &all)).expect("written");
    let outcome = site.setup(&["--yes"]);
    {
        let _bridge = site.start_bridge_with(&[]);
        let command = run_printed_command(&outcome, &password);
        assert!(command.contains(&format!("http://{listen}/")), "{command}");
        let (scheme, authority) = page(&outcome);
        assert!(
            scheme == "http" && !authority.starts_with("0.0.0.0"),
            "{authority}"
        );
        TcpStream::connect(authority).expect("the address of the page is reachable");
    }

    // The certificate is valid for localhost only.
    let tls = http_tls_section(site.folder.path(), |_| {});
    fs::write(&path, original.replace("[http]", &tls)).expect("written");
    let outcome = site.setup(&["--yes"]);
    let (scheme, authority) = page(&outcome);
    assert_eq!(scheme, "https");
    assert_eq!(authority, format!("localhost:{}", port.address.port()));
    let _bridge = site.start_bridge_with(&[]);
    run_printed_command(&outcome, &password);
}
