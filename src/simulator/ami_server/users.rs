//! The AMI users in a `manager.conf`.

use crate::simulator::conf_file::{Section, parse_sections};
use crate::simulator::event::parse_classes;

/// An AMI user. Classes are stored as Asterisk's bits.
#[derive(Debug, Clone)]
pub(crate) struct AmiUser {
    pub(crate) name: String,
    pub(crate) secret: String,
    /// The event classes that the user may receive.
    pub(crate) read: u32,
    /// The action classes that the user may send.
    pub(crate) write: u32,
}

/// Parses a `manager.conf`.
pub(crate) fn parse_users(text: &str) -> Vec<AmiUser> {
    let user = |section: &Section<'_>| AmiUser {
        name: section.name.to_owned(),
        secret: section.last_value("secret").unwrap_or_default().to_owned(),
        read: parse_classes(section.last_value("read").unwrap_or_default()),
        write: parse_classes(section.last_value("write").unwrap_or_default()),
    };
    parse_sections(text).iter().map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_users_returns_each_secret_and_its_classes() {
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
