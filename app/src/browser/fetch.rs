//! Asking the server for something while the page stays.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, RequestInit, Response};

/// Sends JSON by `POST` to that address, or without a body asks for it by `GET`. Returns whether the
/// answer is a good one, and its text.
///
/// # Errors
/// In words, why there is no answer.
pub async fn fetch(address: &str, body: Option<String>) -> Result<(bool, String), String> {
    let init = match &body {
        Some(_) => r#"{"method":"POST","headers":{"content-type":"application/json"}}"#,
        None => "{}",
    };
    let body = body.map(|body| JsValue::from_str(&body));
    send(address, init, body.as_ref()).await.map_err(words)
}

/// Sends a form with files.
///
/// # Errors
/// As [`fetch`].
pub async fn send_form(address: &str, form: &FormData) -> Result<(bool, String), String> {
    let init = r#"{"method":"POST","headers":{"accept":"application/json"}}"#;
    send(address, init, Some(form)).await.map_err(words)
}

/// Sends a form's fields, without files, and returns the text of the answer, whatever it is.
///
/// # Errors
/// There is no answer.
pub async fn send_fields(address: &str, fields: &JsValue) -> Result<String, JsValue> {
    send(address, r#"{"method":"POST"}"#, Some(fields)).await.map(|(_, text)| text)
}

fn words(error: JsValue) -> String {
    let error = error.dyn_into::<js_sys::Error>();
    error.map_or_else(|_| "no answer".to_owned(), |e| String::from(e.message()))
}

async fn send(
    address: &str,
    init: &str,
    body: Option<&JsValue>,
) -> Result<(bool, String), JsValue> {
    let init = js_sys::JSON::parse(init)?.unchecked_into::<RequestInit>();
    if let Some(body) = body {
        init.set_body(body);
    }
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response = JsFuture::from(window.fetch_with_str_and_init(address, &init)).await?;
    let response = response.dyn_into::<Response>()?;
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.ok(), text.as_string().unwrap_or_default()))
}
