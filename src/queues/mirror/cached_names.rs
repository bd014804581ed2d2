//! The names of an account's queues, so that a read of all of them does not compare the names of
//! all the PBX's queues with the account's patterns.

use std::sync::{Arc, Mutex, PoisonError};

use super::pbx::Pbx;

/// The names of the queues that an account selects, found once for each version of the PBX's
/// names.
#[derive(Debug, Default)]
pub struct CachedNames(Mutex<Option<VersionedNames>>);

#[derive(Debug)]
struct VersionedNames {
    change_log_id: u64,
    /// See [`super::state::Mirror::names_version`].
    version: u64,
    names: Arc<[String]>,
}

impl Pbx {
    /// Returns the names of the queues for which `is_selected` returns true, from `cache` if no
    /// queue has appeared, disappeared or changed its spelling since the last call. The same cache
    /// always needs the same filter.
    #[must_use]
    pub fn selected_names(
        &self,
        cache: &CachedNames,
        is_selected: impl Fn(&str) -> bool,
    ) -> Arc<[String]> {
        let mut cached = cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        let change_log_id = self.change_log_id();
        self.store.read(|mirror| {
            let version = mirror.names_version();
            if let Some(cached) = &*cached
                && (cached.change_log_id, cached.version) == (change_log_id, version)
            {
                return Arc::clone(&cached.names);
            }
            let names = mirror.queues().map(|queue| queue.name.as_str());
            let names = names.filter(|name| is_selected(name));
            let names: Arc<[String]> = names.map(str::to_owned).collect();
            *cached = Some(VersionedNames {
                change_log_id,
                version,
                names: Arc::clone(&names),
            });
            names
        })
    }
}
