//! What a queue, a member and a caller are.

use std::sync::Arc;

use super::name::QueueName;
use super::time::PbxTime;

/// State of a member's device, as `QueueMember` and `QueueMemberStatus` carry
/// it in `Status` (Asterisk's `ast_device_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum DeviceState {
    /// 0: nobody knows.
    Unknown = 0,
    /// 1: free.
    NotInUse = 1,
    /// 2: in a call.
    InUse = 2,
    /// 3: busy.
    Busy = 3,
    /// 4: no such device.
    Invalid = 4,
    /// 5: not registered, or not reachable.
    Unavailable = 5,
    /// 6: ringing.
    Ringing = 6,
    /// 7: in a call, and ringing for another.
    RingInUse = 7,
    /// 8: on hold.
    OnHold = 8,
}

impl DeviceState {
    /// From Asterisk's number; what it may add one day is [`Self::Unknown`].
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

    /// Asterisk's number.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Whether the device could be rung at all.
    #[must_use]
    pub fn is_reachable(self) -> bool {
        !matches!(self, Self::Invalid | Self::Unavailable)
    }
}

/// What a member is doing, from its device, its calls and its pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberState {
    /// In a call, of this queue or another.
    InCall,
    /// Has a call on hold.
    OnHold,
    /// Rings.
    Ringing,
    /// Its device is invalid or not reachable.
    Unavailable,
    /// Paused, and otherwise free.
    Paused,
    /// Free for a call.
    Available,
}

impl MemberState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::InCall,
        Self::OnHold,
        Self::Ringing,
        Self::Unavailable,
        Self::Paused,
        Self::Available,
    ];

    /// Its name, as the interface and the metrics have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InCall => "in_call",
            Self::OnHold => "on_hold",
            Self::Ringing => "ringing",
            Self::Unavailable => "unavailable",
            Self::Paused => "paused",
            Self::Available => "available",
        }
    }
}

/// Where a membership comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// Added at run time; can be removed.
    Dynamic,
    /// From `queues.conf`, or from a realtime database (`QueueStatus` does not
    /// tell the two apart).
    Static,
}

/// A queue's settings, figures, members and callers at one moment. Members and
/// callers are shared, so that a copy costs little.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Name on the PBX.
    pub name: QueueName,
    /// How members are chosen, as `ringall`.
    pub strategy: String,
    /// Most callers that may wait; 0 is no limit.
    pub max_callers: u64,
    /// Weight among queues that share members.
    pub weight: i64,
    /// Average time to answer, in seconds.
    pub hold_seconds: u64,
    /// Average length of a call, in seconds.
    pub talk_seconds: u64,
    /// Calls that were answered since the figures were last reset.
    pub completed: u64,
    /// Callers who gave up since then.
    pub abandoned: u64,
    /// Seconds within which a call should be answered.
    pub service_level_seconds: u64,
    /// Percentage of all calls that entered the queue and were answered within
    /// that time; callers who hung up within it count as answered
    /// (`ServicelevelPerf2`, Asterisk 15 and later).
    pub service_level_percent: Option<f64>,
    /// Percentage of the answered calls that were answered within that time
    /// (`ServicelevelPerf`).
    pub service_level_answered_percent: f64,
    /// Members, in Asterisk's order.
    pub members: Arc<Vec<Arc<Member>>>,
    /// Waiting callers, by position.
    pub callers: Arc<Vec<Caller>>,
}

impl Queue {
    /// Seconds that the caller has waited who waits longest; 0 where nobody waits.
    #[must_use]
    pub fn longest_wait_seconds(&self) -> u64 {
        let waits = self.callers.iter().map(|caller| caller.wait_seconds);
        waits.max().unwrap_or(0)
    }

    /// The member with that interface.
    #[must_use]
    pub fn member(&self, interface: &str) -> Option<&Arc<Member>> {
        self.members.iter().find(|member| member.is(interface))
    }
}

