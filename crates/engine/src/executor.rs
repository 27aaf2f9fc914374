//! Performs one attempt: gets the request, sends it when told to, reports what happens and when.
//!
//! It decides nothing and speaks to nobody but the dispatcher. A panic in a provider or a record
//! source becomes a failure of this attempt. Dropping the future aborts the request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use lanes_model::{Failure, FailureKind, RouteId};
use tokio::sync::{mpsc, oneshot};

use crate::messages::{News, Report};
use crate::{Asked, AttemptId, Clock, Provider, RecordSource, TextSink};

/// What every attempt of a run needs.
pub(crate) struct Equipment {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) records: Arc<dyn RecordSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reports: mpsc::UnboundedSender<Report>,
}

impl Equipment {
    pub(crate) fn report(&self, id: AttemptId, news: News) {
        // A closed channel means that the run is over and nobody wants to know.
        let _ = self.reports.send(Report { id, news });
    }
}

/// Performs an attempt on a route.
pub(crate) async fn perform(
    equipment: Arc<Equipment>,
    id: AttemptId,
    route: RouteId,
    asked: Asked,
) {
    let records = &equipment.records;
    let request = match caught(async { records.request(id.call, asked).await }).await {
        Ok(request) => request,
        Err(failure) => {
            return equipment.report(id, News::NoRequest { at: equipment.clock.now(), failure });
        }
    };
    // The start is written to the log before the request is sent, and only then: looking up the
    // request is the engine's time, not the provider's.
    let (go, told) = oneshot::channel();
    let redacted = request.redaction.as_ref().map_or(0, |redaction| redaction.count());
    equipment.report(id, News::Prepared { go, redacted });
    if told.await.is_err() {
        return;
    }
    let on_text = text_sink(Arc::clone(&equipment), id);
    let provider = &equipment.provider;
    let result = caught(async { provider.attempt(route, request, on_text).await }).await;
    equipment.report(id, News::Ended { at: equipment.clock.now(), result });
}

fn text_sink(equipment: Arc<Equipment>, id: AttemptId) -> TextSink {
    let mut first = true;
    Box::new(move |text| {
        if text.is_empty() {
            return;
        }
        let text = text.to_owned();
        equipment.report(
            id,
            match std::mem::take(&mut first) {
                true => News::FirstText { at: equipment.clock.now(), text },
                false => News::Text { text },
            },
        );
    })
}

/// The result of foreign code, with a panic turned into a failure.
async fn caught<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("an attempt panicked; it counts as failed");
        Err(Failure::new(
            FailureKind::ServerError,
            "Lanes met an internal error during this attempt; the log has the details.",
        ))
    })
}
