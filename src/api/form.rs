//! The form of a request: percent-decoding, known names, nothing twice.
//! Pure; rejects and never repairs.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::errors::{ApiError, Code};
use crate::ami::value::{is_control, is_trimmed_line};

/// Every parameter of the interface.
pub(crate) const NAMES: [&str; 11] = [
    "username",
    "password",
    "action",
    "agent",
    "queue",
    "reason",
    "alias",
    "penalty",
    "paused",
    "fresh",
    CACHE_BUSTER,
];

/// Panels add it to keep caches away; it has no meaning.
const CACHE_BUSTER: &str = "_";

/// The parameter of `/events` that stands in for the header `Last-Event-ID`:
/// polyfills of `EventSource` send it.
pub(crate) const LAST_EVENT_ID: &str = "lastEventId";

/// Who asks, and what proves it.
pub struct Credentials {
    /// User name, as given.
    pub username: String,
    /// Password, or its MD5.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Parameters of known names, each at most once, decoded and of one line.
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
    /// Takes parameters from query strings and form bodies, one after another.
    ///
    /// # Errors
    /// `invalid_parameter`, `duplicate_parameter` or `unknown_parameter`.
    pub fn parse(parts: &[&str], reject_unknown: bool) -> Result<Self, ApiError> {
        Self::parse_names(parts, &NAMES, reject_unknown)
    }

    /// Takes the parameters of `/events` from a query string.
    ///
    /// # Errors
    /// As [`Form::parse`].
    pub fn parse_events(query: &str, reject_unknown: bool) -> Result<Self, ApiError> {
        let names = [&NAMES[..], &[LAST_EVENT_ID]].concat();
        Self::parse_names(&[query], &names, reject_unknown)
    }

    fn parse_names(
        parts: &[&str],
        names: &[&'static str],
        reject_unknown: bool,
    ) -> Result<Self, ApiError> {
        let mut form = Self::default();
        for part in parts {
            for pair in part.split('&').filter(|pair| !pair.is_empty()) {
                form.add(pair, names, reject_unknown)?;
            }
        }
        Ok(form)
    }

    fn add(&mut self, pair: &str, names: &[&'static str], reject: bool) -> Result<(), ApiError> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = decode(name).ok();
        let known = names
            .iter()
            .find(|known| decoded.as_deref() == Some(**known));
        let Some(&name) = known else {
            if !reject {
                return Ok(());
            }
            let shown = decoded.unwrap_or(Cow::Borrowed(name));
            let shown: String = shown.chars().filter(|c| !c.is_control()).take(64).collect();
            return Err(ApiError::parameter(
                Code::UnknownParameter,
                &shown,
                format!("There is no parameter {shown:?}."),
            ));
        };
        if name == CACHE_BUSTER {
            return Ok(());
        }
        if self.get(name).is_some() {
            return Err(ApiError::parameter(
                Code::DuplicateParameter,
                name,
                format!("The parameter {name} stands twice."),
            ));
        }
        let invalid = |what: &str| {
            ApiError::parameter(
                Code::InvalidParameter,
                name,
                format!("The parameter {name} {what}."),
            )
        };
        let value = Zeroizing::new(decode(value).map_err(invalid)?.into_owned());
        if value.bytes().any(is_control) {
            return Err(invalid("has a control character"));
        }
        if value.trim() != value.as_str() {
            return Err(invalid("begins or ends with white space"));
        }
        self.values.push((name, value));
        Ok(())
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.values.iter();
        values
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that must be there and not empty.
    ///
    /// # Errors
    /// `missing_parameter`, or `invalid_parameter` where it is empty.
    pub fn require(&self, name: &str) -> Result<&str, ApiError> {
        match self.get(name) {
            None => Err(missing(name)),
            Some("") => Err(ApiError::parameter(
                Code::InvalidParameter,
                name,
                format!("The parameter {name} is empty."),
            )),
            Some(value) => Ok(value),
        }
    }

    /// As [`Form::require`], for what every request needs: there, an empty value
    /// is a missing one.
    ///
    /// # Errors
    /// `missing_parameter`.
    pub fn identity(&self, name: &str) -> Result<&str, ApiError> {
        let value = self.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| missing(name))
    }

    /// The credentials: from the parameters, or from an `Authorization: Basic`; `None`
    /// if the request has neither.
    ///
    /// # Errors
    /// `missing_parameter`, `invalid_parameter`, or `duplicate_parameter` where
    /// both are given.
    pub fn credentials(
        &self,
        authorization: Option<&str>,
    ) -> Result<Option<Credentials>, ApiError> {
        let Some(authorization) = authorization else {
            if self.get("username").is_none() && self.get("password").is_none() {
                return Ok(None);
            }
            return Ok(Some(Credentials {
                username: self.identity("username")?.to_owned(),
                password: Zeroizing::new(self.identity("password")?.to_owned()),
            }));
        };
        for name in ["username", "password"] {
            if self.get(name).is_some() {
                return Err(ApiError::parameter(
                    Code::DuplicateParameter,
                    name,
                    format!("The parameter {name} stands beside an Authorization header."),
                ));
            }
        }
        basic(authorization).map(Some).ok_or_else(|| {
            ApiError::parameter(
                Code::InvalidParameter,
                "Authorization",
                "The Authorization header is not Basic with user name and password in UTF-8.",
            )
        })
    }
}

fn missing(name: &str) -> ApiError {
    let message = format!("The parameter {name} is missing.");
    ApiError::parameter(Code::MissingParameter, name, message)
}

/// Percent-decoding of a form: `+` is a blank.
fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    for (place, byte) in bytes.iter().enumerate() {
        if *byte == b'%' && !(is_hex(place + 1) && is_hex(place + 2)) {
            return Err("has a % that two hex digits don't follow");
        }
    }
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(Cow::Owned(decoded.into_owned())),
        Err(_) => Err("is not valid UTF-8"),
    }
}

