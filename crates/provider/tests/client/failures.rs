//! Each cause of failure, over real connections, ends in its kind.

use lanes_model::{Failure, FailureKind, Micros};
use lanes_provider::{Client, Timeouts};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket};

use crate::server::*;

async fn failure(bytes: impl Into<Vec<u8>>) -> Failure {
    Server::sending(bytes).await.ask().await.unwrap_err()
}

/// The failure after these bytes and the end of the connection.
async fn failure_of_cut(bytes: impl Into<Vec<u8>>) -> Failure {
    let script = vec![Step::Send(bytes.into()), Step::Close];
    Server::start(vec![script]).await.ask().await.unwrap_err()
}

#[tokio::test]
async fn a_status_becomes_its_kind_with_the_wait_it_asks_for() {
    use FailureKind as K;
    let quota = r#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
    for (status, more, body, kind, wait_ms) in [
        ("401 Unauthorized", "", "", K::InvalidKey, None),
        ("402 Payment Required", "", "", K::QuotaExhausted, None),
        ("404 Not Found", "", "<html>", K::Unreachable, None),
        ("422 Unprocessable", "", "{}", K::InvalidRequest, None),
        ("429 Slow", "retry-after: 2\r\n", "", K::RateLimited, Some(2_000)),
        ("429 Slow", "retry-after-ms: 150\r\nretry-after: 9\r\n", "", K::RateLimited, Some(150)),
        ("429 Slow", "retry-after: 9\r\n", quota, K::QuotaExhausted, None),
        ("503 Busy", "retry-after: 0.5\r\n", "<html>", K::ServerError, Some(500)),
        ("529 Overloaded", "", "", K::ServerError, None),
        ("307 Moved", "location: http://127.0.0.1:9/\r\n", "", K::Unreachable, None),
    ] {
        let failure = failure(response(status, more, body)).await;
        assert_eq!(failure.kind, kind, "{status}");
        assert_eq!(failure.http_status, status[..3].parse().ok(), "{status}");
        assert_eq!(failure.retry_after, wait_ms.map(Micros::from_millis), "{status}");
    }
}

#[tokio::test]
async fn a_key_that_the_provider_repeats_is_hidden() {
    let body =
        format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY} planted-team"}}}}"#);
    for status in ["401 Unauthorized", "400 Bad Request", "500 Oops"] {
        let failure = failure(response(status, "", &body)).await;
        assert!(failure.message.contains("Incorrect API key provided: [hidden] [hidden]"));
    }
    let inside = failure(response("200 OK", "", &format!("data: {body}\n\n"))).await;
    assert!(inside.message.contains("[hidden]"), "{inside}");
}

#[tokio::test]
async fn an_error_body_without_end_is_read_in_part() {
    // Promised to be a gigabyte, and the rest never comes.
    let head = head("500 Oops", "content-length: 1000000000\r\n");
    let failure = failure(head + &"x".repeat(100_000)).await;
    assert_eq!((failure.kind, failure.http_status), (FailureKind::ServerError, Some(500)));
}

#[tokio::test]
async fn what_is_no_stream_is_malformed() {
    for body in ["<!doctype html><p>Log in", "", "{\"choices\":[{\"mes", "data: {\"cho\n\n", "ok"] {
        let failure = failure(response("200 OK", "", body)).await;
        assert_eq!(failure.kind, FailureKind::MalformedStream, "{body:?}");
        assert_eq!(failure.http_status, Some(200), "{body:?}");
    }
    assert_eq!(failure_of_cut("SSH-2.0-OpenSSH\r\n").await.kind, FailureKind::MalformedStream);
}

#[tokio::test]
async fn what_stops_early_is_truncated() {
    let begun = [stream_head().as_bytes(), &chunk(delta("a").as_bytes())].concat();
    let ended = [begun.as_slice(), END].concat();
    let done = [begun.as_slice(), &chunk(DONE.as_bytes()), END].concat();
    for failure in [
        failure_of_cut(begun.clone()).await,
        failure_of_cut([begun.as_slice(), b"ff\r\ndata: {\"cho"].concat()).await,
        failure(ended).await,
        failure(done).await,
        failure_of_cut(head("200 OK", "") + &delta("a")).await,
    ] {
        assert_eq!(failure.kind, FailureKind::TruncatedStream, "{failure}");
        assert_eq!(failure.http_status, Some(200));
    }
}

#[tokio::test]
async fn an_error_inside_a_success_goes_by_its_code() {
    let event = "data: {\"error\":{\"message\":\"busy\",\"code\":\"rate_limit_exceeded\"}}\n\n";
    let failure = failure(response("200 OK", "", &(delta("a") + event))).await;
    assert_eq!((failure.kind, failure.http_status), (FailureKind::RateLimited, Some(200)));
    assert!(failure.message.ends_with("busy"), "{failure}");
}

#[tokio::test]
async fn where_nobody_listens_the_provider_is_unreachable() {
    // Bound, so that no other test gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let failure =
        ask(&client(&format!("http://{address}"), Timeouts::default())).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert_eq!(failure.message, format!("Cannot reach http://{address}: connection refused."));
    assert_eq!(failure.http_status, None);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_unreachable() {
    let timeouts = short(|timeouts| timeouts.connect = std::time::Duration::from_secs(2));
    let failure = ask(&client("http://nowhere.invalid", timeouts)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
}

#[tokio::test]
async fn a_server_without_tls_is_unreachable_by_https() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    // A machine without certificates cannot make this client at all.
    let Ok(client) = Client::new(config(&origin, Timeouts::default())) else {
        return;
    };
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let (failure, _stream) = tokio::join!(ask(&client), server);
    let failure = failure.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
    assert!(failure.message.starts_with(&format!("Cannot reach {origin}: TLS: ")), "{failure}");
}

#[tokio::test]
async fn a_list_of_models_that_is_none_fails_by_its_cause() {
    for (status, body, kind) in [
        ("200 OK", "<html>", FailureKind::MalformedStream),
        ("404 Not Found", r#"{"error":{"message":"no"}}"#, FailureKind::Unreachable),
        ("401 Unauthorized", "", FailureKind::InvalidKey),
    ] {
        let server = Server::sending(response(status, "", body)).await;
        let failure = server.client().models().await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(!format!("{failure:?}").contains("planted"));
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_an_invalid_request() {
    let mut question = question();
    question.headers = vec![("bad name".into(), "v".into())];
    let client = client("http://127.0.0.1:9", Timeouts::default());
    let failure = client.chat(&question, |_| ()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
}
