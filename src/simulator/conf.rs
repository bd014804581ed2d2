//! Reads Asterisk's own configuration format, as far as `queues.conf` and
//! `manager.conf` of a simulation need it: sections, templates, settings.

use super::event::classes;
use super::member::Member;
use super::queue::{Queue, Strategy};

/// An AMI user.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) secret: String,
    /// Classes of events, as bits.
    pub(super) read: u32,
    /// Classes of actions, as bits.
    pub(super) write: u32,
}

/// The settings of a section, in their order; a template's come first.
struct Section<'a> {
    name: &'a str,
    is_template: bool,
    settings: Vec<(&'a str, &'a str)>,
}

impl Section<'_> {
    /// The last one counts.
    fn get(&self, key: &str) -> Option<&str> {
        let mut same = self.settings.iter().rev().filter(|(k, _)| *k == key);
        same.next().map(|(_, value)| *value)
    }

    fn number(&self, key: &str) -> u32 {
        self.get(key).and_then(|v| v.parse().ok()).unwrap_or(0)
    }
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines() {
        let line = line.split(';').next().unwrap_or_default().trim();
        if let Some((name, rest)) = line.strip_prefix('[').and_then(|l| l.split_once(']')) {
            let options = rest
                .trim()
                .strip_prefix('(')
                .and_then(|o| o.split_once(')'));
            let options = options.map_or("", |(options, _)| options);
            let options = options.split(',').map(str::trim);
            let bases = options.clone().filter_map(|base| {
                let base = sections.iter().find(|section| section.name == base)?;
                Some(base.settings.clone())
            });
            let section = Section {
                name,
                is_template: options.clone().any(|option| option == "!"),
                settings: bases.flatten().collect(),
            };
            sections.push(section);
        } else if let (Some(section), Some((key, value))) =
            (sections.last_mut(), line.split_once('='))
        {
            let value = value.strip_prefix('>').unwrap_or(value);
            section.settings.push((key.trim(), value.trim()));
        }
    }
    sections.retain(|section| !section.is_template && section.name != "general");
    sections
}

/// The queues of a `queues.conf`, in the order in which Asterisk lists them.
pub(super) fn queues(text: &str, now: u64) -> Vec<Queue> {
    let mut queues: Vec<Queue> = sections(text)
        .iter()
        .map(|section| {
            let mut queue = Queue::new(section.name);
            // Asterisk keeps the first strategy that it reads.
            let strategy = section.settings.iter().find(|(key, _)| *key == "strategy");
            queue.strategy = Strategy::new(strategy.map_or("ringall", |(_, value)| value));
            queue.max = section.number("maxlen");
            queue.weight = section.number("weight");
            queue.service_level = section.number("servicelevel");
            queue.wrapup = section.number("wrapuptime");
            queue.ring_in_use = section.get("ringinuse").is_none_or(is_true);
            if let Some(timeout) = section.get("timeout").and_then(|t| t.parse().ok()) {
                queue.timeout = timeout;
            }
            for (_, value) in section.settings.iter().filter(|(key, _)| *key == "member") {
                let mut fields = value.split(',').map(str::trim);
                let interface = fields.next().unwrap_or_default();
                let penalty = fields.next().and_then(|p| p.parse().ok()).unwrap_or(0);
                let name = fields.next().unwrap_or_default();
                let state_interface = fields.next().unwrap_or_default();
                let mut member = Member::new(interface, name, state_interface, now);
                member.penalty = penalty;
                member.is_dynamic = false;
                member.ring_in_use = queue.ring_in_use;
                queue.insert(member);
            }
            queue
        })
        .collect();
    queues.sort_by_key(Queue::bucket);
    queues
}

/// The users of a `manager.conf`.
pub(super) fn users(text: &str) -> Vec<User> {
    let user = |section: &Section<'_>| User {
        name: section.name.to_owned(),
        secret: section.get("secret").unwrap_or_default().to_owned(),
        read: classes(section.get("read").unwrap_or_default()),
        write: classes(section.get("write").unwrap_or_default()),
    };
    sections(text).iter().map(user).collect()
}

/// What Asterisk takes for "yes"; every other word is "no".
pub(super) fn is_true(word: &str) -> bool {
    ["yes", "true", "y", "t", "1", "on"]
        .iter()
        .any(|yes| yes.eq_ignore_ascii_case(word))
}

/// What Asterisk takes for an explicit "no".
pub(super) fn is_false(word: &str) -> bool {
    ["no", "false", "n", "f", "0", "off"]
        .iter()
        .any(|no| no.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../asterisk-sample/config/queues.conf");

    #[test]
    fn the_sample_is_read_as_asterisk_reads_it() {
        let queues = queues(SAMPLE, 7);
        let brief: Vec<_> = queues
            .iter()
            .map(|q| {
                (
                    q.name.as_str(),
                    q.strategy.name(),
                    q.max,
                    q.weight,
                    q.service_level,
                )
            })
            .collect();
        // The order is the one of ami-fixtures/22/status-all.txt.
        assert_eq!(
            brief,
            [
                ("globex-6001", "ringall", 0, 0, 60),
                ("globex-6002", "rrmemory", 0, 0, 60),
                ("acme-6001", "ringall", 0, 0, 60),
                ("acme-6002", "leastrecent", 20, 5, 60),
            ]
        );
        let sam = &queues[3].members[0];
        assert_eq!(
            (sam.interface.as_str(), sam.name.as_str(), sam.login_time),
            ("Local/1050@acme-agents", "Static Sam", 7)
        );
        assert!(!sam.is_dynamic && !sam.ring_in_use);
    }

    #[test]
    fn users_have_their_classes() {
        let text = "[general]\nenabled = yes\n[a]\nsecret=s ; a comment\nread = agent,system\n\
             write = agent\n[b]\nread=all";
        let users = users(text);
        let brief: Vec<_> = users
            .iter()
            .map(|u| (u.name.as_str(), u.secret.as_str(), u.read, u.write))
            .collect();
        assert_eq!(brief, [("a", "s", 33, 32), ("b", "", u32::MAX, 0)]);
    }
}
