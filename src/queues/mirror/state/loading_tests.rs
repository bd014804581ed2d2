//! Tests of events and lists that arrive during loading, and of the mirror's phases.

use std::time::Duration;

use bytes::Bytes;

use super::apply_event::REFRESH_DELAY;
use super::*;
use crate::ami::value::HeaderValue;
use crate::ami::{Action, Message, Reply};
use crate::queues::mirror::{CachedNames, ReadRequest};
use crate::queues::queries::NOBODY;

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

struct Harness {
    mirror: Mirror,
    now: Now,
}

impl Harness {
    fn new() -> Self {
        let at = Instant::now();
        let mut mirror = Mirror::new(Arc::default(), at);
        mirror.link_established(at);
        Self {
            mirror,
            now: Now {
                at,
                wall: Duration::from_secs(1_800_000_000),
            },
        }
    }

    /// Applies a reply that lists these queues without members. `queue` and `member` are the
    /// query's filters.
    fn list(&mut self, queue: Option<&str>, member: Option<&str>, listed: &[&str]) {
        let header = |text: &str| HeaderValue::new(text).expect("a header");
        let action = Action::QueueStatus {
            queue: queue.map(header),
            member: member.map(header),
        };
        let row = |queue: &&str| message(&format!("Event: QueueParams\r\nQueue: {queue}\r\n"));
        let reply = Reply {
            is_complete: true,
            response: message("Response: Success\r\n"),
            rows: listed.iter().map(row).collect(),
            sent_at: self.now.at,
        };
        self.mirror.reply_received(&action, &reply, self.now);
    }

    fn event(&mut self, event: &str, queue: &str) {
        let text = format!(
            "Event: {event}\r\nQueue: {queue}\r\nMemberName: Dana\r\nInterface: PJSIP/1001\r\n\
             StateInterface: PJSIP/1001\r\nStatus: 1\r\nPaused: 0\r\n"
        );
        self.mirror
            .event_received(Event::of(&message(&text)), self.now);
    }

    /// Finishes loading and returns the pending refreshes.
    fn pending_after_loading(mut self) -> Vec<Refresh> {
        self.mirror.loading_finished(self.now);
        let later = self.now.at + REFRESH_DELAY;
        std::iter::from_fn(|| self.mirror.pending.take(later)).collect()
    }
}

#[test]
fn queue_first_seen_in_the_reply_about_a_member_is_listed() {
    let mut harness = Harness::new();
    harness.list(None, Some(NOBODY), &["first"]);
    harness.list(Some("first"), None, &["first"]);
    // This is the reply to a query about a member that was just added to `new`.
    harness.list(Some("new"), Some("PJSIP/1001"), &["new"]);
    assert!(harness.mirror.queue("new").is_some());
    assert_eq!(
        harness.pending_after_loading(),
        [Refresh::Queue(QueueName::from_list("new"))]
    );
}

type Step = fn(&mut Mirror, Now);
const LINK_ESTABLISHED: Step = |mirror, now| mirror.link_established(now.at);
const LINK_LOST: Step = |mirror, _| mirror.link_lost();
const LOADED: Step = |mirror, now| mirror.loading_finished(now);
const APP_QUEUE_UNLOADED: Step = |mirror, _| mirror.app_queue_unloaded();
const APP_QUEUE_LOADED: Step = |mirror, now| mirror.app_queue_loaded(now.at);

