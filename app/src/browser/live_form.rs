//! Forms that show what becomes of them while they are filled in. Elements say what they want:
//!
//! | Attribute | Effect |
//! |---|---|
//! | `data-live="id"` | a form that is sent a moment after it changes: the element of that id in the answer takes the place of the one here. It is marked `data-unsaved` once it changed, Ctrl+S sends it, and leaving it then asks |
//! | `data-swap="id id"` | a button of it that sends it and swaps these elements, in place of loading the page |
//!
//! Without JavaScript the same buttons load the page with the same elements in it.

use std::cell::Cell;

use leptos::prelude::document;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    DomParser, Element, Event, FormData, HtmlFormElement, SupportedType, UrlSearchParams,
};

use super::enhance::{found, listen};
use super::fetch::send_fields;
use super::keys;

const LIVE: &str = "form[data-live]";
/// What of such a form is not kept.
const BESIDE: &str = "[name=sample],[name=text],[name=target]";
const UNSAVED: &str = "data-unsaved";
/// How long the typing pauses before the form is sent, ms.
const PAUSE_MS: u32 = 300;

thread_local! {
    /// How often something was asked for: only the last answer counts.
    static EDITION: Cell<u32> = const { Cell::new(0) };
}

/// Brings such forms to life. Called once.
pub fn live_forms() {
    listen("input", |event| {
        let Some(form) = found(&event, LIVE) else { return };
        if found(&event, BESIDE).is_none() {
            let _ = form.set_attribute(UNSAVED, "");
        }
        let (edition, ids) = (next(), form.get_attribute("data-live").unwrap_or_default());
        gloo_timers::callback::Timeout::new(PAUSE_MS, move || {
            if EDITION.get() == edition {
                swap(&form, "preview", ids);
            }
        })
        .forget();
    });
    listen("click", |event| {
        let Some(button) = found(&event, "[data-swap]") else { return };
        let Some(form) = button.closest(LIVE).ok().flatten() else { return };
        event.prevent_default();
        let what = button.get_attribute("value").unwrap_or_default();
        swap(&form, &what, button.get_attribute("data-swap").unwrap_or_default());
    });
    // A form that is sent does not ask.
    listen("submit", |event| {
        if let Some(form) = found(&event, LIVE) {
            let _ = form.remove_attribute(UNSAVED);
        }
    });
    if let Some(window) = web_sys::window() {
        let ask = wasm_bindgen::closure::Closure::<dyn Fn(Event)>::new(|event: Event| {
            if live("form[data-live][data-unsaved]").is_some() {
                event.prevent_default();
            }
        });
        let _ =
            window.add_event_listener_with_callback("beforeunload", ask.as_ref().unchecked_ref());
        ask.forget();
    }
    keys::on_key(|key| {
        let form = (key.command && key.name == "s").then(|| live(LIVE)).flatten();
        let button = form.and_then(|f| f.query_selector("[value=save]").ok()?);
        let Some(button) = button.and_then(|b| b.dyn_into::<web_sys::HtmlElement>().ok()) else {
            return false;
        };
        button.click();
        true
    });
}

fn live(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

fn next() -> u32 {
    EDITION.set(EDITION.get() + 1);
    EDITION.get()
}

/// Sends the form and puts these elements of the answer into the place of ours.
fn swap(form: &Element, what: &str, ids: String) {
    let form = form.unchecked_ref::<HtmlFormElement>();
    let Some(fields) = fields(form, what) else { return };
    let (address, edition) = (form.action(), next());
    let busy = move |ids: &str, is: bool| {
        for id in ids.split(' ') {
            if let Some(element) = document().get_element_by_id(id) {
                let _ = element.set_attribute("aria-busy", if is { "true" } else { "false" });
            }
        }
    };
    // A preview is quick; what takes longer is seen to be under way.
    if what != "preview" {
        busy(&ids, true);
    }
    spawn_local(async move {
        let answer = send_fields(&address, &fields).await;
        busy(&ids, false);
        // While the server is away everything stays as it is.
        let page = answer.ok().filter(|_| EDITION.get() == edition).and_then(|text| {
            DomParser::new().ok()?.parse_from_string(&text, SupportedType::TextHtml).ok()
        });
        let Some(page) = page else { return };
        for id in ids.split(' ') {
            let pair = document().get_element_by_id(id).zip(page.get_element_by_id(id));
            if let Some((old, new)) = pair {
                old.set_inner_html(&new.inner_html());
            }
        }
    });
}

/// What the form would send with that button.
fn fields(form: &HtmlFormElement, what: &str) -> Option<UrlSearchParams> {
    let fields: JsValue = FormData::new_with_form(form).ok()?.into();
    let fields = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?;
    fields.set("do", what);
    Some(fields)
}
