//! What a broken or hostile server sends: each ends in a failure that says what it was, and none
//! costs more than its cap of time or bytes. The bodies themselves are in `answer_tests`.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lanes_model::{Failure, FailureKind, Micros};
use lanes_provider::Timeouts;
use tokio::net::TcpSocket;

use crate::server::*;

/// The failure after these steps.
async fn failure(script: Vec<Step>, timeouts: Timeouts) -> Failure {
    let server = Server::start(vec![script]).await;
    ask(&client(&server.origin, timeouts)).await.unwrap_err()
}

/// The failure after these bytes and the end of the connection.
async fn failure_of_cut(bytes: impl Into<Vec<u8>>) -> Failure {
    failure(vec![Step::Send(bytes.into()), Step::Close], Timeouts::default()).await
}

#[tokio::test]
async fn a_server_that_drips_its_head_is_given_up_before_the_first_token() {
    let script = vec![Step::Send(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), Step::Drip(b"y".to_vec())];
    let failure = failure(script, short(|timeouts| timeouts.first_token = SHORT)).await;
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "No text arrived within 60 ms.");
}

#[tokio::test]
async fn a_server_that_drips_its_answer_is_ended_by_the_limit_of_the_whole_call() {
    let begun = [stream_head().as_bytes(), &chunk(delta("kept").as_bytes())].concat();
    // Each byte is a sign of life, so the gap between them never ends the call.
    let script = vec![Step::Send(begun), Step::Drip(chunk(b":"))];
    let server = Server::start(vec![script]).await;
    let client = client(&server.origin, short(|timeouts| timeouts.total = SHORT));
    let mut heard = String::new();
    let failure = client.chat(&question(), |text| heard.push_str(text)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "The answer was not complete after 60 ms.");
    assert_eq!(heard, "kept");
}

