//! A panel that builds its state only from stream events.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Event, EventClient};
use crate::mirror::comparison::Comparison;
use crate::mirror::expected::Organization;
use crate::support::{Bridge, User};

/// A queue's state, built from events.
#[derive(Debug, Default, Clone)]
struct Queue {
    /// The snapshot's fields, without members and callers.
    settings: Value,
    members: BTreeMap<String, Value>,
    callers: Value,
    /// The data of the last `queue` event. `None` after a snapshot.
    statistics: Option<Value>,
}

/// The panel's state, built from events.
#[derive(Debug, Default)]
pub(super) struct Panel {
    queues: BTreeMap<String, Queue>,
    pub(super) connected: bool,
    pub(super) last_id: Option<String>,
    /// The number of received events by name.
    pub(super) counts: BTreeMap<String, usize>,
}

impl Panel {
    pub(super) fn count(&self, name: &str) -> usize {
        self.counts.get(name).copied().unwrap_or(0)
    }

    pub(super) fn apply(&mut self, event: &Event) {
        self.check_id(event);
        *self.counts.entry(event.name.clone()).or_default() += 1;
        let data = &event.data;
        match event.name.as_str() {
            "snapshot" => {
                let queues = data["queues"].as_array().expect("queues").iter();
                self.queues = queues.map(snapshot).collect();
                // The bridge sends a snapshot only while the PBX is connected.
                self.connected = true;
            }
            "member" => {
                let member = &data["member"];
                let interface = member["interface"]
                    .as_str()
                    .expect("a string")
                    .to_lowercase();
                let members = &mut self.queue(data).members;
                let previous = members.get(&interface).cloned();
                let pauses = previous
                    .as_ref()
                    .map(|previous| (previous["paused"] == true, member["paused"] == true));
                match (data["change"].as_str().expect("a string"), pauses) {
                    ("removed", Some(_)) => {
                        members.remove(&interface);
                        return;
                    }
                    ("added", None)
                    | ("paused", Some((_, true)))
                    | ("unpaused", Some((true, false)))
                    | ("updated", Some(_)) => {}
                    (change, _) => panic!("{change} of {previous:?}: {event:?}"),
                }
                members.insert(interface, member.clone());
            }
            "queue" => {
                let queue = self.queue(data);
                queue.callers = data["callers"].clone();
                queue.settings["members_hidden"] = data["members_hidden"].clone();
                queue.statistics = Some(data.clone());
            }
            "pbx" => self.connected = data["connected"].as_bool().expect("a boolean"),
            "shutdown" => {}
            other => panic!("unknown event: {other}"),
        }
    }

    /// Asserts that event ids increase. A `shutdown` event may repeat the last id, because it
    /// is not a change. A `pbx` event and a snapshot may share an id.
    fn check_id(&mut self, event: &Event) {
        let number = |id: &str| {
            let (prefix, number) = id.rsplit_once('-').expect("an id");
            (prefix.to_owned(), number.parse::<u64>().expect("a number"))
        };
        let (prefix, current) = number(&event.id);
        if let Some((last_prefix, last)) = self.last_id.as_deref().map(number) {
            let may_repeat = ["shutdown", "pbx", "snapshot"].contains(&event.name.as_str());
            assert!(
                prefix != last_prefix || current > last || (current == last && may_repeat),
                "{event:?} after {:?}",
                self.last_id
            );
        }
        self.last_id = Some(event.id.clone());
    }

    fn queue(&mut self, data: &Value) -> &mut Queue {
        let number = data["queue"].as_str().expect("a string");
        let queue = self.queues.get_mut(number);
        queue.unwrap_or_else(|| panic!("an event for a queue that no snapshot contains: {data}"))
    }

    /// Applies events until none arrives for 20 ms.
    pub(super) fn drain(&mut self, client: &mut EventClient) {
        while let Some(event) = client.event(Duration::from_millis(20)) {
            self.apply(&event);
        }
    }

