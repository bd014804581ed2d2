//! Templates that convert a number to a name on the PBX, and back.

use super::pattern::{ends_with, is_number_char, starts_with};

/// A name or interface with one placeholder for a number, such as `PJSIP/acme-{agent}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    prefix: String,
    suffix: String,
}

impl Template {
    /// Parses a template with exactly one `{placeholder}`.
    ///
    /// # Errors
    /// Returns a message for the operator if the text is not a valid template.
    pub fn new(text: &str, placeholder: &str) -> Result<Self, String> {
        let placeholder = format!("{{{placeholder}}}");
        let Some((prefix, suffix)) = text.split_once(&placeholder) else {
            return Err(format!("must contain {placeholder}"));
        };
        let template = Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
        };
        if suffix.contains(&placeholder) {
            return Err(format!("must contain {placeholder} only once"));
        }
        if let Some(forbidden) = [prefix, suffix]
            .concat()
            .chars()
            .find(|c| !c.is_ascii_graphic() || matches!(c, '|' | ',' | ';' | '{' | '}'))
        {
            return Err(format!("must not contain {forbidden:?}"));
        }
        Ok(template)
    }

    /// Replaces the placeholder with a number.
    #[must_use]
    pub fn expand(&self, number: &str) -> String {
        [&self.prefix, number, &self.suffix].concat()
    }

    /// Returns the number in a name, or `None` if the name does not match the template or the
    /// text at the placeholder is not a number. Ignores case, as Asterisk does.
    #[must_use]
    pub fn extract<'a>(&self, name: &'a str) -> Option<&'a str> {
        let number = self.text_at_placeholder(name)?;
        number.bytes().all(is_number_char).then_some(number)
    }

    /// Like [`extract`](Self::extract), but also returns text that is not a number.
    pub(super) fn text_at_placeholder<'a>(&self, name: &'a str) -> Option<&'a str> {
        let (start, end) = (
            self.prefix.len(),
            name.len().checked_sub(self.suffix.len())?,
        );
        if start >= end || !starts_with(name, &self.prefix) || !ends_with(name, &self.suffix) {
            return None;
        }
        name.get(start..end)
    }

    /// Returns the template with its suffix truncated before the first `end`.
    #[must_use]
    pub(super) fn cut_suffix_at(&self, end: char) -> Self {
        let suffix = self.suffix.split(end).next().unwrap_or_default();
        Self {
            prefix: self.prefix.clone(),
            suffix: suffix.to_owned(),
        }
    }

    /// Checks the template of an interface. Returns an error message if the text inserted for
    /// `{agent}` could select something other than a phone, such as a context, a host or a trunk.
    #[must_use]
    pub fn unsafe_interface(&self) -> Option<&'static str> {
        let Some((technology, rest)) = self.prefix.split_once('/') else {
            return Some("must name the technology before {agent}, such as \"PJSIP/{agent}\"");
        };
        if rest.contains('@') {
            return Some("lets {agent} choose the context or host: put {agent} before the @");
        }
        // Only a Local channel has options after a slash, such as /n.
        if self.suffix.contains('/') && !technology.eq_ignore_ascii_case("Local") {
            return Some("lets {agent} choose the trunk: remove the / after {agent}");
        }
        None
    }

    /// Returns the text before the placeholder.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the text after the placeholder.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extract_returns_the_number_that_expand_inserted() {
        let template = Template::new("Local/{agent}@acme/n", "agent").expect("a template");
        assert_eq!(template.expand("1001"), "Local/1001@acme/n");
        for (name, number) in [
            ("Local/1001@acme/n", Some("1001")),
            ("LOCAL/1001@ACME/N", Some("1001")),
            ("Local/@acme/n", None),
            ("Local/10/01@acme/n", None),
            ("Local/1001@acme", None),
            ("PJSIP/1001@acme/n", None),
            ("Local/é@acme/n", None),
            ("", None),
        ] {
            assert_eq!(template.extract(name), number, "{name}");
        }
    }

    #[test]
    fn new_explains_why_a_template_is_invalid() {
        for (text, expected) in [
            ("PJSIP/1001", "must contain {agent}"),
            ("{agent}{agent}", "only once"),
            ("PJSIP/{agent};x", "';'"),
            ("PJSIP/{agent}\n", "'\\n'"),
            ("PJSIP/{queue}{agent}", "'{'"),
        ] {
            let error = Template::new(text, "agent").expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn unsafe_interface_lets_the_agent_choose_more_than_a_phone() {
        for (template, expected) in [
            ("PJSIP/{agent}", None),
            ("PJSIP/acme-{agent}", None),
            ("SIP/trunk/{agent}", None),
            ("Local/{agent}@acme-agents", None),
            ("Local/{agent}@acme-agents/n", None),
            ("local/{agent}@acme/nj", None),
            ("{agent}", Some("technology")),
            ("{agent}/1001", Some("technology")),
            ("Local/1001@{agent}", Some("context")),
            ("PJSIP/{agent}/sip:900@host", Some("trunk")),
            ("SIP/{agent}/900", Some("trunk")),
        ] {
            let parsed = Template::new(template, "agent").expect(template);
            let message = parsed.unsafe_interface();
            assert_eq!(
                message.is_some(),
                expected.is_some(),
                "{template}: {message:?}"
            );
            assert!(
                message
                    .unwrap_or_default()
                    .contains(expected.unwrap_or_default())
            );
        }
    }
}
