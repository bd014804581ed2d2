//! Channels, and their headers in events.

use crate::simulator::headers::Headers;

/// One end of a call.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) unique_id: String,
    pub(crate) linked_id: String,
    pub(crate) state: ChannelState,
    pub(crate) caller_id_number: String,
    pub(crate) caller_id_name: String,
    /// The number of the party at the other end.
    pub(crate) connected_line_number: String,
    /// The name of the party at the other end.
    pub(crate) connected_line_name: String,
    pub(crate) context: String,
    pub(crate) extension: String,
    pub(crate) priority: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChannelState {
    Down,
    Ringing,
    Up,
}

impl ChannelState {
    /// Returns Asterisk's code and description.
    fn code_and_description(self) -> (u8, &'static str) {
        match self {
            Self::Down => (0, "Down"),
            Self::Ringing => (5, "Ringing"),
            Self::Up => (6, "Up"),
        }
    }
}

impl Channel {
    /// Returns the headers that describe the channel in an event. `prefix` is `Dest` for the
    /// agent's channel, and empty for the caller's channel.
    pub(crate) fn headers(&self, prefix: &str) -> Headers {
        let or_unknown = |text: &str| {
            if text.is_empty() {
                "<unknown>".to_owned()
            } else {
                text.to_owned()
            }
        };
        let (state, description) = self.state.code_and_description();
        let fields = [
            ("Channel", self.name.clone()),
            ("ChannelState", state.to_string()),
            ("ChannelStateDesc", description.to_owned()),
            ("CallerIDNum", or_unknown(&self.caller_id_number)),
            ("CallerIDName", or_unknown(&self.caller_id_name)),
            ("ConnectedLineNum", or_unknown(&self.connected_line_number)),
            ("ConnectedLineName", or_unknown(&self.connected_line_name)),
            ("Language", "en".to_owned()),
            ("AccountCode", String::new()),
            ("Context", self.context.clone()),
            ("Exten", self.extension.clone()),
            ("Priority", self.priority.to_string()),
            ("Uniqueid", self.unique_id.clone()),
            ("Linkedid", self.linked_id.clone()),
        ];
        let headers = Headers::default();
        fields.iter().fold(headers, |headers, (name, value)| {
            headers.with(&format!("{prefix}{name}"), value)
        })
    }
}
