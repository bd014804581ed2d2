//! The AMI users of a `manager.conf`.

use crate::simulator::conf_file::{Section, parse_sections};
use crate::simulator::event::parse_classes;

/// An AMI user. Classes are Asterisk's bits.
#[derive(Debug, Clone)]
pub(crate) struct AmiUser {
    pub(crate) name: String,
    pub(crate) secret: String,
    /// The classes of events that the user may receive.
    pub(crate) read: u32,
    /// The classes of actions that the user may send.
    pub(crate) write: u32,
}

/// Parses a `manager.conf`.
pub(crate) fn parse_users(text: &str) -> Vec<AmiUser> {
    let user = |section: &Section<'_>| AmiUser {
        name: section.name.to_owned(),
        secret: section.last("secret").unwrap_or_default().to_owned(),
        read: parse_classes(section.last("read").unwrap_or_default()),
        write: parse_classes(section.last("write").unwrap_or_default()),
    };
    parse_sections(text).iter().map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_secret_and_classes_of_their_section() {
        let text = "[general]\nenabled = yes\n[a]\nsecret=s ; a comment\nread = agent,system\n\
             write = agent\n[b]\nread=all";
        let users = parse_users(text);
        let fields: Vec<_> = users
            .iter()
            .map(|user| {
                (
                    user.name.as_str(),
                    user.secret.as_str(),
                    user.read,
                    user.write,
                )
            })
            .collect();
        assert_eq!(fields, [("a", "s", 33, 32), ("b", "", u32::MAX, 0)]);
    }
}
