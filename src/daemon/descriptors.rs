//! File descriptors: how many there may be, and who may have how many. Clients get what
//! is left, so that links, the listener for operations and the log never wait for theirs.

use tracing::warn;

/// What every process has: standard streams, the runtime's own, listeners, the log, files
/// of a reload.
const BASE: u64 = 24;

/// For each PBX: its link, the next one while the old one ends, a name lookup.
const PER_PBX: u64 = 4;

/// Connections of the listener for operations.
const OPERATIONS: u64 = 64;

/// Connections that the two listeners may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Of the interface.
    pub(crate) clients: usize,
    /// Of the listener for operations.
    pub(crate) operations: usize,
}

/// Raises the limit as far as the system lets it, shares it out, and warns if
/// `max_connections` does not fit.
pub(crate) fn share_out(max_connections: usize, pbxes: usize) -> Budget {
    let limit = rlimit::increase_nofile_limit(u64::MAX).or_else(|error| {
        warn!(%error, "the limit of file descriptors can't be raised");
        rlimit::Resource::NOFILE.get_soft()
    });
    let Ok(limit) = limit else {
        return budget(u64::MAX, max_connections, pbxes);
    };
    let budget = budget(limit, max_connections, pbxes);
    if budget.clients < max_connections {
        warn!(
            limit,
            max_connections = budget.clients,
            "http.max_connections is lowered: there are too few file descriptors (ulimit -n, LimitNOFILE=)"
        );
    }
    budget
}

fn budget(limit: u64, max_connections: usize, pbxes: usize) -> Budget {
    // With few of them, clients have to get some, too.
    let operations = OPERATIONS.min(limit / 8).max(4);
    let taken = BASE + PER_PBX * pbxes as u64 + operations;
    let left = limit.saturating_sub(taken).max(1);
    Budget {
        clients: max_connections.min(usize::try_from(left).unwrap_or(usize::MAX)),
        operations: operations as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_what_is_left() {
        for (limit, max_connections, pbxes, clients, operations) in [
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
            let expected = Budget {
                clients,
                operations,
            };
            assert_eq!(found, expected, "{limit} {max_connections} {pbxes}");
        }
    }
}
