//! The systemd unit of the packages.

use std::path::Path;
use std::process::{Command, Stdio};

/// The unit's name.
pub(super) const UNIT: &str = "ami-bridge";

/// The folder from which the unit reads the configuration.
pub(super) const UNIT_FOLDER: &str = "/etc/ami-bridge";

/// Returns whether systemd runs this machine and has the unit.
pub(super) fn is_available() -> bool {
    Path::new("/run/systemd/system").exists() && is_installed()
}

/// Returns whether the unit is installed and reads this folder.
pub(super) fn reads(folder: &Path) -> bool {
    folder == Path::new(UNIT_FOLDER) && is_installed()
}

/// Returns whether the unit is installed.
fn is_installed() -> bool {
    let folders = [
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
        "/etc/systemd/system",
    ];
    let mut units = folders
        .map(|folder| Path::new(folder).join("ami-bridge.service"))
        .into_iter();
    units.any(|unit| unit.exists())
}

/// Returns whether the unit runs. Another program that listens on the bridge's port does not count.
pub(super) fn is_running() -> bool {
    run("is-active").is_ok()
}

/// Returns whether the unit starts with the system.
pub(super) fn is_enabled() -> bool {
    run("is-enabled").is_ok()
}

/// Runs a command of `systemctl` for the unit. `start` and `restart` return when the
/// bridge listens.
///
/// # Errors
/// Returns what systemd reports if the command fails.
pub(super) fn run(command: &str) -> Result<(), String> {
    let output = Command::new("systemctl")
        .args([command, UNIT])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("systemctl: {error}")),
    }
}
