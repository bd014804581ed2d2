//! Parses the parameters of a request from its query string and its form body. Rejects
//! invalid input and never repairs it. Does no IO.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::errors::{ApiError, Code};
use crate::ami::value::is_control;
use crate::organizations::{TOKEN_PREFIX, contains_token};

/// Every parameter of the API endpoint.
pub(crate) const PARAMETER_NAMES: [&str; 17] = [
    "username",
    "password",
    "action",
    "agent",
    "queue",
    "reason",
    "alias",
    "penalty",
    "paused",
    "duration",
    "keep_existing",
    "fresh",
    "from",
    "to",
    "by",
    "format",
    CACHE_BUSTER,
];

/// Ignored. Panels vary it to bypass HTTP caches.
const CACHE_BUSTER: &str = "_";

/// The parameter of `/events` that replaces the header `Last-Event-ID`. Polyfills of
/// `EventSource` send it, because they can't set the header.
pub(crate) const LAST_EVENT_ID: &str = "lastEventId";

/// The parameter of `/events` that replaces the credentials.
pub(super) const TICKET: &str = "ticket";

/// Every parameter of `/events/ticket`. The bridge refuses `agent` and `queue` even if it
/// ignores unknown parameters.
pub(crate) const TICKET_PARAMETER_NAMES: [&str; 5] =
    ["username", "password", "agent", "queue", CACHE_BUSTER];

