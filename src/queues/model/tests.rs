//! Tests of members' states.

use super::*;

fn member(device_state: u64, paused: bool, in_call: bool) -> Member {
    Member {
        device_state: DeviceState::from_code(device_state),
        paused,
        in_call,
        ..Member::for_test()
    }
}

#[test]
fn member_state_is_the_applicable_state_of_highest_precedence() {
    use MemberState::*;
    let states_by_code = [
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
    for (code, expected) in (0..).zip(states_by_code) {
        assert_eq!(
            member(code, false, false).state_without_wrap_up(),
            expected,
            "{code}"
        );
        let paused = if expected == Available {
            Paused
        } else {
            expected
        };
        assert_eq!(
            member(code, true, false).state_without_wrap_up(),
            paused,
            "{code} paused"
        );
        assert_eq!(
            member(code, true, true).state_without_wrap_up(),
            InCall,
            "{code} in call"
        );
    }
}
