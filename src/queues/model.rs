//! Queues, members and callers, as Asterisk reports them.

use std::sync::Arc;

use super::name::QueueName;
use super::observed::Observed;
use super::time::PbxTime;

/// The state of a member's device. Corresponds to Asterisk's `ast_device_state`, which is in
/// the `Status` header of `QueueMember` and `QueueMemberStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum DeviceState {
    /// 0: Asterisk does not know the state.
    Unknown = 0,
    /// 1: idle.
    NotInUse = 1,
    /// 2: in a call.
    InUse = 2,
    /// 3: busy.
    Busy = 3,
    /// 4: the device does not exist.
    Invalid = 4,
    /// 5: not registered or not reachable.
    Unavailable = 5,
    /// 6: ringing.
    Ringing = 6,
    /// 7: in a call while another call rings.
    RingInUse = 7,
    /// 8: has a call on hold.
    OnHold = 8,
}

impl DeviceState {
    /// Converts Asterisk's numeric code. Returns [`Self::Unknown`] for any other code, which a
    /// future version may add.
    #[must_use]
    pub fn from_code(code: u64) -> Self {
        match code {
            1 => Self::NotInUse,
            2 => Self::InUse,
            3 => Self::Busy,
            4 => Self::Invalid,
            5 => Self::Unavailable,
            6 => Self::Ringing,
            7 => Self::RingInUse,
            8 => Self::OnHold,
            _ => Self::Unknown,
        }
    }

    /// Returns Asterisk's numeric code for the state.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns whether Asterisk can ring the device. It can't if the device is invalid or
    /// unavailable.
    #[must_use]
    pub fn is_reachable(self) -> bool {
        !matches!(self, Self::Invalid | Self::Unavailable)
    }
}

/// A member's state, derived from its device, its calls and its pause. The variants are in
/// order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberState {
    /// In a call, from this queue or elsewhere.
    InCall,
    /// Has a call on hold.
    OnHold,
    /// Ringing.
    Ringing,
    /// The device is invalid or unavailable.
    Unavailable,
    /// Paused, and the device is idle or in an unknown state.
    Paused,
    /// Not rung, because the wrap-up time after the last call has not ended.
    WrapUp,
    /// Ready for a call.
    Available,
}

impl MemberState {
    /// All states, in order of precedence.
    pub const ALL: [Self; 7] = [
        Self::InCall,
        Self::OnHold,
        Self::Ringing,
        Self::Unavailable,
        Self::Paused,
        Self::WrapUp,
        Self::Available,
    ];

    /// Returns the state's name in the API and the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InCall => "in_call",
            Self::OnHold => "on_hold",
            Self::Ringing => "ringing",
            Self::Unavailable => "unavailable",
            Self::Paused => "paused",
            Self::WrapUp => "wrap_up",
            Self::Available => "available",
        }
    }
}

/// Whether a member was added at run time or configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Added at run time, for example with `QueueAdd`. Can be removed.
    Dynamic,
    /// Configured in `queues.conf` or in a realtime database. `QueueStatus` does not
    /// distinguish the two.
    Static,
}

/// A queue's settings, statistics, members and callers at one moment. Members and callers are
/// in an `Arc`, so cloning them is cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// The queue's name on the PBX.
    pub name: QueueName,
    /// The strategy by which Asterisk selects the members to ring, for example `ringall`.
    pub strategy: String,
    /// The maximum number of waiting callers; 0 means no limit.
    pub max_callers: u64,
    /// The queue's priority over queues that share its members. Asterisk serves queues with a
    /// higher weight first.
    pub weight: i64,
    /// The average time that callers wait for a member to answer, in seconds.
    pub average_hold_seconds: u64,
    /// The average length of an answered call, in seconds.
    pub average_talk_seconds: u64,
    /// The number of calls answered since the statistics were last reset.
    pub completed: u64,
    /// The number of calls abandoned since the statistics were last reset.
    pub abandoned: u64,
    /// The service level: the number of seconds within which a call should be answered.
    pub service_level_seconds: u64,
    /// The percentage of all calls to the queue that were answered within the service level.
    /// Calls abandoned within that time count as answered. This is Asterisk's
    /// `ServicelevelPerf2`; `None` before Asterisk 15.
    pub service_level_percent: Option<f64>,
    /// The percentage of answered calls that were answered within the service level. This is
    /// Asterisk's `ServicelevelPerf`.
    pub service_level_answered_percent: f64,
    /// The members, in Asterisk's order.
    pub members: Arc<Vec<Arc<Member>>>,
    /// The waiting callers, by position.
    pub callers: Arc<Vec<Caller>>,
}

impl Queue {
    /// Returns the longest wait among the waiting callers, in seconds; 0 if no caller is
    /// waiting.
    #[must_use]
    pub fn longest_wait_seconds(&self) -> u64 {
        let waits = self.callers.iter().map(|caller| caller.wait_seconds);
        waits.max().unwrap_or(0)
    }

    /// Returns the member with this interface. Ignores case, like Asterisk.
    #[must_use]
    pub fn member(&self, interface: &str) -> Option<&Arc<Member>> {
        self.members
            .iter()
            .find(|member| member.has_interface(interface))
    }
}

