//! Finds the limits that are too low for the configuration.

use std::fmt::{Display, Formatter, Result};

use super::demand::Demand;
use super::descriptors;
use super::limits::SystemLimits;

/// The resource that a limit restricts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    OpenFiles,
    Backlog,
    LocalPorts,
    TrackedConnections,
}

/// A limit that is too low. Its text has the consequence and the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortage {
    resource: Resource,
    /// The current limit.
    pub(crate) limit: u64,
    /// The lowest sufficient limit.
    pub(crate) needed: u64,
    demand: Demand,
}

/// Returns the limits that are too low for the configuration.
pub(crate) fn shortages(limits: &SystemLimits, demand: &Demand) -> Vec<Shortage> {
    let connections = demand.max_connections;
    let serves_fewer = |limit: &u64| {
        let served = descriptors::divide(*limit, connections, demand.pbxes).api;
        served < connections
    };
    let open_files = limits.open_files.filter(serves_fewer);
    let local_ports = limits.local_ports.filter(|_| demand.is_local);
    // A connection through a proxy on this machine is two connections for the firewall.
    let tracked = connections * if demand.is_local { 2 } else { 1 };
    let descriptors = descriptors::needed(connections, demand.pbxes);
    let candidates = [
        (Resource::OpenFiles, open_files, descriptors),
        (Resource::Backlog, limits.backlog, connections),
        (Resource::LocalPorts, local_ports, connections),
        (
            Resource::TrackedConnections,
            limits.tracked_connections,
            tracked,
        ),
    ];
    let too_low = candidates
        .into_iter()
        .filter_map(|(resource, limit, needed)| {
            let limit = limit.filter(|limit| *limit < needed)?;
            Some(Shortage {
                resource,
                limit,
                needed,
                demand: *demand,
            })
        });
    too_low.collect()
}

impl Display for Shortage {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self {
            limit,
            needed,
            demand,
            ..
        } = self;
        let connections = demand.max_connections;
        match self.resource {
            Resource::OpenFiles => {
                let served = descriptors::divide(*limit, connections, demand.pbxes).api;
                write!(
                    f,
                    "the bridge may open only {limit} file descriptors, so it serves only {served} \
                     connections; http.max_connections = {connections} needs {needed}: set \
                     LimitNOFILE={needed} in the unit (ulimit -n, --ulimit nofile= of a \
                     container)"
                )
            }
            Resource::Backlog => write!(
                f,
                "net.core.somaxconn is {limit}: if more clients connect at the same moment, the \
                 others wait for seconds; http.max_connections = {connections} needs {needed}: \
                 sysctl net.core.somaxconn={needed}"
            ),
            Resource::LocalPorts => write!(
                f,
                "net.ipv4.ip_local_port_range has {limit} ports: a proxy on this machine can't \
                 open more connections to http.listen; http.max_connections = {connections} \
                 needs {needed}: extend the range"
            ),
            Resource::TrackedConnections => write!(
                f,
                "net.netfilter.nf_conntrack_max is {limit}: the firewall drops connections \
                 beyond it; http.max_connections = {connections} needs {needed}: \
                 sysctl net.netfilter.nf_conntrack_max={needed}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMPLE: SystemLimits = SystemLimits {
        open_files: Some(1_048_576),
        backlog: Some(65_535),
        local_ports: Some(64_512),
        tracked_connections: Some(262_144),
    };

    const DEMAND: Demand = Demand {
        max_connections: 4096,
        pbxes: 1,
        is_local: true,
    };

    fn resources(limits: &SystemLimits, demand: &Demand) -> Vec<(Resource, u64, u64)> {
        let found = shortages(limits, demand).into_iter();
        found
            .map(|shortage| (shortage.resource, shortage.limit, shortage.needed))
            .collect()
    }

    #[test]
    fn limit_is_reported_only_if_it_is_below_the_need() {
        use Resource::{Backlog, LocalPorts, OpenFiles, TrackedConnections};
        let enough = SystemLimits {
            open_files: Some(4194),
            backlog: Some(4096),
            local_ports: Some(4096),
            tracked_connections: Some(8192),
        };
        assert_eq!(resources(&enough, &DEMAND), []);
        let minus_one = |limit: Option<u64>| limit.map(|limit| limit - 1);
        let too_low = SystemLimits {
            open_files: minus_one(enough.open_files),
            backlog: minus_one(enough.backlog),
            local_ports: minus_one(enough.local_ports),
            tracked_connections: minus_one(enough.tracked_connections),
        };
        let expected = [
            (OpenFiles, 4193, 4194),
            (Backlog, 4095, 4096),
            (LocalPorts, 4095, 4096),
            (TrackedConnections, 8191, 8192),
        ];
        assert_eq!(resources(&too_low, &DEMAND), expected);
    }

    #[test]
    fn few_descriptors_suffice_for_few_connections() {
        let limits = SystemLimits {
            open_files: Some(190),
            ..AMPLE
        };
        let demand = Demand {
            max_connections: 100,
            ..DEMAND
        };
        assert_eq!(resources(&limits, &demand), []);
    }

    #[test]
    fn unknown_limits_are_not_reported() {
        let unknown = SystemLimits {
            open_files: None,
            backlog: None,
            local_ports: None,
            tracked_connections: None,
        };
        let demand = Demand {
            max_connections: u64::from(u32::MAX),
            ..DEMAND
        };
        assert_eq!(resources(&unknown, &demand), []);
    }

    #[test]
    fn each_pbx_needs_descriptors() {
        let limits = SystemLimits {
            open_files: Some(4194),
            ..AMPLE
        };
        let demand = Demand { pbxes: 2, ..DEMAND };
        let expected = [(Resource::OpenFiles, 4194, 4198)];
        assert_eq!(resources(&limits, &demand), expected);
    }

    #[test]
    fn ports_of_remote_clients_are_not_compared() {
        let limits = SystemLimits {
            local_ports: Some(1),
            tracked_connections: Some(4096),
            ..AMPLE
        };
        let demand = Demand {
            is_local: false,
            ..DEMAND
        };
        assert_eq!(resources(&limits, &demand), []);
    }

    #[test]
    fn shortage_text_has_the_limit_the_need_and_the_remedy() {
        let limits = SystemLimits {
            open_files: Some(8192),
            backlog: Some(4096),
            local_ports: Some(28_232),
            tracked_connections: Some(65_536),
        };
        let demand = Demand {
            max_connections: 37_500,
            ..DEMAND
        };
        let texts: Vec<_> = shortages(&limits, &demand)
            .iter()
            .map(ToString::to_string)
            .collect();
        for (text, words) in texts.iter().zip([
            [
                "8192 file descriptors",
                "8094 connections",
                "LimitNOFILE=37598",
            ],
            [
                "somaxconn is 4096",
                "seconds",
                "sysctl net.core.somaxconn=37500",
            ],
            ["28232 ports", "37500", "net.ipv4.ip_local_port_range"],
            [
                "nf_conntrack_max is 65536",
                "firewall",
                "nf_conntrack_max=75000",
            ],
        ]) {
            for word in words {
                assert!(text.contains(word), "{word}: {text}");
            }
        }
        assert_eq!(texts.len(), 4);
    }
}
