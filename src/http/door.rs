//! The door for OpenAI's clients: `/v1/chat/completions` and `/v1/models`. Whoever sets their base URL
//! to this server gets its limits, retries, fallbacks and cache; refusals have OpenAI's form.
//!
//! A client's key is not looked at here and never passed on: providers get the keys that were
//! configured.

pub mod refused;

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use lanes_service::{DoorAsk, DoorHead, DoorModel, DoorNews, Service};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::interval;
use utoipa::ToSchema;

use super::StopToken;
use super::refusals::{ChatRefused, NoModel};
use refused::{error, failed, in_stream, refused};

/// The largest request: images come with it.
pub const MAX_BODY: usize = 32 << 20;
/// A stream that says nothing says that it is alive so often.
const ALIVE: Duration = Duration::from_secs(15);

/// A chat completion as OpenAI's clients ask for it. Other fields are passed on as they are.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "described, not made: the body is passed on as it is")]
pub struct ChatAsk {
    /// `provider/model`, or a model that one provider alone serves; see `/v1/models`.
    model: String,
    /// The conversation.
    #[schema(value_type = Vec<Object>, min_items = 1)]
    messages: Vec<Value>,
    /// Whether the answer comes piece by piece, as server-sent events.
    stream: Option<bool>,
}

/// A list of models in OpenAI's form.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelList {
    /// Always `list`.
    object: &'static str,
    /// The models.
    data: Vec<Model>,
}

/// A model in OpenAI's form.
#[derive(Debug, Serialize, ToSchema)]
pub struct Model {
    /// Its name in requests.
    id: String,
    /// Always `model`.
    object: &'static str,
    /// When this was asked, seconds since 1970: providers' own times are not known.
    created: u64,
    /// The provider that serves it.
    owned_by: String,
}

impl Model {
    fn of(model: DoorModel) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (id, owned_by) = (model.id, model.provider);
        Self { id, object: "model", created: since.as_secs(), owned_by }
    }
}

/// Lists the models that can be asked for: as `provider/model` and, where one provider alone serves it,
/// by its own name.
#[utoipa::path(
    get,
    path = "/v1/models",
    operation_id = "openai_models",
    tag = "OpenAI",
    responses((status = 200, description = "All of them", body = ModelList))
)]
pub async fn models(State(service): State<Service>) -> Json<ModelList> {
    let data = service.door_models().into_iter().map(Model::of).collect();
    Json(ModelList { object: "list", data })
}

/// Says whether there is a model of that name.
#[utoipa::path(
    get,
    path = "/v1/models/{model}",
    operation_id = "openai_model",
    tag = "OpenAI",
    params(("model" = String, Path, description = "Its name; slashes may stand in it", example = "simulator/simulated-mini")),
    responses((status = 200, description = "The model", body = Model), NoModel)
)]
pub async fn model(State(service): State<Service>, Path(name): Path<String>) -> Response {
    match service.door_models().into_iter().find(|model| model.id == name) {
        Some(found) => Json(Model::of(found)).into_response(),
        None => {
            let short: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            let message =
                format!("There is no model “{short}”; GET /v1/models lists what there is.");
            error(StatusCode::NOT_FOUND, message, Some("model"), Some("model_not_found"))
        }
    }
}