/// A member of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The display name.
    pub name: Arc<str>,
    /// The interface that Asterisk dials, for example `PJSIP/1001`.
    pub interface: Arc<str>,
    /// The device whose state Asterisk uses for the member.
    pub state_interface: Arc<str>,
    /// Whether the member was added at run time or configured.
    pub membership: Membership,
    /// The penalty. Asterisk rings members with a lower penalty first.
    pub penalty: i64,
    /// The number of calls from this queue that the member has taken.
    pub calls_taken: u64,
    /// When the member's last call ended.
    pub last_call: PbxTime,
    /// When the latest pause began. An unpause does not reset it.
    pub last_pause: PbxTime,
    /// When the member was added; 0 before Asterisk 16.23, 18.9 and 20, because older versions
    /// don't report this time.
    pub login_time: PbxTime,
    /// Whether the member is in a call from this queue.
    pub in_call: bool,
    /// The state of the member's device.
    pub device_state: DeviceState,
    /// Whether the member is paused.
    pub paused: bool,
    /// The pause reason. Empty if the member is not paused or was paused without a reason.
    pub paused_reason: Arc<str>,
    /// The member's wrap-up time in seconds; 0 means that the queue's wrap-up time applies.
    pub wrapup_seconds: u64,
    /// Facts that Asterisk does not report.
    pub observed: Observed,
}

impl Member {
    /// Returns the member's state without regard to wrap-up, which depends on the time. If
    /// several states apply, returns the one that comes first in [`MemberState`].
    #[must_use]
    pub fn state_without_wrap_up(&self) -> MemberState {
        match self.device_state {
            _ if self.in_call => MemberState::InCall,
            DeviceState::InUse | DeviceState::Busy | DeviceState::RingInUse => MemberState::InCall,
            DeviceState::OnHold => MemberState::OnHold,
            DeviceState::Ringing => MemberState::Ringing,
            DeviceState::Invalid | DeviceState::Unavailable => MemberState::Unavailable,
            DeviceState::Unknown | DeviceState::NotInUse if self.paused => MemberState::Paused,
            DeviceState::Unknown | DeviceState::NotInUse => MemberState::Available,
        }
    }

    /// Converts the member's times to the bridge's clock, as described at
    /// [`PbxTime::to_bridge_clock`]. `previous` is the member as Asterisk reported it before.
    pub(super) fn convert_times_to_bridge_clock(
        &mut self,
        previous: Option<&Self>,
        clock_offset: i64,
    ) {
        let times = |member: &Self| [member.last_call, member.last_pause, member.login_time];
        let [call, pause, login] = previous.map_or([None; 3], |previous| times(previous).map(Some));
        self.last_call = self.last_call.to_bridge_clock(call, clock_offset);
        self.last_pause = self.last_pause.to_bridge_clock(pause, clock_offset);
        self.login_time = self.login_time.to_bridge_clock(login, clock_offset);
    }

    /// Moves the member's times forward by `seconds`, because the bridge's clock was set
    /// forward by that much.
    pub(super) fn shift_times(&mut self, seconds: i64) {
        for time in [
            &mut self.last_call,
            &mut self.last_pause,
            &mut self.login_time,
        ] {
            *time = time.shifted_by(seconds);
        }
        self.observed.shift_times(seconds * 1000);
    }

    /// Returns whether readers see no difference between the members.
    #[must_use]
    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.observed.pause_end == other.observed.pause_end
            && self.observed.call_queues == other.observed.call_queues
            && self.has_equivalent_report(other)
    }

    /// Returns whether Asterisk reports the same for both members. The times of their last
    /// pause only need to be equivalent, as described at [`PbxTime::is_equivalent`].
    #[must_use]
    pub fn has_equivalent_report(&self, other: &Self) -> bool {
        self.last_pause.is_equivalent(other.last_pause)
            && *self
                == Self {
                    last_pause: self.last_pause,
                    observed: self.observed.clone(),
                    ..other.clone()
                }
    }

    /// Returns whether Asterisk reports the same for both members.
    #[must_use]
    pub fn has_same_report(&self, other: &Self) -> bool {
        self.last_pause == other.last_pause && self.has_equivalent_report(other)
    }

    /// Returns whether the member has this interface. Ignores case, like Asterisk.
    #[must_use]
    pub fn has_interface(&self, interface: &str) -> bool {
        self.interface.eq_ignore_ascii_case(interface)
    }
}

/// A waiting caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The caller's position in the queue, starting at 1.
    pub position: u64,
    /// The name of the caller's channel.
    pub channel: String,
    /// The unique id of the caller's channel.
    pub unique_id: String,
    /// The caller ID number; `unknown` if Asterisk has none.
    pub number: String,
    /// The caller ID name; `unknown` if Asterisk has none.
    pub name: String,
    /// Seconds since the caller joined the queue.
    pub wait_seconds: u64,
    /// The caller's priority. Asterisk serves callers with a higher priority first.
    pub priority: i64,
}

#[cfg(test)]
impl Member {
    /// Returns an idle dynamic member.
    pub(crate) fn for_test() -> Self {
        Self {
            name: "Dana".into(),
            interface: "PJSIP/1001".into(),
            state_interface: "PJSIP/1001".into(),
            membership: Membership::Dynamic,
            penalty: 0,
            calls_taken: 0,
            last_call: PbxTime::reported(0),
            last_pause: PbxTime::reported(0),
            login_time: PbxTime::reported(0),
            in_call: false,
            device_state: DeviceState::NotInUse,
            paused: false,
            paused_reason: "".into(),
            wrapup_seconds: 0,
            observed: Observed::default(),
        }
    }
}

#[cfg(test)]
mod tests;
