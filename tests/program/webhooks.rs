//! Webhooks over the built program: made over REST and by forms, delivered over a kill, refused where
//! they must not lead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use reqwest::StatusCode;
use serde_json::{Value, json as body};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::{Program, json};

/// A receiver that says who calls, and answers only when it is told to.
#[derive(Clone)]
struct Receiver {
    answers: Arc<AtomicBool>,
    calls: UnboundedSender<(String, Value)>,
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, text: String) -> StatusCode {
    let id = headers["webhook-id"].to_str().expect("text").to_owned();
    assert!(headers["webhook-signature"].to_str().expect("text").starts_with("v1,"));
    let message = serde_json::from_str(&text).expect("JSON");
    let _ = receiver.calls.send((id, message));
    if !receiver.answers.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    StatusCode::NO_CONTENT
}

async fn receiver() -> (String, Arc<AtomicBool>, UnboundedReceiver<(String, Value)>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let (calls, called) = unbounded_channel();
    let answers = Arc::new(AtomicBool::new(false));
    let state = Receiver { answers: Arc::clone(&answers), calls };
    let router = Router::new().route("/hook", post(take)).with_state(state);
    tokio::spawn(axum::serve(listener, router).into_future());
    (url, answers, called)
}

const OPEN: (&str, &str) = ("LANES_WEBHOOK_ALLOW_PRIVATE", "true");

fn run() -> Value {
    body!({ "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": "parallel" })
}

#[tokio::test]
async fn what_was_on_its_way_when_the_program_was_killed_is_delivered_after_it_comes_back() {
    let (url, answers, mut called) = receiver().await;
    let mut program = Program::start_with("none", "", &[OPEN]);
    let hook = body!({ "name": "Pager", "url": url, "events": ["run.ended"] });
    let made = program.post("/api/webhooks", &hook).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(made.headers()["cache-control"], "no-store");
    let made = json(made).await;
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    let at = format!("/api/webhooks/{}", made["id"].as_str().expect("an id"));
    let id = program.run(&run()).await;
    // It is told, and does not say that it has understood.
    let (message, told) = called.recv().await.expect("a message");
    assert_eq!((&told["type"], &told["data"]["run"]), (&body!("run.ended"), &body!(id)));
    program.kill_and_start_again();
    answers.store(true, Ordering::SeqCst);
    let (again, told) = called.recv().await.expect("the message again");
    assert_eq!(again, message, "it is the same message");
    assert_eq!(told["data"]["status"], "succeeded");
    let page = loop {
        let page = json(program.get(&format!("{at}/deliveries")).await).await;
        if page["items"][0]["state"] == "delivered" {
            break page;
        }
    };
    let items = page["items"].as_array().expect("deliveries");
    assert_eq!((items.len(), &items[0]["message"]), (1, &body!(message)));
    for path in ["/api/webhooks", &at, &format!("{at}/deliveries"), "/settings/webhooks"] {
        let text = program.get(path).await.text().await.expect("text");
        assert!(!text.contains("whsec_") && !text.contains(&secret), "{path}");
    }
    assert!(called.try_recv().is_err(), "nothing was told twice after it was taken");
}

#[tokio::test]
async fn a_run_that_ended_while_nobody_could_be_told_is_told_after_a_restart() {
    let (url, answers, mut called) = receiver().await;
    answers.store(true, Ordering::SeqCst);
    let mut program = Program::start_with("fixed:50ms", "", &[OPEN]);
    let hook = body!({ "name": "Pager", "url": url, "events": ["run.ended"] });
    assert_eq!(program.post("/api/webhooks", &hook).await.status(), StatusCode::CREATED);
    let id = program.run(&run()).await;
    // The stream ends with the closing event, which nothing follows but the telling.
    program.events(&id, 0).await;
    program.kill_and_start_again();
    let (message, told) = called.recv().await.expect("a message");
    assert_eq!(told["data"]["run"], body!(id));
    while let Ok((again, _)) = called.try_recv() {
        assert_eq!(again, message);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_webhook_is_said_at_its_place() {
    let program = Program::start("none");
    for (hook, place) in [
        (body!({ "name": "", "url": "https://example.com/", "events": ["run.ended"] }), "/name"),
        (body!({ "name": "A", "url": "https://localhost/", "events": ["run.ended"] }), "/url"),
        (body!({ "name": "A", "url": "https://[fd00::1]/", "events": ["run.ended"] }), "/url"),
        (body!({ "name": "A", "url": "http://example.com/", "events": ["run.ended"] }), "/url"),
        (body!({ "name": "A", "url": "https://93.184.216.34/", "events": ["nothing"] }), "/events"),
    ] {
        let refused = program.post("/api/webhooks", &hook).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{hook}");
        assert_eq!(json(refused).await["errors"][0]["pointer"], place);
    }
    assert_eq!(program.get("/api/webhooks/none").await.status(), StatusCode::NOT_FOUND);
    let none = body!({});
    for path in ["/api/webhooks/none/test", "/api/webhooks/none/deliveries/x/redeliver"] {
        assert_eq!(program.post(path, &none).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn plain_forms_make_change_try_and_delete_a_webhook() {
    let (url, answers, mut called) = receiver().await;
    answers.store(true, Ordering::SeqCst);
    let program = Program::start_with("none", "", &[OPEN]);
    let send = async |path: &str, fields: &str| {
        let post = program.client.post(format!("{}{path}", program.url));
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        post.body(fields.to_owned()).send().await.expect("an answer")
    };
    let wrong = send("/settings/webhooks", "name=Pager&url=nowhere&enabled=on").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = wrong.text().await.expect("a page");
    assert!(page.contains("must be a whole URL") && page.contains("Choose at least one event"));
    let fields = format!("name=%3Cb%3EPager&url={url}&event=run.ended&enabled=on");
    let made = send("/settings/webhooks", &fields).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(made.headers()["cache-control"], "no-store");
    let page = made.text().await.expect("a page");
    assert!(page.contains("whsec_") && page.contains("&lt;b&gt;Pager"), "it is shown once");
    let list = json(program.get("/api/webhooks").await).await;
    let at = format!("/settings/webhooks/{}", list[0]["id"].as_str().expect("an id"));
    let tried = send(&format!("{at}/test"), "").await;
    assert_eq!(tried.headers()["location"], format!("{at}#deliveries"));
    assert_eq!(called.recv().await.expect("a message").1["type"], "webhook.test");
    let log = program.get(&at).await.text().await.expect("a page");
    assert!(log.contains("Delivered") && log.contains("204") && !log.contains("whsec_"));
    let again = send(&format!("{at}/deliveries/1/redeliver"), "").await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER);
    called.recv().await.expect("the message again");
    let saved = send(&at, &format!("name=Pager&url={url}&event=run.failed")).await;
    assert_eq!(saved.headers()["location"], format!("{at}?saved"));
    let list = json(program.get("/api/webhooks").await).await;
    assert_eq!((&list[0]["enabled"], &list[0]["events"]), (&body!(false), &body!(["run.failed"])));
    assert_eq!(send(&format!("{at}/delete"), "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(json(program.get("/api/webhooks").await).await, body!([]));
    assert_eq!(program.get(&at).await.status(), StatusCode::NOT_FOUND);
}
