//! What the pages the server renders gain in a browser with JavaScript. Elements say what they want:
//!
//! | Attribute | Effect |
//! |---|---|
//! | `data-do="theme"`, `"present"`, `"letters"` | a button that switches how pages are shown and heard |
//! | `data-goto="id"` | a button that leads to another place of the page |
//! | `data-auto` | a form that sends itself when a field of it changes |
//! | `data-confirm="…?"` | a form that asks first |
//! | `data-fresh="2000"` | an element with an id, read again from the server every so many ms |
//!
//! Rule: events are listened to on the document, so that it does not matter when an element came.

use leptos::prelude::document;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{
    Document, DomParser, Element, Event, HtmlDialogElement, HtmlElement, HtmlFormElement,
    SupportedType,
};

use super::fetch::fetch;
use super::{display, keys, live_form, place};

/// Brings what the server rendered to life. Called once, before the islands.
pub fn enhance() {
    listen("click", |event| {
        match found(&event, "[data-do]").and_then(|e| e.get_attribute("data-do")).as_deref() {
            Some("theme") => display::toggle_theme(),
            Some("present") => display::toggle_present(),
            Some("letters") => display::toggle_letters(),
            _ => {}
        }
        if let Some(id) = found(&event, "[data-goto]").and_then(|e| e.get_attribute("data-goto")) {
            go_to(&id);
        }
    });
    listen("change", |event| {
        if let Some(form) = found(&event, "form[data-auto]").and_then(form) {
            // Refused only by a field the browser itself finds wrong, which it then shows.
            let _ = form.request_submit();
        }
    });
    listen("submit", |event| {
        let question =
            found(&event, "form[data-confirm]").and_then(|f| f.get_attribute("data-confirm"));
        let Some((question, window)) = question.zip(web_sys::window()) else { return };
        if !window.confirm_with_message(&question).unwrap_or(true) {
            event.prevent_default();
        }
    });
    live_form::live_forms();
    keys::on_key(|key| {
        if key.in_field || key.command {
            return false;
        }
        match key.name.as_str() {
            "n" | "N" => place::go("/"),
            "p" | "P" => display::toggle_present(),
            "t" | "T" => display::toggle_theme(),
            "?" => return show_keys().is_some(),
            _ => return false,
        }
        true
    });
    refresh_later(&document());
}

/// Opens the list of keys.
fn show_keys() -> Option<()> {
    let dialog = document().get_element_by_id("keys")?.dyn_into::<HtmlDialogElement>().ok()?;
    dialog.show_modal().ok()
}

/// Brings an element of the page into sight and puts the focus on it.
fn go_to(id: &str) {
    let element = document().get_element_by_id(id).and_then(|e| e.dyn_into::<HtmlElement>().ok());
    if let Some(element) = element {
        element.scroll_into_view();
        let _ = element.focus();
    }
}

pub(super) fn listen(name: &str, handle: impl Fn(Event) + 'static) {
    let handler = Closure::<dyn Fn(Event)>::new(handle);
    // It fails only for names that are no names.
    let _ = document().add_event_listener_with_callback(name, handler.as_ref().unchecked_ref());
    // The page listens for as long as it is there.
    handler.forget();
}

/// The nearest element around the event that fits the selector.
pub(super) fn found(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

fn form(element: Element) -> Option<HtmlFormElement> {
    element.dyn_into().ok()
}

/// Reads an element again, after the time it asks for, until it no longer asks.
fn refresh_later(document: &Document) {
    let element = document.query_selector("[data-fresh][id]").ok().flatten();
    let Some(element) = element.and_then(|e| e.dyn_into::<HtmlElement>().ok()) else { return };
    let period = element.dataset().get("fresh").and_then(|ms| ms.parse().ok()).unwrap_or(2_000);
    let again = move || spawn_local(refresh(element.clone()));
    gloo_timers::callback::Timeout::new(period, again).forget();
}

async fn refresh(old: HtmlElement) {
    let document = document();
    // While the server is away the list stays as it is.
    if let Some(new) = read_again(&old.id()).await {
        let held = document.active_element().filter(|e| old.contains(Some(e)));
        let place = held.as_ref().and_then(|e| e.get_attribute("href"));
        let _ = old.replace_with_with_node_1(&new);
        // Whoever stood on a link stands on it still.
        let same = place.and_then(|href| new.query_selector(&format!("a[href='{href}']")).ok()?);
        if let Some(link) = same.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
            let _ = link.focus();
        }
    }
    refresh_later(&document);
}

async fn read_again(id: &str) -> Option<Element> {
    let address = web_sys::window()?.location().href().ok()?;
    let (_, text) = fetch(&address, None).await.ok().filter(|(ok, _)| *ok)?;
    let page = DomParser::new().ok()?.parse_from_string(&text, SupportedType::TextHtml).ok()?;
    page.get_element_by_id(id)
}
