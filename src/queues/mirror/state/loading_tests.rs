//! Events and lists that arrive while the mirror is being loaded, and the order of phases.

use std::time::Duration;

use bytes::Bytes;

use super::apply_event::REFRESH_DELAY;
use super::*;
use crate::ami::value::HeaderValue;
use crate::ami::{Action, Message, Reply};
use crate::queues::queries::NOBODY;

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

struct Bench {
    mirror: Mirror,
    now: Now,
}

impl Bench {
    fn new() -> Self {
        let at = Instant::now();
        let mut mirror = Mirror::new(Arc::default(), at);
        mirror.link_made(at);
        Self {
            mirror,
            now: Now {
                at,
                wall: Duration::from_secs(1_800_000_000),
            },
        }
    }

    /// Applies a list of queues without members, as the reply to such a query.
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

    /// The refreshes that are pending once the mirror is loaded.
    fn pending_after_loading(mut self) -> Vec<Refresh> {
        self.mirror.loading_finished(self.now);
        let later = self.now.at + REFRESH_DELAY;
        std::iter::from_fn(|| self.mirror.pending.take(later)).collect()
    }
}

#[test]
fn queue_first_seen_in_the_reply_about_a_member_is_listed() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first"]);
    bench.list(Some("first"), None, &["first"]);
    // A query about a member that was just added to another queue.
    bench.list(Some("new"), Some("PJSIP/1001"), &["new"]);
    assert!(bench.mirror.queue("new").is_some());
    assert_eq!(
        bench.pending_after_loading(),
        [Refresh::Queue(QueueName::from_list("new"))]
    );
}

type Step = fn(&mut Mirror, Now);
const LINK_MADE: Step = |mirror, now| mirror.link_made(now.at);
const LINK_LOST: Step = |mirror, _| mirror.link_lost();
const LOADED: Step = |mirror, now| mirror.loading_finished(now);
const APP_QUEUE_UNLOADED: Step = |mirror, _| mirror.app_queue_unloaded();
const APP_QUEUE_LOADED: Step = |mirror, now| mirror.app_queue_loaded(now.at);

#[test]
fn late_steps_change_the_phase_only_from_the_phase_before() {
    use Phase::{Live, Loading, Lost, NeverLinked, NoAppQueue};
    let late = [LOADED, APP_QUEUE_UNLOADED, APP_QUEUE_LOADED];
    let steps: [(&[Step], _, _); 7] = [
        (&[LINK_MADE], Loading, [Live, NoAppQueue, Loading]),
        (&[LINK_MADE, LINK_LOST], NeverLinked, [NeverLinked; 3]),
        (&[LINK_MADE, LOADED], Live, [Live, NoAppQueue, Live]),
        (&[LINK_MADE, LOADED, LINK_LOST], Lost, [Lost; 3]),
        (
            &[LINK_MADE, LOADED, APP_QUEUE_UNLOADED],
            NoAppQueue,
            [NoAppQueue, NoAppQueue, Loading],
        ),
        (
            &[LINK_MADE, LOADED, APP_QUEUE_UNLOADED, LINK_LOST],
            Lost,
            [Lost; 3],
        ),
        (
            &[LINK_MADE, APP_QUEUE_UNLOADED, APP_QUEUE_LOADED, LOADED],
            Live,
            [Live, NoAppQueue, Live],
        ),
    ];
    for (steps, phase, after_each) in steps {
        for (late, expected) in late.into_iter().zip(after_each) {
            let now = Bench::new().now;
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
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first"]);
    bench.event("QueueMemberAdded", "new");
    bench.list(Some("first"), None, &["first"]);
    assert_eq!(bench.pending_after_loading(), [Refresh::Queues]);
}

#[test]
fn pause_of_unknown_member_after_the_list_refreshes_the_queue() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first", "second"]);
    bench.list(Some("first"), None, &["first"]);
    // The list of `first` did not have the member. The list of `second` is still to come.
    bench.event("QueueMemberPause", "first");
    bench.event("QueueMemberPause", "second");
    bench.list(Some("second"), None, &["second"]);
    assert_eq!(
        bench.pending_after_loading(),
        [Refresh::Queue(QueueName::from_list("first"))]
    );
}

#[test]
fn reload_after_the_lists_refreshes_everything() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first"]);
    bench.list(Some("first"), None, &["first"]);
    let reload = message("Event: Reload\r\nModule: app_queue.so\r\nStatus: 0\r\n");
    bench.mirror.event_received(Event::of(&reload), bench.now);
    assert_eq!(
        bench.pending_after_loading(),
        [
            Refresh::Queues,
            Refresh::Queue(QueueName::from_list("first"))
        ]
    );
}

#[test]
fn names_that_were_looked_up_stay_usable_after_a_new_link() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["Support"]);
    let names = bench.mirror.spelled_all(&["support".to_owned()]);
    bench.mirror.link_made(bench.now.at);
    // The mirror no longer vouches for the spelling, but the change that looked it up
    // before must not become an unknown queue.
    assert_eq!(bench.mirror.spelled("support"), None);
    assert_eq!(names, Some(vec![QueueName::from_list("Support")]));
    assert_eq!(bench.mirror.spelled_all(&["support".to_owned()]), None);
}
