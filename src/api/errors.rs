//! Error codes, their HTTP statuses, and error responses.

use std::time::Duration;

/// Defines `Code` from one table, so that every code has a name and a status.
macro_rules! codes {
    ($($code:ident: $name:literal, $status:literal;)+) => {
        /// An error code. Codes are part of the API and do not change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "docs/API.md describes each code")]
        pub enum Code {
            $($code,)+
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// The code in a response.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }

            /// The HTTP status of a response with this code.
            #[must_use]
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$code => $status,)+
                }
            }
        }
    };
}

codes! {
    MissingParameter: "missing_parameter", 400;
    InvalidParameter: "invalid_parameter", 400;
    DuplicateParameter: "duplicate_parameter", 400;
    UnknownParameter: "unknown_parameter", 400;
    UnknownAction: "unknown_action", 400;
    Unauthorized: "unauthorized", 401;
    Forbidden: "forbidden", 403;
    UnknownQueue: "unknown_queue", 404;
    UnknownAgent: "unknown_agent", 404;
    NotAMember: "not_a_member", 404;
    NotFound: "not_found", 404;
    MethodNotAllowed: "method_not_allowed", 405;
    RequestTimeout: "request_timeout", 408;
    AlreadyMember: "already_member", 409;
    StaticMember: "static_member", 409;
    RequestTooLarge: "request_too_large", 413;
    TargetTooLong: "target_too_long", 414;
    UnsupportedMediaType: "unsupported_media_type", 415;
    TooManyAttempts: "too_many_attempts", 429;
    PbxRefused: "pbx_refused", 502;
    PbxUnavailable: "pbx_unavailable", 503;
    Overloaded: "overloaded", 503;
    StorageUnavailable: "storage_unavailable", 503;
    OutcomeUnknown: "outcome_unknown", 504;
}

/// The authentication scheme that a 401 response asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Challenge {
    /// A user name and a password.
    #[default]
    Basic,
    /// A token. Browsers show no login dialog for this challenge.
    Bearer,
}

/// An error to report in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The kind of error.
    pub code: Code,
    /// An explanation for the client's developer.
    pub message: String,
    /// The name of the parameter that caused the error.
    pub parameter: Option<String>,
    /// How long the client should wait before it tries again.
    pub retry_after: Option<Duration>,
    /// The challenge of a response with status 401.
    pub challenge: Challenge,
}

impl ApiError {
    /// An error with a message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            parameter: None,
            retry_after: None,
            challenge: Challenge::Basic,
        }
    }

    /// An error that a parameter caused.
    #[must_use]
    pub fn parameter(code: Code, parameter: &str, message: impl Into<String>) -> Self {
        Self {
            parameter: Some(parameter.to_owned()),
            ..Self::new(code, message)
        }
    }

    /// The error for missing or wrong credentials. It is the same for an unknown user and for
    /// a wrong password, so that it does not reveal which users exist.
    #[must_use]
    pub fn unauthorized() -> Self {
        let message = "No credentials, unknown user or wrong password.";
        Self::new(Code::Unauthorized, message)
    }

    /// The error for an invalid token. `message` must be the same for all of its reasons, so
    /// that it does not reveal which tokens exist.
    #[must_use]
    pub fn unauthorized_bearer(message: &str) -> Self {
        Self {
            challenge: Challenge::Bearer,
            ..Self::new(Code::Unauthorized, message)
        }
    }

    /// A temporary error. The client may try again after `retry_after`.
    #[must_use]
    pub fn temporary(code: Code, retry_after: Duration, message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(code, message)
        }
    }
}
