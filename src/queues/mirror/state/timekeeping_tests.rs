//! Tests of the changes that time makes, and of the ends of pauses.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::ami::value::{HeaderValue, MemberValue};
use crate::ami::{Action, Message, Reply};
use crate::queues::timing::testing::test_rules;
use crate::storage::StoredPause;

const START: i64 = 1_800_000_000;

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

fn key() -> MemberKey {
    MemberKey::new("sales", "PJSIP/1001")
}

struct Harness {
    mirror: Mirror,
    now: Now,
}

impl Harness {
    /// A live mirror with one member, in this state.
    fn new(member: &str) -> Self {
        let mut harness = Self::loading();
        harness.list(member);
        harness.mirror.loading_finished(harness.now);
        harness
    }

    fn loading() -> Self {
        let at = Instant::now();
        let mut mirror = Mirror::new(Arc::default(), at);
        let wall = Duration::from_secs(START as u64);
        let now = Now { at, wall };
        mirror.set_rules(vec![Arc::new(test_rules())], now);
        mirror.link_established(at);
        Self { mirror, now }
    }

    fn list(&mut self, member: &str) {
        let action = Action::QueueStatus {
            queue: Some(HeaderValue::new("sales").expect("a header")),
            member: None,
        };
        let rows = [
            "Event: QueueParams\r\nQueue: sales\r\n".to_owned(),
            format!(
                "Event: QueueMember\r\nQueue: sales\r\nName: Dana\r\nLocation: PJSIP/1001\r\n\
                 StateInterface: PJSIP/1001\r\nMembership: dynamic\r\nStatus: 1\r\n{member}"
            ),
        ];
        self.reply(&action, rows.iter().map(|row| message(row)).collect());
    }

    fn reply(&mut self, action: &Action, rows: Vec<Message>) {
        let reply = Reply {
            is_complete: true,
            response: message("Response: Success\r\n"),
            rows,
            sent_at: self.now.at,
        };
        self.mirror.reply_received(action, &reply, self.now);
    }

    fn event(&mut self, name: &str, member: &str) {
        let text = format!(
            "Event: {name}\r\nQueue: sales\r\nMemberName: Dana\r\n\
             Interface: PJSIP/1001\r\nStateInterface: PJSIP/1001\r\nMembership: dynamic\r\n\
             Status: 1\r\n{member}"
        );
        self.mirror
            .event_received(Event::of(&message(&text)), self.now);
    }

    /// Makes a pause with an end. Its event has not arrived yet.
    fn pause(&mut self, id: u64, ends_at: i64) {
        let pause = StoredPause {
            id,
            pbx: "main".to_owned(),
            organization: "acme".to_owned(),
            queue: "sales".to_owned(),
            interface: "PJSIP/1001".to_owned(),
            reason: Some("Break".to_owned()),
            sent_at: self.now.unix_millis(),
            ends_at: Some(ends_at),
            last_pause: None,
            user: "dana".to_owned(),
            request_id: "r1".to_owned(),
        };
        self.mirror.begin_timed_pause(pause, self.now);
        let action = Action::QueuePause {
            queue: HeaderValue::new("sales").expect("a header"),
            interface: MemberValue::new("PJSIP/1001").expect("an interface"),
            paused: true,
            reason: Some(MemberValue::new("Break").expect("a reason")),
        };
        self.reply(&action, Vec::new());
        let (mirror, now) = (&mut self.mirror, self.now);
        mirror.timed_pause_sent(&key(), id, SentOutcome::Made, now);
    }

    /// Lets time pass until `millis` after the start.
    fn pass_until(&mut self, millis: u64) {
        let wall = Duration::from_secs(START as u64) + Duration::from_millis(millis);
        self.now.at += wall.saturating_sub(self.now.wall);
        self.now.wall = wall;
    }

    fn member(&self) -> Arc<crate::queues::Member> {
        let queue = self.mirror.queue("sales").expect("the queue").queue();
        Arc::clone(queue.member("PJSIP/1001").expect("the member"))
    }

    fn due(&mut self) -> usize {
        self.mirror.take_due_pauses(self.now).len()
    }
}

fn paused(reason: &str) -> String {
    format!("Paused: 1\r\nPausedReason: {reason}\r\nLastPause: {START}\r\n")
}

