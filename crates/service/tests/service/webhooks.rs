//! Who is told of the ends of runs, how often, and where messages do not go.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lanes_model::{Budget, RunRequest};
use lanes_service::{
    BackgroundConfig, RetrySteps, Service, ServiceError, Store, WebhookDefinition,
};
use tempfile::TempDir;

use crate::receiver::{Received, Receiver};
use crate::support::{self, finished, latency, provider, request, simulator};

pub fn background(folder: &Path, allow_private: bool) -> BackgroundConfig {
    BackgroundConfig {
        data_dir: folder.to_owned(),
        public_url: "https://lanes.example".to_owned(),
        allow_private,
        // Tests say themselves when.
        alerts_every: Duration::from_secs(86_400),
        retry: RetrySteps(vec![Duration::from_millis(20); 3]),
    }
}

/// A service that sends messages to receivers on this machine.
pub async fn telling() -> (Service, TempDir) {
    let (addr, _) = simulator(latency("none")).await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lanes.db")).await.unwrap();
    let service = support::service(store, provider(addr)).await;
    service.start_background(background(folder.path(), true)).unwrap();
    (service, folder)
}

pub fn hook(url: &str, events: &[&str]) -> WebhookDefinition {
    WebhookDefinition {
        name: "Pager".to_owned(),
        url: url.to_owned(),
        events: events.iter().map(|&e| e.to_owned()).collect(),
        enabled: true,
    }
}

fn is_signed(message: &Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let time = &message.headers["webhook-timestamp"];
    let content = format!("{}.{time}.{}", message.id(), message.body);
    let sent = message.headers["webhook-signature"].strip_prefix("v1,").unwrap();
    ring::hmac::verify(&key, content.as_bytes(), &STANDARD.decode(sent).unwrap()).is_ok()
}

