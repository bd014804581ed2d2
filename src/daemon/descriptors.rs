//! Divides the file descriptors among the parts of the daemon. Clients of the API get what
//! is left, so they can never use up those of the links, the admin listener and the log.

use tracing::warn;

/// File descriptors that every process needs: standard streams, the runtimes, listeners,
/// the log, files of a reload.
const BASE: u64 = 24;

/// File descriptors for each PBX: its link, the next link while the old one closes, a name
/// lookup.
const PER_PBX: u64 = 4;

/// Connections of the admin listener, unless the limit is low.
const MAX_ADMIN_CONNECTIONS: u64 = 64;

/// The number of connections that each listener may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) api: usize,
    pub(super) admin: usize,
}

/// Raises the soft limit of file descriptors to the hard one, divides it, and warns if
/// `max_connections` does not fit.
pub(super) fn divide(max_connections: usize, pbxes: usize) -> Budget {
    let limit = rlimit::increase_nofile_limit(u64::MAX).or_else(|error| {
        warn!(%error, "can't raise the limit of file descriptors");
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
    // If the limit is low, some are left for clients of the API.
    let admin = MAX_ADMIN_CONNECTIONS.min(limit / 8).max(4);
    let reserved = BASE + PER_PBX * pbxes as u64 + admin;
    let left = limit.saturating_sub(reserved).max(1);
    Budget {
        api: max_connections.min(usize::try_from(left).unwrap_or(usize::MAX)),
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
