//! HAProxy with the sample configuration, in front of two bridges.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::eventually;
use super::log_file::LogFile;
use super::port::ReservedPort;

/// A running HAProxy. Dropping it kills HAProxy.
pub(crate) struct HaProxy {
    child: Child,
    pub(crate) address: SocketAddr,
    admin_socket: PathBuf,
    log: LogFile,
    _folder: tempfile::TempDir,
    _port: ReservedPort,
}

/// A bridge's API address and admin address.
pub(crate) type Addresses = [SocketAddr; 2];

impl HaProxy {
    /// Starts HAProxy with the sample configuration, adapted to these bridges and to the user
    /// who runs the test.
    pub(crate) fn start(bridges: [Addresses; 2]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let admin_socket = folder.path().join("admin.sock");
        let port = ReservedPort::reserve();
        let [[a, a_admin], [b, b_admin]] = bridges;
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/haproxy/haproxy.cfg");
        let mut text = std::fs::read_to_string(sample).expect("the sample configuration");
        for (from, to) in [
            ("bind 127.0.0.1:8080", format!("bind {}", port.address)),
            (" 127.0.0.1:8088", format!(" {a}")),
            (" 127.0.0.1:8089", format!(" {b}")),
            ("port 9088", format!("port {}", a_admin.port())),
            ("port 9089", format!("port {}", b_admin.port())),
            (
                "/run/haproxy/admin.sock",
                admin_socket.display().to_string(),
            ),
            ("log /dev/log", "log stderr format raw".to_owned()),
            ("    user haproxy\n    group haproxy\n", String::new()),
        ] {
            assert!(
                text.contains(from),
                "the sample configuration does not contain {from}"
            );
            text = text.replace(from, &to);
        }
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, text).expect("written");
        let log = LogFile::new();
        let child = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(&file)
            .stderr(log.stdio())
            .spawn()
            .expect("haproxy (Debian package haproxy)");
        let haproxy = Self {
            child,
            address: port.address,
            admin_socket,
            log,
            _folder: folder,
            _port: port,
        };
        for bridge in ["a", "b"] {
            haproxy.wait_for_status(bridge, "UP");
        }
        haproxy
    }

    /// Waits until HAProxy reports `status` for the bridge.
    pub(crate) fn wait_for_status(&self, bridge: &str, status: &str) {
        eventually(&format!("bridge {bridge} is {status}"), || {
            (self.server_field("changes", bridge, "status") == status).then_some(())
        });
    }

    /// Drains the bridge, and waits until HAProxy has no active change requests to it.
    pub(crate) fn drain(&self, bridge: &str) {
        self.command(&format!("set server changes/{bridge} state drain"));
        eventually(&format!("bridge {bridge} has no active changes"), || {
            (self.active_requests("changes", bridge) == "0").then_some(())
        });
    }

    /// Returns the number of the bridge's active requests in `backend`, or an empty string if
    /// HAProxy does not listen yet.
    pub(crate) fn active_requests(&self, backend: &str, bridge: &str) -> String {
        self.server_field(backend, bridge, "scur")
    }

    /// Makes HAProxy send requests to a drained bridge again.
    pub(crate) fn enable(&self, bridge: &str) {
        self.command(&format!("set server changes/{bridge} state ready"));
        self.wait_for_status(bridge, "UP");
    }

    /// Returns a field of the bridge's statistics in `backend`.
    fn server_field(&self, backend: &str, bridge: &str, field: &str) -> String {
        let table = self.command("show stat");
        let mut rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
        let head = rows.next().unwrap_or_default();
        let column = head.iter().position(|name| *name == field);
        let row = rows.find(|row| row.starts_with(&[backend, bridge]));
        let found = row.and_then(|row| Some((*row.get(column?)?).to_owned()));
        found.unwrap_or_default()
    }

    /// Sends a command to the admin socket and returns the reply. Returns an empty reply
    /// until HAProxy listens on the socket.
    fn command(&self, command: &str) -> String {
        let mut reply = String::new();
        if let Ok(mut stream) = UnixStream::connect(&self.admin_socket) {
            writeln!(stream, "{command}").expect("written");
            stream.read_to_string(&mut reply).expect("a reply");
        }
        reply
    }

    /// Returns everything that HAProxy has logged.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
