//! The cache of rendered views.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::shown::Shown;
use crate::api::entity_tag::EntityTag;
use crate::api::errors::ApiError;
use crate::api::json::{JsonPieces, render};
use crate::organizations::{Account, Limits};

/// The maximum number of views. With more, a view that is not in the cache is rendered for each
/// request.
const MAX_VIEWS: usize = 4096;

/// A view that was not read for this long may be removed.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// The maximum size of the JSON of all views, in bytes, without the members of unlimited accounts,
/// which [`crate::api::MemberJsonCache`] stores.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Everything that decides a read's response, except the PBX's state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::api) struct ViewKey {
    action: &'static str,
    organization: String,
    limits: Limits,
    agents: Vec<String>,
    /// `None` means all queues of the account.
    queues: Option<Vec<String>>,
}

impl ViewKey {
    pub(in crate::api) fn new(
        action: &'static str,
        account: &Account,
        agents: &[String],
        queues: Option<&[String]>,
    ) -> Self {
        Self {
            action,
            organization: account.organization.name.clone(),
            limits: account.limits.clone(),
            agents: agents.to_vec(),
            queues: queues.map(<[String]>::to_vec),
        }
    }
}

/// The cached views of one configuration.
#[derive(Debug)]
pub(in crate::api) struct ViewCache {
    /// Distinguishes the entity tags of this process and configuration from all others.
    id: u64,
    /// Number of states that have an entity tag.
    tagged_states: AtomicU64,
    views: SyncMutex<Views>,
    cached_bytes: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Views {
    by_key: HashMap<ViewKey, Arc<View>>,
    /// When idle views were last removed.
    swept_at: Option<Instant>,
}

/// A view. Its lock ensures that each state is rendered only once.
#[derive(Debug)]
struct View {
    latest: Mutex<Option<Latest>>,
    read_at: SyncMutex<Instant>,
}

/// The state of a view that was read last.
#[derive(Debug)]
struct Latest {
    shown: Shown,
    tag: EntityTag,
    /// `None` if the cache was full.
    fields: Option<CachedFields>,
}

/// Cached JSON. Counts toward the size of the cache as long as it exists.
#[derive(Debug)]
struct CachedFields {
    pieces: Vec<Bytes>,
    size: usize,
    cached_bytes: Arc<AtomicUsize>,
}

/// The result of rendering a view.
#[derive(Debug)]
pub(in crate::api) enum Rendered {
    /// The fields that follow the head, as JSON without braces, and the state's entity tag. Without
    /// a tag, the view was not cached.
    Fields(Vec<Bytes>, Option<EntityTag>),
    /// The client already has the state with this entity tag.
    Unchanged(EntityTag),
}

impl ViewCache {
    pub(in crate::api) fn new() -> Self {
        Self {
            id: fastrand::u64(..),
            tagged_states: AtomicU64::new(0),
            views: SyncMutex::default(),
            cached_bytes: Arc::default(),
        }
    }

    /// Renders the view with `write`, unless this state of the view is cached or is the one that
    /// `if_none_match` names. `is_large` is as in [`render`].
    ///
    /// # Errors
    /// The errors of [`render`].
    pub(in crate::api) async fn render(
        &self,
        key: &ViewKey,
        shown: Shown,
        if_none_match: Option<&str>,
        is_large: bool,
        write: impl FnOnce(&mut JsonPieces) + Send + 'static,
    ) -> Result<Rendered, ApiError> {
        let write = move || {
            let mut json = JsonPieces::default();
            write(&mut json);
            (json.own_bytes(), json.finish())
        };
        let Some(view) = self.view(key) else {
            let (_, pieces) = render(is_large, write).await?;
            return Ok(Rendered::Fields(pieces, None));
        };
        let mut latest = view.latest.lock().await;
        let current = latest
            .as_ref()
            .filter(|latest| latest.shown.is_same(&shown));
        if let Some(current) = current {
            let tag = current.tag.clone();
            if if_none_match.is_some_and(|tags| tag.is_in(tags)) {
                return Ok(Rendered::Unchanged(tag));
            }
            let pieces = match &current.fields {
                Some(fields) => fields.pieces.clone(),
                None => render(is_large, write).await?.1,
            };
            return Ok(Rendered::Fields(pieces, Some(tag)));
        }
        let (own_bytes, pieces) = render(is_large, write).await?;
        let tag = self.next_tag();
        // Drops the previous state first, so that it no longer counts toward the size of the cache.
        *latest = None;
        *latest = Some(Latest {
            shown,
            tag: tag.clone(),
            fields: self.cached(&pieces, own_bytes),
        });
        Ok(Rendered::Fields(pieces, Some(tag)))
    }

    /// Returns the entity tag of a new state. It is weak, because responses with the same tag
    /// differ in `request_id` and `as_of`.
    fn next_tag(&self) -> EntityTag {
        let state = self.tagged_states.fetch_add(1, Ordering::Relaxed);
        EntityTag::weak(&format!("{:x}-{state:x}", self.id))
    }

