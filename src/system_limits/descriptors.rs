//! Divides the process's file descriptors. API clients get only those that are not reserved, so
//! they can never exhaust the descriptors for the links, the admin listener and the log.

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
pub(crate) struct ConnectionLimits {
    pub(crate) api: u64,
    pub(crate) admin: u64,
}

/// Divides `limit` descriptors between the listeners. The API listener gets at most
/// `max_connections`.
pub(crate) fn divide(limit: u64, max_connections: u64, pbxes: u64) -> ConnectionLimits {
    // If the descriptor limit is low, API clients must still get some descriptors.
    let admin = MAX_ADMIN_CONNECTIONS.min(limit / 8).max(4);
    let remaining = limit.saturating_sub(reserved(pbxes) + admin).max(1);
    ConnectionLimits {
        api: max_connections.min(remaining),
        admin,
    }
}

/// Returns the number of descriptors that suffices for `max_connections` API connections and all
/// admin connections.
pub(super) fn needed(max_connections: u64, pbxes: u64) -> u64 {
    max_connections + reserved(pbxes) + MAX_ADMIN_CONNECTIONS
}

fn reserved(pbxes: u64) -> u64 {
    RESERVED_BASE + RESERVED_PER_PBX * pbxes
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
            let found = divide(limit, max_connections, pbxes);
            assert_eq!(
                found,
                ConnectionLimits { api, admin },
                "{limit} {max_connections} {pbxes}"
            );
        }
    }

    #[test]
    fn needed_descriptors_are_the_fewest_that_serve_all_connections() {
        for (max_connections, pbxes) in [(1000, 1), (4096, 1), (4096, 50), (37_500, 3)] {
            let needed = needed(max_connections, pbxes);
            let limits = [needed - 1, needed].map(|limit| divide(limit, max_connections, pbxes));
            assert_eq!(
                limits.map(|limits| limits.api),
                [max_connections - 1, max_connections]
            );
            assert_eq!(limits[1].admin, MAX_ADMIN_CONNECTIONS);
        }
    }
}
