//! What Asterisk tells its sessions unasked, and the lines of a message.

use std::fmt::{Display, Write};

/// Which sessions get an event: those whose user may read the class, and who
/// asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Boot, shutdown, modules.
    System,
    /// Queues, their members and callers.
    Agent,
}

impl Class {
    pub(super) fn bit(self) -> u32 {
        match self {
            Self::System => 1,
            Self::Agent => 1 << 5,
        }
    }

    fn privilege(self) -> &'static str {
        match self {
            Self::System => "system,all",
            Self::Agent => "agent,all",
        }
    }
}

/// The classes of a list of words, as Asterisk's bits. A word that it doesn't
/// know is no class.
pub(super) fn classes(list: &str) -> u32 {
    const BITS: [&str; 8] = [
        "system", "call", "log", "verbose", "command", "agent", "user", "config",
    ];
    list.split(',').map(str::trim).fold(0, |bits, word| {
        if word == "all" {
            return u32::MAX;
        }
        let place = BITS.iter().position(|name| *name == word);
        bits | place.map_or(0, |place| 1 << place)
    })
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) class: Class,
    /// Its bytes on the wire.
    pub(super) text: String,
}

impl Event {
    pub(super) fn new(name: &str, class: Class, body: &Lines) -> Self {
        let lines = Lines::default()
            .put("Event", name)
            .put("Privilege", class.privilege())
            .append(body);
        Self {
            class,
            text: lines.end(),
        }
    }

    pub(super) fn agent(name: &str, body: &Lines) -> Self {
        Self::new(name, Class::Agent, body)
    }

    pub(super) fn system(name: &str, body: &Lines) -> Self {
        Self::new(name, Class::System, body)
    }
}

/// Header lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn put(mut self, name: &str, value: impl Display) -> Self {
        // Writing to a String can't fail.
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    pub(super) fn put_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.put(name, value),
            None => self,
        }
    }

    pub(super) fn append(mut self, other: &Self) -> Self {
        self.0 += &other.0;
        self
    }

    /// The whole message.
    pub(super) fn end(mut self) -> String {
        self.0 += "\r\n";
        self.0
    }
}
