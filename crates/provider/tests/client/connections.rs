//! Connections: used again, closed when a call is dropped, and never a second request.

use std::sync::Arc;

use lanes_model::FailureKind;
use tokio::sync::Notify;

use crate::server::*;

/// The number of the connection of the next request.
async fn connection(server: &mut Server) -> usize {
    match server.seen.recv().await.unwrap() {
        Seen::Request { connection, .. } => connection,
        Seen::Closed(connection) => panic!("connection {connection} was closed"),
    }
}

fn chunked(text: &str) -> Vec<u8> {
    let body = delta(text) + FINISH + DONE;
    [stream_head().as_bytes(), &chunk(body.as_bytes())].concat()
}

#[tokio::test]
async fn calls_one_after_the_other_share_a_connection() {
    let failed = response("429 Slow", "", "{}");
    let replies = [
        good("1").into_bytes(),
        [chunked("2"), END.to_vec()].concat(),
        failed.into_bytes(),
        good("4").into_bytes(),
    ];
    let mut server = Server::start(replies.map(|bytes| vec![Step::Send(bytes)]).into()).await;
    let client = server.client();
    for number in 1..=4 {
        assert_eq!(ask(&client).await.is_ok(), number != 3);
        assert_eq!(connection(&mut server).await, 0, "request {number}");
    }
}

#[tokio::test]
async fn a_stream_that_stays_open_after_done_does_not_hold_up_the_answer() {
    let ended = Arc::new(Notify::new());
    let script = vec![
        Step::Send(chunked("a")),
        Step::Await(ended.clone()),
        Step::Send(END.to_vec()),
        Step::Hang,
    ];
    let server = Server::start(vec![script]).await;
    assert_eq!(server.ask().await.unwrap().text, "a");
    ended.notify_one();
}

#[tokio::test]
async fn a_dropped_call_closes_its_connection() {
    let begun = [stream_head().as_bytes(), &chunk(delta("a").as_bytes())].concat();
    let mut server = Server::sending(begun).await;
    let client = server.client();
    let heard = Arc::new(Notify::new());
    {
        let question = question();
        let call = client.chat(&question, |_| heard.notify_one());
        tokio::select! {
            _ = call => panic!("the answer has no end"),
            () = heard.notified() => {}
        }
    }
    assert_eq!(connection(&mut server).await, 0);
    assert_eq!(server.seen.recv().await, Some(Seen::Closed(0)));
}

#[tokio::test]
async fn a_call_dropped_before_any_answer_closes_its_connection() {
    let mut server = Server::sending("").await;
    let client = server.client();
    // Calls run as tasks, so their future must be `Send`.
    let call = tokio::spawn(async move { ask(&client).await });
    assert_eq!(connection(&mut server).await, 0);
    call.abort();
    assert_eq!(server.seen.recv().await, Some(Seen::Closed(0)));
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    for script in [
        vec![Step::Send(response("500 Oops", "", "").into_bytes())],
        vec![Step::Send(response("429 Slow", "retry-after: 0\r\n", "").into_bytes())],
        vec![Step::Close],
    ] {
        let mut server = Server::start(vec![script]).await;
        let failure = server.ask().await.unwrap_err();
        assert!(failure.kind.is_retryable(), "{failure}");
        assert_eq!(connection(&mut server).await, 0);
        // The client and its connections are gone: whatever it sent has been seen.
        if failure.http_status.is_some() {
            assert_eq!(server.seen.recv().await, Some(Seen::Closed(0)));
        }
        assert!(server.seen.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_the_servers_error() {
    let server = Server::start(vec![vec![Step::Close]]).await;
    let failure = server.ask().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::ServerError);
    assert_eq!(failure.message, "The provider closed the connection without answering.");
}
