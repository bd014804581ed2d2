//! Describes the machine that runs the benchmark.

use std::fs::read_to_string;
use std::process::Command;

use crate::Result;

/// Returns the cores, processor, kernel, compiler, and the load before the benchmark.
pub(crate) fn describe() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let cpuinfo = read_to_string("/proc/cpuinfo")?;
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let kernel = read_to_string("/proc/sys/kernel/osrelease")?;
    let load = read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or("?");
    let rustc = Command::new("rustc").arg("--version").output()?.stdout;
    let rustc = String::from_utf8_lossy(&rustc);
    // "rustc 1.95.0 (…)"
    let rustc: Vec<_> = rustc.split(' ').take(2).collect();
    Ok(format!(
        "{cores} cores of {model}, Linux {}, {}, ami-bridge {}, load {load} before",
        kernel.trim(),
        rustc.join(" "),
        env!("CARGO_PKG_VERSION"),
    ))
}
