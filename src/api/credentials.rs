//! A request's credentials.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::errors::{ApiError, Code};
use super::form::Form;
use crate::ami::value::is_trimmed_line;

/// The credentials of a request. They have not been checked.
pub enum Credentials {
    /// A user's credentials.
    Password {
        /// The user name as the client sent it.
        username: String,
        /// The password or its MD5.
        password: Zeroizing<String>,
    },
    /// A program's token.
    Token(Zeroizing<String>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

impl Credentials {
    /// Reads the credentials from the parameters or from an `Authorization` header with the
    /// scheme `Basic` or `Bearer`. Returns `None` if the request has neither.
    ///
    /// # Errors
    /// - `missing_parameter` if only one of `username` and `password` is given.
    /// - `invalid_parameter` if the header is malformed or has another scheme.
    /// - `duplicate_parameter` if the request has both parameters and the header.
    pub fn from_request(
        form: &Form,
        authorization: Option<&str>,
    ) -> Result<Option<Self>, ApiError> {
        let given = ["username", "password"]
            .into_iter()
            .find(|name| form.get(name).is_some());
        match (authorization, given) {
            (None, None) => Ok(None),
            (None, Some(_)) => Self::from_parameters(form).map(Some),
            (Some(_), Some(name)) => Err(ApiError::parameter(
                Code::DuplicateParameter,
                name,
                format!("The request has both the parameter {name} and an Authorization header."),
            )),
            (Some(header), None) => Self::from_header(header).map(Some).ok_or_else(|| {
                ApiError::parameter(
                    Code::InvalidParameter,
                    "Authorization",
                    "The Authorization header must be Basic, with user name and password in \
                     UTF-8, or Bearer, with a token.",
                )
            }),
        }
    }

    fn from_parameters(form: &Form) -> Result<Self, ApiError> {
        let required = |name| form.require_treating_empty_as_missing(name);
        Ok(Self::Password {
            username: required("username")?.to_owned(),
            password: Zeroizing::new(required("password")?.to_owned()),
        })
    }

    fn from_header(header: &str) -> Option<Self> {
        let (scheme, value) = header.split_once(' ')?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("Basic") {
            Self::from_basic(value)
        } else if scheme.eq_ignore_ascii_case("Bearer") {
            Self::from_bearer(value)
        } else {
            None
        }
    }

    fn from_basic(encoded: &str) -> Option<Self> {
        let decoded = BASE64_STANDARD.decode(encoded).ok()?;
        let decoded = Zeroizing::new(String::from_utf8(decoded).ok()?);
        let (username, password) = decoded.split_once(':')?;
        (is_trimmed_line(username) && is_trimmed_line(password)).then(|| Self::Password {
            username: username.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        })
    }

    /// Accepts every token that RFC 6750 allows. One that the bridge did not make is unknown.
    fn from_bearer(token: &str) -> Option<Self> {
        let unpadded = token.trim_end_matches('=');
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let is_token = !unpadded.is_empty() && unpadded.bytes().all(is_valid);
        is_token.then(|| Self::Token(Zeroizing::new(token.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_header_is_decoded_or_rejected() {
        let header = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        let form = Form::default();
        let credentials = Credentials::from_request(&form, Some(&header("a:b:c")));
        let Ok(Some(Credentials::Password { username, password })) = credentials else {
            panic!("no password");
        };
        assert_eq!((username.as_str(), password.as_str()), ("a", "b:c"));
        for wrong in [
            "Digest x",
            "Basic",
            "Basic !",
            &header("ab"),
            &header(":b"),
            &header("a:b\n"),
        ] {
            let error = Credentials::from_request(&form, Some(wrong)).expect_err(wrong);
            assert_eq!(error.code, Code::InvalidParameter, "{wrong}");
        }
    }

    #[test]
    fn bearer_header_has_one_token() {
        let form = Form::default();
        for header in ["Bearer amib_a-b_c", "bearer   amib_a-b_c "] {
            let credentials = Credentials::from_request(&form, Some(header));
            let Ok(Some(Credentials::Token(token))) = credentials else {
                panic!("{header}: no token");
            };
            assert_eq!(token.as_str(), "amib_a-b_c");
        }
        for wrong in [
            "Bearer",
            "Bearer ",
            "Bearer =",
            "Bearer a b",
            "Bearer a,b",
            "Bearer é",
        ] {
            let error = Credentials::from_request(&form, Some(wrong)).expect_err(wrong);
            assert_eq!(error.code, Code::InvalidParameter, "{wrong}");
        }
    }

    #[test]
    fn credentials_in_both_header_and_form_are_rejected() {
        let header = format!("Basic {}", BASE64_STANDARD.encode("a:b"));
        let form = Form::parse(&["password=x"], true).expect("a valid form");
        let error = Credentials::from_request(&form, Some(&header)).expect_err("both");
        assert_eq!(error.code, Code::DuplicateParameter);
    }
}
