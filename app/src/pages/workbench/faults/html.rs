//! The box for cached answers and the panel of faults as HTML: whatever was typed or comes from the configuration is escaped.

use lanes_model::{FaultsRequest, faults};
use leptos::prelude::*;

use crate::components::markup::escape;
use crate::pages::workbench::form::Form;

/// What each field is called, what is in force when it is empty, and which keyboard it wants.
const FIELDS: [(&str, &str, &str); 4] = [
    ("Errors, %", "0", "decimal"),
    ("Hangs, %", "0", "decimal"),
    ("Cut answers, %", "0", "decimal"),
    ("Latency", "as configured", "text"),
];

/// The box, which compare hides, and the panel, open when something in it is wrong.
pub fn panel(form: Form) -> String {
    let typed = form.data.with_value(|d| d.prefill.faults.clone());
    let errors = form.data.with_value(|d| d.errors.clone());
    let cached = form.data.with_value(|d| d.prefill.cache);
    let mut lines = typed.split('\n');
    let (mut inputs, mut notes) = (String::new(), Vec::new());
    for (name, (label, usual, mode)) in FaultsRequest::FIELDS.into_iter().zip(FIELDS) {
        let value = escape(lines.next().unwrap_or_default());
        let pointer = format!("/faults/{name}");
        let wrong = errors.iter().find(|e| e.pointer == pointer);
        notes.extend(wrong.map(|e| escape(&e.detail)));
        let invalid = wrong.is_some();
        inputs.push_str(&format!(
            r#"<div class="field"><label for="{name}">{label}</label><input class="input" id="{name}" name="{name}" value="{value}" placeholder="{usual}" inputmode="{mode}" autocomplete="off" maxlength="100" aria-describedby="faults-note" aria-invalid="{invalid}"></div>"#
        ));
    }
    let both = errors.iter().find(|e| e.pointer == "/cache");
    notes.extend(both.map(|e| escape(&e.detail)));
    let summary = faults::summary(&typed);
    let summary = if summary.is_empty() { "off".to_owned() } else { escape(&summary) };
    let (style, notes, open) =
        (style(form), notes.join(" "), if notes.is_empty() { "" } else { " open" });
    let ticked = if cached { " checked" } else { "" };
    let tick = format!(
        r#"<label class="row cached"><input type="checkbox" id="cache" name="cache" value="on"{ticked}> Use cached answers</label>"#
    );
    format!(
        r#"<style>{style}</style>{tick}<details class="faults fold"{open}><summary>Inject faults <span class="hint" id="faults-summary">{summary}</span></summary><div class="picks">{inputs}</div><p class="hint hint--bad" id="faults-note">{notes}</p></details>"#
    )
}

/// Hides the panel unless a simulator is chosen. Names that would need care in a style are left out.
fn style(form: Form) -> String {
    let plain = |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let chosen: Vec<_> = form.data.with_value(|d| {
        let simulators = d.providers.iter().filter(|p| p.simulated && plain(&p.id));
        simulators.map(|p| format!(r#"option[value="{}"]:checked"#, p.id)).collect()
    });
    // `:has()` with nothing to look for would make the rule void.
    let chosen = if chosen.is_empty() { "nothing".to_owned() } else { chosen.join(",") };
    format!(
        "form:not(:has({chosen})) .faults,form:has([value=compare]:checked) .cached{{display:none}}"
    )
}
