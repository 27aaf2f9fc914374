//! Event streams that are opened and left open.

use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::{StatusCode, header};
use serde_json::json as body;

use super::raw::connect;
use super::run;
use crate::support::{Program, json};

/// Lets this process have as many connections open as the system allows; how many that is.
fn files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(1 << 20);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum });
    most
}

/// Opens an event stream and reads its head.
fn open(program: &Program, id: &str) -> (TcpStream, String) {
    let mut stream = connect(program);
    let line =
        format!("GET /api/runs/{id}/events?after=1000000 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(line.as_bytes()).expect("sent");
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("an answer");
    (stream, String::from_utf8_lossy(&head).into_owned())
}

/// So many streams of one live run are open, and the program works as it did.
async fn idle(count: usize) {
    assert!(files() > count as u64 + 200, "the system lets nobody have so many connections");
    let program = Program::start("fixed:60s");
    let id = program.run(&run()).await;
    let mut streams = Vec::new();
    for _ in 0..count {
        let (stream, status) = open(&program, &id);
        assert_eq!(status, "HTTP/1.1 200", "after {}", streams.len());
        streams.push(stream);
    }
    assert_eq!(program.get("/readyz").await.status(), StatusCode::OK);
    assert_eq!(program.get("/runs").await.status(), StatusCode::OK);
    let mut quick = run();
    quick["faults"] = body!({ "latency": "none" });
    let other = program.run(&quick).await;
    assert!(program.events(&other, 0).await.contains("event: end"));
    assert_eq!(json(program.get(&format!("/api/runs/{other}")).await).await["status"], "succeeded");
    drop(streams);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_event_streams_do_no_harm() {
    idle(1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes some minutes in a debug build; cargo test … -- --ignored ten_thousand"]
async fn ten_thousand_idle_event_streams_do_no_harm() {
    idle(10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_too_many_is_refused_and_there_is_room_again_once_one_is_closed() {
    let program = Program::start_with("fixed:60s", "", &[("LANES_MAX_STREAMS", "3")]);
    let id = program.run(&run()).await;
    let mut streams: Vec<_> = (0..3).map(|_| open(&program, &id).0).collect();
    let path = format!("/api/runs/{id}/frames");
    let refused = program.get(&path).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert!(
        json(refused).await["detail"].as_str().expect("words").contains("3 event streams are open")
    );
    streams.pop();
    // The program notices when it next has something to say, or when the connection's end arrives.
    let again = async {
        loop {
            let (_stream, status) = open(&program, &id);
            if status == "HTTP/1.1 200" {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), again).await.expect("there is room");
}
