//! Divides the process's file descriptors. API clients get only those that are not reserved, so
//! they can never exhaust the descriptors for the links, the admin listener and the log.

use tracing::warn;

/// File descriptors that the daemon always needs: standard streams, the runtimes, listeners,
/// the log, the storage, and the files that a reload reads.
const RESERVED_BASE: u64 = 30;

/// File descriptors for each PBX: its link, a new link while the old link closes, and name
/// resolution.
const RESERVED_PER_PBX: u64 = 4;

/// Maximum number of admin connections. The number is lower if the descriptor limit is low.
const MAX_ADMIN_CONNECTIONS: u64 = 64;

/// The maximum number of connections of each listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionLimits {
    pub(super) api: usize,
    pub(super) admin: usize,
}

/// Raises the soft limit on file descriptors to the hard limit, divides the descriptors, and
/// warns if they do not suffice for `max_connections`.
pub(super) fn divide(max_connections: usize, pbxes: usize) -> ConnectionLimits {
    let limit = rlimit::increase_nofile_limit(u64::MAX).or_else(|error| {
        warn!(%error, "can't raise the limit on file descriptors");
        rlimit::Resource::NOFILE.get_soft()
    });
    let Ok(limit) = limit else {
        return connection_limits(u64::MAX, max_connections, pbxes);
    };
    let limits = connection_limits(limit, max_connections, pbxes);
    if limits.api < max_connections {
        warn!(
            limit,
            max_connections = limits.api,
            "http.max_connections is lowered: there are too few file descriptors (ulimit -n, LimitNOFILE=)"
        );
    }
    limits
}

fn connection_limits(limit: u64, max_connections: usize, pbxes: usize) -> ConnectionLimits {
    // If the descriptor limit is low, API clients must still get some descriptors.
    let admin = MAX_ADMIN_CONNECTIONS.min(limit / 8).max(4);
    let reserved = RESERVED_BASE + RESERVED_PER_PBX * pbxes as u64 + admin;
    let remaining = limit.saturating_sub(reserved).max(1);
    ConnectionLimits {
        api: max_connections.min(usize::try_from(remaining).unwrap_or(usize::MAX)),
        admin: admin as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_connections_get_the_descriptors_that_are_not_reserved() {
        for (limit, max_connections, pbxes, api, admin) in [
            (1_048_576, 4096, 1, 4096, 64),
            (8192, 4096, 3, 4096, 64),
            (4096, 4096, 1, 3998, 64),
            (256, 4096, 1, 190, 32),
            (256, 100, 1, 100, 32),
            (40, 4096, 1, 1, 5),
            (20, 4096, 1, 1, 4),
            (u64::MAX, 4096, 1, 4096, 64),
        ] {
            let found = connection_limits(limit, max_connections, pbxes);
            assert_eq!(
                found,
                ConnectionLimits { api, admin },
                "{limit} {max_connections} {pbxes}"
            );
        }
    }
}
