//! Parses the queues in a `queues.conf`.

use super::member::Member;
use super::queue::{AutoPause, Queue, Strategy};
use crate::simulator::conf_file::{Section, is_set_in_general, is_true, parse_sections};

/// Parses a `queues.conf`. Returns the queues in the order in which Asterisk lists them. Their
/// members' login time is `now`, in Unix seconds.
pub(crate) fn parse_queues(text: &str, now: u64) -> Vec<Queue> {
    let sections = parse_sections(text);
    let mut queues: Vec<Queue> = sections
        .iter()
        .map(|section| parse_queue(section, now))
        .collect();
    queues.sort_by_key(Queue::hash_bucket);
    queues
}

/// Returns the setting `shared_lastcall` of a `queues.conf`.
pub(crate) fn parse_shared_last_call(text: &str) -> bool {
    is_set_in_general(text, "shared_lastcall")
}

fn parse_queue(section: &Section<'_>, now: u64) -> Queue {
    let mut queue = Queue::new(section.name);
    // If a setting is repeated, Asterisk uses the last value, but the first `strategy`.
    let strategy = section.values("strategy").next();
    queue.strategy = Strategy::parse(strategy.unwrap_or("ringall"));
    queue.max_callers = section.number("maxlen");
    queue.weight = section.number("weight");
    queue.service_level = section.number("servicelevel");
    queue.wrapup = section.number("wrapuptime");
    queue.auto_pause = section
        .last_value("autopause")
        .map_or(AutoPause::Off, AutoPause::parse);
    queue.auto_pause_delay = section.number("autopausedelay");
    queue.ring_in_use = section.last_value("ringinuse").is_none_or(is_true);
    if let Some(timeout) = section.last_value("timeout").and_then(|t| t.parse().ok()) {
        queue.timeout = timeout;
    }
    for value in section.values("member") {
        let mut fields = value.split(',').map(str::trim);
        let interface = fields.next().unwrap_or_default();
        let penalty = fields.next().and_then(|p| p.parse().ok()).unwrap_or(0);
        let name = fields.next().unwrap_or_default();
        let state_interface = fields.next().unwrap_or_default();
        let mut member = Member::new(interface, name, state_interface, now);
        member.penalty = penalty;
        member.is_dynamic = false;
        member.ring_in_use = queue.ring_in_use;
        queue.insert_member(member);
    }
    queue
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../asterisk-sample/config/queues.conf");

    #[test]
    fn sample_queues_have_the_same_settings_and_order_as_in_asterisk() {
        let queues = parse_queues(SAMPLE, 7);
        let settings: Vec<_> = queues
            .iter()
            .map(|queue| {
                (
                    queue.name.as_str(),
                    queue.strategy.name(),
                    queue.max_callers,
                    queue.weight,
                    queue.service_level,
                )
            })
            .collect();
        // Asterisk 22 lists the queues in this order.
        assert_eq!(
            settings,
            [
                ("globex-6001", "ringall", 0, 0, 60),
                ("timed-7001", "ringall", 0, 0, 60),
                ("globex-6002", "rrmemory", 0, 0, 60),
                ("acme-6001", "ringall", 0, 0, 60),
                ("acme-6002", "leastrecent", 20, 5, 60),
                ("timed-7002", "ringall", 0, 0, 60),
                ("timed-7003", "ringall", 0, 0, 60),
            ]
        );
        let sam = &queues[4].members[0];
        assert_eq!(
            (sam.interface.as_str(), sam.name.as_str(), sam.login_time),
            ("Local/1050@acme-agents", "Static Sam", 7)
        );
        assert!(!sam.is_dynamic && !sam.ring_in_use);
    }
}
