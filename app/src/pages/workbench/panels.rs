//! The panels of the How to run card, folded away unless wanted: pace, budget and fallback of the run,
//! and faults to inject into the simulator. The closed panels say what is set. They are plain HTML that
//! the server draws; the browser reads the fields, one a line, and writes beside them what they mean.
//! Styles hide what does not apply to the mode or the provider, so that it is right without JavaScript
//! too; what is hidden does not count.

use lanes_model::FieldError;
use leptos::prelude::*;

use super::form::Form;
#[cfg(feature = "hydrate")]
use super::values::Field;
#[cfg(feature = "ssr")]
use html::draw;

#[cfg(feature = "ssr")]
mod html;
#[cfg(feature = "ssr")]
mod options;

/// The panel of faults: the class around its fields, and what its ids begin with.
pub const FAULTS: &str = "faults";
/// The panel of pace, budget and fallback.
pub const OPTIONS: &str = "options";

/// The ticked box, in a form that does not compare.
#[cfg(feature = "hydrate")]
const CACHED: &str = "form:not(:has([value=compare]:checked)) #cache:checked";

/// The browser finds the panels drawn, and leaves them as they are.
#[cfg(not(feature = "ssr"))]
fn draw(_: Form) -> String {
    String::new()
}

/// The panels.
pub fn panels(form: Form) -> impl IntoView {
    // The mode decides what of them counts.
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| tell(form.mode.get()));
    view! { <div class="stack" inner_html=draw(form) on:input=move |_| read(form)></div> }
}

/// What a panel's fields say, one a line.
#[cfg(feature = "hydrate")]
pub fn typed(panel: &str) -> String {
    let mut typed = String::new();
    for input in inputs(panel) {
        // Of a box it is the tick that counts.
        if input.type_() != "checkbox" || input.checked() {
            typed.push_str(&input.value());
        }
        typed.push('\n');
    }
    typed
}

/// Whether cached answers are wanted. Compare hides the box, and what is hidden does not count.
#[cfg(feature = "hydrate")]
pub fn cached() -> Option<bool> {
    document().query_selector(CACHED).ok()?.map(|_| true)
}

/// Marks the fields that are wrong, says why beneath them, and opens their panel.
#[cfg(feature = "hydrate")]
pub fn mark(errors: &[FieldError]) {
    for (panel, field) in [(FAULTS, Field::Faults), (OPTIONS, Field::Options)] {
        let mut wrong = String::new();
        for error in errors.iter().filter(|e| Field::of(&e.pointer) == Some(field)) {
            wrong.push_str(&error.detail);
            wrong.push(' ');
        }
        for input in inputs(panel) {
            let at = input.get_attribute("data-at").unwrap_or_default();
            let invalid = if errors.iter().any(|e| e.pointer == at) { "true" } else { "false" };
            let _ = input.set_attribute("aria-invalid", invalid);
        }
        if let Some(note) = place(panel, "-note") {
            note.set_text_content(Some(wrong.trim_end()));
            if let Some(panel) = note.parent_element().filter(|_| !wrong.is_empty()) {
                let _ = panel.set_attribute("open", "");
            }
        }
    }
}

/// Takes over what the fields say: keeps it for a reload, and tells what it means.
#[cfg(feature = "hydrate")]
fn read(form: Form) {
    for panel in [FAULTS, OPTIONS] {
        super::draft::keep_panel(panel, &typed(panel));
    }
    tell(form.mode.get_untracked());
    mark(&[]);
    form.touch(Field::Faults);
    form.touch(Field::Options);
}

/// Fills a panel's fields in, with what the browser kept.
#[cfg(feature = "hydrate")]
pub fn fill(panel: &str, kept: &str) {
    let mut values = kept.split('\n');
    for input in inputs(panel) {
        let value = values.next().unwrap_or_default();
        if input.type_() == "checkbox" {
            input.set_checked(!value.is_empty());
        } else {
            input.set_value(value);
        }
    }
}

/// Says in the closed panels what is set.
#[cfg(feature = "hydrate")]
pub fn tell(mode: lanes_model::Mode) {
    let faults = lanes_model::faults::summary(&typed(FAULTS));
    let options = lanes_model::options::form::summary(&typed(OPTIONS), mode);
    for (panel, words, none) in [(FAULTS, faults, NO_FAULTS), (OPTIONS, options, AS_USUAL)] {
        if let Some(place) = place(panel, "-summary") {
            place.set_text_content(Some(if words.is_empty() { none } else { &words }));
        }
    }
}

/// What the panel of faults says when there are none.
const NO_FAULTS: &str = "off";
/// What the panel of options says when nothing is set.
const AS_USUAL: &str = "as usual";

#[cfg(feature = "hydrate")]
fn place(panel: &str, what: &str) -> Option<web_sys::Element> {
    document().get_element_by_id(&[panel, what].concat())
}

/// The fields of a panel in their order. Of a select this reads and writes the value just as well.
#[cfg(feature = "hydrate")]
fn inputs(panel: &str) -> Vec<web_sys::HtmlInputElement> {
    use wasm_bindgen::JsCast;

    let mut inputs = Vec::new();
    if let Ok(found) = document().query_selector_all(&[".", panel, " [name]"].concat()) {
        for i in 0..found.length() {
            inputs.extend(found.item(i).map(JsCast::unchecked_into));
        }
    }
    inputs
}

/// Without a browser there are no fields to read.
#[cfg(not(feature = "hydrate"))]
pub const fn typed(_: &str) -> String {
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
