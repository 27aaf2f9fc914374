//! `GET /api/runs/{id}/events`: a run as server-sent events.
//!
//! What all viewers of a run are told is written once for all of them; here it is only copied.

use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use lanes_model::{FieldError, RunId, Seq};
use lanes_service::{Service, WatchItem};
use serde::Deserialize;

use super::refusals::{Missing, Wrong};
use super::{Problem, StopToken};

/// How soon a browser tries again after losing the connection.
const RETRY: Duration = Duration::from_millis(1_000);

#[derive(Debug, Deserialize)]
pub struct After {
    after: Option<String>,
}

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
    let retry = stream::once(async { Event::default().retry(RETRY) });
    let told = items.scan((), |(), item| {
        if let Err(error) = &item {
            // The client reconnects and reads on from the last event it has.
            tracing::error!(%error, "an event stream broke off");
        }
        ready(item.ok().as_ref().map(message))
    });
    let events = retry.chain(told).map(Ok);
    let events = events.take_until(stop.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// One message.
fn message(item: &WatchItem) -> Event {
    let event = Event::default();
    match item {
        WatchItem::Event(e) => event.event("event").data(e.json()).id(e.seq.to_string()),
        WatchItem::Progress(piece) => event.event("progress").data(piece.json()),
        WatchItem::Clock(now) => event.event("clock").data(now.0.to_string()),
        WatchItem::End(seq) => {
            event.event("end").data(serde_json::json!({ "last_seq": seq }).to_string())
        }
    }
}
