//! `wrk`, which makes the load over HTTP: one thread, since it needs less of the
//! machine than what it measures.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::load::Load;

const HOW: &str = "this needs wrk: apt-get install wrk";

/// Installs it, where it is missing and that is allowed.
pub(crate) fn ensure() -> Result<()> {
    let asked = || Command::new("wrk").arg("-v").stdout(Stdio::null()).status();
    match asked() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Ok(()),
    }
    let root = Command::new("id").arg("-u").output()?.stdout == b"0\n";
    if !root {
        return Err(HOW.into());
    }
    eprintln!("installing wrk");
    let install = "apt-get -qq update; apt-get -qq install -y --no-install-recommends wrk";
    Command::new("sh")
        .args(["-c", install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status()?;
    asked().map(drop).map_err(|_| HOW.into())
}

/// What it asks, in turn over all connections.
pub(crate) struct Requests {
    pub(crate) address: SocketAddr,
    pub(crate) targets: Vec<String>,
    /// A whole line of the head, or nothing.
    pub(crate) header: String,
}

/// Requests made before the first is sent, and a line of figures at the end.
const SCRIPT: &str = r#"
local requests, count = {}, 0
init = function()
  for i, target in ipairs(targets) do requests[i] = wrk.format("GET", target) end
end
request = function()
  count = count % #requests + 1
  return requests[count]
end
done = function(summary, latency)
  local e = summary.errors
  print(string.format("figures %d %d %d %d %d %d %d", summary.requests, summary.duration,
    summary.bytes, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"#;

/// Runs it; any error is one.
pub(crate) fn run(requests: &Requests, connections: usize, duration: Duration) -> Result<Load> {
    let mut script = String::from("local targets = {\n");
    for target in &requests.targets {
        writeln!(script, "  {target:?},")?;
    }
    script += "}\n";
    if let Some((name, value)) = requests.header.trim_end().split_once(": ") {
        writeln!(script, "wrk.headers[{name:?}] = {value:?}")?;
    }
    script += SCRIPT;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("requests.lua");
    std::fs::write(&file, script)?;
    let output = Command::new("wrk")
        .args(["-t1", "--timeout", "30s"])
        .arg(format!("-c{connections}"))
        .arg(format!("-d{}s", duration.as_secs()))
        .arg("-s")
        .arg(&file)
        .arg(format!("http://{}", requests.address))
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures = text.lines().find_map(|line| line.strip_prefix("figures "));
    let figures: Vec<u64> = figures
        .unwrap_or_default()
        .split(' ')
        .filter_map(|figure| figure.parse().ok())
        .collect();
    let [answered, microseconds, bytes, errors, p50, p99, max] = figures[..] else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("wrk: {text}{complaint}").into());
    };
    if errors > 0 {
        return Err(format!("wrk has counted {errors} errors: {text}").into());
    }
    if answered == 0 {
        return Err("wrk has got no answer".into());
    }
    Ok(Load {
        answered,
        seconds: microseconds as f64 / 1e6,
        p50: Duration::from_micros(p50),
        p99: Duration::from_micros(p99),
        longest: Duration::from_micros(max),
        bytes,
    })
}