    /// Follows the stream until the panel shows the same state as `showqueue` and
    /// `showqueuestat`. Returns the number of compared fields. Panics if the states still
    /// differ after `timeout`.
    pub(super) fn catch_up(
        &mut self,
        client: &mut EventClient,
        bridge: &Bridge,
        organization: Organization,
        only: &[&str],
        timeout: Duration,
    ) -> usize {
        let started = Instant::now();
        loop {
            self.drain(client);
            let comparison = self.compare(bridge, organization.user, only);
            if comparison.differences.is_empty() {
                return comparison.fields;
            }
            assert!(
                started.elapsed() < timeout,
                "after {timeout:?} the panel of {} differs from showqueue (named \"Asterisk\" here): \
                {:#?}\nevents: {:?}",
                organization.name,
                comparison.differences,
                self.counts
            );
        }
    }

    /// Compares the panel with `showqueue` and `showqueuestat`. Compares only the queues in
    /// `only`, or all queues if `only` is empty.
    pub(super) fn compare(&self, bridge: &Bridge, user: User, only: &[&str]) -> Comparison {
        let is_selected = |queue: &&Value| {
            only.is_empty() || only.contains(&queue["queue"].as_str().expect("a string"))
        };
        let read = |action: &str| bridge.get_ok(user, &format!("action={action}"))["queues"].take();
        let mut comparison = Comparison {
            of_stream: true,
            ..Comparison::default()
        };
        let expected = read("showqueue");
        let expected = expected
            .as_array()
            .expect("queues")
            .iter()
            .filter(is_selected);
        let expected: BTreeMap<_, _> = expected.map(snapshot).collect();
        comparison.compare("showqueue", &values(&expected), &values(&self.queues));
        let stat = read("showqueuestat");
        for queue in stat.as_array().expect("queues").iter().filter(is_selected) {
            let number = queue["queue"].as_str().expect("a string");
            let Some(statistics) = self.queues.get(number).and_then(|q| q.statistics.as_ref())
            else {
                continue;
            };
            let (mut expected, mut actual) = (queue.clone(), statistics.clone());
            // The agent counts are derived from members, which have their own events.
            // `showqueuestat` has no list of callers and counts no hidden members.
            for object in [&mut expected, &mut actual] {
                let object = object.as_object_mut().expect("an object");
                object.retain(|name, _| {
                    !["agents", "callers", "members_hidden"].contains(&name.as_str())
                });
                // The waiting time has grown since the event.
                object.remove("longest_wait_seconds");
            }
            comparison.compare(&format!("showqueuestat {number}"), &expected, &actual);
        }
        comparison
    }
}

fn snapshot(queue: &Value) -> (String, Queue) {
    let mut settings = queue.as_object().expect("a queue").clone();
    let members = settings.remove("members").expect("members");
    let callers = settings.remove("callers").expect("callers");
    let members = members.as_array().expect("members").iter();
    let interface = |m: &Value| m["interface"].as_str().expect("a string").to_lowercase();
    let queue = Queue {
        members: members.map(|m| (interface(m), m.clone())).collect(),
        settings: Value::Object(settings.clone()),
        callers,
        statistics: None,
    };
    let number = settings["queue"].as_str().expect("a string").to_owned();
    (number, queue)
}

/// Returns the queues as JSON for the comparison, without the callers' waiting times.
fn values(queues: &BTreeMap<String, Queue>) -> Value {
    let value = |queue: &Queue| {
        let mut callers = queue.callers.clone();
        for caller in callers.as_array_mut().expect("callers") {
            caller
                .as_object_mut()
                .expect("a caller")
                .remove("wait_seconds");
        }
        json!({"settings": queue.settings, "members": queue.members, "callers": callers})
    };
    queues
        .iter()
        .map(|(number, queue)| (number.clone(), value(queue)))
        .collect()
}