#[tokio::test]
async fn an_error_that_drips_is_told_by_its_status() {
    for (status, kind) in [
        ("401 Unauthorized", FailureKind::InvalidKey),
        ("429 Slow", FailureKind::RateLimited),
        ("500 Oops", FailureKind::ServerError),
    ] {
        let more = "retry-after: 2\r\ncontent-length: 1000000\r\n";
        let script = vec![Step::Send(head(status, more).into_bytes()), Step::Drip(b" ".to_vec())];
        let failure = failure(script, short(|timeouts| timeouts.gap = SHORT)).await;
        let wait = kind.is_retryable().then_some(Micros::from_secs(2));
        assert_eq!((failure.kind, failure.retry_after), (kind, wait), "{failure}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_no_http() {
    let many = "x-more: of the same\r\n".repeat(100_000);
    let long = format!("x-long: {}", "y".repeat(4_000_000));
    for more in [many, long] {
        let failure = failure_of_cut(format!("HTTP/1.1 200 OK\r\n{more}")).await;
        assert_eq!(failure.kind, FailureKind::MalformedStream, "{failure}");
        assert!(failure.message.ends_with("answered with something that is not HTTP."));
    }
}

#[tokio::test]
async fn a_length_that_is_no_number_is_no_http() {
    for length in ["-1", "many", "1.5", "99999999999999999999999", "3\r\ncontent-length: 4"] {
        let more = format!("content-length: {length}\r\n");
        let failure = failure_of_cut(head("200 OK", &more) + &delta("a")).await;
        assert_eq!(failure.kind, FailureKind::MalformedStream, "{length}: {failure}");
    }
    for line in ["HTTP/1.1 000 None", "HTTP/1.1 abc", "HTTP/9.9 200 OK", "HTTP/1.1 -200 OK"] {
        let failure = failure_of_cut(format!("{line}\r\n\r\n")).await;
        assert_eq!(failure.kind, FailureKind::MalformedStream, "{line}: {failure}");
    }
}

#[tokio::test]
async fn a_length_that_is_not_kept_cuts_the_answer_off() {
    let whole = delta("a") + FINISH + DONE;
    for (length, sent) in [(whole.len() * 10, delta("a")), (delta("a").len(), whole)] {
        let head = head("200 OK", &format!("content-length: {length}\r\n"));
        let failure = failure_of_cut(head + &sent).await;
        assert_eq!(failure.kind, FailureKind::TruncatedStream, "{length}: {failure}");
    }
    for size in ["-5", "zz", "fffffffffffffffffffff"] {
        let failure = failure_of_cut(format!("{}{size}\r\n{}", stream_head(), delta("a"))).await;
        assert_eq!(failure.kind, FailureKind::TruncatedStream, "{size}: {failure}");
    }
}

#[tokio::test]
async fn a_status_of_success_without_an_answer_is_malformed_and_an_unknown_one_an_error() {
    for (status, kind) in [
        ("204 No Content", FailureKind::MalformedStream),
        ("206 Part", FailureKind::MalformedStream),
        ("299 Odd", FailureKind::MalformedStream),
        ("600 Odd", FailureKind::ServerError),
        ("999 Odd", FailureKind::ServerError),
    ] {
        let failure = failure_of_cut(response(status, "", "")).await;
        assert_eq!(failure.kind, kind, "{status}: {failure}");
        assert_eq!(failure.http_status, status[..3].parse().ok());
    }
}

#[tokio::test]
async fn an_answer_in_one_endless_piece_is_cut_at_its_cap() {
    // 9 MB of a line, and of one JSON value, neither of which ends.
    for begin in ["data: ", "{\"x\":\"", "\""] {
        let mut bytes = (stream_head().replace("transfer-encoding: chunked\r\n", "")).into_bytes();
        bytes.extend_from_slice(begin.as_bytes());
        bytes.resize(bytes.len() + 9 * 1024 * 1024, b'x');
        let failure = failure(vec![Step::Send(bytes), Step::Hang], Timeouts::default()).await;
        assert_eq!(failure.kind, FailureKind::MalformedStream, "{begin}: {failure}");
    }
}

#[tokio::test]
async fn a_list_of_models_without_end_is_malformed() {
    let ids = r#"{"id":"another-model"},"#.repeat(250_000);
    let server = Server::sending(head("200 OK", "") + r#"{"data":["# + &ids).await;
    let failure = server.client().models().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::MalformedStream, "{failure}");
}

#[tokio::test]
async fn an_error_inside_a_success_takes_its_wait_from_the_head() {
    let body = r#"{"error":{"message":"busy","code":"rate_limit_exceeded"}}"#;
    let bytes = response("200 OK", "retry-after-ms: 1500\r\n", body).into_bytes();
    let failure = failure(vec![Step::Send(bytes), Step::Hang], Timeouts::default()).await;
    assert_eq!(failure.kind, FailureKind::RateLimited);
    assert_eq!(failure.retry_after, Some(Micros::from_millis(1_500)));
}

#[tokio::test]
async fn tokens_that_cannot_have_been_used_are_counted_here() {
    let usage = format!(
        "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{},\"completion_tokens\":1}}}}\n\n",
        u64::MAX
    );
    let body = [&delta("hello world"), FINISH, &usage, DONE].concat();
    let answer = Server::sending(response("200 OK", "", &body)).await.ask().await.unwrap();
    assert!(answer.usage.estimated, "{:?}", answer.usage);
    assert_eq!(answer.usage.output, 2);
}

#[tokio::test]
async fn an_answer_by_another_model_is_kept() {
    let body = good("Hi").replace("{\"choices\"", "{\"model\":\"another\",\"choices\"");
    let (_, body) = body.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("another"));
    let answer = Server::sending(response("200 OK", "", body)).await.ask().await.unwrap();
    assert_eq!(answer.text, "Hi");
}

/// A listening socket whose queue is full: the system answers no further connection.
fn full() -> (tokio::net::TcpListener, SocketAddr, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let limit = Duration::from_millis(50);
    let mut waiting = Vec::new();
    for _ in 0..64 {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => waiting.push(stream),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => break,
            Err(error) => panic!("{error}"),
        }
    }
    (listener, address, waiting)
}

#[tokio::test]
async fn a_server_that_takes_no_connection_is_unreachable_after_the_time_to_connect() {
    let (_listener, address, _waiting) = full();
    let timeouts = short(|timeouts| timeouts.connect = SHORT);
    let began = Instant::now();
    let failure = ask(&client(&format!("http://{address}"), timeouts)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert_eq!(
        failure.message,
        format!("Cannot reach http://{address}: no connection within 60 ms.")
    );
    assert!(began.elapsed() < timeouts.first_token);
}
