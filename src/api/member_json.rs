//! JSON in pieces, and the pieces that are kept.
//!
//! The members of a queue are most of an answer, and seldom change between two
//! reads: their JSON is kept until they do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use super::views::MemberView;
use crate::organizations::Organization;
use crate::queues::{Member, Queue};

/// Smaller parts are copied into one piece: cheaper than to handle two.
const WORTH_A_PIECE: usize = 8 * 1024;

/// JSON in pieces.
#[derive(Debug, Default)]
pub(super) struct Json {
    pieces: Vec<Bytes>,
    open: Vec<u8>,
}

impl Json {
    /// Text that is JSON as it stands.
    pub(super) fn raw(&mut self, text: &str) {
        self.open.extend_from_slice(text.as_bytes());
    }

    /// A value.
    pub(super) fn value(&mut self, value: &impl Serialize) {
        // Nothing here has a map with keys that are no strings, or fails otherwise.
        let _ = serde_json::to_writer(&mut self.open, value);
    }

    /// The fields of a value that becomes an object, without its braces.
    pub(super) fn fields(&mut self, value: &impl Serialize) {
        let start = self.open.len();
        self.value(value);
        self.open.pop();
        self.open.remove(start);
    }

    /// JSON that is there already.
    pub(super) fn part(&mut self, part: &Bytes) {
        if part.len() < WORTH_A_PIECE {
            self.open.extend_from_slice(part);
        } else {
            self.close();
            self.pieces.push(part.clone());
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push(std::mem::take(&mut self.open).into());
        }
    }

    pub(super) fn into_pieces(mut self) -> Vec<Bytes> {
        self.close();
        self.pieces
    }
}

/// Members, and their JSON for that organization.
#[derive(Debug)]
struct Kept {
    members: Arc<Vec<Arc<Member>>>,
    organization: Arc<Organization>,
    json: Bytes,
}

/// The members of a PBX's queues as JSON, each as its organization sees them.
#[derive(Debug, Default)]
pub(super) struct MemberJsonCache {
    /// By organization and queue.
    kept: Mutex<HashMap<String, HashMap<String, Kept>>>,
}

impl MemberJsonCache {
    /// The members of a queue that is kept in memory.
    pub(super) fn members(&self, queue: &Queue, organization: &Arc<Organization>) -> Bytes {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = lock()
            .get(&organization.name)
            .and_then(|queues| queues.get(queue.name.as_str()))
            && Arc::ptr_eq(&kept.members, &queue.members)
            // It can be another one since the configuration was read again.
            && kept.organization == *organization
        {
            return kept.json.clone();
        }
        let json = members(queue, organization);
        let kept = Kept {
            members: Arc::clone(&queue.members),
            organization: Arc::clone(organization),
            json: json.clone(),
        };
        let mut all = lock();
        let queues = all.entry(organization.name.clone()).or_default();
        queues.insert(queue.name.to_string(), kept);
        json
    }
}

/// The members of a queue as a JSON array.
pub(super) fn members(queue: &Queue, organization: &Organization) -> Bytes {
    let views = queue
        .members
        .iter()
        .map(|member| MemberView::of(member, organization));
    let mut json = Json::default();
    json.value(&views.collect::<Vec<_>>());
    json.open.into()
}
