//! The names of an account's queues, so that a read of all of them does not compare the names of
//! all the PBX's queues with the account's patterns.

use std::sync::{Arc, Mutex, PoisonError};

use super::state::Mirror;

/// The names of the queues that an account selects on its PBX, found once for each version of the
/// PBX's names.
#[derive(Debug, Default)]
pub struct CachedNames(Mutex<Option<VersionedNames>>);

#[derive(Debug)]
struct VersionedNames {
    /// See [`Mirror::names_version`].
    version: u64,
    names: Arc<[String]>,
}

impl CachedNames {
    /// Returns the names of the queues for which `is_selected` returns true, from the cache if no
    /// queue has appeared, disappeared or changed its spelling since the last call. The same cache
    /// always needs the same mirror and the same filter.
    pub(super) fn selected(
        &self,
        mirror: &Mirror,
        is_selected: impl Fn(&str) -> bool,
    ) -> Arc<[String]> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let version = mirror.names_version();
        if let Some(cached) = &*cached
            && cached.version == version
        {
            return Arc::clone(&cached.names);
        }
        let names = mirror.queues().map(|queue| queue.name.as_str());
        let names = names.filter(|name| is_selected(name));
        let names: Arc<[String]> = names.map(str::to_owned).collect();
        *cached = Some(VersionedNames {
            version,
            names: Arc::clone(&names),
        });
        names
    }
}
