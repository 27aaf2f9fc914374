//! From what went wrong to a [`Failure`] of the right kind.
//!
//! The kind follows the cause, because the engine and the user act on it. A provider's code says
//! more than its status where the two differ. The words of providers are cut and freed of secrets
//! by `redact`; no body is repeated whole.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::StatusCode;
use lanes_model::{Failure, FailureKind, Micros};

use crate::endpoint::Endpoint;
use crate::redact::Redactor;
use crate::wire::WireError;

/// What was asked for, for the words.
#[derive(Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// An answer from this model.
    Chat { model: &'a str },
    /// The list of models.
    Models,
}

/// An error response (any status but 2xx).
pub(crate) fn from_status(
    status: StatusCode,
    body: &[u8],
    retry_after: Option<Micros>,
    asked: Asked<'_>,
    endpoint: &Endpoint,
    redactor: &Redactor,
) -> Failure {
    let error = WireError::from_body(body);
    let kind = match kind_of_status(status, error.as_ref()) {
        FailureKind::UnknownModel if matches!(asked, Asked::Models) => FailureKind::Unreachable,
        kind => kind,
    };
    let code = status.as_u16();
    let start = match (kind, asked) {
        (FailureKind::InvalidKey, _) => "The provider rejected the API key".to_owned(),
        (FailureKind::QuotaExhausted, _) => "The account has no credit left".to_owned(),
        (FailureKind::UnknownModel, Asked::Chat { model }) => {
            format!("The provider does not have the model {:?}", redactor.words(model))
        }
        (FailureKind::ContentRefused, _) => {
            "The provider's content filter stopped the request".to_owned()
        }
        (FailureKind::RateLimited, _) => "The provider's rate limit is reached".to_owned(),
        (FailureKind::Timeout, _) => "The provider gave up waiting".to_owned(),
        (FailureKind::ServerError, _) => "The provider failed".to_owned(),
        (FailureKind::Unreachable, _) if status.is_redirection() => {
            format!("{} redirects elsewhere; set the address it leads to", endpoint.base())
        }
        (FailureKind::Unreachable, Asked::Chat { .. }) => {
            format!("No chat completions API at {}", endpoint.base())
        }
        (FailureKind::Unreachable, Asked::Models) => {
            format!("No list of models at {}", endpoint.base())
        }
        _ => "The provider refused the request".to_owned(),
    };
    let words = redactor.words(&error.map(|error| error.message).unwrap_or_default());
    let message = if words.is_empty() {
        format!("{start} (HTTP {code}).")
    } else {
        format!("{start} (HTTP {code}): {words}")
    };
    Failure {
        kind,
        message,
        http_status: Some(code),
        retry_after: retry_after.filter(|_| kind.is_retryable()),
    }
}

fn kind_of_status(status: StatusCode, error: Option<&WireError>) -> FailureKind {
    let by_code = error.and_then(kind_of_code);
    match (status.as_u16(), by_code) {
        (
            400..=499,
            Some(
                kind @ (FailureKind::QuotaExhausted
                | FailureKind::UnknownModel
                | FailureKind::ContentRefused),
            ),
        ) => kind,
        (401 | 403, _) => FailureKind::InvalidKey,
        (402, _) => FailureKind::QuotaExhausted,
        (404, _) if error.is_some_and(speaks_of_a_model) => FailureKind::UnknownModel,
        // Something else answers there.
        (404 | 405 | 300..=399, _) => FailureKind::Unreachable,
        (408, _) => FailureKind::Timeout,
        (409 | 425, _) => FailureKind::ServerError,
        (429, _) => FailureKind::RateLimited,
        (400, Some(FailureKind::InvalidKey)) => FailureKind::InvalidKey,
        (400, _) if error.is_some_and(complains_of_the_key) => FailureKind::InvalidKey,
        (400..=499, _) => FailureKind::InvalidRequest,
        _ => FailureKind::ServerError,
    }
}

/// A 404 of the protocol is about the model, unless it is about the path.
fn speaks_of_a_model(error: &WireError) -> bool {
    error.is_protocol && !error.message.to_lowercase().contains("url")
}

/// Some providers answer a wrong key with a 400 that has no code of its own.
fn complains_of_the_key(error: &WireError) -> bool {
    let words = error.message.to_lowercase();
    words.contains("api key")
        && ["invalid", "incorrect", "not valid"].iter().any(|word| words.contains(word))
}

