//! Divides the file descriptors among the parts of the daemon. API clients get the rest, so
//! they can never use up the descriptors of the links, the admin listener and the log.

use tracing::warn;

/// File descriptors that every process needs: standard streams, the runtimes, listeners,
/// the log, and the files that a reload reads.
const RESERVED_BASE: u64 = 24;

/// File descriptors for each PBX: its link, a new link while the old one closes, and name
/// resolution.
const RESERVED_PER_PBX: u64 = 4;

/// Maximum number of admin connections, unless the descriptor limit is low.
const MAX_ADMIN_CONNECTIONS: u64 = 64;

/// The number of connections that each listener may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) api: usize,
    pub(super) admin: usize,
}

/// Raises the soft limit on file descriptors to the hard limit, divides it, and warns if it
/// does not suffice for `max_connections`.
pub(super) fn divide(max_connections: usize, pbxes: usize) -> Budget {
    let limit = rlimit::increase_nofile_limit(u64::MAX).or_else(|error| {
        warn!(%error, "can't raise the limit on file descriptors");
        rlimit::Resource::NOFILE.get_soft()
    });
    let Ok(limit) = limit else {
        return budget(u64::MAX, max_connections, pbxes);
    };
    let budget = budget(limit, max_connections, pbxes);
    if budget.api < max_connections {
        warn!(
            limit,
            max_connections = budget.api,
            "http.max_connections is lowered: there are too few file descriptors (ulimit -n, LimitNOFILE=)"
        );
    }
    budget
}

fn budget(limit: u64, max_connections: usize, pbxes: usize) -> Budget {
    // If the limit is low, leaves some descriptors for API clients.
    let admin = MAX_ADMIN_CONNECTIONS.min(limit / 8).max(4);
    let reserved = RESERVED_BASE + RESERVED_PER_PBX * pbxes as u64 + admin;
    let remaining = limit.saturating_sub(reserved).max(1);
    Budget {
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
            (4096, 4096, 1, 4004, 64),
            (256, 4096, 1, 196, 32),
            (256, 100, 1, 100, 32),
            (40, 4096, 1, 7, 5),
            (20, 4096, 1, 1, 4),
            (u64::MAX, 4096, 1, 4096, 64),
        ] {
            let found = budget(limit, max_connections, pbxes);
            assert_eq!(
                found,
                Budget { api, admin },
                "{limit} {max_connections} {pbxes}"
            );
        }
    }
}