#[test]
fn late_step_changes_the_phase_only_if_the_phase_allows_it() {
    use Phase::{Live, Loading, Lost, NeverLive, NoAppQueue};
    let late = [LOADED, APP_QUEUE_UNLOADED, APP_QUEUE_LOADED];
    let steps: [(&[Step], _, _); 7] = [
        (&[LINK_ESTABLISHED], Loading, [Live, NoAppQueue, Loading]),
        (&[LINK_ESTABLISHED, LINK_LOST], NeverLive, [NeverLive; 3]),
        (&[LINK_ESTABLISHED, LOADED], Live, [Live, NoAppQueue, Live]),
        (&[LINK_ESTABLISHED, LOADED, LINK_LOST], Lost, [Lost; 3]),
        (
            &[LINK_ESTABLISHED, LOADED, APP_QUEUE_UNLOADED],
            NoAppQueue,
            [NoAppQueue, NoAppQueue, Loading],
        ),
        (
            &[LINK_ESTABLISHED, LOADED, APP_QUEUE_UNLOADED, LINK_LOST],
            Lost,
            [Lost; 3],
        ),
        (
            &[
                LINK_ESTABLISHED,
                APP_QUEUE_UNLOADED,
                APP_QUEUE_LOADED,
                LOADED,
            ],
            Live,
            [Live, NoAppQueue, Live],
        ),
    ];
    for (steps, phase, after_each) in steps {
        for (late, expected) in late.into_iter().zip(after_each) {
            let now = Harness::new().now;
            let mut mirror = Mirror::new(Arc::default(), now.at);
            steps.iter().for_each(|step| step(&mut mirror, now));
            assert_eq!(mirror.phase, phase);
            late(&mut mirror, now);
            assert_eq!(mirror.phase, expected, "after {phase:?}");
        }
    }
}

#[test]
fn queue_that_appears_during_loading_is_listed() {
    let mut harness = Harness::new();
    harness.list(None, Some(NOBODY), &["first"]);
    harness.event("QueueMemberAdded", "new");
    harness.list(Some("first"), None, &["first"]);
    assert_eq!(harness.pending_after_loading(), [Refresh::Queues]);
}

#[test]
fn pause_of_unknown_member_after_the_list_refreshes_the_queue() {
    let mut harness = Harness::new();
    harness.list(None, Some(NOBODY), &["first", "second"]);
    harness.list(Some("first"), None, &["first"]);
    // The list of `first` did not contain the member. `second` has not been listed yet.
    harness.event("QueueMemberPause", "first");
    harness.event("QueueMemberPause", "second");
    harness.list(Some("second"), None, &["second"]);
    assert_eq!(
        harness.pending_after_loading(),
        [Refresh::Queue(QueueName::from_list("first"))]
    );
}

#[test]
fn reload_after_the_lists_refreshes_everything() {
    let mut harness = Harness::new();
    harness.list(None, Some(NOBODY), &["first"]);
    harness.list(Some("first"), None, &["first"]);
    let reload = message("Event: Reload\r\nModule: app_queue.so\r\nStatus: 0\r\n");
    harness
        .mirror
        .event_received(Event::of(&reload), harness.now);
    assert_eq!(
        harness.pending_after_loading(),
        [
            Refresh::Queues,
            Refresh::Queue(QueueName::from_list("first"))
        ]
    );
}

#[test]
fn spellings_are_unknown_after_a_new_link() {
    let mut harness = Harness::new();
    harness.list(None, Some(NOBODY), &["Support"]);
    let names = ["support".to_owned()];
    let spellings = harness.mirror.spellings_of(&names);
    assert_eq!(spellings, Some(vec![QueueName::from_list("Support")]));
    harness.mirror.link_established(harness.now.at);
    assert_eq!(harness.mirror.spelling_of("support"), None);
    assert_eq!(harness.mirror.spellings_of(&names), None);
}

#[test]
fn cached_selection_includes_queues_that_appear_while_a_read_waits() {
    let mut harness = Harness::new();
    let cache = CachedNames::default();
    let request = ReadRequest {
        names: None,
        cached_names: Some(&cache),
        looks_up_missing: false,
        fresh: false,
        deadline: harness.now.at,
        request_id: "r1",
    };
    let selected = |mirror: &Mirror| {
        let queues = mirror.selected(request, |name| name.starts_with("acme-"));
        let names = queues.iter().map(|queue| queue.name.to_string());
        names.collect::<Vec<_>>()
    };
    // The read waits for the first list.
    assert!(selected(&harness.mirror).is_empty());
    harness.list(None, None, &["acme-1", "other-1"]);
    harness.mirror.loading_finished(harness.now);
    assert_eq!(selected(&harness.mirror), ["acme-1"]);
    // The read waits for statistics.
    harness.list(Some("acme-2"), None, &["acme-2"]);
    assert_eq!(selected(&harness.mirror).len(), 2);
    harness.list(None, None, &["acme-2"]);
    assert_eq!(selected(&harness.mirror), ["acme-2"]);
}
