//! The bridge's configuration for the demo, and the text that the demo prints.

use std::net::SocketAddr;

/// Returns the bridge's configuration. `ami` is the simulated PBX's address, and `listen` is
/// the bridge's address.
pub(super) fn bridge_configuration(ami: SocketAddr, listen: SocketAddr) -> String {
    format!(
        r#"
[http]
listen = "{listen}"

# Disabled, because its port may be in use.
[admin]
listen = ""

# Log only warnings, so that the welcome text remains visible.
[log]
level = "warn"

[pbx.simulated]
address = "{ami}"
username = "queuebridge"
secret = "demo"

[organization.demo]
queues = ["*"]
queue_name = "demo-{{queue}}"
agents = ["1001-1099"]
interface = "PJSIP/{{agent}}"
wrapup = "15s"

[[organization.demo.reason]]
name = "Lunch"
limit = "30m"
ends = true

[[organization.demo.reason]]
name = "Short break"
limit = "1m"

[[organization.demo.reason]]
name = "Back office"

[[organization.demo.user]]
username = "demo"
password = "demo"
"#
    )
}

/// Returns the welcome text, which explains how to log in and suggests commands to try.
pub(super) fn welcome(listen: SocketAddr, seed: u64) -> String {
    let login = "username=demo&password=demo";
    let curl = |query: &str| {
        format!("  curl -w '\\n' 'http://{listen}/API/UpdateAgentState.php?{login}&{query}'\n")
    };
    let commands = [
        "action=showqueuestat&queue=6001,6002",
        "action=pause&agent=1001&reason=Lunch",
        "action=showstate&agent=1001",
        "action=unpause&agent=1001",
        "action=add&agent=1021&queue=6004&alias=Noa",
    ];
    format!(
        "The demo simulates a PBX with queues 6001 to 6005, agents 1001 to 1020, and callers.\n\
         \n  panel     http://{listen}/\n  username  demo\n  password  demo\n\
         \nTry these commands in another terminal:\n\n{}\
         \nTo see the same calls again, start the demo with --seed {seed}.\n\
         Press Ctrl-C to stop it. Nothing is saved.\n",
        commands.map(curl).concat()
    )
}
