//! Device changes, and the QueueMemberStatus events that they cause.

use super::device::{Device, state_of};
use super::state::SimulatedPbx;

impl SimulatedPbx {
    /// Sets a device's state to one of Asterisk's codes, like `devstate change`.
    pub(crate) fn set_device_state(&mut self, name: &str, code: u8) {
        self.update_device(name, |device| device.state_override = Some(code));
    }

    /// Updates a device, and emits an event for each member whose status changes.
    pub(super) fn update_device(&mut self, name: &str, update: impl FnOnce(&mut Device)) {
        update(self.devices.entry(name.to_ascii_lowercase()).or_default());
        let state = state_of(&self.devices, name);
        let mut events = Vec::new();
        for queue in &mut self.queues {
            // In each queue, Asterisk updates only the first member with this device.
            let mut members = queue.members.iter_mut();
            let member = members.find(|m| m.state_interface.eq_ignore_ascii_case(name));
            let Some(member) = member.filter(|member| member.status != state) else {
                continue;
            };
            member.status = state;
            let event = member.event("QueueMemberStatus", &queue.name);
            events.push((queue.name.clone(), event));
        }
        for (queue, event) in events {
            self.emit(event);
            self.schedule_distribution(&queue);
        }
    }
}
