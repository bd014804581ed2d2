//! Entity tags, which identify the states of views.

use std::fmt;

/// Identifies one state of one view. It is weak, because responses with the same tag differ in
/// `request_id` and `as_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntityTag {
    /// Distinguishes the tags of this process and configuration from all others.
    pub(super) cache: u64,
    /// No other state of this cache's views has this number.
    pub(super) state: u64,
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/{}", self.opaque())
    }
}

impl EntityTag {
    /// Returns whether an `If-None-Match` header includes the tag (RFC 9110, section 13.1.2).
    pub(super) fn is_in(self, if_none_match: &str) -> bool {
        let opaque = self.opaque();
        let mut tags = if_none_match.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == opaque)
    }

    fn opaque(self) -> String {
        format!("\"{:x}-{:x}\"", self.cache, self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_is_found_in_a_list_of_weak_and_strong_tags() {
        let tag = EntityTag {
            cache: 0xab,
            state: 16,
        };
        assert_eq!(tag.to_string(), "W/\"ab-10\"");
        for (header, is_included) in [
            ("W/\"ab-10\"", true),
            ("\"ab-10\"", true),
            ("\"x\" , W/\"ab-10\"", true),
            ("*", true),
            ("", false),
            ("W/\"ab-1\"", false),
            ("W/\"ab-10", false),
            ("ab-10", false),
            ("w/\"ab-10\"", false),
            ("W/\"ac-10\"", false),
        ] {
            assert_eq!(tag.is_in(header), is_included, "{header}");
        }
    }
}
