//! The queue of a member's last call, if the call counts in several queues.
//!
//! With `shared_lastcall`, Asterisk sets the time of the last call in all of the member's
//! queues, and applies the wrap-up time of the queue in which the call was. AMI does not report
//! `shared_lastcall`. Memberships of one interface with the same time therefore count as one
//! call.

use std::collections::HashMap;
use std::sync::Arc;

use super::{MemberChange, Mirror, Now, StateChange, TouchedMember};
use crate::queues::name::QueueName;

/// Maximum difference between the event about a call's end and the reported end, in seconds.
const MAX_EVENT_DELAY: i64 = 5;

/// With this number of calls, older calls are removed before another one is added.
const MAX_CALLS: usize = 1000;

/// The latest completed call of each interface.
#[derive(Debug, Default)]
pub(super) struct CompletedCalls(HashMap<String, (String, i64)>);

impl CompletedCalls {
    /// Records that a call from the queue has ended. `now` is in Unix seconds.
    pub(super) fn completed(&mut self, queue: &str, interface: &str, now: i64) {
        if self.0.len() >= MAX_CALLS {
            self.0.retain(|_, (_, at)| now - *at <= MAX_EVENT_DELAY);
        }
        let call = (queue.to_ascii_lowercase(), now);
        self.0.insert(interface.to_ascii_lowercase(), call);
    }

    /// Returns the queue of the call that ended at `ended`, in Unix seconds.
    fn queue_of_call(&self, interface: &str, ended: i64) -> Option<&str> {
        let (queue, at) = self.0.get(&interface.to_ascii_lowercase())?;
        ((at - ended).abs() <= MAX_EVENT_DELAY).then_some(queue)
    }
}

impl Mirror {
    /// Determines the queue of the member's last call, for all memberships that share the call.
    /// Does nothing if no wrap-up time can still run.
    pub(super) fn share_last_call(&mut self, touched: &TouchedMember, now: Now) {
        let Some(ended) = touched.member.as_ref().map(|member| member.last_call) else {
            return;
        };
        if ended.unix() <= 0 || now.unix() - ended.unix() > self.longest_wrapup_seconds {
            return;
        }
        let interface = &*touched.interface;
        let memberships = self.memberships.of(interface).iter();
        let sharing = memberships
            .filter(|known| known.member.last_call.reported_seconds() == ended.reported_seconds());
        let sharing: Vec<QueueName> = sharing.map(|known| known.queue.clone()).collect();
        let completed = self.completed_calls.queue_of_call(interface, ended.unix());
        let call_queue = completed.and_then(|completed| {
            let mut sharing = sharing.iter();
            sharing.find(|name| name.eq_ignore_ascii_case(completed))
        });
        let call_queues: Arc<[QueueName]> = match call_queue {
            Some(queue) => Arc::new([queue.clone()]),
            None => sharing.iter().cloned().collect(),
        };
        for name in sharing {
            let is_own_call = *call_queues == [name.clone()];
            let call_queues = (!is_own_call).then(|| Arc::clone(&call_queues));
            self.set_call_queues(&name, interface, call_queues);
        }
    }

    fn set_call_queues(
        &mut self,
        queue: &QueueName,
        interface: &str,
        call_queues: Option<Arc<[QueueName]>>,
    ) {
        let Some(mirrored) = self.queue_mut(queue) else {
            return;
        };
        let member = mirrored.queue().member(interface);
        if member.is_none_or(|member| member.observed.call_queues == call_queues) {
            return;
        }
        let replaced = mirrored.replace(interface, |m| m.observed.call_queues = call_queues);
        if let Some(member) = replaced {
            let queue = queue.clone();
            self.touched.push(TouchedMember {
                queue: queue.clone(),
                interface: Arc::clone(&member.interface),
                member: Some(Arc::clone(&member)),
            });
            self.change_log.push(StateChange::Member {
                queue,
                change: MemberChange::Updated,
                member,
            });
        }
    }
}
