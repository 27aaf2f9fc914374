//! The functions of `functions` as the browser calls them, over the protocol of Leptos' server
//! functions: `GET` with the arguments in the address or `POST` with them as JSON; the answer, or why
//! there is none, comes as JSON. One function asks for all of them: the stubs that Leptos would make,
//! with what they read and write by serde, took a twentieth of the page's WebAssembly.

use js_sys::{JSON, encode_uri_component};
use lanes_model::{Json, Read, RunId, RunRequest, TextCount};
use wasm_bindgen::JsValue;

use super::{Packed, RunPageData, UiError};
use crate::browser::fetch::fetch;

/// The text of a shipped sample.
pub async fn sample_text(id: String) -> Result<String, UiError> {
    ask("sample", Some(&id), String::new()).await.map(|text| Read::read(&text))
}

/// The size of a text, with tokens counted.
pub async fn count_text(text: String) -> Result<TextCount, UiError> {
    ask("count", None, body("text", &quoted(&text))).await.map(|count| Read::read(&count))
}

/// Starts a run.
pub async fn start_run(request: RunRequest, options: String) -> Result<RunId, UiError> {
    let request = serde_json::to_string(&request).unwrap_or_default();
    // One argument after the other.
    let arguments = [&request, ",\"options\":", &quoted(&options)].concat();
    ask("start", None, body("request", &arguments)).await.map(|id| Read::read(&id))
}

/// A run and what is needed to draw it.
pub async fn run_page(id: String) -> Result<Packed<RunPageData>, UiError> {
    let packed = ask("run", Some(&id), String::new()).await?;
    Packed::of(packed.text()).ok_or_else(nonsense)
}

/// Stops a run.
pub async fn cancel_run(id: String) -> Result<(), UiError> {
    ask("cancel", None, body("id", &quoted(&id))).await.map(|_| ())
}

/// Pauses a run.
pub async fn pause_run(id: String) -> Result<(), UiError> {
    ask("pause", None, body("id", &quoted(&id))).await.map(|_| ())
}

/// Changes how many lanes a run uses.
pub async fn change_run(id: String, concurrency: u32) -> Result<(), UiError> {
    let fields = [&quoted(&id), ",\"concurrency\":", &concurrency.to_string()].concat();
    ask("change", None, body("id", &fields)).await.map(|_| ())
}

/// Takes an interrupted run up again, or lets a paused one go on.
pub async fn resume_run(id: String) -> Result<(), UiError> {
    ask("resume", None, body("id", &quoted(&id))).await.map(|_| ())
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    JSON::stringify(&JsValue::from_str(text)).map(String::from).unwrap_or_default()
}

/// The argument of that name, which is JSON already.
fn body(name: &str, json: &str) -> String {
    ["{\"", name, "\":", json, "}"].concat()
}

fn nonsense() -> UiError {
    UiError::Unreachable("the answer makes no sense".to_owned())
}

/// Calls a server function: by `GET` with the id, or else by `POST` with the body.
async fn ask(name: &str, id: Option<&str>, body: String) -> Result<Json, UiError> {
    let mut address = ["/api/", name].concat();
    if let Some(id) = id {
        address.push_str("?id=");
        address.push_str(&String::from(encode_uri_component(id)));
    }
    let (ok, text) =
        fetch(&address, Some(body).filter(|_| id.is_none())).await.map_err(UiError::Unreachable)?;
    let answer = Json::parse(&text).ok_or_else(nonsense)?;
    if ok { Ok(answer) } else { Err(UiError::read(&answer)) }
}
