//! Templates: how a number becomes a name on the PBX, and back.

use super::pattern::{ends_with, is_number_char, starts_with};

/// A text with one place for a number, as `PJSIP/acme-{agent}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    prefix: String,
    suffix: String,
}

impl Template {
    /// Parses a template with exactly one `{placeholder}`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn new(text: &str, placeholder: &str) -> Result<Self, String> {
        let place = format!("{{{placeholder}}}");
        let Some((prefix, suffix)) = text.split_once(&place) else {
            return Err(format!("must contain {place}"));
        };
        let template = Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
        };
        if suffix.contains(&place) {
            return Err(format!("must contain {place} only once"));
        }
        if let Some(odd) = [prefix, suffix]
            .concat()
            .chars()
            .find(|c| !c.is_ascii_graphic() || matches!(c, '|' | ',' | ';' | '{' | '}'))
        {
            return Err(format!("must not contain {odd:?}"));
        }
        Ok(template)
    }

    /// Puts a number in.
    #[must_use]
    pub fn expand(&self, number: &str) -> String {
        [&self.prefix, number, &self.suffix].concat()
    }

    /// Takes the number out of a name, where the name fits. Without case, as
    /// Asterisk compares.
    #[must_use]
    pub fn extract<'a>(&self, name: &'a str) -> Option<&'a str> {
        let number = self.fitting(name)?;
        number.bytes().all(is_number_char).then_some(number)
    }

    /// What stands in the place of the number, whatever its characters.
    pub(super) fn fitting<'a>(&self, name: &'a str) -> Option<&'a str> {
        let (start, end) = (
            self.prefix.len(),
            name.len().checked_sub(self.suffix.len())?,
        );
        if start >= end || !starts_with(name, &self.prefix) || !ends_with(name, &self.suffix) {
            return None;
        }
        name.get(start..end)
    }

    /// The template without what stands behind the number from that character on.
    #[must_use]
    pub fn up_to(&self, end: char) -> Self {
        let suffix = self.suffix.split(end).next().unwrap_or_default();
        Self {
            prefix: self.prefix.clone(),
            suffix: suffix.to_owned(),
        }
    }

    /// What stands before the number.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What stands behind the number.
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_goes_in_and_comes_out() {
        let template = Template::new("Local/{agent}@acme/n", "agent").expect("template");
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
    fn wrong_templates_are_refused_in_words() {
        for (text, part) in [
            ("PJSIP/1001", "must contain {agent}"),
            ("{agent}{agent}", "only once"),
            ("PJSIP/{agent};x", "';'"),
            ("PJSIP/{agent}\n", "'\\n'"),
            ("PJSIP/{queue}{agent}", "'{'"),
        ] {
            let error = Template::new(text, "agent").expect_err(text);
            assert!(error.contains(part), "{error}");
        }
    }
}
