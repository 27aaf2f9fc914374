//! `GET /api/runs/{id}/frames`: a large run as server-sent frames, ten a second at most, fewer when
//! nothing changes. With `?page=1` each frame is what its page changes, as HTML.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use lanes_model::{RunId, Seq};
use lanes_service::{RunReader, Service, SharedFrame};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::refusals::Missing;
use super::{Problem, StopToken};

/// Between two frames.
const PACE: Duration = Duration::from_millis(100);
/// Between two frames of a page: figures that change more often are not read.
const PAGE_PACE: Duration = Duration::from_millis(250);
/// The history goes along once in so long, and a frame though nothing has changed.
const HISTORY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
pub struct Shape {
    page: Option<String>,
}

/// After so long a browser that was cut off tries again.
const RETRY: Duration = Duration::from_secs(1);

struct Frames {
    service: Service,
    run: RunReader,
    page: bool,
    last: Option<Seq>,
    next: Instant,
    history: Instant,
    /// What the page has been told, part by part.
    told: Vec<String>,
    over: bool,
}

/// A large run as server-sent frames of sums, ten a second at most.
#[utoipa::path(
    get,
    path = "/api/runs/{id}/frames",
    operation_id = "run_frames",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("page" = Option<String>, Query, description = "As HTML for the run's own page")
    ),
    responses(
        (status = 200, description = "The frames", body = serde_json::Value, content_type = "text/event-stream"),
        Missing
    ),
)]
pub async fn stream(
    State(service): State<Service>,
    State(StopToken(stop)): State<StopToken>,
    Path(id): Path<String>,
    Query(shape): Query<Shape>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let run = service.reader(&RunId(id)).await?;
    let now = Instant::now();
    let frames = Frames {
        service,
        run,
        page: shape.page.is_some(),
        last: None,
        next: now,
        history: now,
        told: Vec::new(),
        over: false,
    };
    let events = stream::unfold(frames, |mut frames| async move {
        let event = frames.next().await?;
        Some((Ok(event), frames))
    });
    let events = events.take_until(stop.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

impl Frames {
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        loop {
            sleep_until(self.next).await;
            self.next = Instant::now() + if self.page { PAGE_PACE } else { PACE };
            let history = Instant::now() >= self.history;
            if !history && self.last == Some(self.run.last_seq()) {
                continue;
            }
            let shared = self.run.frame(history, self.last, || self.service.trouble());
            let frame = shared.frame();
            if !history && self.last == Some(frame.last_seq) {
                continue;
            }
            if history {
                self.history = Instant::now() + HISTORY;
            }
            // What ends the run's log stands before the end of its stream.
            if !frame.status.is_live() && self.last == Some(frame.last_seq) {
                self.over = true;
                let end = serde_json::json!({ "last_seq": frame.last_seq });
                return Some(Event::default().event("end").data(end.to_string()));
            }
            self.last = Some(frame.last_seq);
            if let Some(event) = self.event(&shared) {
                return Some(event);
            }
        }
    }

    fn event(&mut self, shared: &SharedFrame) -> Option<Event> {
        let frame = shared.frame();
        // A reader that is cut off comes back soon.
        let event = Event::default().event("frame").id(frame.last_seq.to_string()).retry(RETRY);
        if !self.page {
            return Some(event.data(frame.json()));
        }
        let run = &self.run;
        let parts = shared.parts(|frame| {
            let parts = run.read(|state, _, _| app::batch::parts(state, frame));
            parts.into_iter().collect()
        });
        self.told.resize(parts.len(), String::new());
        let mut changes = serde_json::Map::new();
        for ((name, html), told) in parts.iter().zip(&mut self.told) {
            // Empty: this frame says nothing of it.
            if !html.is_empty() && html != told {
                changes.insert((*name).to_owned(), html.clone().into());
                told.clone_from(html);
            }
        }
        (!changes.is_empty()).then(|| event.data(serde_json::Value::Object(changes).to_string()))
    }
}
