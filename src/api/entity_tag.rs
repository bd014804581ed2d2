//! Entity tags (RFC 9110, section 8.8.3).

use std::sync::Arc;

/// Identifies one state of a response. Copies share the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(Arc<str>);

impl EntityTag {
    /// Creates a tag for responses that are equal byte by byte. `opaque` must contain only visible
    /// ASCII characters except `"`.
    pub(crate) fn strong(opaque: &str) -> Self {
        Self(format!("\"{opaque}\"").into())
    }

    /// Creates a tag for responses that show the same. `opaque` is as in [`Self::strong`].
    pub(crate) fn weak(opaque: &str) -> Self {
        Self(format!("W/\"{opaque}\"").into())
    }

    /// Returns the value of the `ETag` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether an `If-None-Match` header includes the tag (RFC 9110, section 13.1.2). The
    /// comparison ignores whether a tag is weak.
    pub(crate) fn is_in(&self, if_none_match: &str) -> bool {
        let opaque = opaque(&self.0);
        let mut tags = if_none_match.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || self::opaque(tag) == opaque)
    }
}

/// Returns the tag without the mark of a weak tag.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_is_found_in_a_list_of_weak_and_strong_tags() {
        let tags = [EntityTag::weak("ab-10"), EntityTag::strong("ab-10")];
        assert_eq!(tags[0].as_str(), "W/\"ab-10\"");
        assert_eq!(tags[1].as_str(), "\"ab-10\"");
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
            ("W/W/\"ab-10\"", false),
            ("W/\"ac-10\"", false),
        ] {
            for tag in &tags {
                assert_eq!(tag.is_in(header), is_included, "{header}");
            }
        }
    }
}
