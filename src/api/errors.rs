//! The codes of refusals, and what each means in HTTP.

use std::time::Duration;

/// One table, so that no code can be without a name and a status.
macro_rules! codes {
    ($($code:ident: $name:literal, $status:literal;)+) => {
        /// A stable code of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names are those of the documented table")]
        pub enum Code {
            $($code,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// The code as clients see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }

            /// The HTTP status that goes with it.
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
    OutcomeUnknown: "outcome_unknown", 504;
}

/// A refusal as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// What kind.
    pub code: Code,
    /// For the developer of the client, in words.
    pub message: String,
    /// The parameter that is wrong.
    pub parameter: Option<String>,
    /// When it may be worth trying again.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// A refusal with a message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            parameter: None,
            retry_after: None,
        }
    }

    /// A refusal of a parameter.
    #[must_use]
    pub fn parameter(code: Code, parameter: &str, message: impl Into<String>) -> Self {
        Self {
            parameter: Some(parameter.to_owned()),
            ..Self::new(code, message)
        }
    }

    /// The refusal of whoever has no credentials, or none that are right: one answer for
    /// all of them, so that nobody learns which users exist.
    #[must_use]
    pub fn unauthorized() -> Self {
        let message = "No credentials, unknown user or wrong password.";
        Self::new(Code::Unauthorized, message)
    }

    /// A refusal that a later try may not meet.
    #[must_use]
    pub fn retry(code: Code, after: Duration, message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::new(code, message)
        }
    }
}
