//! Plans the changes that time makes, and publishes them.
//!
//! A member's next moment is derived from the member and the rules whenever either changes, so
//! no moment is forgotten or left over. Moments are dates on the wall clock.

use std::sync::Arc;

use super::{MemberChange, MemberKey, Mirror, MirroredQueue, Now, Phase, TouchedMember};
use crate::queues::TimingRules;
use crate::queues::timing::{longest_wrapup, next_display_change};

impl Mirror {
    /// Replaces the rules of all organizations on this PBX.
    pub(in crate::queues::mirror) fn set_rules(
        &mut self,
        rules: Vec<Arc<dyn TimingRules>>,
        now: Now,
    ) {
        self.longest_wrapup_seconds = longest_wrapup(&rules);
        self.rules = rules;
        self.catalog_since = now.unix_millis();
        for queue in self.queues.values_mut() {
            queue.rules = rules_of(&self.rules, &queue.name);
        }
        self.plan_all(now);
    }

    /// Returns the rules of all organizations on this PBX.
    pub(in crate::queues::mirror) fn rules(&self) -> &[Arc<dyn TimingRules>] {
        &self.rules
    }

    /// Plans the next moments of all members.
    pub(super) fn plan_all(&mut self, now: Now) {
        for queue in self.queues.values() {
            let members = queue.queue.members.iter();
            self.touched.extend(members.map(|member| TouchedMember {
                queue: queue.name.clone(),
                interface: Arc::clone(&member.interface),
                member: Some(Arc::clone(member)),
            }));
        }
        self.plan_touched(now);
    }

    /// Indexes the members that were added, replaced or removed, and plans their next moments.
    pub(super) fn plan_touched(&mut self, now: Now) {
        while !self.touched.is_empty() {
            let touched = std::mem::take(&mut self.touched);
            for touched in &touched {
                self.memberships.update(touched);
            }
            for touched in touched {
                self.share_last_call(&touched, now);
                self.plan(&touched, now);
            }
        }
    }

    pub(super) fn plan(&mut self, touched: &TouchedMember, now: Now) {
        let key = MemberKey::new(&touched.queue, &touched.interface);
        let rules = self.queues.get(&key.queue).map(|queue| &queue.rules);
        let (Some(member), Some(rules)) = (&touched.member, rules) else {
            return self.forget_moments(&key);
        };
        let changes = rules.iter().filter_map(|rules| {
            next_display_change(member, &touched.queue, &**rules, now.unix_millis())
        });
        let next_change = changes.min();
        let end = self.end_of(&key, member, rules);
        self.display_moments.set(&key, next_change);
        self.plan_end(&key, end);
    }

    pub(super) fn forget_moments(&mut self, key: &MemberKey) {
        self.display_moments.set(key, None);
        self.plan_end(key, None);
    }

    /// Returns the time of the next change that readers see, in Unix milliseconds.
    pub(in crate::queues::mirror) fn next_display_change(&self) -> Option<i64> {
        self.display_moments.next()
    }

    /// Returns the time of the next change that time makes, in Unix milliseconds.
    pub(in crate::queues::mirror) fn next_moment(&self) -> Option<i64> {
        let ends = self.end_moments.next();
        let ends = ends.filter(|_| self.phase == Phase::Live);
        let moments = [self.display_moments.next(), ends];
        moments.into_iter().flatten().min()
    }

    /// Publishes the members whose wrap-up or limit has just passed.
    pub(in crate::queues::mirror) fn show_due_changes(&mut self, now: Now) {
        for key in self.display_moments.take_due(now.unix_millis()) {
            let queue = self.queues.get_mut(&key.queue);
            // A new copy makes readers render the member again.
            let copied = queue.and_then(|queue: &mut MirroredQueue| {
                let member = queue.replace(&key.interface, |_| ())?;
                Some((queue.name.clone(), member))
            });
            let Some((queue, member)) = copied else {
                continue;
            };
            self.touched.push(TouchedMember {
                queue: queue.clone(),
                interface: Arc::clone(&member.interface),
                member: Some(Arc::clone(&member)),
            });
            self.record(&queue, [(MemberChange::Updated, member)], now);
        }
    }
}

/// Returns the rules of the organizations that have this queue.
pub(super) fn rules_of(rules: &[Arc<dyn TimingRules>], queue: &str) -> Vec<Arc<dyn TimingRules>> {
    let rules = rules.iter().filter(|rules| rules.has_queue(queue));
    rules.cloned().collect()
}
