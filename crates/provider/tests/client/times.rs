//! The limits of time: each one ends the call, and says which it was.

use std::time::Duration;

use lanes_model::{Failure, FailureKind};
use lanes_provider::Timeouts;

use crate::server::*;

/// What comes of these bytes and then silence.
async fn failure(bytes: impl Into<Vec<u8>>, timeouts: Timeouts) -> Failure {
    let server = Server::sending(bytes).await;
    ask(&client(&server.origin, timeouts)).await.unwrap_err()
}

fn begun() -> Vec<u8> {
    [stream_head().as_bytes(), &chunk(delta("a").as_bytes())].concat()
}

#[tokio::test]
async fn silence_before_the_first_token_is_a_timeout() {
    let timeouts = short(|timeouts| timeouts.first_token = SHORT);
    for bytes in ["".into(), stream_head()] {
        let failure = failure(bytes, timeouts).await;
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert_eq!(failure.message, "No text arrived within 60 ms.");
    }
}

#[tokio::test]
async fn signs_of_life_are_no_first_token() {
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    let bytes = [stream_head().as_bytes(), &chunk(b": ping\n\n"), &chunk(role.as_bytes())].concat();
    let failure = failure(bytes, short(|timeouts| timeouts.first_token = SHORT)).await;
    assert_eq!(failure.message, "No text arrived within 60 ms.");
}

#[tokio::test]
async fn silence_in_the_middle_is_a_timeout_of_the_gap() {
    let failure = failure(begun(), short(|timeouts| timeouts.gap = SHORT)).await;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "The answer stalled: nothing arrived for 60 ms.");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_in_all_is_a_timeout() {
    let failure = failure(begun(), short(|timeouts| timeouts.total = SHORT)).await;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "The answer was not complete after 60 ms.");
}

#[tokio::test]
async fn an_error_whose_body_never_comes_is_told_by_its_status() {
    let timeouts = short(|timeouts| timeouts.gap = SHORT);
    let failure = failure(head("401 Unauthorized", "content-length: 9\r\n"), timeouts).await;
    assert_eq!(failure.kind, FailureKind::InvalidKey);
}

#[tokio::test]
async fn an_answer_that_has_finished_does_not_wait_for_the_end_of_the_stream() {
    let bytes = [begun(), chunk(FINISH.as_bytes())].concat();
    let server = Server::sending(bytes).await;
    let client = client(&server.origin, short(|timeouts| timeouts.gap = SHORT));
    assert_eq!(ask(&client).await.unwrap().text, "a");
}

#[tokio::test]
async fn a_list_of_models_has_a_limit_too() {
    let server = Server::sending("").await;
    let client = client(&server.origin, short(|timeouts| timeouts.first_token = SHORT));
    let failure = client.models().await.unwrap_err();
    assert_eq!(failure.message, "The list of models did not come within 60 ms.");
}

#[test]
fn the_limits_are_generous_by_default() {
    let Timeouts { connect, first_token, gap, total } = Timeouts::default();
    assert_eq!([connect, first_token, gap, total], [5, 60, 30, 300].map(Duration::from_secs));
}
