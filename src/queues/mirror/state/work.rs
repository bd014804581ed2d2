//! Reports to the recorder of the day's work.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::{Mirror, Now, Phase};
use crate::queues::call_event::CallEvent;
use crate::queues::model::Member;
use crate::queues::name::QueueName;
use crate::queues::time::PbxTime;
use crate::queues::timing::wrap_up_seconds;
use crate::queues::work_event::{WorkCall, WorkEvent, WorkMember, WorkPause, WorkTime};

/// The channel to the recorder.
#[derive(Debug, Default)]
pub(super) struct WorkLog {
    recorder: Option<UnboundedSender<WorkEvent>>,
    /// The number of seconds by which Asterisk's clock is ahead. Unlike the measured offset, it
    /// stays the same while measurements vary, so that the length of a pause is exact.
    offset: i64,
}

impl WorkLog {
    /// Reports a member that Asterisk has reported, if it differs in what matters. `before` is the
    /// member as Asterisk reported it before. `is_watched` is false if the bridge may have missed
    /// changes since then.
    pub(super) fn member_reported(
        &self,
        (queue, interface): (&QueueName, &Arc<str>),
        (before, after): (Option<&Member>, Option<&Member>),
        is_watched: bool,
        at: i64,
    ) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let is_known = is_watched && is_same_work(before, after);
        if is_known || (before.is_none() && after.is_none()) {
            return;
        }
        // The recorder may have ended.
        let _ = recorder.send(WorkEvent::Member {
            at,
            queue: queue.clone(),
            interface: Arc::clone(interface),
            member: after.map(|member| self.work_member(member)),
        });
    }

    /// Applies a new measurement of the clock offset.
    pub(super) fn offset_measured(&mut self, offset: f64) {
        if (offset - self.offset as f64).abs() > MAX_OFFSET_ERROR {
            self.offset = offset.round() as i64;
        }
    }

    fn work_member(&self, member: &Member) -> WorkMember {
        WorkMember {
            name: Arc::clone(&member.name),
            login: self.work_time(member.login_time),
            pause: member.paused.then(|| WorkPause {
                began: self.work_time(member.last_pause),
                reason: Arc::clone(&member.paused_reason),
            }),
        }
    }

    fn work_time(&self, time: PbxTime) -> WorkTime {
        let reported = time.reported_seconds().unwrap_or(time.unix());
        let converted = reported - self.offset;
        // Otherwise, Asterisk's clock was set after it reported the time.
        let is_plausible = (converted - time.unix()).abs() <= MAX_TIME_DIFFERENCE;
        WorkTime {
            reported,
            unix: if is_plausible { converted } else { time.unix() },
        }
    }

    fn send(&self, event: WorkEvent) {
        if let Some(recorder) = &self.recorder {
            // The recorder may have ended.
            let _ = recorder.send(event);
        }
    }
}

/// A measurement that differs less than this from the offset in use is ignored, in seconds. The
/// error of a measurement is half the duration of a `Ping`, which takes up to 2 s.
const MAX_OFFSET_ERROR: f64 = 1.5;

/// Two conversions of the same time differ at most this much, in seconds.
const MAX_TIME_DIFFERENCE: i64 = 2;

/// An event's own time is ignored if it differs more than this from the current time, in seconds,
/// because Asterisk's clock was set.
const MAX_EVENT_AGE: i64 = 30;

impl Mirror {
    /// Sets Asterisk's time of the event that is being applied, in Unix seconds on Asterisk's
    /// clock. Events have a time only with `timestampevents = yes` in `manager.conf`.
    pub(in crate::queues::mirror) fn set_event_time(&mut self, seconds: Option<f64>) {
        self.event_time = seconds;
    }

    /// Returns when the event that is being applied happened, otherwise the current second. In Unix
    /// seconds on the bridge's clock.
    pub(super) fn work_second(&self, now: Now) -> i64 {
        let second = self.clock.second(now);
        let event = self.event_time.map(|time| time.floor() as i64);
        let event = event.map(|time| time - self.work.offset);
        let latest = second + MAX_TIME_DIFFERENCE;
        event
            .filter(|time| (second - MAX_EVENT_AGE..=latest).contains(time))
            .unwrap_or(second)
    }

    /// Starts to report to a recorder, beginning with all members that Asterisk has reported over
    /// this link.
    pub(in crate::queues::mirror) fn record_work(
        &mut self,
        recorder: UnboundedSender<WorkEvent>,
        now: Now,
    ) {
        self.work.recorder = Some(recorder);
        let at = self.work_second(now);
        for queue in self.queues.values().filter(|queue| queue.is_watched) {
            for member in queue.queue.members.iter() {
                let Some(member) = queue.reported(&member.interface) else {
                    continue;
                };
                let key = (&queue.name, &member.interface);
                self.work
                    .member_reported(key, (None, Some(member)), false, at);
            }
        }
        if self.phase == Phase::Live {
            self.work.send(WorkEvent::Seen { at });
        }
    }

    /// Reports a change of the phase.
    pub(in crate::queues::mirror) fn report_phase(&self, now: Now) {
        match self.phase {
            Phase::Live => {
                let at = self.work_second(now);
                self.work.send(WorkEvent::Seen { at });
            }
            Phase::Loading => {}
            Phase::NeverLive | Phase::Lost | Phase::NoAppQueue => {
                let age = now.at.saturating_duration_since(self.last_received);
                let last_sight = now.wall.saturating_sub(age).as_secs() as i64;
                self.work.send(WorkEvent::Unseen { last_sight });
            }
        }
    }

    /// Reports an event about a call, with what only the mirror knows.
    pub(in crate::queues::mirror) fn report_call(&self, event: CallEvent, now: Now) {
        let Some(queue) = self
            .queue(&event.queue)
            .filter(|_| self.work.recorder.is_some())
        else {
            return;
        };
        let mut call = event.call;
        match &mut call {
            WorkCall::Answered {
                wait_seconds,
                within_service_level,
                ..
            } => {
                let service_level = queue.queue.service_level_seconds;
                *within_service_level = u64::from(*wait_seconds) <= service_level;
            }
            WorkCall::Completed {
                interface,
                wrap_up_seconds: seconds,
                ..
            } => {
                let member = queue.reported(interface);
                let own = member.map_or(0, |member| member.wrapup_seconds);
                let wrap_up = wrap_up_seconds(own, &queue.name, interface, &queue.rules);
                *seconds = u32::try_from(wrap_up).unwrap_or(u32::MAX);
            }
            _ => {}
        }
        self.work.send(WorkEvent::Call {
            at: self.work_second(now),
            queue: queue.name.clone(),
            call,
        });
    }
}

fn is_same_work(before: Option<&Member>, after: Option<&Member>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return before.is_none() && after.is_none();
    };
    let reported = |time: PbxTime| time.reported_seconds();
    before.paused == after.paused
        && before.paused_reason == after.paused_reason
        && (!after.paused || reported(before.last_pause) == reported(after.last_pause))
        && reported(before.login_time) == reported(after.login_time)
        && before.name == after.name
}
