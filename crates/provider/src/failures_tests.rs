//! Tests of [`super`]: statuses and bodies to kinds and words.

use super::*;
use crate::config::{ProviderConfig, Timeouts};

const KEY: &str = "planted-key-0123456789";

fn failure(status: u16, body: &str) -> Failure {
    let config = ProviderConfig {
        id: "test".into(),
        name: "Test".into(),
        base_url: "http://127.0.0.1:9/v1".into(),
        replicas: Vec::new(),
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: Some(KEY.into()),
        models: vec![],
        simulated: false,
        timeouts: Timeouts::default(),
        rpm: None,
        tpm: None,
        extra_headers: vec![],
    };
    let (endpoint, redactor) = Endpoint::new(&config).unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    let wait = Some(Micros::from_secs(7));
    let asked = Asked::Chat { model: "gpt-x" };
    from_status(status, body.as_bytes(), wait, asked, &endpoint, &redactor)
}

fn error(message: &str, code: &str) -> String {
    serde_json::json!({"error": {"message": message, "type": "t", "code": code}}).to_string()
}

#[test]
fn the_kind_follows_the_cause() {
    use FailureKind as K;
    for (status, body, kind) in [
        (401, error("no", "invalid_api_key"), K::InvalidKey),
        (403, error("no", ""), K::InvalidKey),
        (403, error("no access", "model_not_found"), K::UnknownModel),
        (400, error("API key not valid. Please pass one.", ""), K::InvalidKey),
        (402, String::new(), K::QuotaExhausted),
        (429, error("no", "insufficient_quota"), K::QuotaExhausted),
        (429, error("slow", "rate_limit_exceeded"), K::RateLimited),
        (429, "slow down".into(), K::RateLimited),
        (404, error("no", "model_not_found"), K::UnknownModel),
        (404, error("model 'gpt-x' not found, try pulling it", ""), K::UnknownModel),
        (404, error("Invalid URL (POST /v1/v1/chat/completions)", ""), K::Unreachable),
        (404, r#"{"detail":"Not Found"}"#.into(), K::Unreachable),
        (404, "<html>".into(), K::Unreachable),
        (405, String::new(), K::Unreachable),
        (301, String::new(), K::Unreachable),
        (400, error("too long", "context_length_exceeded"), K::InvalidRequest),
        (400, error("no", "content_filter"), K::ContentRefused),
        (422, r#"{"detail":[{"msg":"field required"}]}"#.into(), K::InvalidRequest),
        (413, String::new(), K::InvalidRequest),
        (408, String::new(), K::Timeout),
        (409, String::new(), K::ServerError),
        (425, String::new(), K::ServerError),
        (500, error("no", "insufficient_quota"), K::ServerError),
        (503, "<html>busy</html>".into(), K::ServerError),
        (529, String::new(), K::ServerError),
    ] {
        let failure = failure(status, &body);
        assert_eq!((failure.kind, failure.http_status), (kind, Some(status)), "{status} {body}");
        let wait = kind.is_retryable().then(|| Micros::from_secs(7));
        assert_eq!(failure.retry_after, wait, "{status} {body}");
    }
}

#[test]
fn messages_name_the_cause() {
    for (status, body, message) in [
        (401, String::new(), "The provider rejected the API key (HTTP 401)."),
        (
            401,
            error(&format!("Incorrect API key provided: {KEY}."), "invalid_api_key"),
            "The provider rejected the API key (HTTP 401): Incorrect API key provided: [hidden].",
        ),
        (
            404,
            error("It does not exist", "model_not_found"),
            "The provider does not have the model \"gpt-x\" (HTTP 404): It does not exist",
        ),
        (404, "<html>".into(), "No chat completions API at http://127.0.0.1:9/v1 (HTTP 404)."),
        (
            400,
            error("Bad\r\n\u{1b}[0mthing", ""),
            "The provider refused the request (HTTP 400): Bad [0mthing",
        ),
        (502, "<html>Bad Gateway</html>".into(), "The provider failed (HTTP 502)."),
    ] {
        assert_eq!(failure(status, &body).message, message);
    }
}

#[test]
fn long_words_are_cut() {
    let message = failure(400, &error(&"long ".repeat(400), "")).message;
    assert!(message.chars().count() < 350 && message.ends_with('…'), "{message}");
}

#[test]
fn lengths_of_time_read_well() {
    for (ms, text) in [(60_000, "60 s"), (1_500, "1.5 s"), (250, "250 ms"), (0, "0 s")] {
        assert_eq!(duration(Duration::from_millis(ms)), text);
    }
}
