//! Personal data stays here: what leaves, what comes back, what is kept for others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use lanes_model::{
    CallStatus, FailureKind, Limits, RunRequest, RunStatus, TaskDefinition, spec::InputRequest,
};
use lanes_service::{DoorAsk, DoorError, DoorHead, DoorNews, Service, Store, TrialRequest};
use serde_json::{Value, json};

use crate::soak::create_with;
use crate::support::{finished, fresh, provider, service, start, with_limits};

const PIECES: [&str; 5] =
    ["Write to [EM", "AIL_1], or to [EMAIL_1", "]. Call [PHONE_1] not [", "x]", "."];

/// A provider that notes what it is asked and answers in pieces that cut placeholders in two.
fn noting() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (addr, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let notes = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut text = String::new();
            let mut buffer = [0; 65_536];
            // The head says how long the body is.
            loop {
                let read = stream.read(&mut buffer).unwrap();
                text.push_str(&String::from_utf8_lossy(&buffer[..read]));
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
                if length.is_none_or(|l| body.len() >= l.parse().unwrap()) || read == 0 {
                    notes.lock().unwrap().push(body.to_owned());
                    break;
                }
            }
            let mut out =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
                    .to_owned();
            for piece in PIECES {
                let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": piece } }] });
                out.push_str(&format!("data: {chunk}\n\n"));
            }
            let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
            out.push_str(&format!("data: {end}\n\ndata: [DONE]\n\n"));
            let _ = stream.write_all(out.as_bytes());
        }
    });
    (addr, asked)
}

fn about(text: &str) -> RunRequest {
    RunRequest {
        input: InputRequest { text: Some(text.to_owned()), ..InputRequest::default() },
        tasks: vec!["summary".into()],
        mode: Some("parallel".into()),
        redact: true,
        ..RunRequest::default()
    }
}

#[tokio::test]
async fn placeholders_leave_and_originals_come_back() {
    let (addr, asked) = noting();
    let service = fresh(provider(addr)).await;
    let text = "Ann is ann@secret.example, ann@secret.example again, or +49 30 7654321.";
    let run = start(&service, &about(text)).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let call = &state.passes[0].calls[0];
    assert_eq!(
        call.output,
        "Write to ann@secret.example, or to ann@secret.example. Call +49 30 7654321 not [x]."
    );
    assert_eq!(call.redacted, 3);
    let asked = asked.lock().unwrap().join("\n");
    assert!(asked.contains("Ann is [EMAIL_1], [EMAIL_1] again, or [PHONE_1]."), "{asked}");
    assert!(!asked.contains("secret.example") && !asked.contains("7654321"), "{asked}");
}

#[tokio::test]
async fn without_being_asked_for_nothing_is_changed() {
    let (addr, asked) = noting();
    let service = fresh(provider(addr)).await;
    let request = RunRequest { redact: false, ..about("Ann is ann@secret.example.") };
    let run = start(&service, &request).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.passes[0].calls[0].output, PIECES.concat());
    assert!(asked.lock().unwrap()[0].contains("ann@secret.example"));
}

#[tokio::test]
async fn a_cached_answer_has_the_data_of_whoever_asks_and_the_cache_has_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanes.db");
    let (addr, asked) = noting();
    let service = service(Store::open(&path).await.unwrap(), provider(addr)).await;
    for name in ["ann@secret.example", "bob@secret.example"] {
        let text = format!("The address is {name}.");
        let request = RunRequest { cache: Some(true), ..about(&text) };
        let run = start(&service, &request).await;
        let state = finished(&service, &run).await;
        let expected = format!("Write to {name}, or to {name}. Call [PHONE_1] not [x].");
        assert_eq!(state.passes[0].calls[0].output, expected);
    }
    assert_eq!(asked.lock().unwrap().len(), 1, "the second came from the cache");
    service.shutdown().await;
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.answer_totals().await.unwrap().entries, 1);
    store.close().await;
}

#[tokio::test]
async fn an_image_cannot_be_redacted_and_is_not_sent() {
    use lanes_service::Upload;
    let (addr, asked) = noting();
    let service = fresh(provider(addr)).await;
    let Some(id) = image(&service).await else { return };
    let request = RunRequest {
        input: InputRequest { document_ids: Some(vec![id]), ..InputRequest::default() },
        ..about("")
    };
    let run = start(&service, &request).await;
    let state = finished(&service, &run).await;
    let call = &state.passes[0].calls[0];
    assert_eq!(call.status(), CallStatus::Failed);
    assert_eq!(call.failure.as_ref().unwrap().kind, FailureKind::InvalidRequest);
    assert!(asked.lock().unwrap().is_empty());

    /// An image that was uploaded; none where files cannot be read.
    async fn image(service: &Service) -> Option<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/files/scan.jpg");
        let upload =
            Upload { name: "scan.jpg".to_owned(), file: std::fs::File::open(path).unwrap() };
        let added = service.add_document(upload, None).await.unwrap();
        added.ok().map(|document| document.id.to_string())
    }
}

/// A service that lets no personal data out, whoever asks.
async fn strict(addr: SocketAddr) -> Service {
    let limits = Limits { redact: true, ..Limits::default() };
    with_limits(Store::open_in_memory().await.unwrap(), vec![provider(addr)], limits).await
}

