//! Telephones and their states.

use std::collections::BTreeMap;

use super::pbx::Pbx;

/// A device that is, or was, in use.
#[derive(Debug, Clone, Default)]
pub(super) struct Device {
    /// A state that was set by hand.
    pub(super) forced: Option<u8>,
    pub(super) ringing: u32,
    pub(super) talking: u32,
}

impl Device {
    /// Ends what goes on there.
    pub(super) fn hang_up(&mut self) {
        self.ringing = 0;
        self.talking = 0;
    }
}

/// Asterisk's code of a device's state.
pub(super) fn status(devices: &BTreeMap<String, Device>, name: &str) -> u8 {
    let name = name.to_ascii_lowercase();
    let device = devices.get(&name).cloned().unwrap_or_default();
    if let Some(forced) = device.forced {
        return forced;
    }
    let Some((technology, address)) = name.split_once('/') else {
        // A custom state that was never set is unknown; else there is no such
        // device.
        return if name.starts_with("custom:") { 0 } else { 4 };
    };
    match (device.ringing > 0, device.talking > 0) {
        (false, false) if technology == "local" && !is_agent(address) => 4,
        (false, false) => 1,
        // A Local channel is in use from its beginning.
        _ if technology == "local" => 2,
        (false, true) => 2,
        (true, false) => 6,
        (true, true) => 7,
    }
}

/// The agents of the sample dialplan: four digits, the first a 1, in a context of
/// agents.
fn is_agent(address: &str) -> bool {
    address.split_once('@').is_some_and(|(number, context)| {
        let is_number = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && number.starts_with('1') && context.ends_with("-agents")
    })
}

impl Pbx {
    /// `devstate change`.
    pub(super) fn force_device(&mut self, name: &str, status: u8) {
        self.change_device(name, |device| device.forced = Some(status));
    }

    /// Changes a device, and tells its members where that changes its state.
    pub(super) fn change_device(&mut self, name: &str, change: impl FnOnce(&mut Device)) {
        change(self.devices.entry(name.to_ascii_lowercase()).or_default());
        self.tell_device(name);
    }

    pub(super) fn tell_device(&mut self, name: &str) {
        let status = status(&self.devices, name);
        let mut changed = Vec::new();
        for queue in &mut self.queues {
            // Asterisk looks at the first member with that device only.
            let mut members = queue.members.iter_mut();
            let member = members.find(|m| m.state_interface.eq_ignore_ascii_case(name));
            let Some(member) = member.filter(|member| member.status != status) else {
                continue;
            };
            member.status = status;
            let event = member.event("QueueMemberStatus", &queue.name);
            changed.push((queue.name.clone(), event));
        }
        for (queue, event) in changed {
            self.tell(event);
            self.distribute_soon(&queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_the_states_that_asterisk_gives_them() {
        let mut devices = BTreeMap::new();
        let busy = |forced, ringing, talking| Device {
            forced,
            ringing,
            talking,
        };
        devices.insert("local/1002@acme-agents".to_owned(), busy(None, 1, 0));
        devices.insert("pjsip/1".to_owned(), busy(None, 1, 0));
        devices.insert("pjsip/2".to_owned(), busy(None, 0, 1));
        devices.insert("pjsip/3".to_owned(), busy(None, 1, 1));
        devices.insert("pjsip/4".to_owned(), busy(Some(8), 1, 1));
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
            assert_eq!(status(&devices, name), expected, "{name}");
        }
    }
}