/// What a code or type means, where it means something apart from the status.
fn kind_of_code(error: &WireError) -> Option<FailureKind> {
    [&error.code, &error.kind].into_iter().find_map(|code| {
        Some(match code.as_str() {
            "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active" => {
                FailureKind::QuotaExhausted
            }
            "model_not_found" => FailureKind::UnknownModel,
            "content_filter" | "content_policy_violation" | "responsibleaipolicyviolation" => {
                FailureKind::ContentRefused
            }
            "invalid_api_key" | "authentication_error" => FailureKind::InvalidKey,
            "rate_limit_exceeded" | "rate_limit_error" => FailureKind::RateLimited,
            "timeout" | "timeout_error" => FailureKind::Timeout,
            _ => return None,
        })
    })
}

/// An error that came inside a response with a status of success.
pub(crate) fn from_error_inside(error: &WireError) -> Failure {
    let by_number = || {
        let status = StatusCode::from_bytes(error.code.as_bytes()).ok()?;
        (status.as_u16() >= 400).then(|| kind_of_status(status, Some(error)))
    };
    let refused = || {
        let refused = ["context_length_exceeded", "invalid_request_error"];
        let named = [&error.code, &error.kind].iter().any(|name| refused.contains(&name.as_str()));
        named.then_some(FailureKind::InvalidRequest)
    };
    let kind =
        kind_of_code(error).or_else(by_number).or_else(refused).unwrap_or(FailureKind::ServerError);
    let message = match error.message.as_str() {
        "" => "The provider reported an error inside its answer.".to_owned(),
        words => format!("The provider reported an error inside its answer: {words}"),
    };
    Failure::new(kind, message)
}

/// The content filter stopped the answer, or the model declined with these words.
pub(crate) fn content_refused(words: &str) -> Failure {
    let message = match words {
        "" => "The provider's content filter stopped the answer.".to_owned(),
        words => format!("The model declined to answer: {words}"),
    };
    Failure::new(FailureKind::ContentRefused, message)
}

/// A limit of time was passed; `what` reads "No text arrived within".
pub(crate) fn timeout(what: &str, limit: Duration) -> Failure {
    Failure::new(FailureKind::Timeout, format!("{what} {}.", duration(limit)))
}

/// No response came: the connection failed, or broke before an answer.
pub(crate) fn from_transport(
    error: &reqwest::Error,
    endpoint: &Endpoint,
    connect_limit: Duration,
) -> Failure {
    let causes = causes(error);
    let find = |pick: &dyn Fn(&(dyn Error + 'static)) -> Option<String>| {
        causes.iter().find_map(|cause| pick(*cause))
    };
    let hyper_says = |is: fn(&hyper::Error) -> bool| {
        causes.iter().any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(is))
    };
    if error.is_connect() {
        let tls =
            || find(&|cause| Some(format!("TLS: {}", cause.downcast_ref::<rustls::Error>()?)));
        let dns = || {
            find(&|cause| cause.to_string().contains("dns error").then(|| "host not found".into()))
        };
        let io = || find(&|cause| Some(words_of(cause.downcast_ref::<io::Error>()?)));
        let why = if error.is_timeout() {
            format!("no connection within {}", duration(connect_limit))
        } else {
            tls().or_else(dns).or_else(io).unwrap_or_else(|| "the connection failed".into())
        };
        let message = format!("Cannot reach {}: {why}.", endpoint.origin());
        return Failure::new(FailureKind::Unreachable, message);
    }
    if error.is_builder() {
        return Failure::new(FailureKind::InvalidRequest, "The request could not be built.");
    }
    if hyper_says(hyper::Error::is_parse) {
        let message = format!("{} answered with something that is not HTTP.", endpoint.origin());
        return Failure::new(FailureKind::MalformedStream, message);
    }
    Failure::new(FailureKind::ServerError, "The provider closed the connection without answering.")
}

fn words_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => "connection closed".into(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route".into(),
        io::ErrorKind::TimedOut => "no connection in time".into(),
        kind => kind.to_string(),
    }
}

/// The error and all it stems from. An `io::Error` hides the error it wraps from `source`.
fn causes<'a>(error: &'a reqwest::Error) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    causes
}

/// A length of time as people write it: 60 s, 250 ms.
fn duration(time: Duration) -> String {
    match time.as_millis() {
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms if ms > 1000 => format!("{} s", time.as_secs_f64()),
        ms => format!("{ms} ms"),
    }
}

#[cfg(test)]
#[path = "failures_tests.rs"]
mod tests;