/// A member of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Display name.
    pub name: Arc<str>,
    /// What Asterisk dials.
    pub interface: Arc<str>,
    /// The device whose state counts.
    pub state_interface: Arc<str>,
    /// Where the membership comes from.
    pub membership: Membership,
    /// Members of a lower penalty are rung first.
    pub penalty: i64,
    /// Calls taken in this queue.
    pub calls_taken: u64,
    /// End of the last call.
    pub last_call: PbxTime,
    /// The latest pause. Kept after the unpause.
    pub last_pause: PbxTime,
    /// When the member was added; never before Asterisk 16.23, 18.9 and 20, which
    /// do not report it.
    pub login_time: PbxTime,
    /// Whether the member is in a call of this queue.
    pub in_call: bool,
    /// State of the device.
    pub device_state: DeviceState,
    /// Whether the member is paused.
    pub paused: bool,
    /// Reason of the pause; empty where there is none, and while not paused.
    pub paused_reason: Arc<str>,
    /// Seconds of wrap-up time of this member; 0 is the queue's.
    pub wrapup_seconds: u64,
}

impl Member {
    /// What the member is doing.
    #[must_use]
    pub fn state(&self) -> MemberState {
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

    /// The member with its times on the bridge's clock; see [`PbxTime::converted`].
    pub(super) fn convert_times(&mut self, before: Option<&Self>, offset: i64) {
        let times = |member: &Self| [member.last_call, member.last_pause, member.login_time];
        let [call, pause, login] = before.map_or([None; 3], |before| times(before).map(Some));
        self.last_call = self.last_call.converted(call, offset);
        self.last_pause = self.last_pause.converted(pause, offset);
        self.login_time = self.login_time.converted(login, offset);
    }

    /// The member after the bridge's clock was set forward by that many seconds.
    pub(super) fn shift_times(&mut self, seconds: i64) {
        for time in [
            &mut self.last_call,
            &mut self.last_pause,
            &mut self.login_time,
        ] {
            *time = time.shifted(seconds);
        }
    }

    /// Whether both are the same to a reader.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.last_pause.is_same(other.last_pause)
            && *self
                == Self {
                    last_pause: self.last_pause,
                    ..other.clone()
                }
    }

    /// Whether this is that interface; Asterisk compares without case.
    #[must_use]
    pub fn is(&self, interface: &str) -> bool {
        self.interface.eq_ignore_ascii_case(interface)
    }
}

/// A waiting caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Place in the queue, from 1.
    pub position: u64,
    /// The caller's channel.
    pub channel: String,
    /// The channel's unique id.
    pub unique_id: String,
    /// Caller id number; `unknown` where Asterisk has none.
    pub number: String,
    /// Caller id name; `unknown` where Asterisk has none.
    pub name: String,
    /// Seconds since the caller joined.
    pub wait_seconds: u64,
    /// Priority in the queue.
    pub priority: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(device_state: u64, paused: bool, in_call: bool) -> Member {
        Member {
            name: "Dana".into(),
            interface: "PJSIP/1001".into(),
            state_interface: "PJSIP/1001".into(),
            membership: Membership::Dynamic,
            penalty: 0,
            calls_taken: 0,
            last_call: PbxTime::reported(0),
            last_pause: PbxTime::reported(0),
            login_time: PbxTime::reported(0),
            in_call,
            device_state: DeviceState::from_code(device_state),
            paused,
            paused_reason: "".into(),
            wrapup_seconds: 0,
        }
    }

    #[test]
    fn state_is_the_first_that_holds() {
        use MemberState::*;
        let by_device = [
            Available,
            Available,
            InCall,
            InCall,
            Unavailable,
            Unavailable,
            Ringing,
            InCall,
            OnHold,
            Available,
        ];
        for (code, expected) in (0..).zip(by_device) {
            assert_eq!(member(code, false, false).state(), expected, "{code}");
            let paused = if expected == Available {
                Paused
            } else {
                expected
            };
            assert_eq!(member(code, true, false).state(), paused, "{code} paused");
            assert_eq!(member(code, true, true).state(), InCall, "{code} in call");
        }
    }
}
