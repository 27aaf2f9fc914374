//! `GET /api/runs/{id}/events`: a run as server-sent events.
//!
//! What all viewers of a run are told is written once for all of them; here it is only copied. What
//! is ready together is one piece of the answer: where axum's `Sse` made a piece of each event, a
//! thousand viewers of a fast run cost more in pieces than in what they were told.

use std::convert::Infallible;
use std::fmt::Write;
use std::future::ready;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use lanes_model::{FieldError, RunId, Seq};
use lanes_service::{Service, WatchItem};
use serde::Deserialize;
use tokio::time::timeout;

use super::refusals::{Missing, Wrong};
use super::{Problem, StopToken};

/// How soon a browser tries again after losing the connection.
const RETRY: Duration = Duration::from_millis(1_000);
/// After so long without a word a comment is sent, so that nobody on the way closes the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The most items of a piece.
const PIECE: usize = 256;

#[derive(Debug, Deserialize)]
pub struct After {
    after: Option<String>,
}

/// A run as server-sent events: `event` (of its log, `id:` is its place), `progress` (text as it comes), `clock`, `trouble` (why it stands still, or null once it does no more), and `end`, after which the stream closes.
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
) -> Result<Response, Problem> {
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
    let told = items.scan((), |(), item| {
        if let Err(error) = &item {
            // The client reconnects and reads on from the last event it has.
            tracing::error!(%error, "an event stream broke off");
        }
        ready(item.ok())
    });
    let body = Body::from_stream(pieces(told.take_until(stop.cancelled_owned())));
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, body).into_response())
}

/// The text of the items, in as few pieces as there are times at which some are ready.
fn pieces(
    items: impl Stream<Item = WatchItem> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let retry = stream::once(ready(format!("retry: {}\n\n", RETRY.as_millis())));
    let ready_together = Box::pin(items.ready_chunks(PIECE));
    let told = stream::unfold(ready_together, |mut items| async move {
        let piece = match timeout(KEEP_ALIVE, items.next()).await {
            Err(_) => ":\n\n".to_owned(),
            Ok(None) => return None,
            Ok(Some(together)) => {
                let mut piece = String::new();
                together.iter().for_each(|item| write(item, &mut piece));
                piece
            }
        };
        Some((piece, items))
    });
    retry.chain(told).map(|piece| Ok(piece.into()))
}

/// One message.
fn write(item: &WatchItem, to: &mut String) {
    // JSON has no line break of its own, so each is one line. Writing to a text does not fail.
    let _ = match item {
        WatchItem::Event(e) => {
            let json = e.json();
            to.reserve(json.len() + 48);
            write!(to, "event: event\ndata: {json}\nid: {}\n\n", e.seq)
        }
        WatchItem::Progress(piece) => write!(to, "event: progress\ndata: {}\n\n", piece.json()),
        WatchItem::Trouble(why) => {
            write!(to, "event: trouble\ndata: {}\n\n", serde_json::json!(why))
        }
        WatchItem::Clock(now) => write!(to, "event: clock\ndata: {}\n\n", now.0),
        WatchItem::End(seq) => {
            let end = serde_json::json!({ "last_seq": seq });
            write!(to, "event: end\ndata: {end}\n\n")
        }
    };
}

#[cfg(test)]
mod tests {
    use lanes_model::Micros;

    use super::*;

    fn text(piece: Option<Result<Bytes, Infallible>>) -> String {
        let Ok(piece) = piece.expect("a piece");
        String::from_utf8(piece.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn what_is_ready_together_is_one_piece() {
        let items = [WatchItem::Clock(Micros(7)), WatchItem::End(Seq(3))];
        let mut pieces = Box::pin(pieces(stream::iter(items)));
        assert_eq!(text(pieces.next().await), "retry: 1000\n\n");
        assert_eq!(
            text(pieces.next().await),
            "event: clock\ndata: 7\n\nevent: end\ndata: {\"last_seq\":3}\n\n"
        );
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_comment_comes_where_nothing_happens() {
        let mut pieces = Box::pin(pieces(stream::pending()));
        assert_eq!(text(pieces.next().await), "retry: 1000\n\n");
        let began = tokio::time::Instant::now();
        assert_eq!(text(pieces.next().await), ":\n\n");
        assert_eq!(began.elapsed(), KEEP_ALIVE);
    }
}
