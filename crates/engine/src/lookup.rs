//! Looks one call up in the response cache, before it is given a lane: gets its request, asks the
//! cache, reports what it says.
//!
//! It decides nothing and speaks to nobody but the dispatcher. Whatever goes wrong here counts as
//! not found: the call is then asked, and its attempt meets the trouble itself.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use lanes_model::{CallId, PassId};

use crate::executor::Equipment;
use crate::messages::{LookUp, News};
use crate::{Answer, AnswerCache, Asked, AttemptId, Cached};

/// Looks a call up.
pub(crate) async fn look_up(
    equipment: Arc<Equipment>,
    cache: Arc<dyn AnswerCache>,
    pass: PassId,
    call: CallId,
    asked: Asked,
) {
    // No attempt has this number.
    let id = AttemptId { pass, call, number: 0 };
    let work = ask(&equipment, cache, id, asked);
    let answer = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("the response cache panicked; the call is asked");
        None
    });
    let found = LookUp::Ended { at: equipment.clock.now(), answer: answer.map(Box::new) };
    equipment.report(id, News::LookUp(found));
}

async fn ask(
    equipment: &Equipment,
    cache: Arc<dyn AnswerCache>,
    id: AttemptId,
    asked: Asked,
) -> Option<Answer> {
    let request = equipment.records.request(id.call, asked).await.ok()?;
    match cache.look_up(id.pass, id.call, request).await {
        Cached::Hit(answer) => Some(answer),
        Cached::Miss => None,
        Cached::Awaited(answer) => {
            let at = equipment.clock.now();
            equipment.report(id, News::LookUp(LookUp::Waits { at }));
            answer.await
        }
    }
}
