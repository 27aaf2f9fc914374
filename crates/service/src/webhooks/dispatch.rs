//! Brings what waits in the outbox to its receivers, until the program ends.
//!
//! Rule: a delivery leaves the outbox when its receiver has taken it or it is given up, so that what was
//! under way when the program ended is tried again. Receivers tell repeats by the message's id.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lanes_model::{RunId, RunSummary};
use lanes_store::{AfterAttempt, DeliveryAttempt, Due, Message, StoredWebhook};
use tokio::task::JoinSet;

use super::sender::{Parcel, Verdict};
use super::{Hooks, payload};
use crate::ServiceError;
use crate::random;
use crate::service::Inner;

/// Messages under way to one receiver.
const TO_ONE: u32 = 4;
/// Messages under way to all of them.
const TO_ALL: usize = 32;
/// The longest sleep, and how often old messages are forgotten.
const HOUR: Duration = Duration::from_secs(3_600);
/// After a store that failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long it is known what was sent.
const KEPT_DAYS: i64 = 30;

/// Delivers for ever. What is under way ends with it.
pub(crate) async fn run(inner: Arc<Inner>, hooks: Arc<Hooks>) {
    let mut under_way = JoinSet::new();
    let mut ids = HashSet::new();
    let mut swept: Option<Timestamp> = None;
    loop {
        let now = Timestamp::now();
        if swept.is_none_or(|at| now.duration_since(at).as_secs() >= 3_600) {
            swept = Some(now);
            let before = now.as_microsecond() - KEPT_DAYS * 86_400_000_000;
            if let Err(error) = inner.store.forget_messages(before).await {
                tracing::warn!(%error, "old messages of webhooks could not be forgotten");
            }
        }
        let sleep = match next(&inner, &hooks, now, &mut under_way, &mut ids).await {
            Ok(sleep) => sleep,
            Err(error) => {
                tracing::warn!(%error, "the outbox of the webhooks could not be read");
                PATIENCE
            }
        };
        tokio::select! {
            Some(ended) = under_way.join_next() => {
                if let Ok(delivery) = ended {
                    ids.remove(&delivery);
                }
            }
            () = inner.background.outbox.notified() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// Sets out with what is due and says how long there is nothing else to do.
async fn next(
    inner: &Arc<Inner>,
    hooks: &Arc<Hooks>,
    now: Timestamp,
    under_way: &mut JoinSet<i64>,
    ids: &mut HashSet<i64>,
) -> Result<Duration, ServiceError> {
    let now_us = now.as_microsecond();
    for mut due in inner.store.due_deliveries(now_us, TO_ONE).await? {
        if ids.len() >= TO_ALL || ids.contains(&due.delivery) {
            continue;
        }
        if due.message.payload.is_none() {
            due.message.payload = fill(inner, &due.message).await?;
        }
        // Of a run that is just coming to rest: its end will tell.
        if due.message.payload.is_none() {
            continue;
        }
        ids.insert(due.delivery);
        let (inner, hooks) = (Arc::clone(inner), Arc::clone(hooks));
        under_way.spawn(async move {
            if let Err(error) = deliver(&inner, &hooks, &due).await {
                tracing::error!(%error, "a webhook's delivery could not be written down");
                // Else the same would be tried again at once, and again.
                tokio::time::sleep(PATIENCE).await;
            }
            due.delivery
        });
    }
    let next = inner.store.next_delivery(now_us).await?;
    let wait = next.and_then(|at| u64::try_from(at - now_us).ok()).map(Duration::from_micros);
    Ok(wait.unwrap_or(HOUR).min(HOUR))
}

/// The payload of a message about a run, once there can be one.
async fn fill(inner: &Inner, message: &Message) -> Result<Option<String>, ServiceError> {
    let Some(run) = message.run.as_deref().map(RunId::from) else { return Ok(None) };
    let summary = match inner.hub.live(&run) {
        Some(live) if message.kind == super::WebhookEvent::BudgetReached.id() => {
            Some(live.read(|state, _, _| RunSummary::of(state)))
        }
        Some(_) => return Ok(None),
        None => inner.store.summary(&run).await?,
    };
    match summary {
        Some(summary) => Ok(Some(inner.fill_message(message, &summary).await?)),
        // It was deleted before anybody was told: there is nothing left to tell but that.
        None => {
            let data = serde_json::json!({ "run": run, "status": message.status });
            let payload = payload::of(&message.kind, message.at_us, data);
            inner.store.fill_message(&message.id, &payload).await?;
            Ok(Some(payload))
        }
    }
}

/// One try, written down.
pub(super) async fn deliver(inner: &Inner, hooks: &Hooks, due: &Due) -> Result<(), ServiceError> {
    let Some(webhook) = inner.store.webhook(&due.webhook).await? else { return Ok(()) };
    let (attempt, verdict) = attempt(hooks, &webhook, &due.message).await;
    let tries = due.tries + 1;
    let after = match verdict {
        Verdict::Delivered => AfterAttempt::Delivered,
        Verdict::Gone | Verdict::Refused => AfterAttempt::Failed,
        Verdict::NotYet(asked) => match hooks.retry.wait(tries, jitter(), asked) {
            Some(wait) => {
                let wait = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
                AfterAttempt::Again(Timestamp::now().as_microsecond().saturating_add(wait))
            }
            None => AfterAttempt::Failed,
        },
    };
    let (status, name) = (attempt.status, &webhook.name);
    match after {
        AfterAttempt::Delivered => tracing::debug!(webhook = name, "a message was delivered"),
        AfterAttempt::Again(_) => {
            tracing::info!(webhook = name, status, tries, "a message was not taken; trying again");
        }
        AfterAttempt::Failed => {
            tracing::warn!(webhook = name, status, tries, "a message is given up");
        }
    }
    inner.store.record_attempt(due.delivery, &attempt, after).await?;
    if verdict == Verdict::Gone {
        let why = "The receiver answered 410 (Gone): it wants no more messages.";
        inner.store.switch_off_webhook(&webhook.id, why).await?;
    }
    Ok(())
}

async fn attempt(
    hooks: &Hooks,
    webhook: &StoredWebhook,
    message: &Message,
) -> (DeliveryAttempt, Verdict) {
    let Some(secret) = hooks.vault.unseal(&webhook.id, &webhook.secret) else {
        let error = "The secret cannot be read: webhooks.key in the data directory is not the file it \
                     was kept with. Put that back, or make the webhook anew.";
        let at_us = Timestamp::now().as_microsecond();
        let error = Some(error.to_owned());
        return (DeliveryAttempt { at_us, error, ..Default::default() }, Verdict::Refused);
    };
    let parcel = Parcel {
        url: &webhook.url,
        id: &message.id,
        payload: message.payload.as_deref().unwrap_or_default(),
        secret: &secret,
    };
    hooks.sender.send(&parcel).await
}

/// A random number from 0 to 1.
fn jitter() -> f64 {
    let byte = random::bytes::<1>().ok().map(|[byte]| byte);
    byte.map_or(0.5, |byte| f64::from(byte) / 255.0)
}
