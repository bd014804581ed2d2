//! Two bridges for one Asterisk, behind HAProxy with the sample configuration.

mod ends;
mod load;
mod mirrors;
mod sample;
mod tickets;

use std::net::{IpAddr, SocketAddr};

use crate::support::{
    API_PATH, Asterisk, Bridge, HaProxy, KeepAliveConnection, ReservedPort, Response, configuration,
};

const CLIENTS: usize = 8;

/// Asterisk, two bridges, and HAProxy in front of the bridges.
struct Setup {
    asterisk: Asterisk,
    ports: [[ReservedPort; 2]; 2],
    bridges: [Option<Bridge>; 2],
    haproxy: HaProxy,
    level: &'static str,
}

/// The bridges' names in the sample configuration.
const NAMES: [&str; 2] = ["a", "b"];

impl Setup {
    fn start(version: u32, level: &'static str) -> Self {
        let asterisk = Asterisk::start(version);
        let ports = [0, 1].map(|_| [0, 1].map(|_| ReservedPort::reserve()));
        let bridges = ports
            .each_ref()
            .map(|ports| Some(start_bridge(&asterisk, ports, level)));
        let addresses = ports
            .each_ref()
            .map(|ports| ports.each_ref().map(|port| port.address));
        let haproxy = HaProxy::start(addresses);
        Self {
            asterisk,
            ports,
            bridges,
            haproxy,
            level,
        }
    }

    fn bridge(&self, number: usize) -> &Bridge {
        self.bridges[number].as_ref().expect("a running bridge")
    }

    fn kill(&mut self, number: usize) {
        self.bridges[number] = None;
    }

    fn stop(&mut self, number: usize) {
        let bridge = self.bridges[number].take().expect("a running bridge");
        assert!(bridge.stop().0.success());
    }

    /// Starts a bridge that was stopped or killed.
    fn restart(&mut self, number: usize) {
        let bridge = start_bridge(&self.asterisk, &self.ports[number], self.level);
        self.bridges[number] = Some(bridge);
    }
}

fn start_bridge(asterisk: &Asterisk, [address, admin]: &[ReservedPort; 2], level: &str) -> Bridge {
    let listen = |address: SocketAddr| format!("listen = \"{address}\"");
    let configuration = configuration(asterisk.port)
        .replace("info,ami_bridge=trace", level)
        .replace("action_timeout = \"3s\"", "action_timeout = \"8s\"")
        .replace("[http]", "[http]\ntrusted_proxies = [\"127.0.0.1\"]")
        .replacen("listen = \"127.0.0.1:0\"", &listen(address.address), 1)
        .replacen("listen = \"127.0.0.1:0\"", &listen(admin.address), 1);
    Bridge::start(&configuration)
}

/// A client with its own address and agent.
struct Client {
    number: usize,
    connection: KeepAliveConnection,
}

impl Client {
    fn new(number: usize, haproxy: &HaProxy) -> Self {
        Self {
            number,
            connection: KeepAliveConnection::from(address(number), haproxy.address),
        }
    }

    fn get(&mut self, query: &str) -> Response {
        let credentials = "username=acme%40example.com&password=acme-password";
        let target = format!("{API_PATH}?{credentials}&{query}");
        self.connection
            .get(&target)
            .expect("a response from HAProxy")
    }

    /// Pauses or unpauses the client's agent. `reason` identifies the change in the
    /// `queue_log`.
    fn change(&mut self, round: usize, reason: &str) -> Response {
        let action = ["pause", "unpause"][round % 2];
        let agent = agent(self.number);
        self.get(&format!(
            "action={action}&agent={agent}&queue=6001&reason={reason}"
        ))
    }
}

fn address(client: usize) -> IpAddr {
    IpAddr::from([127, 0, 1, 1 + client as u8])
}

fn agent(client: usize) -> usize {
    1001 + client
}

fn add_agents(bridge: &Bridge) {
    for client in 0..CLIENTS {
        bridge.acme_ok(&format!("action=add&agent={}&queue=6001", agent(client)));
    }
}