#[tokio::test]
async fn where_it_is_set_for_the_program_no_run_needs_to_ask() {
    let (addr, asked) = noting();
    let service = strict(addr).await;
    let request = RunRequest { redact: false, ..about("Ann is ann@secret.example.") };
    let run = start(&service, &request).await;
    let state = finished(&service, &run).await;
    assert!(state.header.spec.redact);
    assert_eq!(state.passes[0].calls[0].redacted, 1);
    assert!(!asked.lock().unwrap().join("").contains("secret.example"));
}

#[tokio::test]
async fn a_run_of_before_keeps_to_it_when_it_goes_on() {
    let (addr, asked) = noting();
    let (store, provider) = (Store::open_in_memory().await.unwrap(), provider(addr));
    let mail = " Mail ann@secret.example.";
    let run = create_with(&store, &provider, 1, 1, |h| h.tasks[0].prompt.push_str(mail)).await;
    let limits = Limits { redact: true, ..Limits::default() };
    let service = with_limits(store, vec![provider], limits).await;
    service.resume(&run).await.unwrap();
    let state = finished(&service, &run).await;
    assert_eq!(state.passes[0].calls[0].redacted, 1);
    assert!(asked.lock().unwrap()[0].contains("Mail [EMAIL_1]."));
}

fn trial(redact: bool) -> TrialRequest {
    let task = TaskDefinition {
        id: "mail".to_owned(),
        name: "Mail".to_owned(),
        prompt: "To boss@secret.example: {{text}}".to_owned(),
        max_tokens: 50,
        ..TaskDefinition::default()
    };
    let text = Some("Ann is ann@secret.example.".to_owned());
    TrialRequest { task, text, redact, ..TrialRequest::default() }
}

#[tokio::test]
async fn a_trial_sends_no_more_than_a_run_would() {
    let (addr, asked) = noting();
    for (service, redact) in [(fresh(provider(addr)).await, true), (strict(addr).await, false)] {
        let trial = service.try_task(trial(redact)).await.unwrap();
        assert_eq!(trial.redacted, Some(2));
        assert_eq!(trial.prompt, "To [EMAIL_1]: Ann is [EMAIL_2].");
        let said =
            "Write to boss@secret.example, or to boss@secret.example. Call [PHONE_1] not [x].";
        assert_eq!(trial.answer.as_deref(), Some(said));
        assert!(!asked.lock().unwrap().join("").contains("secret.example"));
    }
    let plain = fresh(provider(addr)).await.try_task(trial(false)).await.unwrap();
    assert_eq!((plain.redacted, plain.answer), (None, Some(PIECES.concat())));
}

fn knock(content: Value, redact: bool) -> DoorAsk {
    let body = json!({
        "model": "simulated-mini", "stream": true, "temperature": 0,
        "messages": [{ "role": "user", "content": content }]
    });
    let Value::Object(body) = body else { unreachable!("an object") };
    let mut ask = DoorAsk::read(body, None).unwrap();
    ask.redact = redact;
    ask
}

/// What somebody at the door is told: who answers, and the text.
async fn told(service: &Service, ask: DoorAsk) -> (DoorHead, String) {
    let mut answer = service.pass_on(ask).await.unwrap_or_else(|why| panic!("{why}"));
    let Some(DoorNews::Answers(head)) = answer.next().await else { panic!("nobody answers") };
    let mut text = String::new();
    while let Some(news) = answer.next().await {
        match news {
            DoorNews::Data(piece) => {
                let piece: Value = serde_json::from_str(&piece).unwrap();
                text.push_str(piece["choices"][0]["delta"]["content"].as_str().unwrap_or(""));
            }
            DoorNews::Ended(result) => result.unwrap(),
            DoorNews::Answers(_) => panic!("twice"),
        }
    }
    (head, text)
}

#[tokio::test]
async fn at_the_door_placeholders_leave_originals_come_back_and_the_cache_has_nobodys() {
    let (addr, asked) = noting();
    let service = fresh(provider(addr)).await;
    for (name, cached) in [("ann@secret.example", false), ("bob@secret.example", true)] {
        let (head, text) = told(&service, knock(format!("Mail {name}.").into(), true)).await;
        assert_eq!((head.cached, head.redacted), (Some(cached), Some(1)));
        assert_eq!(text, format!("Write to {name}, or to {name}. Call [PHONE_1] not [x]."));
    }
    assert_eq!(asked.lock().unwrap().len(), 1, "the second came from the cache");
    assert!(asked.lock().unwrap()[0].contains("Mail [EMAIL_1]."));

    let (head, text) = told(&service, knock("Mail ann@secret.example.".into(), false)).await;
    assert_eq!((head.redacted, text), (None, PIECES.concat()));

    let (strict, before) = (strict(addr).await, asked.lock().unwrap().len());
    let (head, _) = told(&strict, knock("Mail ann@secret.example.".into(), false)).await;
    assert_eq!(head.redacted, Some(1));
    assert!(!asked.lock().unwrap()[before].contains("secret.example"));
    let image = json!([{ "type": "image_url", "image_url": { "url": "https://x.example/a.png" } }]);
    let refused = strict.pass_on(knock(image, false)).await;
    assert!(matches!(refused, Err(DoorError::Invalid { param: "messages", .. })));
    assert_eq!(asked.lock().unwrap().len(), before + 1);
}
