//! The bridge's configuration for the demo, and the text that the demo prints.

use std::net::SocketAddr;

use crate::organizations::TokenHash;

/// The name of the simulated PBX in the configuration.
pub(super) const PBX: &str = "simulated";

/// The demo's organization, without the token of the wall.
const ORGANIZATION: &str = r#"[organization.demo]
queues = [
  "Support", "Sales", "Billing", "Orders", "Repairs", "Returns", "Deliveries",
  "Hebrew", "Arabic", "Night-desk",
]
agents = ["1001-1099"]
interface = "PJSIP/{agent}"
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

[[organization.demo.reason]]
name = "הפסקה"
limit = "1m"

[[organization.demo.user]]
username = "demo"
password = "demo"

[[organization.demo.user]]
username = "dana"
password = "dana"
agents = ["1001"]
"#;

/// Returns the bridge's configuration. `ami` is the simulated PBX's address, `listen` is the
/// bridge's address, and `wall_token` is the token of the wall.
pub(super) fn bridge_configuration(
    ami: SocketAddr,
    listen: SocketAddr,
    wall_token: &str,
) -> String {
    let wall_token_hash = TokenHash::of(wall_token);
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

[pbx.{PBX}]
address = "{ami}"
username = "queuebridge"
secret = "demo"

{ORGANIZATION}
[[organization.demo.token]]
name = "wall"
token_hash = "{wall_token_hash}"
actions = ["events"]
"#
    )
}

/// Returns the welcome text, which explains how to open the pages and suggests commands to try. It
/// fits into a terminal of 80 columns, except for the address of the wall.
pub(super) fn welcome(listen: SocketAddr, seed: u64, wall_token: &str) -> String {
    let commands = [
        "action=showqueuestat&queue=Support,Sales",
        "action=pause&agent=1001&reason=Lunch",
        "action=showstate&agent=1001",
        "action=unpause&agent=1001",
        "action=showreport&by=queue",
        "action=add&agent=1031&queue=Returns&alias=Noa",
    ];
    let curl = |query: &str| format!("  curl -w '\\n' -u demo:demo \"$api?{query}\"\n");
    format!(
        "The demo simulates a PBX with 10 queues, 30 agents and their callers.\n\
         \nThe board, for supervisors. Username demo, password demo:\n\
         http://{listen}/\n\
         \nThe page of agent 1001, for a phone. Username dana, password dana:\n\
         http://{listen}/agent\n\
         \nThe wall, for a large screen. It needs no login:\n\
         http://{listen}/wall#token={wall_token}\n\
         \nTo use the API, run these commands in another terminal:\n\n  \
         api=http://{listen}/API/UpdateAgentState.php\n{}\
         \nTo see the same calls again, start the demo with --seed {seed}.\n\
         Press Ctrl-C to stop it. Nothing is saved.\n",
        commands.map(curl).concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organizations::create_token;

    #[test]
    fn welcome_fits_into_80_columns() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8088));
        let token = create_token().expect("random bytes");
        let text = welcome(listen, u64::from(u32::MAX), &token);
        let long: Vec<_> = text.lines().filter(|line| line.len() > 80).collect();
        // Terminals recognize an address only if nothing divides it.
        assert_eq!(long, [format!("http://{listen}/wall#token={}", *token)]);
    }
}