fn basic(authorization: &str) -> Option<Credentials> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let decoded = Zeroizing::new(String::from_utf8(decoded).ok()?);
    let (username, password) = decoded.split_once(':')?;
    (is_trimmed_line(username) && is_trimmed_line(password)).then(|| Credentials {
        username: username.to_owned(),
        password: Zeroizing::new(password.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcome(query: &str) -> String {
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
    fn forms_are_decoded_or_refused() {
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
            ("reason=a%20", "invalid_parameter reason"),
            ("reason=a%C2%A0", "invalid_parameter reason"),
        ] {
            assert_eq!(outcome(query), expected, "{query}");
        }
    }

    #[test]
    fn unknown_names_can_be_let_through() {
        let form = Form::parse(&["x=%ff&y&agent=1&x=2"], false).expect("form");
        assert_eq!(form.get("agent"), Some("1"));
    }

    #[test]
    fn basic_credentials_are_read_or_refused() {
        let header = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        let form = Form::default();
        let credentials = form.credentials(Some(&header("a:b:c")));
        let credentials = credentials.expect("basic").expect("some");
        assert_eq!(
            (credentials.username.as_str(), credentials.password.as_str()),
            ("a", "b:c")
        );
        for wrong in [
            "Bearer x",
            "Basic",
            "Basic !",
            &header("ab"),
            &header(":b"),
            &header("a:b\n"),
        ] {
            let error = form.credentials(Some(wrong)).expect_err(wrong);
            assert_eq!(error.code, Code::InvalidParameter, "{wrong}");
        }
        let both = Form::parse(&["password=x"], true).expect("form");
        let error = both.credentials(Some(&header("a:b"))).expect_err("both");
        assert_eq!(error.code, Code::DuplicateParameter);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_clean_or_refused(query in any::<String>()) {
            if let Ok(form) = Form::parse(&[&query], true) {
                for (_, value) in &form.values {
                    prop_assert!(!value.bytes().any(is_control));
                    prop_assert_eq!(value.trim(), value.as_str());
                }
            }
        }
    }
}
