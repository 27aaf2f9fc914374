//! The door for OpenAI's clients, against the simulator and against an endpoint that does as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response as Answer};
use axum::routing::post;
use futures::{StreamExt, stream};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json as body};
use tokio::sync::Semaphore;

use crate::support::{Program, json};

const PATH: &str = "/v1/chat/completions";

fn chat(model: &str, stream: bool) -> Value {
    let messages = body!([{ "role": "user", "content": "What are lanes for?" }]);
    body!({ "model": model, "messages": messages, "stream": stream })
}

/// The data of a stream's events.
fn data(stream: &str) -> Vec<&str> {
    stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
}

fn text_of(stream: &str) -> String {
    let pieces = data(stream).into_iter().filter_map(|d| serde_json::from_str::<Value>(d).ok());
    pieces.filter_map(|p| p["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
}

/// A refusal in OpenAI's form: its words, parameter and code.
async fn refusal(response: Response, status: StatusCode) -> (String, Value, Value) {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let error = json(response).await["error"].take();
    assert!(error["type"].as_str().is_some_and(|t| t.ends_with("_error")), "{error}");
    let message = error["message"].as_str().expect("words").to_owned();
    (message, error["param"].clone(), error["code"].clone())
}

#[tokio::test]
async fn the_simulator_answers_through_the_door_plain_and_in_pieces() {
    let program = Program::start("none");
    let list = json(program.get("/v1/models").await).await;
    let ids: Vec<_> = list["data"].as_array().expect("models").iter().map(|m| &m["id"]).collect();
    assert_eq!(ids, ["simulator/simulated-mini", "simulated-mini"]);
    let one = json(program.get("/v1/models/simulator/simulated-mini").await).await;
    assert_eq!((&one["object"], &one["owned_by"]), (&"model".into(), &"simulator".into()));
    let plain = program.post(PATH, &chat("simulated-mini", false)).await;
    assert_eq!(plain.status(), StatusCode::OK);
    assert_eq!(plain.headers()["x-lanes-provider"], "simulator");
    assert_eq!(plain.headers()["x-lanes-attempt"], "1");
    assert!(plain.headers().get("x-lanes-cache").is_none());
    let plain = json(plain).await;
    let said = plain["choices"][0]["message"]["content"].as_str().expect("text").to_owned();
    assert!(!said.is_empty() && plain["usage"]["completion_tokens"].as_u64() > Some(0), "{plain}");
    let stream = program.post(PATH, &chat("simulator/simulated-mini", true)).await;
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    let stream = stream.text().await.expect("text");
    assert_eq!(text_of(&stream), said);
    assert_eq!(data(&stream).last(), Some(&"[DONE]"));
    assert!(!stream.contains("\"usage\""), "nobody asked for it: {stream}");
    let mut asked = chat("simulated-mini", true);
    asked["stream_options"] = body!({ "include_usage": true });
    let stream = program.post(PATH, &asked).await.text().await.expect("text");
    let last = data(&stream)[data(&stream).len() - 2];
    assert_eq!(serde_json::from_str::<Value>(last).expect("JSON")["usage"], plain["usage"]);
    let health = json(program.get("/api/providers").await).await;
    let door = &health[0]["door"][0];
    assert_eq!(
        (&door["requests"], &door["answered"], &door["attempts"]),
        (&3.into(), &3.into(), &3.into())
    );
    assert!(door["tokens"]["output"].as_u64() > Some(0), "{door}");
    assert_eq!(json(program.get("/api/runs").await).await["total"], 0, "it is no run");
}

#[tokio::test]
async fn refusals_have_the_form_that_openais_clients_read() {
    let program = Program::start("none");
    let post = async |body: Value| program.post(PATH, &body).await;
    let (message, param, code) =
        refusal(post(chat("nope", false)).await, StatusCode::NOT_FOUND).await;
    assert!(message.contains("nope") && message.contains("simulated-mini"), "{message}");
    assert_eq!((param, code), ("model".into(), "model_not_found".into()));
    let (_, param, _) = refusal(post(body!({ "model": "m" })).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(param, "messages");
    refusal(post(body!([])).await, StatusCode::BAD_REQUEST).await;
    let raw = program.client.post(format!("{}{PATH}", program.url)).body("{}");
    refusal(raw.send().await.expect("an answer"), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    let get = program.get(PATH).await;
    assert_eq!(get.headers()[header::ALLOW], "POST");
    refusal(get, StatusCode::METHOD_NOT_ALLOWED).await;
    for path in ["/v1", "/v1/embeddings", "/v1/models/nope"] {
        refusal(program.get(path).await, StatusCode::NOT_FOUND).await;
    }
    refusal(program.get("/v1/models/%ff").await, StatusCode::BAD_REQUEST).await;
    let large = body!({ "model": "m", "messages": ["x".repeat(33 << 20)] });
    refusal(post(large).await, StatusCode::PAYLOAD_TOO_LARGE).await;
}

/// What an endpoint does with a request.
#[derive(Clone)]
enum Does {
    Answer,
    Refuse(u16),
    /// A stream that breaks off after its first text, or before it.
    Cut {
        after_text: bool,
    },
    /// A stream that goes on when it is let.
    Wait(Arc<Semaphore>),
}

/// An endpoint that does as it is told, in order, and then answers.
#[derive(Clone, Default)]
struct Endpoint {
    does: Arc<Mutex<VecDeque<Does>>>,
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    /// Requests under way, and the most there were.
    flying: Arc<Mutex<(usize, usize)>>,
}

const BEGINS: &str = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#;
const SAYS: &str =
    r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hello"}}]}"#;
const ENDS: &str = r#"{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USED: &str = r#"{"object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#;
const WHOLE: &str = r#"{"object":"chat.completion","tomorrow":1,"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#;

struct Flying(Endpoint);

impl Drop for Flying {
    fn drop(&mut self) {
        self.0.flying.lock().expect("a lock").0 -= 1;
    }
}

impl Endpoint {
    async fn start(does: Vec<Does>) -> (Self, String) {
        let endpoint = Self { does: Arc::new(Mutex::new(does.into())), ..Self::default() };
        let router = Router::new().route(PATH, post(answer)).with_state(endpoint.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (endpoint, url)
    }

    fn asked(&self) -> usize {
        self.asked.lock().expect("a lock").len()
    }
}

async fn answer(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Bytes) -> Answer {
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let stream = body["stream"] == true;
    endpoint.asked.lock().expect("a lock").push((headers, body));
    let does = endpoint.does.lock().expect("a lock").pop_front().unwrap_or(Does::Answer);
    {
        let mut flying = endpoint.flying.lock().expect("a lock");
        flying.0 += 1;
        flying.1 = flying.1.max(flying.0);
    }
    let flying = Flying(endpoint.clone());
    let events = |pieces: Vec<&'static str>, cut: bool, gate: Option<Arc<Semaphore>>| {
        let pieces = stream::iter(pieces.into_iter().enumerate()).then(move |(i, piece)| {
            let gate = gate.clone().filter(|_| i >= 2);
            async move {
                if let Some(gate) = gate {
                    gate.acquire().await.expect("open").forget();
                }
                Ok(format!("data: {piece}\n\n"))
            }
        });
        let rest = stream::iter(cut.then_some(())).then(|()| async {
            // What was said before is sent before the connection breaks.
            tokio::task::yield_now().await;
            Err(std::io::Error::other("cut"))
        });
        let body = pieces.chain(rest).map(move |piece| {
            let _ = &flying;
            piece
        });
        ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
    };
    match does {
        Does::Refuse(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, r#"{"error":{"message":"As I was told."}}"#).into_response()
        }
        Does::Cut { after_text: true } => events(vec![BEGINS, SAYS], true, None),
        Does::Cut { after_text: false } => events(vec![BEGINS], true, None),
        Does::Wait(gate) => events(vec![BEGINS, SAYS, ENDS, USED, "[DONE]"], false, Some(gate)),
        Does::Answer if stream => events(vec![BEGINS, SAYS, ENDS, USED, "[DONE]"], false, None),
        Does::Answer => {
            tokio::task::yield_now().await;
            ([(header::CONTENT_TYPE, "application/json")], WHOLE).into_response()
        }
    }
}

/// A program whose provider `far` is that endpoint, with further lines.
fn program(url: &str, more: &str) -> Program {
    program_with(url, more, &[])
}

/// The same with further variables.
fn program_with(url: &str, more: &str, variables: &[(&str, &str)]) -> Program {
    let file = format!(
        "[[provider]]\nname = \"far\"\nbase_urls = [\"{url}\"]\nmodels = [\"m\"]\n\
         api_key_env = \"FAR_KEY\"\n{more}\n"
    );
    let variables: Vec<_> =
        [("FAR_KEY", "sk-planted-far")].iter().chain(variables).copied().collect();
    Program::start_with("none", &file, &variables)
}

#[tokio::test]
async fn everything_is_passed_on_but_the_clients_key() {
    let (endpoint, url) = Endpoint::start(vec![]).await;
    let program = program(&url, "");
    let mut asked = chat("far/m", false);
    asked["tools"] = body!([{ "type": "function", "function": { "name": "f" } }]);
    asked["a_field_of_tomorrow"] = body!({ "deep": [1, null] });
    asked["messages"] = body!([{ "role": "user", "content": [
        { "type": "text", "text": "What is this?" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
    ] }]);
    let post = program.client.post(format!("{}{PATH}", program.url)).json(&asked);
    let post = post.header(header::AUTHORIZATION, "Bearer sk-of-the-client");
    let answer = post.header("openai-organization", "theirs").send().await.expect("an answer");
    assert_eq!(answer.text().await.expect("text"), WHOLE, "as it came");
    let (headers, seen) = endpoint.asked.lock().expect("a lock")[0].clone();
    assert_eq!(headers[header::AUTHORIZATION], "Bearer sk-planted-far");
    assert!(headers.get("openai-organization").is_none());
    asked["model"] = "m".into();
    assert_eq!(seen, asked);
}

#[tokio::test]
async fn what_fails_is_tried_again_until_something_has_been_told() {
    let (endpoint, url) =
        Endpoint::start(vec![Does::Refuse(500), Does::Cut { after_text: false }]).await;
    let program = program(&url, "");
    let answer = program.post(PATH, &chat("m", true)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["x-lanes-attempt"], "3");
    let stream = answer.text().await.expect("text");
    assert_eq!((text_of(&stream).as_str(), data(&stream).last()), ("Hello", Some(&"[DONE]")));
    assert_eq!(endpoint.asked(), 3);
    endpoint.does.lock().expect("a lock").push_back(Does::Cut { after_text: true });
    let stream = program.post(PATH, &chat("m", true)).await.text().await.expect("text");
    assert_eq!(text_of(&stream), "Hello", "once");
    let last: Value = serde_json::from_str(data(&stream).last().expect("data")).expect("JSON");
    assert!(last["error"]["message"].as_str().is_some_and(|m| m.contains("stopped")), "{last}");
    assert_eq!(endpoint.asked(), 4, "it is not asked again");
}

#[tokio::test]
async fn a_failure_is_told_by_the_status_and_without_a_second_retry() {
    let (endpoint, url) = Endpoint::start(vec![Does::Refuse(400), Does::Refuse(401)]).await;
    let program = program(&url, "");
    for stream in [false, true] {
        let answer = program.post(PATH, &chat("m", stream)).await;
        assert_eq!(answer.headers()["x-should-retry"], "false");
        let status = if stream { StatusCode::BAD_GATEWAY } else { StatusCode::BAD_REQUEST };
        let (message, _, code) = refusal(answer, status).await;
        assert!(!message.contains("sk-planted"), "{message}");
        assert_eq!(code, if stream { "provider_key_rejected".into() } else { Value::Null });
    }
    assert_eq!(endpoint.asked(), 2);
}

#[tokio::test]
async fn a_fallback_answers_where_the_provider_is_not_there() {
    let (_, far) = Endpoint::start(vec![]).await;
    // An address at which nobody listens any more.
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
        format!("http://{}/v1", listener.local_addr().expect("an address"))
    };
    let near = format!(
        "[[provider]]\nname = \"near\"\nbase_urls = [\"{nobody}\"]\nmodels = [\"n\"]\n\
         fallback = [\"far\"]"
    );
    let program = program(&far, &near);
    let answer = program.post(PATH, &chat("near/n", false)).await;
    assert_eq!(answer.headers()["x-lanes-provider"], "far");
    assert_eq!(answer.text().await.expect("text"), WHOLE);
}

#[tokio::test]
async fn the_first_piece_does_not_wait_for_the_last() {
    let gate = Arc::new(Semaphore::new(0));
    let (_, url) = Endpoint::start(vec![Does::Wait(Arc::clone(&gate))]).await;
    let program = program(&url, "");
    let mut answer = program.post(PATH, &chat("m", true)).await;
    let mut seen = String::new();
    while !seen.contains("Hello") {
        let piece = answer.chunk().await.expect("a piece").expect("a piece");
        seen.push_str(std::str::from_utf8(&piece).expect("text"));
    }
    assert!(!seen.contains("finish_reason"), "{seen}");
    gate.add_permits(9);
    assert!(answer.text().await.expect("text").ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn answers_that_are_meant_to_be_the_same_come_from_the_cache() {
    let (endpoint, url) = Endpoint::start(vec![]).await;
    let program = program(&url, "");
    for stream in [false, true] {
        let mut asked = chat("m", stream);
        asked["temperature"] = body!(0);
        let mut answers = Vec::new();
        for expected in ["miss", "hit"] {
            let answer = program.post(PATH, &asked).await;
            assert_eq!(answer.headers()["x-lanes-cache"], expected);
            answers.push(answer.text().await.expect("text"));
        }
        assert_eq!(answers[0], answers[1]);
        let again = program.client.post(format!("{}{PATH}", program.url)).json(&asked);
        let again = again.header("x-lanes-cache", "off").send().await.expect("an answer");
        assert!(again.headers().get("x-lanes-cache").is_none());
        again.text().await.expect("text");
    }
    assert_eq!(endpoint.asked(), 4);
    let health = json(program.get("/api/providers").await).await;
    let far = health.as_array().expect("providers").iter().find(|p| p["id"] == "far");
    let door = &far.expect("it")["door"][0];
    assert_eq!((&door["cached"], &door["answered"]), (&2.into(), &4.into()));
    assert_eq!(door["tokens"]["input"], 36, "only what was asked");
}

#[tokio::test]
async fn personal_data_stays_here_when_a_request_or_the_program_says_so() {
    let (endpoint, url) = Endpoint::start(vec![]).await;
    let mut asked = chat("m", false);
    asked["messages"][0]["content"] = "Mail ann@secret.example.".into();
    let places = |answer: &Response| answer.headers().get("x-lanes-redacted").cloned();
    let sent = |place: usize| endpoint.asked.lock().expect("a lock")[place].1.clone();
    let program = program(&url, "");
    let post = |word: &'static str| {
        let post = program.client.post(format!("{}{PATH}", program.url)).json(&asked);
        post.header("x-lanes-redact", word).send()
    };
    let answer = post("on").await.expect("an answer");
    assert_eq!(places(&answer), Some(1.into()));
    assert_eq!(json(answer).await, serde_json::from_str::<Value>(WHOLE).expect("JSON"));
    assert_eq!(sent(0)["messages"][0]["content"], "Mail [EMAIL_1].");
    assert_eq!(places(&post("off").await.expect("an answer")), None);
    assert_eq!(sent(1)["messages"], asked["messages"]);
    let (words, ..) = refusal(post("yes").await.expect("an answer"), StatusCode::BAD_REQUEST).await;
    assert_eq!(words, "x-lanes-redact is on or off.");

    let strict = program_with(&url, "", &[("LANES_REDACT", "true")]);
    let answer = strict.post(PATH, &asked).await;
    assert_eq!(places(&answer), Some(1.into()));
    assert_eq!(sent(2)["messages"][0]["content"], "Mail [EMAIL_1].");
    let page = strict.get("/").await.text().await.expect("text");
    assert!(page.contains("Personal data is redacted before it leaves, always."), "it says so");
}

#[tokio::test]
async fn limits_hold_for_all_clients_together() {
    let gate = Arc::new(Semaphore::new(0));
    let wait = Does::Wait(Arc::clone(&gate));
    let (endpoint, url) = Endpoint::start(vec![wait.clone(), wait.clone(), wait]).await;
    let program = program(&url, "max_concurrency = 1");
    let asked = chat("m", true);
    // Each lets itself go on once it has begun; if they began together they would fly together.
    let one = async || {
        let answer = program.post(PATH, &asked).await;
        gate.add_permits(3);
        answer.text().await.expect("text")
    };
    let (a, b, c) = futures::join!(one(), one(), one());
    assert!([a, b, c].iter().all(|s| s.ends_with("[DONE]\n\n")));
    assert_eq!(endpoint.flying.lock().expect("a lock").1, 1, "one at a time");
}

#[tokio::test]
async fn whoever_goes_away_takes_the_request_along() {
    let gate = Arc::new(Semaphore::new(0));
    let (endpoint, url) = Endpoint::start(vec![Does::Wait(gate)]).await;
    let program = program(&url, "max_concurrency = 1");
    let mut answer = program.post(PATH, &chat("m", true)).await;
    answer.chunk().await.expect("a piece");
    drop(answer);
    // Its slot is free again: without that the next one would wait for ever.
    let next = program.post(PATH, &chat("m", false)).await;
    assert_eq!(next.text().await.expect("text"), WHOLE);
    assert_eq!(endpoint.flying.lock().expect("a lock").1, 1);
}
