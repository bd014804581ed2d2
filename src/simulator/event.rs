//! AMI events and their classes.

use super::conf_file::{is_false, is_true};
use super::headers::Headers;

/// The class of an event. A session receives an event only if its user may read the class and
/// its event mask includes the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventClass {
    /// Boot, shutdown and modules.
    System,
    /// Queues, their members and their callers.
    Agent,
}

impl EventClass {
    /// Returns Asterisk's bit for the class.
    pub(crate) fn bit(self) -> u32 {
        match self {
            Self::System => 1,
            Self::Agent => 1 << 5,
        }
    }

    /// Returns the value of the `Privilege` header.
    fn privilege(self) -> &'static str {
        match self {
            Self::System => "system,all",
            Self::Agent => "agent,all",
        }
    }
}

/// Parses a comma-separated list of classes into Asterisk's bits. Unknown names are
/// ignored.
pub(crate) fn parse_classes(list: &str) -> u32 {
    /// The index of a name is its bit number.
    const NAMES: [&str; 8] = [
        "system", "call", "log", "verbose", "command", "agent", "user", "config",
    ];
    list.split(',').map(str::trim).fold(0, |bits, class| {
        if class == "all" {
            return u32::MAX;
        }
        let bit = NAMES.iter().position(|name| *name == class);
        bits | bit.map_or(0, |bit| 1 << bit)
    })
}

/// Parses the event mask in a Login or Events action: a number, a Boolean or a list of
/// classes. Returns `None` if the mask is empty.
pub(crate) fn parse_event_mask(mask: &str) -> Option<u32> {
    match mask {
        "" => None,
        mask if is_false(mask) => Some(0),
        mask => match mask.parse() {
            Ok(bits) if bits > 1 => Some(bits),
            _ if is_true(mask) => Some(u32::MAX),
            _ => Some(parse_classes(mask)),
        },
    }
}

/// An AMI event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AmiEvent {
    pub(crate) class: EventClass,
    /// The complete message, as sent to clients.
    pub(crate) text: String,
}

impl AmiEvent {
    fn new(name: &str, class: EventClass, headers: &Headers) -> Self {
        let message = Headers::default()
            .with("Event", name)
            .with("Privilege", class.privilege())
            .with_all(headers);
        Self {
            class,
            text: message.into_message(),
        }
    }

    pub(crate) fn agent(name: &str, headers: &Headers) -> Self {
        Self::new(name, EventClass::Agent, headers)
    }

    pub(crate) fn system(name: &str, headers: &Headers) -> Self {
        Self::new(name, EventClass::System, headers)
    }
}
