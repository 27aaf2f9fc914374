//! Many viewers of one live run: how late each of them sees what happens. The program is a process of
//! its own with its simulator in it; the viewers are plain sockets in this one, and share its cores.
//!
//! Every viewer must see everything once and in order: what is missing ends the program.

use std::io::BufRead;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json as body};
use tokio::net::TcpStream;

use super::figures::{cpu, cpu_of, ms, open_files};
use crate::support::{Program, json};
use crate::table::Row;

const VIEWERS: usize = 1_000;
const LANES: usize = 50;
/// A run whose page follows its events: up to 500 calls.
const SMALL: Watch = Watch { stream: "events", records: 480, latency: "fixed:2500ms" };
/// One whose page follows frames, and another program its events.
const LARGE: Watch = Watch { stream: "frames", records: 4_000, latency: "fixed:300ms" };
const LARGE_EVENTS: Watch = Watch { stream: "events", ..LARGE };
/// A line of a stream is known by its beginning.
const KNOWN_BY: usize = 32;
const GOAL: &str = "≤ 250 ms";

/// The rows; none where so many sockets are not to be had.
pub async fn rows() -> Vec<Row> {
    let needed = 2 * VIEWERS as u64 + 500;
    if open_files() < needed {
        println!("{VIEWERS} viewers need {needed} open files (`ulimit -n`): not measured");
        return Vec::new();
    }
    let events = SMALL.watched().await;
    let frames = LARGE.watched().await;
    let all = LARGE_EVENTS.watched().await;
    let text = |watch: &Watch, crowd: &Crowd| {
        format!(
            "p50 {}, the most {}, over {} pairs of an event and a viewer who was attached when it \
             happened; one clock: the run's zero is the smallest arrival − `at_us` of them all; {} \
             calls on {LANES} lanes, `{}`, {:.1} s, {:.0} events a second; everyone saw all {} \
             in order; the program's memory {:.0} MB at most, its CPU time {:.1} s, the viewers' {:.1} s",
            ms(crowd.lag(0.5)),
            ms(crowd.lag(1.0)),
            crowd.lags.len(),
            watch.records,
            watch.latency,
            crowd.wall.as_secs_f64(),
            crowd.events as f64 / crowd.wall.as_secs_f64(),
            crowd.events,
            crowd.resident_kb as f64 / 1e3,
            crowd.cpu.as_secs_f64(),
            crowd.viewers_cpu.as_secs_f64(),
        )
    };
    vec![
        Row {
            what: "1,000 viewers of a live run: an event's lag, p99",
            how: format!("`/api/runs/{{id}}/events`: {}", text(&SMALL, &events)),
            measured: ms(events.lag(0.99)),
            goal: GOAL,
        },
        Row {
            what: "1,000 viewers of a large live run: until a frame counts an event, p99",
            how: format!(
                "`/api/runs/{{id}}/frames`, ten a second at most: {}",
                text(&LARGE, &frames)
            ),
            measured: ms(frames.lag(0.99)),
            goal: GOAL,
        },
        Row {
            what: "1,000 viewers of each event of a large live run: its lag, p99",
            how: format!("`/api/runs/{{id}}/events`: {}", text(&LARGE_EVENTS, &all)),
            measured: ms(all.lag(0.99)),
            goal: GOAL,
        },
    ]
}

/// What is watched.
struct Watch {
    stream: &'static str,
    records: usize,
    latency: &'static str,
}

/// What all viewers of one run saw.
struct Crowd {
    /// Microseconds from each event to each viewer, sorted.
    lags: Vec<u32>,
    events: usize,
    wall: Duration,
    resident_kb: u64,
    /// Of the program while they watched.
    cpu: Duration,
    viewers_cpu: Duration,
}

impl Crowd {
    fn lag(&self, share: f64) -> Duration {
        let last = self.lags.len().saturating_sub(1);
        let lag = self.lags.get((last as f64 * share) as usize);
        Duration::from_micros(u64::from(lag.copied().unwrap_or_default()))
    }
}

/// What one viewer saw.
struct Seen {
    /// When the answer began to come, in microseconds on the viewers' clock.
    attached: u32,
    /// The numbers in `id:` and when each came.
    ids: Vec<(u32, u32)>,
    /// Whether the stream said that it was over.
    ended: bool,
}