/// The decoded parameters of a request. Each has a known name and occurs at most once. Its
/// value has no control characters and no surrounding white space.
#[derive(Default)]
pub struct Form {
    values: Vec<(&'static str, Zeroizing<String>)>,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.values.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

impl Form {
    /// Parses the parameters of the API endpoint from query strings and form bodies.
    /// Unknown parameters are ignored unless `reject_unknown` is set.
    ///
    /// # Errors
    /// - `invalid_parameter` if a value is not percent-encoded UTF-8, has a control
    ///   character, begins or ends with white space, or is a token.
    /// - `duplicate_parameter` if a parameter occurs twice, even in different query strings or
    ///   bodies.
    /// - `unknown_parameter` if `reject_unknown` is set and the API has no such parameter.
    pub fn parse(parts: &[&str], reject_unknown: bool) -> Result<Self, ApiError> {
        Self::parse_known(parts, &PARAMETER_NAMES, reject_unknown)
    }

    /// Parses the parameters of `/events` from a query string.
    ///
    /// # Errors
    /// Returns the same errors as [`Form::parse`].
    pub fn parse_events(query: &str, reject_unknown: bool) -> Result<Self, ApiError> {
        let names = [&PARAMETER_NAMES[..], &[LAST_EVENT_ID, TICKET]].concat();
        Self::parse_known(&[query], &names, reject_unknown)
    }

    /// Parses the parameters of `/events/ticket` from query strings and form bodies.
    ///
    /// # Errors
    /// Returns the same errors as [`Form::parse`].
    pub fn parse_ticket_request(parts: &[&str], reject_unknown: bool) -> Result<Self, ApiError> {
        Self::parse_known(parts, &TICKET_PARAMETER_NAMES, reject_unknown)
    }

    fn parse_known(
        parts: &[&str],
        known_names: &[&'static str],
        reject_unknown: bool,
    ) -> Result<Self, ApiError> {
        let mut form = Self::default();
        for part in parts {
            for pair in part.split('&').filter(|pair| !pair.is_empty()) {
                form.add(pair, known_names, reject_unknown)?;
            }
        }
        Ok(form)
    }

    fn add(
        &mut self,
        pair: &str,
        known_names: &[&'static str],
        reject_unknown: bool,
    ) -> Result<(), ApiError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        reject_token(name, value)?;
        let decoded = decode(name).ok();
        let known_name = known_names
            .iter()
            .find(|known| decoded.as_deref() == Some(**known));
        let Some(&name) = known_name else {
            if !reject_unknown {
                return Ok(());
            }
            let shown = shown_name(name);
            return Err(ApiError::parameter(
                Code::UnknownParameter,
                &shown,
                format!("The parameter {shown:?} does not exist."),
            ));
        };
        if name == CACHE_BUSTER {
            return Ok(());
        }
        if self.get(name).is_some() {
            return Err(ApiError::parameter(
                Code::DuplicateParameter,
                name,
                format!("The parameter {name} is given twice."),
            ));
        }
        let value = Zeroizing::new(
            decode(value)
                .map_err(|problem| invalid(name, problem))?
                .into_owned(),
        );
        if value.bytes().any(is_control) {
            return Err(invalid(name, "has a control character"));
        }
        if value.trim() != value.as_str() {
            return Err(invalid(name, "begins or ends with white space"));
        }
        self.values.push((name, value));
        Ok(())
    }

    /// Returns the value of a parameter, or `None` if the request does not have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.values.iter();
        values
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the value of a required parameter.
    ///
    /// # Errors
    /// Returns `missing_parameter` if the request does not have the parameter, or
    /// `invalid_parameter` if the value is empty.
    pub fn require(&self, name: &str) -> Result<&str, ApiError> {
        match self.get(name) {
            None => Err(missing(name)),
            Some("") => Err(invalid(name, "is empty")),
            Some(value) => Ok(value),
        }
    }

    /// Returns the value of a required parameter, and treats an empty value as missing. The API
    /// contract requires this for `action`, `username` and `password`, but not for the parameters
    /// of an action.
    ///
    /// # Errors
    /// Returns `missing_parameter` if the request does not have the parameter or its value is
    /// empty.
    pub(super) fn require_treating_empty_as_missing(&self, name: &str) -> Result<&str, ApiError> {
        let value = self.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| missing(name))
    }
}

/// Creates an `invalid_parameter` error. `problem` continues the sentence "The parameter x …".
pub(super) fn invalid(name: &str, problem: &str) -> ApiError {
    let message = format!("The parameter {name} {problem}.");
    ApiError::parameter(Code::InvalidParameter, name, message)
}

fn missing(name: &str) -> ApiError {
    let message = format!("The parameter {name} is missing.");
    ApiError::parameter(Code::MissingParameter, name, message)
}

/// Returns the beginning of a parameter's name, for an error message.
fn shown_name(name: &str) -> String {
    let name = decode(name).unwrap_or(Cow::Borrowed(name));
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// Refuses a query string with a token in it, for paths that take no parameters.
///
/// # Errors
/// Returns `invalid_parameter`. The error does not repeat the token.
pub(crate) fn reject_tokens(query: &str) -> Result<(), ApiError> {
    let mut pairs = query.split('&');
    pairs.try_for_each(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        reject_token(name, value)
    })
}

fn reject_token(name: &str, value: &str) -> Result<(), ApiError> {
    let place = if is_token(name) {
        "Authorization".to_owned()
    } else if is_token(value) {
        shown_name(name)
    } else {
        return Ok(());
    };
    let message = "A token must be sent in the Authorization header (Bearer), because addresses \
                   are logged and stored. Replace this token, since others may have seen it.";
    Err(ApiError::parameter(Code::InvalidParameter, &place, message))
}

/// Returns true if encoded text is probably a token, or contains one.
fn is_token(text: &str) -> bool {
    let text = decode(text).unwrap_or(Cow::Borrowed(text));
    text.trim_start().starts_with(TOKEN_PREFIX) || contains_token(&text)
}

/// Decodes `application/x-www-form-urlencoded` text, in which `+` is a space. The error
/// continues the sentence "The parameter x …".
fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    for (position, byte) in bytes.iter().enumerate() {
        if *byte == b'%' && !(is_hex(position + 1) && is_hex(position + 2)) {
            return Err("has a % that is not followed by two hex digits");
        }
    }
    let with_spaces = text.replace('+', " ");
    match percent_decode_str(&with_spaces).decode_utf8() {
        Ok(decoded) => Ok(Cow::Owned(decoded.into_owned())),
        Err(_) => Err("is not valid UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse_result(query: &str) -> String {
        match Form::parse(&[query], true) {
            Ok(form) => form
                .values
                .iter()
                .map(|(name, value)| format!("{name}={}", value.as_str()))
                .collect::<Vec<_>>()
                .join("&"),
            Err(error) => format!(
                "{} {}",
                error.code.as_str(),
                error.parameter.unwrap_or_default()
            ),
        }
    }

    #[test]
    fn form_decodes_or_rejects_each_parameter() {
        for (query, expected) in [
            ("", ""),
            ("agent=1001&queue=6001,6002", "agent=1001&queue=6001,6002"),
            ("&&agent=1001&", "agent=1001"),
            ("agent", "agent="),
            ("reason=caf%C3%A9+au+lait", "reason=café au lait"),
            ("%61gent=1", "agent=1"),
            ("_=1&_=2", ""),
            ("agent=1&agent=1", "duplicate_parameter agent"),
            ("agent=1&%61gent=2", "duplicate_parameter agent"),
            ("que=6001", "unknown_parameter que"),
            ("Agent=1", "unknown_parameter Agent"),
            ("agent%00=1", "unknown_parameter agent"),
            ("reason=%ff", "invalid_parameter reason"),
            ("reason=%c3", "invalid_parameter reason"),
            ("reason=%zz", "invalid_parameter reason"),
            ("reason=100%", "invalid_parameter reason"),
            (
                "reason=a%0d%0aAction:%20Originate",
                "invalid_parameter reason",
            ),
            ("reason=a%0ab", "invalid_parameter reason"),
            ("reason=a%00", "invalid_parameter reason"),
            ("reason=a%7f", "invalid_parameter reason"),
            ("reason=+a", "invalid_parameter reason"),
            ("password=amib_x", "invalid_parameter password"),
            ("_=%61mib_x", "invalid_parameter _"),
            ("token=+amib_x", "invalid_parameter token"),
            ("amib_x=1", "invalid_parameter Authorization"),
            ("reason=amib", "reason=amib"),
            ("reason=a%20", "invalid_parameter reason"),
            ("reason=a%C2%A0", "invalid_parameter reason"),
        ] {
            assert_eq!(parse_result(query), expected, "{query}");
        }
    }

    #[test]
    fn form_ignores_unknown_parameters_if_configured() {
        let form = Form::parse(&["x=%ff&y&agent=1&x=2"], false).expect("form");
        assert_eq!(form.get("agent"), Some("1"));
        let error = Form::parse(&["access_token=amib_x"], false).expect_err("a token");
        assert!(!error.message.contains("amib_"), "{}", error.message);
    }

    proptest! {
        #[test]
        fn form_never_contains_control_characters_or_outer_white_space(query in any::<String>()) {
            if let Ok(form) = Form::parse(&[&query], true) {
                for (_, value) in &form.values {
                    prop_assert!(!value.bytes().any(is_control));
                    prop_assert_eq!(value.trim(), value.as_str());
                }
            }
        }
    }
}
