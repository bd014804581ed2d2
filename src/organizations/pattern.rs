//! Patterns for queue numbers and phone numbers: `6001`, `60*`, `1001-1099`.

use std::cmp::Ordering;
use std::fmt;

/// One item of a `queues` or `agents` list. Compared without case, as Asterisk
/// compares queue names and interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// That number.
    Exact(String),
    /// Everything that begins and ends so (`60*`, `*`).
    Glob {
        /// Before the star.
        prefix: String,
        /// Behind the star.
        suffix: String,
    },
    /// Numbers of as many digits as the ends, from the first to the last.
    Range {
        /// Number of digits.
        digits: usize,
        /// The lowest.
        first: u64,
        /// The highest.
        last: u64,
    },
}

/// Most characters of a phone number.
pub const MAX_AGENT: usize = 32;

/// Most characters of a queue number.
pub const MAX_QUEUE: usize = 64;

/// The characters of queue and phone numbers.
#[must_use]
pub fn is_number_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

impl Pattern {
    /// A pattern of a `queues` list: a number, or one with a star.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn queue(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| is_number_char(byte) || byte == b'*';
        if text.is_empty() || !text.bytes().all(allowed) {
            return Err(format!(
                "\"{text}\" is not a number or pattern: letters, digits, _ . - and one *"
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

    /// A pattern of an `agents` list: as of queues, or a range `1001-1099`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn agent(text: &str) -> Result<Self, String> {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        match text.split_once('-') {
            Some((first, last)) if digits(first) && digits(last) => Self::range(text, first, last),
            _ => Self::queue(text),
        }
    }

    fn range(text: &str, first: &str, last: &str) -> Result<Self, String> {
        if first.len() != last.len() {
            return Err(format!(
                "both ends of the range \"{text}\" must have as many digits"
            ));
        }
        let (Ok(low), Ok(high)) = (first.parse(), last.parse()) else {
            return Err(format!("the numbers of the range \"{text}\" are too large"));
        };
        if low > high {
            return Err(format!("the range \"{text}\" ends before it begins"));
        }
        Ok(Self::Range {
            digits: first.len(),
            first: low,
            last: high,
        })
    }

    /// Whether the number is one of these.
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

/// `text` begins with `prefix`, whatever its case.
pub(super) fn starts_with(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// `text` ends with `suffix`, whatever its case.
pub(super) fn ends_with(text: &str, suffix: &str) -> bool {
    text.len() >= suffix.len()
        && text.as_bytes()[text.len() - suffix.len()..].eq_ignore_ascii_case(suffix.as_bytes())
}

/// Order in which a person counts: `9` before `10`, `a2` before `a10`.
#[must_use]
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (a_digits, a_rest) = split_digits(a);
        let (b_digits, b_rest) = split_digits(b);
        if !a_digits.is_empty() && !b_digits.is_empty() {
            let (x, y) = (
                a_digits.trim_start_matches('0'),
                b_digits.trim_start_matches('0'),
            );
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order.is_ne() {
                return order;
            }
            (a, b) = (a_rest, b_rest);
            continue;
        }
        let (mut a_chars, mut b_chars) = (a.chars(), b.chars());
        match (a_chars.next(), b_chars.next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (a_chars.as_str(), b_chars.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_they_say() {
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
            let parsed = Pattern::agent(pattern).expect(pattern);
            for number in yes {
                assert!(parsed.matches(number), "{pattern} ~ {number}");
            }
            for number in no {
                assert!(!parsed.matches(number), "{pattern} !~ {number}");
            }
        }
    }

    #[test]
    fn wrong_patterns_are_refused_in_words() {
        for (pattern, part) in [
            ("", "not a number"),
            ("60,01", "not a number"),
            ("**", "more than one"),
            ("1-99", "as many digits"),
            ("1099-1001", "ends before"),
            ("1/2", "not a number"),
        ] {
            let error = Pattern::agent(pattern).expect_err(pattern);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn numbers_are_ordered_as_a_person_counts() {
        let mut numbers = ["10", "9", "a10", "a9", "009", "a"];
        numbers.sort_by(|a, b| natural_order(a, b));
        assert_eq!(numbers, ["9", "009", "10", "a", "a9", "a10"]);
    }
}