impl Watch {
    async fn watched(&self) -> Crowd {
        let lanes = LANES.to_string();
        let program = Program::start_with(self.latency, "", &[("LANES_MAX_CONCURRENCY", &lanes)]);
        let document = upload(&program, self.records).await;
        let address: SocketAddr =
            program.url.trim_start_matches("http://").parse().expect("the program's address");
        let pid = program.id().to_string();
        let (own, its, began) = (cpu(), cpu_of(&pid), Instant::now());
        let run = program
            .run(&body!({
                "input": { "document_ids": [document] }, "tasks": ["sentiment"], "mode": "parallel",
                "concurrency": LANES, "cache": false,
            }))
            .await;
        let path: Arc<str> = format!("/api/runs/{run}/{}", self.stream).into();
        let viewers: Vec<_> =
            (0..VIEWERS).map(|_| tokio::spawn(view(address, Arc::clone(&path), began))).collect();
        let mut all = std::pin::pin!(join_all(viewers));
        let mut resident_kb = 0;
        let seen = loop {
            resident_kb = resident_kb.max(program.resident_kb());
            tokio::select! {
                seen = &mut all => break seen,
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
            }
        };
        let (wall, used, own) = (began.elapsed(), cpu_of(&pid) - its, cpu() - own);
        let seen: Vec<Seen> = seen.into_iter().map(|viewer| viewer.expect("a viewer")).collect();
        let happened = happened(&program, &run).await;
        for viewer in &seen {
            check(viewer, happened.len(), self.stream == "events");
        }
        let crowd = Crowd {
            lags: lags(&seen, &happened),
            events: happened.len(),
            wall,
            resident_kb,
            cpu: used,
            viewers_cpu: own,
        };
        println!(
            "{VIEWERS} viewers of {}: {} events in {:.1} s, p50 {}, p99 {}, the program's CPU {:.1} s",
            self.stream,
            crowd.events,
            wall.as_secs_f64(),
            ms(crowd.lag(0.5)),
            ms(crowd.lag(0.99)),
            used.as_secs_f64(),
        );
        crowd
    }
}

/// Everything was seen, each event once where all come, and in order.
fn check(viewer: &Seen, events: usize, each: bool) {
    let numbers = || viewer.ids.iter().map(|(id, _)| *id as usize);
    assert!(viewer.ended, "each stream says that it is over");
    assert_eq!(numbers().next_back(), Some(events), "the last event is seen by everyone");
    if each {
        assert!(numbers().eq(1..=events), "each event is seen once and in order");
    } else {
        assert!(numbers().is_sorted(), "frames come in order");
    }
}

/// How late each viewer saw each event that happened after it was attached: the first `id:` that is
/// not before the event's.
fn lags(seen: &[Seen], happened: &[i64]) -> Vec<u32> {
    let at = |id: u32| happened[id as usize - 1];
    let first = |s: &Seen| s.ids.iter().map(|&(id, came)| i64::from(came) - at(id)).min();
    let zero = seen.iter().filter_map(first).min().expect("somebody saw something");
    let mut lags = Vec::new();
    for viewer in seen {
        let mut next = 1;
        for &(id, came) in &viewer.ids {
            while next <= id {
                let when = zero + at(next);
                if when >= i64::from(viewer.attached) {
                    lags.push(u32::try_from(i64::from(came) - when).unwrap_or_default());
                }
                next += 1;
            }
        }
    }
    lags.sort_unstable();
    lags
}

/// The moments of the run's events on its own clock, in order, from its log.
async fn happened(program: &Program, run: &str) -> Vec<i64> {
    let log = program.events(run, 0).await;
    let data = log.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    events.filter(|e| e["seq"].is_u64()).filter_map(|e| e["at_us"].as_i64()).collect()
}

async fn upload(program: &Program, records: usize) -> Value {
    let mut table = "name,text\n".to_owned();
    for i in 1..=records {
        table.push_str(&format!("Record {i},\"The harbour was quiet on day {i}.\"\n"));
    }
    let form = Form::new().part("file", Part::bytes(table.into_bytes()).file_name("records.csv"));
    let request = program.client.post(format!("{}/api/documents", program.url)).multipart(form);
    let mut added = json(request.send().await.expect("an answer")).await;
    assert_eq!(added["documents"][0]["records"], records, "{added}");
    added["documents"][0]["id"].take()
}

/// Reads a stream to its end. It looks at the beginning of each line and at nothing else, so that a
/// thousand of them cost little.
async fn view(address: SocketAddr, path: Arc<str>, began: Instant) -> Seen {
    let socket = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.writable().await.expect("a connection");
    let sent = socket.try_write(request.as_bytes()).expect("room for a request");
    assert_eq!(sent, request.len(), "a request is sent as a whole");
    let mut seen = Seen { attached: 0, ids: Vec::new(), ended: false };
    let mut line = Vec::new();
    let mut piece = vec![0; 16 << 10];
    loop {
        socket.readable().await.expect("the stream");
        let read = match socket.try_read(&mut piece) {
            Ok(0) => return seen,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => panic!("the stream broke off: {error}"),
        };
        let now = u32::try_from(began.elapsed().as_micros()).expect("it takes less than an hour");
        if seen.attached == 0 {
            assert!(piece.starts_with(b"HTTP/1.1 200"), "the stream is to be had");
            seen.attached = now;
        }
        let mut rest = &piece[..read];
        while rest.read_until(b'\n', &mut line).expect("memory can be read") > 0 {
            // A line that has not come to its end goes on with the next piece.
            if line.ends_with(b"\n") {
                look(&line[..line.len().min(KNOWN_BY)], now, &mut seen);
                line.clear();
            }
        }
    }
}

/// Notes what a line says.
fn look(line: &[u8], now: u32, seen: &mut Seen) {
    let text = std::str::from_utf8(line).unwrap_or("").trim_end();
    if let Some(id) = text.strip_prefix("id: ") {
        seen.ids.push((id.parse().expect("a number"), now));
    } else if text == "event: end" {
        seen.ended = true;
    }
}