pub fn failing(mode: &str) -> RunRequest {
    let faults = serde_json::from_str(r#"{ "error_rate": 1.0 }"#).unwrap();
    RunRequest { faults: Some(faults), ..request(mode, &["summary"]) }
}

/// The state of the latest delivery, once that has been tried so often.
async fn settled(service: &Service, id: &str, tries: usize) -> lanes_service::DeliveryView {
    loop {
        let found = service.webhook_deliveries(id, None).await.unwrap().items.remove(0);
        if found.attempts.len() >= tries {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_end_of_a_run_is_told_once_signed_and_without_texts() {
    let (service, _folder) = telling().await;
    let mut receiver = Receiver::start().await;
    let made = service.create_webhook(hook(&receiver.url(), &["run.ended"])).await.unwrap();
    let mut request = request("parallel", &["summary", "category"]);
    request.input = lanes_model::spec::InputRequest {
        text: Some("A planted sentence about herons.".to_owned()),
        ..Default::default()
    };
    let run = support::start(&service, &request).await;
    finished(&service, &run).await;
    let message = receiver.next().await;
    assert!(is_signed(&message, &made.secret), "{message:?}");
    let body = message.json();
    assert_eq!(body["type"], "run.ended");
    assert_eq!(body["data"]["run"], run.as_str());
    assert_eq!((&body["data"]["status"], &body["data"]["calls"]), (&"succeeded".into(), &2.into()));
    assert_eq!(body["data"]["url"], format!("https://lanes.example/runs/{run}"));
    assert!(body["data"]["wall_us"].as_u64().is_some(), "{body}");
    assert!(!message.body.contains("herons") && !message.body.contains("planted"));
    let delivery = settled(&service, &made.webhook.id, 1).await;
    assert_eq!((delivery.state.as_str(), delivery.message.as_str()), ("delivered", message.id()));
    let attempt = &delivery.attempts[0];
    assert_eq!((attempt.status, attempt.answer.as_str()), (Some(200), "known"));
    assert!(attempt.duration_us > 0 && receiver.is_quiet());
}

#[tokio::test]
async fn a_receiver_that_fails_twice_gets_the_same_message_a_third_time() {
    let (service, _folder) = telling().await;
    let mut receiver = Receiver::start().await;
    receiver.answer(&["503 Busy", "302 Found\r\nlocation: http://127.0.0.1:1/"]);
    let made = service.create_webhook(hook(&receiver.url(), &["run.ended"])).await.unwrap();
    support::start(&service, &request("parallel", &["summary"])).await;
    let ids = [receiver.next().await, receiver.next().await, receiver.next().await];
    assert!(ids.iter().all(|m| m.id() == ids[0].id() && is_signed(m, &made.secret)));
    let delivery = settled(&service, &made.webhook.id, 3).await;
    let statuses: Vec<_> = delivery.attempts.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [Some(200), Some(302), Some(503)]);
    assert_eq!(delivery.state, "delivered");
}

#[tokio::test]
async fn a_message_is_given_up_after_the_last_try_and_can_be_sent_again() {
    let (service, _folder) = telling().await;
    let mut receiver = Receiver::start().await;
    receiver.answer(&["500 No", "500 No", "500 No", "500 No"]);
    let made = service.create_webhook(hook(&receiver.url(), &["run.failed"])).await.unwrap();
    let id = made.webhook.id.as_str();
    let run = support::start(&service, &failing("parallel")).await;
    let first = receiver.next().await;
    let failed = settled(&service, id, 4).await;
    assert_eq!((failed.state.as_str(), failed.run.as_deref()), ("failed", Some(run.as_str())));
    service.redeliver(id, failed.id).await.unwrap();
    let again = loop {
        let found = settled(&service, id, 5).await;
        if found.state == "delivered" {
            break found;
        }
    };
    assert_eq!(again.attempts.len(), 5);
    let mut last = first.clone();
    while !receiver.is_quiet() {
        last = first.clone();
    }
    assert_eq!(last.id(), first.id());
    let missing = service.redeliver(id, 999).await;
    assert!(matches!(missing, Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more() {
    let (service, _folder) = telling().await;
    let mut receiver = Receiver::start().await;
    receiver.answer(&["410 Gone"]);
    let made = service.create_webhook(hook(&receiver.url(), &["run.ended"])).await.unwrap();
    let id = made.webhook.id.as_str();
    support::start(&service, &request("parallel", &["summary"])).await;
    receiver.next().await;
    let delivery = settled(&service, id, 1).await;
    while service.webhook(id).await.unwrap().enabled {
        tokio::task::yield_now().await;
    }
    assert_eq!(delivery.state, "failed");
    assert!(service.webhook(id).await.unwrap().note.unwrap().contains("410"));
    assert!(matches!(service.test_webhook(id).await, Err(ServiceError::Conflict(_))));
    let run = support::start(&service, &request("parallel", &["summary"])).await;
    finished(&service, &run).await;
    service.replace_webhook(id, hook(&receiver.url(), &["run.ended"])).await.unwrap();
    let view = service.webhook(id).await.unwrap();
    assert_eq!((view.enabled, view.note), (true, None));
    // What happened while it was off is not told afterwards.
    service.test_webhook(id).await.unwrap();
    assert_eq!(receiver.next().await.json()["type"], "webhook.test");
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_budget_that_is_reached_is_told_once_a_run() {
    let (service, _folder) = telling().await;
    let mut receiver = Receiver::start().await;
    let events = ["budget.reached", "run.ended"];
    service.create_webhook(hook(&receiver.url(), &events)).await.unwrap();
    let tasks = ["summary", "sentiment", "keywords", "questions", "translation", "category"];
    let limited = RunRequest {
        budget: Some(Budget { max_cost_usd_micros: Some(1), deadline_ms: None }),
        ..request("sequential", &tasks)
    };
    support::start(&service, &limited).await;
    let mut kinds = [receiver.next().await, receiver.next().await].map(|m| {
        let body = m.json();
        (body["type"].as_str().unwrap().to_owned(), body["data"]["status"].clone())
    });
    kinds.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(kinds[0], ("budget.reached".to_owned(), "running".into()));
    assert_eq!(kinds[1], ("run.ended".to_owned(), "partial".into()));
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn private_targets_are_refused_when_made_and_when_sent() {
    let (addr, _) = simulator(latency("none")).await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lanes.db")).await.unwrap();
    let service = support::service(store, provider(addr)).await;
    service.start_background(background(folder.path(), false)).unwrap();
    for url in [
        "https://localhost/hook",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "http://example.com/",
    ] {
        let refused = service.create_webhook(hook(url, &["run.ended"])).await.err().unwrap();
        let ServiceError::Invalid(errors) = refused else { panic!("{url}: {refused}") };
        assert_eq!(errors[0].pointer, "/url", "{url}");
    }
}

#[tokio::test]
async fn a_target_that_was_allowed_once_is_looked_at_again_before_each_message() {
    let (service, folder) = telling().await;
    let mut receiver = Receiver::start().await;
    let url = format!("http://localhost:{}/hook", receiver.addr.port());
    let made = service.create_webhook(hook(&url, &["run.ended"])).await.unwrap();
    let id = made.webhook.id.as_str();
    assert_eq!(service.test_webhook(id).await.unwrap().state, "delivered");
    receiver.next().await;
    service.shutdown().await;
    let (addr, _) = simulator(latency("none")).await;
    let store = Store::open(&folder.path().join("lanes.db")).await.unwrap();
    let strict = support::service(store, provider(addr)).await;
    strict.start_background(background(folder.path(), false)).unwrap();
    let tried = strict.test_webhook(id).await.unwrap();
    assert_eq!((tried.state.as_str(), tried.attempts.len()), ("failed", 1));
    assert!(tried.attempts[0].error.as_ref().unwrap().contains("https://"), "{tried:?}");
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_secret_is_in_nothing_but_the_answer_that_made_it() {
    let (service, folder) = telling().await;
    let receiver = Receiver::start().await;
    let made = service.create_webhook(hook(&receiver.url(), &["run.ended"])).await.unwrap();
    let id = made.webhook.id.as_str();
    service.test_webhook(id).await.unwrap();
    let views = serde_json::to_string(&(
        service.webhooks().await.unwrap(),
        service.webhook(id).await.unwrap(),
        service.webhook_deliveries(id, None).await.unwrap(),
    ))
    .unwrap();
    let key = made.secret.strip_prefix("whsec_").unwrap();
    assert!(!views.contains(key) && !views.contains("whsec"), "{views}");
    let raw = STANDARD.decode(key).unwrap();
    service.shutdown().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(raw.len()).any(|part| part == raw));
        assert!(!bytes.windows(key.len()).any(|part| part == key.as_bytes()));
    }
}
