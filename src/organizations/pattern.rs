//! Patterns for queue numbers and phone numbers: `6001`, `60*`, `1001-1099`.

use std::fmt;

/// An item of a `queues` or `agents` list. Matching ignores case, because Asterisk ignores
/// case when it compares queue names and interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Only this number.
    Exact(String),
    /// All numbers with this prefix and suffix, such as `60*` or `*`.
    Glob {
        /// The text before the `*`.
        prefix: String,
        /// The text after the `*`.
        suffix: String,
    },
    /// All numbers from `first` to `last` that have exactly `digits` digits.
    Range {
        /// Number of digits, including leading zeros.
        digits: usize,
        /// The lowest number.
        first: u64,
        /// The highest number.
        last: u64,
    },
}

/// Maximum length of a phone number, in characters.
pub const MAX_AGENT_CHARS: usize = 32;

/// Maximum length of a queue number, in characters.
pub const MAX_QUEUE_CHARS: usize = 64;

/// Returns true if a queue number or phone number can contain this character.
#[must_use]
pub fn is_number_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

impl Pattern {
    /// Parses an item of a `queues` list: a number, or a glob with one `*`.
    ///
    /// # Errors
    /// Returns a message for the operator if the text is not a valid pattern.
    pub fn parse_queue(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| is_number_char(byte) || byte == b'*';
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(format!(
                "\"{text}\" is not a number or pattern: use letters, digits, _ . - and at most \
                 one *"
            ));
        }
        match text.split_once('*') {
            None => Ok(Self::Exact(text.to_owned())),
            Some((_, rest)) if rest.contains('*') => Err(format!("\"{text}\" has more than one *")),
            Some((prefix, suffix)) => Ok(Self::Glob {
                prefix: prefix.to_owned(),
                suffix: suffix.to_owned(),
            }),
        }
    }

    /// Parses an item of an `agents` list: a number, a glob with one `*`, or a range such as
    /// `1001-1099`.
    ///
    /// # Errors
    /// Returns a message for the operator if the text is not a valid pattern.
    pub fn parse_agent(text: &str) -> Result<Self, String> {
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.split_once('-') {
            Some((first, last)) if is_digits(first) && is_digits(last) => {
                Self::parse_range(text, first, last)
            }
            _ => Self::parse_queue(text),
        }
    }

    fn parse_range(text: &str, first: &str, last: &str) -> Result<Self, String> {
        if first.len() != last.len() {
            return Err(format!(
                "both ends of the range \"{text}\" must have the same number of digits"
            ));
        }
        let (Ok(low), Ok(high)) = (first.parse(), last.parse()) else {
            return Err(format!("the numbers in the range \"{text}\" are too large"));
        };
        if low > high {
            return Err(format!(
                "the first number in the range \"{text}\" is greater than the last"
            ));
        }
        Ok(Self::Range {
            digits: first.len(),
            first: low,
            last: high,
        })
    }

    /// Returns true if the pattern includes the number.
    #[must_use]
    pub fn matches(&self, number: &str) -> bool {
        match self {
            Self::Exact(exact) => exact.eq_ignore_ascii_case(number),
            Self::Glob { prefix, suffix } => {
                number.len() >= prefix.len() + suffix.len()
                    && starts_with(number, prefix)
                    && ends_with(number, suffix)
            }
            Self::Range {
                digits,
                first,
                last,
            } => {
                number.len() == *digits
                    && number.bytes().all(|byte| byte.is_ascii_digit())
                    && number.parse().is_ok_and(|n| (*first..=*last).contains(&n))
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(number) => f.write_str(number),
            Self::Glob { prefix, suffix } => write!(f, "{prefix}*{suffix}"),
            Self::Range {
                digits,
                first,
                last,
            } => write!(f, "{first:0digits$}-{last:0digits$}"),
        }
    }
}

/// Like [`str::starts_with`], but ignores ASCII case.
pub(super) fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// Like [`str::ends_with`], but ignores ASCII case.
pub(super) fn ends_with(text: &str, suffix: &str) -> bool {
    text.len() >= suffix.len()
        && text.as_bytes()[text.len() - suffix.len()..].eq_ignore_ascii_case(suffix.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_compares_the_whole_number_and_ignores_case() {
        for (pattern, yes, no) in [
            ("6001", &["6001"][..], &["6002", "60011", ""][..]),
            ("60*", &["60", "6001"], &["6", "5060"]),
            ("*", &["1", "x"], &[]),
            ("a*z", &["az", "a-z", "AbZ"], &["a", "z", "abc"]),
            ("aba*ba", &["ababa"], &["aba"]),
            (
                "1001-1099",
                &["1001", "1050", "1099"],
                &["1000", "1100", "01050", "10.5"],
            ),
            ("a-b", &["a-b", "A-B"], &["a"]),
        ] {
            let parsed = Pattern::parse_agent(pattern).expect(pattern);
            for number in yes {
                assert!(parsed.matches(number), "{pattern} ~ {number}");
            }
            for number in no {
                assert!(!parsed.matches(number), "{pattern} !~ {number}");
            }
        }
    }

    #[test]
    fn parse_agent_explains_why_a_pattern_is_invalid() {
        for (pattern, expected) in [
            ("", "not a number"),
            ("60,01", "not a number"),
            ("**", "more than one"),
            ("1-99", "same number of digits"),
            ("1099-1001", "greater than the last"),
            ("1/2", "not a number"),
        ] {
            let error = Pattern::parse_agent(pattern).expect_err(pattern);
            assert!(error.contains(expected), "{error}");
        }
    }
}
