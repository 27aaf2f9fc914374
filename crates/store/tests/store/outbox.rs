//! The outbox: what is to be told is written with what it tells of, once.

use lanes_model::{CallEnd, CallId, EventKind, Failure, FailureKind, Micros, PassId, RunStatus};
use lanes_store::{AfterAttempt, DeliveryAttempt, Entry, Store, StoredWebhook};

use crate::support::{Place, create, id};

fn webhook(name: &str, events: &[&str], enabled: bool) -> StoredWebhook {
    StoredWebhook {
        id: name.to_owned(),
        name: name.to_owned(),
        url: "https://example.com/".to_owned(),
        events: events.iter().map(|&e| e.to_owned()).collect(),
        secret: vec![1, 2, 3],
        enabled,
        note: None,
        created_at: "2026-11-21T03:55:07Z".to_owned(),
    }
}

fn entry(run: &str, kind: EventKind) -> Entry {
    Entry { run: id(run), at: Micros(1), kind }
}

fn ended(status: RunStatus) -> EventKind {
    EventKind::RunEnded { status }
}

fn over_budget(call: u32) -> EventKind {
    let failure = Failure::new(FailureKind::BudgetReached, "Reached.");
    let end = CallEnd::Failed { failure, partial: String::new() };
    EventKind::CallEnded { pass: PassId(0), call: CallId(call), end }
}

async fn due(store: &Store) -> Vec<(String, String)> {
    let due = store.due_deliveries(i64::MAX, 10).await.unwrap();
    due.into_iter().map(|d| (d.webhook, d.message.kind)).collect()
}

fn pair(webhook: &str, kind: &str) -> (String, String) {
    (webhook.to_owned(), kind.to_owned())
}

#[tokio::test]
async fn each_webhook_is_told_what_it_wants_and_no_more() {
    let place = Place::new();
    let store = place.open().await;
    store.put_webhook(&webhook("all", &["run.ended", "run.failed"], true)).await.unwrap();
    store.put_webhook(&webhook("bad", &["run.failed"], true)).await.unwrap();
    store.put_webhook(&webhook("off", &["run.ended"], false)).await.unwrap();
    create(&store, "a").await;
    store.append(&[entry("a", ended(RunStatus::Succeeded))]).await.unwrap();
    assert_eq!(due(&store).await, [pair("all", "run.ended")]);
    store.append(&[entry("a", ended(RunStatus::Partial))]).await.unwrap();
    assert_eq!(due(&store).await.len(), 4);
    assert_eq!(place.raw_count("SELECT count(*) FROM webhook_messages").await, 3);
    store.append(&[entry("a", EventKind::RunInterrupted)]).await.unwrap();
    assert_eq!(due(&store).await.len(), 4);
}

#[tokio::test]
async fn a_message_is_there_when_its_event_is_and_not_otherwise() {
    let place = Place::new();
    let store = place.open().await;
    store.put_webhook(&webhook("all", &["run.ended"], true)).await.unwrap();
    create(&store, "a").await;
    let batch = [entry("a", ended(RunStatus::Succeeded)), entry("gone", EventKind::RunStarted)];
    store.append(&batch).await.unwrap_err();
    assert!(due(&store).await.is_empty(), "nothing was written");
    assert_eq!(place.raw_count("SELECT count(*) FROM events").await, 1);
}

#[tokio::test]
async fn a_budget_is_told_once_however_many_calls_it_stopped() {
    let place = Place::new();
    let store = place.open().await;
    store.put_webhook(&webhook("all", &["budget.reached"], true)).await.unwrap();
    create(&store, "a").await;
    store.append(&[entry("a", over_budget(0)), entry("a", over_budget(1))]).await.unwrap();
    store.append(&[entry("a", over_budget(2))]).await.unwrap();
    assert_eq!(due(&store).await, [pair("all", "budget.reached")]);
}

#[tokio::test]
async fn a_delivery_waits_until_it_is_taken_given_up_or_asked_for_again() {
    let place = Place::new();
    let store = place.open().await;
    store.put_webhook(&webhook("all", &["run.ended"], true)).await.unwrap();
    create(&store, "a").await;
    store.append(&[entry("a", ended(RunStatus::Succeeded))]).await.unwrap();
    let first = store.due_deliveries(i64::MAX, 10).await.unwrap().remove(0);
    let attempt = DeliveryAttempt { status: Some(503), ..DeliveryAttempt::default() };
    let again = AfterAttempt::Again(i64::MAX - 1);
    store.record_attempt(first.delivery, &attempt, again).await.unwrap();
    assert!(store.due_deliveries(i64::MAX - 2, 10).await.unwrap().is_empty());
    assert_eq!(store.next_delivery(0).await.unwrap(), Some(i64::MAX - 1));
    let second = store.due_deliveries(i64::MAX - 1, 10).await.unwrap().remove(0);
    assert_eq!((second.tries, &second.message.id), (1, &first.message.id));
    store.record_attempt(first.delivery, &attempt, AfterAttempt::Delivered).await.unwrap();
    assert_eq!(store.waiting_deliveries().await.unwrap(), 0);
    assert!(store.redeliver("all", first.delivery).await.unwrap());
    assert!(!store.redeliver("other", first.delivery).await.unwrap());
    assert_eq!(store.due_deliveries(i64::MAX, 10).await.unwrap()[0].tries, 0);
    store.switch_off_webhook("all", "It is gone.").await.unwrap();
    let log = store.deliveries("all", None, 10).await.unwrap();
    assert_eq!((log[0].state.as_str(), log[0].attempts.len()), ("failed", 2));
    assert_eq!(store.forget_messages(i64::MAX).await.unwrap(), 1);
    assert!(store.delete_webhook("all").await.unwrap());
}