    /// Returns the view, or `None` if the cache is full.
    fn view(&self, key: &ViewKey) -> Option<Arc<View>> {
        let now = Instant::now();
        let mut views = lock(&self.views);
        if let Some(view) = views.by_key.get(key) {
            *lock(&view.read_at) = now;
            return Some(Arc::clone(view));
        }
        let is_idle = |since: Instant| now.duration_since(since) >= MAX_IDLE;
        if views.by_key.len() >= MAX_VIEWS {
            if !views.swept_at.is_none_or(is_idle) {
                return None;
            }
            views.swept_at = Some(now);
            views
                .by_key
                .retain(|_, view| !is_idle(*lock(&view.read_at)));
            if views.by_key.len() >= MAX_VIEWS {
                return None;
            }
        }
        let view = Arc::new(View {
            latest: Mutex::default(),
            read_at: SyncMutex::new(now),
        });
        views.by_key.insert(key.clone(), Arc::clone(&view));
        Some(view)
    }

    /// Returns the pieces for the cache, or `None` if the cache is full.
    fn cached(&self, pieces: &[Bytes], size: usize) -> Option<CachedFields> {
        let before = self.cached_bytes.fetch_add(size, Ordering::Relaxed);
        let fields = CachedFields {
            pieces: pieces.to_vec(),
            size,
            cached_bytes: Arc::clone(&self.cached_bytes),
        };
        (before + size <= MAX_BYTES).then_some(fields)
    }
}

impl Drop for CachedFields {
    fn drop(&mut self) {
        self.cached_bytes.fetch_sub(self.size, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &SyncMutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::api::tenant::{AgentMemberships, OwnMembership};
    use crate::organizations::Organization;
    use crate::queues::{Member, QueueName};

    fn key(agent: &str) -> ViewKey {
        let organization = Organization::for_test(&["*"], "{queue}");
        let account = Account::for_test(organization, Limits::default());
        ViewKey::new("showstate", &account, &[agent.to_owned()], None)
    }

    fn shown(member: &Arc<Member>) -> Shown {
        let own = OwnMembership {
            number: "6001".to_owned(),
            queue: QueueName::for_test("6001"),
            member: Arc::clone(member),
        };
        let agent = AgentMemberships {
            agent: "1001".to_owned(),
            memberships: vec![own],
        };
        Shown::agents(&[agent], false)
    }

    /// Reads a view, and counts how often it is rendered.
    async fn read(
        cache: &ViewCache,
        key: &ViewKey,
        member: &Arc<Member>,
        tags: Option<&str>,
        rendered: &Arc<AtomicUsize>,
    ) -> Rendered {
        let rendered = Arc::clone(rendered);
        let write = move |json: &mut JsonPieces| {
            rendered.fetch_add(1, Ordering::Relaxed);
            json.raw("\"x\":1");
        };
        let read = cache.render(key, shown(member), tags, true, write);
        read.await.expect("a rendered view")
    }

    #[tokio::test]
    async fn each_state_of_a_view_is_rendered_once_for_all_readers() {
        let (cache, count, key) = (ViewCache::new(), Arc::default(), key("1001"));
        let mut tags = Vec::new();
        // The second member is equal, but only time has changed its state.
        let members = [Arc::new(Member::for_test()), Arc::new(Member::for_test())];
        for (index, member) in members.iter().enumerate() {
            let reads = (0..20).map(|_| read(&cache, &key, member, None, &count));
            for rendered in join_all(reads).await {
                let Rendered::Fields(fields, Some(tag)) = rendered else {
                    panic!("{rendered:?}");
                };
                assert_eq!(fields.concat(), b"\"x\":1");
                tags.push(tag);
            }
            assert_eq!(count.load(Ordering::Relaxed), index + 1);
            let unchanged = read(
                &cache,
                &key,
                member,
                tags.last().map(EntityTag::as_str),
                &count,
            );
            assert!(matches!(unchanged.await, Rendered::Unchanged(_)));
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
        tags.dedup();
        assert_eq!(tags.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn full_cache_renders_for_each_request_until_views_are_idle() {
        let (cache, count) = (ViewCache::new(), Arc::default());
        let member = Arc::new(Member::for_test());
        for agent in 0..MAX_VIEWS {
            let key = key(&agent.to_string());
            assert!(cache.view(&key).is_some());
        }
        let late = key("late");
        for expected in 1..3 {
            let rendered = read(&cache, &late, &member, Some("*"), &count).await;
            assert!(
                matches!(rendered, Rendered::Fields(_, None)),
                "{rendered:?}"
            );
            assert_eq!(count.load(Ordering::Relaxed), expected);
        }
        tokio::time::advance(MAX_IDLE).await;
        let rendered = read(&cache, &late, &member, None, &count).await;
        assert!(
            matches!(rendered, Rendered::Fields(_, Some(_))),
            "{rendered:?}"
        );
        assert_eq!(lock(&cache.views).by_key.len(), 1);
    }

    #[tokio::test]
    async fn fields_beyond_the_size_limit_are_not_cached() {
        let cache = ViewCache::new();
        let half = || vec![Bytes::from(vec![b'x'; MAX_BYTES / 2])];
        let first = cache.cached(&half(), MAX_BYTES / 2);
        let second = cache.cached(&half(), MAX_BYTES / 2);
        assert!(first.is_some() && second.is_some());
        assert!(cache.cached(&half(), 1).is_none());
        drop(first);
        assert!(cache.cached(&half(), MAX_BYTES / 2).is_some());
    }
}
