//! Asking the server for something while the page stays.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

/// Sends JSON by `POST` to that address, or without a body asks for it by `GET`. Returns whether the
/// answer is a good one, and its text.
///
/// # Errors
/// In words, why there is no answer.
pub async fn fetch(address: &str, body: Option<String>) -> Result<(bool, String), String> {
    send(address, body).await.map_err(|error| {
        let error = error.dyn_into::<js_sys::Error>();
        error.map_or_else(|_| "no answer".to_owned(), |e| String::from(e.message()))
    })
}

/// Sends a form's fields by `POST`, and returns the text of the answer, whatever it is.
///
/// # Errors
/// There is no answer.
pub async fn send_form(address: &str, fields: &JsValue) -> Result<String, JsValue> {
    let init = js_sys::JSON::parse(r#"{"method":"POST"}"#)?.unchecked_into::<RequestInit>();
    init.set_body(fields);
    answer(address, &init).await.map(|(_, text)| text)
}

async fn send(address: &str, body: Option<String>) -> Result<(bool, String), JsValue> {
    let init = match &body {
        Some(_) => r#"{"method":"POST","headers":{"content-type":"application/json"}}"#,
        None => "{}",
    };
    let init = js_sys::JSON::parse(init)?.unchecked_into::<RequestInit>();
    if let Some(body) = body {
        init.set_body(&JsValue::from_str(&body));
    }
    answer(address, &init).await
}

async fn answer(address: &str, init: &RequestInit) -> Result<(bool, String), JsValue> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    let response = JsFuture::from(window.fetch_with_str_and_init(address, init)).await?;
    let response = response.dyn_into::<Response>()?;
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.ok(), text.as_string().unwrap_or_default()))
}
