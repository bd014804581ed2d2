//! Creates HTTP load with `wrk`, on one thread. `wrk` needs less CPU time than the programs under
//! load.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Result;
use crate::turn_result::TurnResult;

const MISSING: &str = "wrk is missing: apt-get install wrk";

/// Installs `wrk` if it is missing and this program runs as root.
pub(crate) fn ensure_installed() -> Result<()> {
    let run_wrk = || Command::new("wrk").arg("-v").stdout(Stdio::null()).status();
    match run_wrk() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Ok(()),
    }
    let root = Command::new("id").arg("-u").output()?.stdout == b"0\n";
    if !root {
        return Err(MISSING.into());
    }
    eprintln!("installing wrk");
    let install = "apt-get -qq update; apt-get -qq install -y --no-install-recommends wrk";
    Command::new("sh")
        .args(["-c", install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null())
        .status()?;
    run_wrk().map(drop).map_err(|_| MISSING.into())
}

/// The requests, which `wrk` repeats over all connections.
pub(crate) struct Requests {
    pub(crate) address: SocketAddr,
    pub(crate) targets: Vec<String>,
    /// A complete header line, or an empty string.
    pub(crate) header: String,
}

/// Formats all requests before it sends the first one. Prints the results as a line of numbers.
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
  print(string.format("results %d %d %d %d %d %d %d", summary.requests, summary.duration,
    summary.bytes, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"#;

/// Runs `wrk`.
///
/// # Errors
/// Returns an error if `wrk` counts an error or a status other than 200, or if it counts
/// no response.
pub(crate) fn run(
    requests: &Requests,
    connections: usize,
    duration: Duration,
) -> Result<TurnResult> {
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
    let results = text.lines().find_map(|line| line.strip_prefix("results "));
    let results: Vec<u64> = results
        .unwrap_or_default()
        .split(' ')
        .filter_map(|number| number.parse().ok())
        .collect();
    let [responses, microseconds, bytes, errors, p50, p99, max] = results[..] else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("wrk: {text}{stderr}").into());
    };
    if errors > 0 {
        return Err(format!("wrk counted {errors} errors: {text}").into());
    }
    if responses == 0 {
        return Err("wrk received no response".into());
    }
    Ok(TurnResult {
        responses,
        seconds: microseconds as f64 / 1e6,
        p50: Duration::from_micros(p50),
        p99: Duration::from_micros(p99),
        longest: Duration::from_micros(max),
        bytes,
    })
}