#[test]
fn member_that_time_changes_is_shown_again_once() {
    let after_call = format!("Paused: 0\r\nLastCall: {START}\r\n");
    for (member, seconds) in [(paused("Break"), 30), (after_call, 10)] {
        let mut harness = Harness::new(&member);
        let (before, change) = (harness.member(), harness.mirror.latest_change());
        let moment = harness.mirror.next_display_change();
        assert_eq!(moment, Some((START + seconds) * 1000), "{member}");
        harness.pass_until(seconds as u64 * 1000 - 1);
        harness.mirror.show_due_changes(harness.now);
        assert_eq!(harness.mirror.latest_change(), change);
        harness.pass_until(seconds as u64 * 1000);
        harness.mirror.show_due_changes(harness.now);
        assert_eq!(harness.mirror.latest_change(), change + 1);
        assert!(!Arc::ptr_eq(&before, &harness.member()));
        assert_eq!(harness.mirror.next_moment(), None);
    }
}

#[test]
fn member_without_limit_or_wrap_up_has_no_moment() {
    for member in ["Paused: 0\r\n".to_owned(), paused(""), paused("Other")] {
        let harness = Harness::new(&member);
        assert_eq!(harness.mirror.next_moment(), None, "{member}");
    }
}

#[test]
fn pause_for_a_reason_that_ends_is_due_after_its_second_and_a_random_delay() {
    let mut harness = Harness::new(&paused("LUNCH"));
    harness.pass_until(61_299);
    assert_eq!(harness.due(), 0);
    harness.pass_until(63_000);
    assert_eq!(harness.due(), 1);
    // While it is being ended, it is not due again.
    harness.list(&paused("LUNCH"));
    assert_eq!(harness.due(), 0);
    let retry_at = harness.now.unix_millis() + 1000;
    harness.mirror.end_attempted(&key(), retry_at);
    harness.event("QueueMemberStatus", &paused("LUNCH"));
    harness.pass_until(63_999);
    assert_eq!(harness.due(), 0);
    harness.pass_until(64_000);
    assert_eq!(harness.due(), 1);
    harness.list("Paused: 0\r\n");
    harness.mirror.end_attempted(&key(), 0);
    assert_eq!(harness.due(), 0);
}

#[test]
fn promised_end_is_due_exactly_and_only_while_the_pause_stands() {
    let ends_at = START * 1000 + 5_500;
    for other in [
        None,
        Some("Paused: 0\r\n".to_owned()),
        Some(paused("Other")),
    ] {
        let mut harness = Harness::new("Paused: 0\r\n");
        harness.pause(1, ends_at);
        // The acknowledgment already shows the end.
        assert_eq!(harness.member().observed.pause_end, Some(ends_at));
        harness.event("QueueMemberPause", &paused("Break"));
        harness.pass_until(2_500);
        harness.list(&other.clone().unwrap_or_else(|| paused("Break")));
        harness.pass_until(5_499);
        assert_eq!(harness.due(), 0, "{other:?}");
        harness.pass_until(5_500);
        let due = harness.mirror.take_due_pauses(harness.now);
        assert_eq!(due.len(), usize::from(other.is_none()), "{other:?}");
        let request = due.first().and_then(|due| due.request.clone());
        assert_eq!(request.is_some_and(|r| r.user == "dana"), other.is_none());
    }
}

/// The events of both pauses arrive after both acknowledgments. The first pause may have been
/// made a second earlier.
#[test]
fn late_event_of_an_earlier_pause_does_not_end_the_later_one() {
    for first_second in [START - 1, START] {
        let mut harness = Harness::new("Paused: 0\r\n");
        harness.pause(1, START * 1000 + 200_000);
        harness.pause(2, START * 1000 + 5_500);
        let first = format!("Paused: 1\r\nPausedReason: Break\r\nLastPause: {first_second}\r\n");
        for event in [&first, &paused("Break")] {
            harness.event("QueueMemberPause", event);
            let end = harness.member().observed.pause_end;
            assert_eq!(end, Some(START * 1000 + 5_500), "{event}");
        }
        let stored = harness.mirror.take_storage_changes();
        let noted = |at| stored.contains(&StorageChange::SetLastPause(2, at));
        assert!(noted(START) && !noted(START - 1), "{stored:?}");
        harness.list(&paused("Break"));
        harness.pass_until(5_500);
        assert_eq!(harness.due(), 1);
    }
}

#[test]
fn end_that_passed_without_a_link_is_due_after_loading() {
    let mut harness = Harness::new(&paused("Lunch"));
    harness.mirror.link_lost();
    harness.pass_until(600_000);
    assert_eq!(harness.due(), 0);
    harness.mirror.link_established(harness.now.at);
    harness.list(&paused("Lunch"));
    assert_eq!(harness.due(), 0);
    harness.mirror.loading_finished(harness.now);
    // Another bridge may end the pause at the same time.
    assert_eq!(harness.due(), 0);
    harness.pass_until(602_000);
    assert_eq!(harness.due(), 1);
}
