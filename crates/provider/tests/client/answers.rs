//! What is sent, and what a good answer becomes.

use std::sync::Arc;

use lanes_model::{Finish, Output, Schema, Temperature, Usage, UsdMicros};
use lanes_provider::{ChatRequest, Timeouts};
use tokio::sync::Notify;

use crate::server::*;

#[tokio::test]
async fn the_request_is_what_the_protocol_asks_for() {
    let mut server = Server::sending(good("Hi")).await;
    server.ask().await.unwrap();
    let request = server.request().await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    for line in [
        format!("authorization: Bearer {KEY}"),
        "content-type: application/json".into(),
        "accept: text/event-stream".into(),
        "x-call: 7".into(),
        "x-team: planted-team".into(),
        format!("user-agent: lanes/{}", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(head.lines().any(|other| other == line), "{line} is not in {head}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let expected = serde_json::json!({
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hello world"},
        ],
        "max_tokens": 50,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_temperature_and_a_schema_are_sent_when_there_are_any() {
    let mut server = Server::sending(good("{}")).await;
    let schema = serde_json::json!({"type": "object", "properties": {"z": {}, "a": {}}});
    let question = ChatRequest {
        temperature: Temperature::of(0.7),
        output: Output::Schema(Schema::new(schema.to_string())),
        ..question()
    };
    server.client().chat(&question, |_| ()).await.unwrap();
    let request = server.request().await;
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("\"temperature\":0.7"), "{body}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let format = serde_json::json!({
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": false},
    });
    assert_eq!(body["response_format"], format);
}

#[tokio::test]
async fn an_answer_has_text_usage_and_cost() {
    let answer = Server::sending(good("Hi")).await.ask().await.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), ("Hi", Finish::Stop));
    let usage = Usage { input: 1000, output: 100, cached: 400, estimated: false };
    assert_eq!(answer.usage, usage);
    // 600 × 0.15 + 400 × 0.075 + 100 × 0.60 dollars a million
    assert_eq!(answer.cost, Some(UsdMicros(180)));
}

#[tokio::test]
async fn without_reported_usage_the_tokens_are_counted_and_marked() {
    let body = [&delta("hello world"), FINISH, DONE].concat();
    let answer = Server::sending(response("200 OK", "", &body)).await.ask().await.unwrap();
    // "Be brief." has 3 tokens and "hello world" 2; 4 around each message, 3 before the answer.
    let usage = Usage { input: 3 + 2 + 2 * 4 + 3, output: 2, cached: 0, estimated: true };
    assert_eq!(answer.usage, usage);
    assert!(answer.cost.is_some());
}

#[tokio::test]
async fn an_unknown_model_has_no_cost() {
    let server = Server::sending(good("Hi")).await;
    let mut question = question();
    question.model = "llama".into();
    assert_eq!(server.client().chat(&question, |_| ()).await.unwrap().cost, None);
}

#[tokio::test]
async fn any_framing_of_a_stream_gives_the_same_text() {
    let stream = ": hi\r\nid: 1\r\ndata: {\"choices\":\r\ndata: [{\"delta\":{\"content\":\"Grüße 👋\"}}]}\r\n\r\n: ping\r\n\r\n"
        .to_owned()
        + &FINISH.replace('\n', "\r\n")
        + "data: [DONE]";
    // A byte a chunk: characters and line ends are cut apart.
    let chunks: Vec<u8> = stream.as_bytes().iter().flat_map(|byte| chunk(&[*byte])).collect();
    let bytes = [stream_head().as_bytes(), &chunks, END].concat();
    assert_eq!(Server::sending(bytes).await.ask().await.unwrap().text, "Grüße 👋");
}

#[tokio::test]
async fn text_is_heard_before_the_rest_is_sent() {
    let heard = Arc::new(Notify::new());
    let first = [stream_head().as_bytes(), &chunk(delta("one").as_bytes())].concat();
    let rest = [chunk((delta(" two") + FINISH + DONE).as_bytes()), END.to_vec()].concat();
    let script = vec![Step::Send(first), Step::Await(heard.clone()), Step::Send(rest), Step::Hang];
    let server = Server::start(vec![script]).await;
    let mut pieces = Vec::new();
    let (client, question) = (server.client(), question());
    let answer = client.chat(&question, |text| {
        pieces.push(text.to_owned());
        heard.notify_one();
    });
    assert_eq!(answer.await.unwrap().text, "one two");
    assert_eq!(pieces, ["one", " two"]);
}

#[tokio::test]
async fn an_empty_answer_is_an_answer() {
    let body = [FINISH, USAGE, DONE].concat();
    let answer = Server::sending(response("200 OK", "", &body)).await.ask().await.unwrap();
    assert_eq!(answer.text, "");
}

#[tokio::test]
async fn models_are_listed_in_the_providers_order() {
    let body = r#"{"object":"list","data":[{"id":"b","name":"B"},{"id":"a","object":"model"}]}"#;
    let mut server = Server::sending(response("200 OK", "", body)).await;
    assert_eq!(server.client().models().await.unwrap(), ["b", "a"]);
    assert!(server.request().await.starts_with("GET /v1/models HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_provider_describes_itself_without_its_key() {
    let client = client("http://127.0.0.1:9", Timeouts::default());
    let info = client.info("gpt-4o");
    assert_eq!(info.models, ["gpt-4o-mini", "other"]);
    assert_eq!(info.price, lanes_provider::price("gpt-4o"));
    assert_eq!((info.rpm, info.pace.millitokens_per_s), (Some(60), 60_000));
    assert!(!format!("{info:?} {client:?}").contains("planted"));
    let mut config = config("http://127.0.0.1:9", Timeouts::default());
    config.simulated = true;
    let pace = lanes_provider::Client::new(config).unwrap().info("simulated-mini").pace;
    assert_eq!((pace.ttft_us, pace.whole_us), (420_000, 2_000_000));
}
