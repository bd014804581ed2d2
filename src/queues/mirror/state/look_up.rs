//! Looks up queues by name.

use super::{Mirror, MirroredQueue};
use crate::queues::mirror::read_request::ReadRequest;
use crate::queues::name::QueueName;

impl Mirror {
    /// Returns the queues that the request names, in its order. Ignores case. Without names, returns
    /// the queues for which `is_selected` returns true. Leaves out queues whose members are not
    /// known, unless the request looks them up.
    pub(in crate::queues::mirror) fn selected(
        &self,
        request: ReadRequest<'_>,
        is_selected: impl Fn(&str) -> bool,
    ) -> Vec<&MirroredQueue> {
        let is_readable = |queue: &&MirroredQueue| request.looks_up_missing || !queue.is_new();
        let named = |names: &[String]| {
            let named = names.iter().filter_map(|name| self.queue(name));
            named.filter(is_readable).collect()
        };
        match (request.names, request.cached_names) {
            (Some(names), _) => named(names),
            // Found at each call, because queues may appear while the read waits for Asterisk.
            (None, Some(cache)) => named(&cache.selected(self, is_selected)),
            (None, None) => {
                let all = self.queues().filter(is_readable);
                all.filter(|queue| is_selected(&queue.name)).collect()
            }
        }
    }

    /// Returns Asterisk's spelling of a queue name, or `None` if Asterisk has not listed the
    /// queue over this link.
    pub(in crate::queues::mirror) fn spelling_of(&self, name: &str) -> Option<QueueName> {
        let queue = self.queue(name)?;
        queue.listed_at.map(|_| queue.name.clone())
    }

    /// Returns Asterisk's spelling of these queue names. Returns `None` unless Asterisk has
    /// listed all of these queues over this link.
    pub(in crate::queues::mirror) fn spellings_of(
        &self,
        names: &[String],
    ) -> Option<Vec<QueueName>> {
        names.iter().map(|name| self.spelling_of(name)).collect()
    }
}