/// Passes a chat completion on to a provider, plain or as a stream, with the limits, retries, fallbacks
/// and the cache of this server.
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    operation_id = "openai_chat",
    tag = "OpenAI",
    params(
        ("x-lanes-cache" = Option<String>, Header, description = "`on` or `off`: whether the answer may come from the cache; by default where temperature is 0 or there is a seed"),
        ("x-lanes-redact" = Option<String>, Header, description = "`on`: personal data is taken out of the request before it is passed on, and put back into the answer")
    ),
    request_body(
        content = ChatAsk,
        examples(
            ("plain" = (summary = "A plain answer", value = json!({
                "model": "simulator/simulated-mini",
                "messages": [{ "role": "user", "content": "What are lanes for?" }]
            }))),
            ("stream" = (summary = "An answer piece by piece", value = json!({
                "model": "simulator/simulated-mini", "stream": true,
                "stream_options": { "include_usage": true },
                "messages": [{ "role": "user", "content": "What are lanes for?" }]
            })))
        )
    ),
    responses(
        (
            status = 200,
            description = "The answer, as the provider gave it",
            content(
                (serde_json::Value = "application/json"),
                (serde_json::Value = "text/event-stream")
            ),
            headers(
                ("x-lanes-cache" = String, description = "`hit` or `miss`; missing when the answer was not looked for in the cache"),
                ("x-lanes-provider" = String, description = "Who answered"),
                ("x-lanes-attempt" = u32, description = "Which attempt answered, from 1; 0 from the cache"),
                ("x-lanes-redacted" = u32, description = "From how many places of the request personal data was taken; missing when that was not asked for")
            )
        ),
        ChatRefused
    )
)]
pub async fn complete(
    State(service): State<Service>,
    State(StopToken(stop)): State<StopToken>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let ask = match read(&headers, body) {
        Ok(ask) => ask,
        Err(refusal) => return *refusal,
    };
    let stream = ask.stream;
    let mut answer = match service.pass_on(ask).await {
        Ok(answer) => answer,
        Err(why) => return refused(why),
    };
    // Nothing is said before it is known whether there is an answer: then the status tells.
    let head = match answer.next().await {
        Some(DoorNews::Answers(head)) => head,
        Some(DoorNews::Ended(Err(failure))) => return failed(&failure),
        _ => return error(StatusCode::SERVICE_UNAVAILABLE, "Lanes is stopping.", None, None),
    };
    if !stream {
        let mut body = String::new();
        while let Some(news) = answer.next().await {
            match news {
                DoorNews::Data(data) => body = data,
                DoorNews::Ended(Err(failure)) => return failed(&failure),
                DoorNews::Ended(Ok(())) => break,
                DoorNews::Answers(_) => {}
            }
        }
        return (told(&head, "application/json"), body).into_response();
    }
    let news = answer.into_stream().filter_map(|news| {
        std::future::ready(match news {
            DoorNews::Data(data) => Some(event(&data)),
            DoorNews::Ended(Ok(())) => Some("data: [DONE]\n\n".to_owned()),
            // The status has been sent: OpenAI's clients read an error out of the stream.
            DoorNews::Ended(Err(failure)) => Some(event(&in_stream(&failure))),
            DoorNews::Answers(_) => None,
        })
    });
    let body = with_signs_of_life(news).take_until(stop.cancelled_owned());
    let body = Body::from_stream(body.map(Ok::<_, Infallible>));
    (told(&head, "text/event-stream"), body).into_response()
}

fn event(data: &str) -> String {
    // A piece has no line break of its own: it is JSON. One between its parts would end the event.
    format!("data: {}\n\n", data.replace(['\n', '\r'], " "))
}

/// The same stream, with a comment whenever nothing has come for a while.
fn with_signs_of_life(
    news: impl futures::Stream<Item = String> + Send,
) -> impl futures::Stream<Item = String> + Send {
    let mut every = interval(ALIVE);
    every.reset();
    stream::unfold((Box::pin(news), every), |(mut news, mut every)| async move {
        tokio::select! {
            biased;
            next = news.next() => {
                every.reset();
                next.map(|text| (text, (news, every)))
            }
            _ = every.tick() => Some((": waiting\n\n".to_owned(), (news, every))),
        }
    })
}

/// What is asked for, or the answer that says what is wrong with it.
fn read(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<DoorAsk, Box<Response>> {
    let refuse = |status, message: String| Err(Box::new(error(status, message, None, None)));
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    let media_type = text(header::CONTENT_TYPE).split(';').next().unwrap_or("").trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let message = "Send JSON, with the header Content-Type: application/json.".to_owned();
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let body = match body {
        Ok(body) => body,
        Err(why) => return refuse(why.status(), why.body_text()),
    };
    let body: Map<String, Value> = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(why) => {
            let message = format!("The body is not a JSON object: {why}.");
            return refuse(StatusCode::BAD_REQUEST, message);
        }
    };
    let caching = text(header::CACHE_CONTROL);
    let cache = match text(HeaderName::from_static("x-lanes-cache")) {
        "on" => Some(true),
        "off" => Some(false),
        _ if caching.contains("no-store") || caching.contains("no-cache") => Some(false),
        _ => None,
    };
    let redact = match text(HeaderName::from_static("x-lanes-redact")) {
        "on" => true,
        "" | "off" => false,
        // Taken for “off”, a slip of the pen would let out what was to stay.
        _ => return refuse(StatusCode::BAD_REQUEST, "x-lanes-redact is on or off.".to_owned()),
    };
    let mut ask = DoorAsk::read(body, cache).map_err(|why| Box::new(refused(why)))?;
    ask.redact = redact;
    Ok(ask)
}

/// The headers of an answer.
fn told(head: &DoorHead, media_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cached) = head.cached {
        let word = if cached { "hit" } else { "miss" };
        headers.insert("x-lanes-cache", HeaderValue::from_static(word));
    }
    if let Ok(provider) = HeaderValue::from_str(&head.provider) {
        headers.insert("x-lanes-provider", provider);
    }
    headers.insert("x-lanes-attempt", HeaderValue::from(head.attempt));
    if let Some(places) = head.redacted {
        headers.insert("x-lanes-redacted", HeaderValue::from(places));
    }
    headers
}
