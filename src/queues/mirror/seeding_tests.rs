//! What is told while the state is being loaded, and is not lost; and what may follow
//! what.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::ami::value::HeaderValue;
use crate::ami::{Action, Message, Reply};
use crate::queues::mirror::apply_event::REFRESH_DELAY;
use crate::queues::mirror::event::Event;
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

    /// Asterisk lists queues without members, as an answer to that question.
    fn list(&mut self, queue: Option<&str>, member: Option<&str>, listed: &[&str]) {
        let header = |text: &str| HeaderValue::new(text).expect("a header");
        let action = Action::QueueStatus {
            queue: queue.map(header),
            member: member.map(header),
        };
        let row = |queue: &&str| message(&format!("Event: QueueParams\r\nQueue: {queue}\r\n"));
        let answer = Reply {
            is_complete: true,
            response: message("Response: Success\r\n"),
            rows: listed.iter().map(row).collect(),
            sent_at: self.now.at,
        };
        self.mirror.answered(&action, &answer, self.now);
    }

    fn apply_report(&mut self, event: &str, queue: &str) {
        let text = format!(
            "Event: {event}\r\nQueue: {queue}\r\nMemberName: Dana\r\nInterface: PJSIP/1001\r\n\
             StateInterface: PJSIP/1001\r\nStatus: 1\r\nPaused: 0\r\n"
        );
        let event = Event::of(&message(&text)).expect("known");
        self.mirror.event(event, self.now);
    }

    /// What is to be asked, once all is loaded.
    fn wanted(mut self) -> Vec<Refresh> {
        self.mirror.loading_finished(self.now);
        let later = self.now.at + REFRESH_DELAY;
        std::iter::from_fn(|| self.mirror.pending.take(later)).collect()
    }
}

#[test]
fn a_queue_that_only_a_question_has_revealed_is_asked_about() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first"]);
    bench.list(Some("first"), None, &["first"]);
    // Of the member that was added to it.
    bench.list(Some("new"), Some("PJSIP/1001"), &["new"]);
    assert!(bench.mirror.queue("new").is_some());
    assert_eq!(bench.wanted(), [Refresh::Queue(QueueName::listed("new"))]);
}

type Step = fn(&mut Mirror, Now);
const LINKED: Step = |mirror, now| mirror.link_made(now.at);
const LOST: Step = |mirror, _| mirror.link_lost();
const SEEDED: Step = |mirror, now| mirror.loading_finished(now);
const UNLOADED: Step = |mirror, _| mirror.app_queue_unloaded();
const LOADED: Step = |mirror, now| mirror.app_queue_loaded(now.at);

#[test]
fn what_comes_late_does_not_bring_a_phase_back() {
    use Phase::{Live, Loading, Lost, NeverLinked, NoAppQueue};
    let late = [SEEDED, UNLOADED, LOADED];
    let steps: [(&[Step], _, _); 7] = [
        (&[LINKED], Loading, [Live, NoAppQueue, Loading]),
        (&[LINKED, LOST], NeverLinked, [NeverLinked; 3]),
        (&[LINKED, SEEDED], Live, [Live, NoAppQueue, Live]),
        (&[LINKED, SEEDED, LOST], Lost, [Lost; 3]),
        (
            &[LINKED, SEEDED, UNLOADED],
            NoAppQueue,
            [NoAppQueue, NoAppQueue, Loading],
        ),
        (&[LINKED, SEEDED, UNLOADED, LOST], Lost, [Lost; 3]),
        (
            &[LINKED, UNLOADED, LOADED, SEEDED],
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
fn a_queue_that_appears_while_others_are_listed_is_looked_up() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first"]);
    bench.apply_report("QueueMemberAdded", "new");
    bench.list(Some("first"), None, &["first"]);
    assert_eq!(bench.wanted(), [Refresh::Queues]);
}

#[test]
fn what_becomes_doubtful_behind_its_list_is_asked_about() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first", "second"]);
    bench.list(Some("first"), None, &["first"]);
    // A pause of a member that the list did not have. The second's list is to come.
    bench.apply_report("QueueMemberPause", "first");
    bench.apply_report("QueueMemberPause", "second");
    bench.list(Some("second"), None, &["second"]);
    assert_eq!(bench.wanted(), [Refresh::Queue(QueueName::listed("first"))]);
}

#[test]
fn a_reload_behind_the_lists_asks_about_all() {
    let mut bench = Bench::new();
    bench.list(None, Some(NOBODY), &["first"]);
    bench.list(Some("first"), None, &["first"]);
    bench.mirror.event(Event::Reloaded, bench.now);
    assert_eq!(
        bench.wanted(),
        [Refresh::Queues, Refresh::Queue(QueueName::listed("first"))]
    );
}
