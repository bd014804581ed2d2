//! Devices (telephones), and the device states that Asterisk derives from their calls.

use std::collections::BTreeMap;

use super::device_state;

/// A device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Device {
    /// The state set by `devstate change`. It takes precedence over the state that follows
    /// from the calls.
    pub(crate) state_override: Option<u8>,
    pub(crate) ringing_calls: u32,
    pub(crate) active_calls: u32,
}

impl Device {
    /// Clears the calls, but not a state set by `devstate change`.
    pub(crate) fn clear_calls(&mut self) {
        self.ringing_calls = 0;
        self.active_calls = 0;
    }
}

/// Returns a device's state. The keys of `devices` are lower-case names. A device that is
/// missing from `devices` has no calls.
pub(crate) fn state_of(devices: &BTreeMap<String, Device>, name: &str) -> u8 {
    let name = name.to_ascii_lowercase();
    let device = devices.get(&name).cloned().unwrap_or_default();
    if let Some(state) = device.state_override {
        return state;
    }
    let Some((technology, address)) = name.split_once('/') else {
        // A custom device state that was never set is unknown. Any other name without
        // a technology is invalid.
        return if name.starts_with("custom:") {
            device_state::UNKNOWN
        } else {
            device_state::INVALID
        };
    };
    let is_local = technology == "local";
    match (device.ringing_calls > 0, device.active_calls > 0) {
        (false, false) if is_local && !is_agent_extension(address) => device_state::INVALID,
        (false, false) => device_state::NOT_IN_USE,
        // A Local channel is in use as soon as it exists, even while it rings.
        _ if is_local => device_state::IN_USE,
        (false, true) => device_state::IN_USE,
        (true, false) => device_state::RINGING,
        (true, true) => device_state::RINGING_IN_USE,
    }
}

/// Returns true for the agents' extensions in the `asterisk-sample` dialplan: four digits that
/// start with 1, in a context named `*-agents`.
fn is_agent_extension(address: &str) -> bool {
    address.split_once('@').is_some_and(|(number, context)| {
        let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && number.starts_with('1') && context.ends_with("-agents")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_derives_the_state_from_the_calls() {
        let mut devices = BTreeMap::new();
        let device = |state_override, ringing_calls, active_calls| Device {
            state_override,
            ringing_calls,
            active_calls,
        };
        devices.insert("local/1002@acme-agents".to_owned(), device(None, 1, 0));
        devices.insert("pjsip/1".to_owned(), device(None, 1, 0));
        devices.insert("pjsip/2".to_owned(), device(None, 0, 1));
        devices.insert("pjsip/3".to_owned(), device(None, 1, 1));
        devices.insert("pjsip/4".to_owned(), device(Some(8), 1, 1));
        for (name, expected) in [
            ("Local/1001@acme-agents", 1),
            ("Local/2001@acme-agents", 4),
            ("Local/1001@nowhere", 4),
            ("Local/1002@acme-agents", 2),
            ("LOCAL/1002@ACME-agents", 2),
            ("banana", 4),
            ("Custom:x", 0),
            ("PJSIP/0", 1),
            ("PJSIP/1", 6),
            ("PJSIP/2", 2),
            ("PJSIP/3", 7),
            ("PJSIP/4", 8),
        ] {
            assert_eq!(state_of(&devices, name), expected, "{name}");
        }
    }
}
