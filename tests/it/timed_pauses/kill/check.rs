//! Changes by someone else while the bridge is dead, and the judgment of a round by
//! `queue_log`.

use super::super::{
    LogRow, Scene, TIME_OVER, ended_rows, interface, is_before, log_rows, wait_for_new_second,
};
use super::{Meanwhile, Moment, QUEUE, Round, pause_elsewhere, round_reason};
use crate::support::eventually;

impl Round {
    /// Waits until Asterisk has executed a change of this round.
    pub(super) fn wait_for_row(&self, scene: &Scene, event: &str, reason: &str) {
        eventually(&format!("{self:?}: {event} {reason} in queue_log"), || {
            let rows = self.rows(scene);
            let mut rows = rows.iter();
            rows.find(|row| row.event == event && row.reason == reason)
                .map(|_| ())
        });
    }

    /// Returns the pauses and unpauses of this round's agent.
    fn rows(&self, scene: &Scene) -> Vec<LogRow> {
        log_rows(&scene.asterisk, QUEUE, self.agent)
    }

    /// Someone else changes the pause while the bridge is dead.
    pub(super) fn change_meanwhile(&mut self, scene: &Scene) {
        let rows = self.rows(scene);
        if rows.is_empty() {
            // The pause never reached Asterisk.
            self.meanwhile = Meanwhile::Nothing;
        }
        if self.meanwhile == Meanwhile::Nothing {
            return;
        }
        if self.meanwhile == Meanwhile::Unpaused {
            let reply = scene.asterisk.ami().reply_text(&format!(
                "QueuePause\r\nQueue: {QUEUE}\r\nInterface: {}\r\nPaused: false\r\n\
                 Reason: By hand",
                interface(self.agent)
            ));
            assert_eq!(reply, "Success: Interface unpaused successfully");
            return;
        }
        wait_for_new_second();
        // If the bridge died before it could learn the time of its own pause, only the reason
        // distinguishes the pauses.
        let reason = match self.ends_at {
            Some(_) if self.moment != Moment::Random => round_reason(self.number),
            _ => "Other".to_owned(),
        };
        pause_elsewhere(scene, self.agent, &reason);
    }

    /// Asserts that the bridge has ended the pause once, and no other pause.
    pub(super) fn check(&self, scene: &Scene) {
        if self.rows(scene).is_empty() {
            assert_eq!(
                self.ends_at, None,
                "{self:?}: Asterisk never got a pause whose end was promised"
            );
            return;
        }
        match self.meanwhile {
            Meanwhile::Nothing => self.check_ended(scene),
            Meanwhile::Unpaused | Meanwhile::PausedAgain => self.check_other_change(scene),
        }
        let rows = self.rows(scene);
        let pauses = rows.iter().filter(|row| row.event == "PAUSE").count();
        let expected = 1 + usize::from(self.meanwhile == Meanwhile::PausedAgain);
        assert_eq!(
            pauses, expected,
            "{self:?}: expected {expected} pauses, none of them sent twice: {rows:#?}"
        );
    }

    /// Asserts that the bridge has ended the pause once, and not early.
    fn check_ended(&self, scene: &Scene) {
        let ended = eventually(&format!("{self:?}: the pause ends"), || {
            let rows = self.rows(scene);
            ended_rows(&rows).first().map(|row| (*row).clone())
        });
        let rows = self.rows(scene);
        if let Some(end) = self.ends_at {
            let is_early = is_before(&ended, end);
            assert!(!is_early, "{self:?}: the bridge ended it early: {rows:#?}");
        }
        let count = rows.iter().filter(|row| row.event == "UNPAUSE").count();
        assert_eq!(count, 1, "{self:?}: expected one unpause: {rows:#?}");
    }

    /// Asserts that the bridge has not undone the change of someone else.
    fn check_other_change(&self, scene: &Scene) {
        let allowed = match self.moment {
            // The bridge may have ended the pause before its death.
            Moment::RandomEnd => 0..=1,
            Moment::UnpauseDelivered | Moment::UnpauseExecuted => 1..=1,
            _ => 0..=0,
        };
        let rows = self.rows(scene);
        let count = ended_rows(&rows).len();
        assert!(
            allowed.contains(&count),
            "{self:?}: expected {allowed:?} unpauses by the bridge: {rows:#?}"
        );
        let last = rows.last().expect("the other change");
        assert_ne!(
            last.reason, TIME_OVER,
            "{self:?}: the bridge has ended the pause of someone else: {rows:#?}"
        );
    }
}
