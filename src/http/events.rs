//! `GET /api/runs/{id}/events`: a run as server-sent events.
//!
//! Text is gathered for a moment before it is sent, so that a fast model does not make thousands of
//! messages a second; an event never waits, and goes after the text that came before it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use lanes_model::{FieldError, Progress, RunId, Seq};
use lanes_service::{Service, ServiceError, WatchItem};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

use super::refusals::{Missing, Wrong};
use super::{Problem, StopToken};

/// How long text is gathered: ten messages a second for each answer.
const GATHER: Duration = Duration::from_millis(100);
/// How soon a browser tries again after losing the connection.
const RETRY: Duration = Duration::from_millis(1_000);

#[derive(Debug, Deserialize)]
pub struct After {
    after: Option<String>,
}

type Items = Pin<Box<dyn Stream<Item = Result<WatchItem, ServiceError>> + Send>>;

/// A run as server-sent events: `event` (of its log, `id:` is its place), `progress` (text as it comes), `clock`, and `end`, after which the stream closes.
#[utoipa::path(
    get,
    path = "/api/runs/{id}/events",
    operation_id = "run_events",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("after" = Option<u64>, Query, description = "Only what comes after this event"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers say it")
    ),
    responses(
        (status = 200, description = "The events", body = serde_json::Value, content_type = "text/event-stream"),
        Missing,
        Wrong
    ),
)]
pub async fn stream(
    State(service): State<Service>,
    State(StopToken(stop)): State<StopToken>,
    Path(id): Path<String>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let number = |text: &str, pointer: &str| {
        text.parse::<u64>().map_err(|_| {
            Problem::invalid(vec![FieldError::new(
                pointer,
                "This must be the number of an event, 0 for all.",
            )])
        })
    };
    let after = query.after.as_deref().map_or(Ok(0), |t| number(t, "/after"))?;
    let last = match headers.get("last-event-id").map(|v| v.to_str()) {
        None => 0,
        Some(Ok(text)) => number(text, "/Last-Event-ID")?,
        Some(Err(_)) => {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "Last-Event-ID must be a number."));
        }
    };
    let items = service.watch(&RunId(id), Seq(after.max(last))).await?;
    let gatherer = Gatherer {
        items: Box::pin(items),
        texts: Vec::new(),
        due: Instant::now(),
        ready: VecDeque::from([Event::default().retry(RETRY)]),
        over: false,
    };
    let events = stream::unfold(gatherer, |mut g| async move {
        let event = g.next().await?;
        Some((Ok(event), g))
    });
    let events = events.take_until(stop.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

struct Gatherer {
    items: Items,
    texts: Vec<Progress>,
    due: Instant,
    ready: VecDeque<Event>,
    over: bool,
}

impl Gatherer {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let item = if self.texts.is_empty() {
                self.items.next().await
            } else {
                tokio::select! {
                    item = self.items.next() => item,
                    () = sleep_until(self.due) => {
                        self.send_texts();
                        continue;
                    }
                }
            };
            match item {
                Some(Ok(WatchItem::Progress(p))) => self.gather(&p),
                Some(Ok(WatchItem::Event(e))) => {
                    self.send_texts();
                    self.send(message("event", &*e).id(e.seq.to_string()));
                }
                Some(Ok(WatchItem::Clock(now))) => self.send(message("clock", &now)),
                Some(Ok(WatchItem::End(seq))) => {
                    self.send_texts();
                    self.send(message("end", &serde_json::json!({ "last_seq": seq })));
                    self.over = true;
                }
                Some(Err(error)) => {
                    // The client reconnects and reads on from the last event it has.
                    tracing::error!(%error, "an event stream broke off");
                    self.over = true;
                }
                None => self.over = true,
            }
        }
    }

    fn gather(&mut self, piece: &Progress) {
        if self.texts.is_empty() {
            self.due = Instant::now() + GATHER;
        }
        let same = self.texts.iter_mut().find(|t| {
            (t.pass, t.call, t.number) == (piece.pass, piece.call, piece.number)
                && t.offset as usize + t.text.len() == piece.offset as usize
        });
        match same {
            Some(text) => text.text.push_str(&piece.text),
            None => self.texts.push(piece.clone()),
        }
    }

    fn send_texts(&mut self) {
        for text in self.texts.drain(..) {
            self.ready.push_back(message("progress", &text));
        }
    }

    fn send(&mut self, event: Event) {
        self.ready.push_back(event);
    }
}

/// One message. What we send always serialises; if it ever did not, an empty message is the least
/// harm.
fn message(name: &str, data: &impl Serialize) -> Event {
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().event(name).data(data)
}
