//! The codes of refusals, and what each means in HTTP.

use std::time::Duration;

/// A stable code of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the documented table")]
pub enum Code {
    MissingParameter,
    InvalidParameter,
    DuplicateParameter,
    UnknownParameter,
    UnknownAction,
    Unauthorized,
    Forbidden,
    UnknownQueue,
    UnknownAgent,
    NotAMember,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    AlreadyMember,
    StaticMember,
    RequestTooLarge,
    TargetTooLong,
    UnsupportedMediaType,
    TooManyAttempts,
    PbxRefused,
    PbxUnavailable,
    Overloaded,
    OutcomeUnknown,
}

impl Code {
    /// The code as clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().1
    }

    fn row(self) -> (&'static str, u16) {
        match self {
            Self::MissingParameter => ("missing_parameter", 400),
            Self::InvalidParameter => ("invalid_parameter", 400),
            Self::DuplicateParameter => ("duplicate_parameter", 400),
            Self::UnknownParameter => ("unknown_parameter", 400),
            Self::UnknownAction => ("unknown_action", 400),
            Self::Unauthorized => ("unauthorized", 401),
            Self::Forbidden => ("forbidden", 403),
            Self::UnknownQueue => ("unknown_queue", 404),
            Self::UnknownAgent => ("unknown_agent", 404),
            Self::NotAMember => ("not_a_member", 404),
            Self::NotFound => ("not_found", 404),
            Self::MethodNotAllowed => ("method_not_allowed", 405),
            Self::RequestTimeout => ("request_timeout", 408),
            Self::AlreadyMember => ("already_member", 409),
            Self::StaticMember => ("static_member", 409),
            Self::RequestTooLarge => ("request_too_large", 413),
            Self::TargetTooLong => ("target_too_long", 414),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415),
            Self::TooManyAttempts => ("too_many_attempts", 429),
            Self::PbxRefused => ("pbx_refused", 502),
            Self::PbxUnavailable => ("pbx_unavailable", 503),
            Self::Overloaded => ("overloaded", 503),
            Self::OutcomeUnknown => ("outcome_unknown", 504),
        }
    }
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

    /// A refusal that a later try may not meet.
    #[must_use]
    pub fn retry(code: Code, after: Duration, message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(after),
            ..Self::new(code, message)
        }
    }
}
