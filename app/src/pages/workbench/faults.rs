//! Faults to inject into the simulator, for this run: off and folded away unless wanted. The closed
//! panel says what is injected. The server draws the fields; the browser only reads them. The style
//! sheet hides the panel while a real provider is chosen, so that it is right without JavaScript too;
//! what is hidden does not count.

use lanes_model::faults;
use leptos::prelude::*;

use super::FieldNote;
use super::form::Form;
use super::values::Field;

/// The panel.
#[component]
pub fn Inject(form: Form) -> impl IntoView {
    let summary = move || match faults::summary(&form.faults.read()) {
        none if none.is_empty() => "off".to_owned(),
        some => some,
    };
    // The browser finds the fields drawn, and leaves them.
    #[cfg(feature = "ssr")]
    let (fields, open) = (fields(form), form.error(Field::Faults).is_some());
    #[cfg(not(feature = "ssr"))]
    let (fields, open) = (String::new(), false);
    view! {
        <details class="fold faults" open=open on:input=move |_| read(form)>
            <summary>"Inject faults " <span class="hint">{summary}</span></summary>
            <div class="picks" inner_html=fields></div>
            <div id="faults-note">
                <FieldNote form field=Field::Faults/>
            </div>
        </details>
    }
    .into_any()
}

/// The fields as HTML.
#[cfg(feature = "ssr")]
fn fields(form: Form) -> String {
    use crate::components::markup::escape;
    use lanes_model::FaultsRequest;

    let words = [
        ("Errors, %", "0", "decimal"),
        ("Hangs, %", "0", "decimal"),
        ("Cut answers, %", "0", "decimal"),
        ("Latency", "as configured", "text"),
    ];
    let typed = form.faults.get_untracked();
    let mut typed = typed.split('\n');
    let mut html = String::new();
    for (name, (label, usual, mode)) in FaultsRequest::FIELDS.into_iter().zip(words) {
        let value = escape(typed.next().unwrap_or_default());
        let pointer = format!("/faults/{name}");
        let wrong = form.errors.with_untracked(|e| e.iter().any(|e| e.pointer == pointer));
        let invalid = if wrong { r#" aria-invalid="true""# } else { "" };
        html.push_str(&format!(
            r#"<div class="field"><label for="{name}">{label}</label><input class="input" id="{name}" name="{name}" value="{value}" placeholder="{usual}" inputmode="{mode}" autocomplete="off" maxlength="100" aria-describedby="faults-note"{invalid}></div>"#
        ));
    }
    html
}

/// Takes over what the fields say.
fn read(form: Form) {
    #[cfg(feature = "hydrate")]
    {
        let mut typed = String::new();
        for input in inputs() {
            typed.push_str(&input.value());
            typed.push('\n');
        }
        form.faults.set(typed);
        form.touch(Field::Faults);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = form;
}

/// Writes into the fields what the browser kept.
#[cfg(feature = "hydrate")]
pub fn write(typed: &str) {
    for (input, value) in inputs().zip(typed.split('\n')) {
        input.set_value(value);
    }
}

#[cfg(feature = "hydrate")]
fn inputs() -> impl Iterator<Item = web_sys::HtmlInputElement> {
    use leptos::wasm_bindgen::JsCast;

    let found = |name| document().get_element_by_id(name).map(JsCast::unchecked_into);
    lanes_model::FaultsRequest::FIELDS.into_iter().filter_map(found)
}
