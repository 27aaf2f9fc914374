//! Faults to inject into the simulator, for this run: off and folded away unless wanted. The closed
//! panel says what is injected. It is plain HTML that the server draws; the browser reads the fields,
//! and writes beside them what they mean. A style hides the panel while a real provider is chosen, so
//! that it is right without JavaScript too; what is hidden does not count.

#[cfg(feature = "hydrate")]
use lanes_model::FaultsRequest;
use lanes_model::FieldError;
use leptos::prelude::*;

use super::form::Form;
#[cfg(feature = "hydrate")]
use super::values::Field;
#[cfg(feature = "ssr")]
use html::panel;

#[cfg(feature = "ssr")]
mod html;

/// The ticked box, in a form that does not compare.
#[cfg(feature = "hydrate")]
const CACHED: &str = "form:not(:has([value=compare]:checked)) #cache:checked";

/// The browser finds the panel drawn, and leaves it as it is.
#[cfg(not(feature = "ssr"))]
fn panel(_: Form) -> String {
    String::new()
}

/// The panel.
pub fn inject(form: Form) -> impl IntoView {
    view! { <div class="stack" inner_html=panel(form) on:input=move |_| read(form)></div> }
}

/// What the fields say, one a line.
#[cfg(feature = "hydrate")]
pub fn typed() -> String {
    let mut typed = String::new();
    for input in inputs() {
        typed.push_str(&input.value());
        typed.push('\n');
    }
    typed
}

/// Whether cached answers are wanted. Compare hides the box, and what is hidden does not count.
#[cfg(feature = "hydrate")]
pub fn cached() -> Option<bool> {
    document().query_selector(CACHED).ok()?.map(|_| true)
}

/// Marks the field that is wrong, if one is, and says why beneath the fields.
#[cfg(feature = "hydrate")]
pub fn mark(errors: &[FieldError]) {
    let wrong = errors.iter().find(|e| Field::of(&e.pointer) == Some(Field::Faults));
    let (pointer, detail) = wrong.map_or(("", ""), |e| (&*e.pointer, &*e.detail));
    for input in inputs() {
        let invalid = if pointer.ends_with(&input.id()) { "true" } else { "false" };
        let _ = input.set_attribute("aria-invalid", invalid);
    }
    say("faults-note", detail);
}

/// Takes over what the fields say: keeps it for a reload, and tells what it means.
#[cfg(feature = "hydrate")]
fn read(form: Form) {
    let typed = typed();
    super::draft::keep_faults(&typed);
    tell(&typed);
    mark(&[]);
    form.touch(Field::Faults);
}

/// Fills the fields in, with what the browser kept.
#[cfg(feature = "hydrate")]
pub fn fill(kept: &str) {
    let mut values = kept.split('\n');
    for input in inputs() {
        input.set_value(values.next().unwrap_or_default());
    }
    tell(kept);
}

#[cfg(feature = "hydrate")]
fn tell(typed: &str) {
    let summary = lanes_model::faults::summary(typed);
    say("faults-summary", if summary.is_empty() { "off" } else { &summary });
}

#[cfg(feature = "hydrate")]
fn say(id: &str, text: &str) {
    if let Some(place) = document().get_element_by_id(id) {
        place.set_text_content(Some(text));
    }
}

#[cfg(feature = "hydrate")]
fn inputs() -> Vec<web_sys::HtmlInputElement> {
    use wasm_bindgen::JsCast;

    let mut inputs = Vec::new();
    for name in FaultsRequest::FIELDS {
        if let Some(input) = document().get_element_by_id(name) {
            inputs.push(input.unchecked_into());
        }
    }
    inputs
}

/// Without a browser there are no fields to read.
#[cfg(not(feature = "hydrate"))]
pub const fn typed() -> String {
    String::new()
}

/// Without a browser there is no box to tick.
#[cfg(not(feature = "hydrate"))]
pub const fn cached() -> Option<bool> {
    None
}

/// Without a browser there are no fields to mark.
#[cfg(not(feature = "hydrate"))]
pub const fn mark(_: &[FieldError]) {}

#[cfg(not(feature = "hydrate"))]
const fn read(_: Form) {}
