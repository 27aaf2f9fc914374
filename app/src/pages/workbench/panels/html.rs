//! The box for cached answers and the panels as HTML: whatever was typed or comes from the
//! configuration is escaped.

use lanes_model::{FaultsRequest, FieldError, faults};
use leptos::prelude::*;

use super::{FAULTS, NO_FAULTS, options};
use crate::components::markup::escape;
use crate::pages::workbench::form::Form;

/// What each field of the faults is called, what is in force when it is empty, and which keyboard it
/// wants; a box wants none.
const FIELDS: [(&str, &str, &str); 7] = [
    ("Errors, %", "0", "decimal"),
    ("Hangs, %", "0", "decimal"),
    ("Cut answers, %", "0", "decimal"),
    ("Invalid answers, %", "0", "decimal"),
    ("Latency", "as configured", "text"),
    ("429s above, a minute", "no limit", "numeric"),
    ("One dead endpoint", "", ""),
];

/// One field: what it is called and where in a request it stands.
pub struct Plain<'a> {
    /// The panel's name.
    pub panel: &'a str,
    /// Its name, which is its id too.
    pub name: &'a str,
    /// What people read.
    pub label: &'a str,
    /// Where in a request it stands.
    pub pointer: &'a str,
    /// What was found wrong with the form.
    pub errors: &'a [FieldError],
}

impl Plain<'_> {
    /// The attributes that all fields have.
    pub fn attributes(&self) -> String {
        let Self { panel, name, pointer, errors, .. } = self;
        let invalid = errors.iter().any(|e| &e.pointer == pointer);
        format!(
            r#"id="{name}" name="{name}" data-at="{pointer}" aria-describedby="{panel}-note" aria-invalid="{invalid}""#
        )
    }

    /// A line to type into.
    pub fn input(&self, value: &str, placeholder: &str, keyboard: &str) -> String {
        let Self { name, label, .. } = self;
        let (value, attributes) = (escape(value), self.attributes());
        format!(
            r#"<div class="field"><label for="{name}">{label}</label><input class="input" {attributes} value="{value}" placeholder="{placeholder}" inputmode="{keyboard}" autocomplete="off" maxlength="100"></div>"#
        )
    }

    /// A box to tick, over the whole width.
    pub fn tick(&self, ticked: bool) -> String {
        let Self { name, label, .. } = self;
        let (ticked, attributes) = (checked(ticked), self.attributes());
        format!(
            r#"<label class="row across {name}"><input type="checkbox" {attributes} value="on"{ticked}> {label}</label>"#
        )
    }
}

/// A folded panel with its fields, open when something in it is wrong.
pub fn fold(
    panel: &str,
    title: &str,
    (summary, none): (&str, &str),
    fields: &str,
    wrong: &[&FieldError],
) -> String {
    let notes = wrong.iter().map(|e| escape(&e.detail)).collect::<Vec<_>>().join(" ");
    let open = if notes.is_empty() { "" } else { " open" };
    let summary = if summary.is_empty() { none.to_owned() } else { escape(summary) };
    format!(
        r#"<details class="{panel} fold"{open}><summary>{title} <span class="hint" id="{panel}-summary">{summary}</span></summary><div class="picks">{fields}</div><p class="hint hint--bad" id="{panel}-note">{notes}</p></details>"#
    )
}

/// The style, the box, which compare hides, and the panels.
pub fn draw(form: Form) -> String {
    let (style, ticked) = (style(form), checked(form.data.with_value(|d| d.prefill.cache)));
    let cache = format!(
        r#"<label class="row cached"><input type="checkbox" id="cache" name="cache" value="on"{ticked}> Use cached answers</label>"#
    );
    // The number that the page's policy knows: other styles inside a page are not taken.
    let nonce = use_nonce().map(|n| format!(r#" nonce="{n}""#)).unwrap_or_default();
    format!("<style{nonce}>{style}</style>{cache}{}{}", options::draw(form), draw_faults(form))
}

fn draw_faults(form: Form) -> String {
    let typed = form.data.with_value(|d| d.prefill.faults.clone());
    let errors = form.data.with_value(|d| d.errors.clone());
    let mut lines = typed.split('\n');
    let mut fields = String::new();
    for (name, (label, usual, keyboard)) in FaultsRequest::FIELDS.into_iter().zip(FIELDS) {
        let value = lines.next().unwrap_or_default();
        let pointer = format!("/faults/{name}");
        let plain = Plain { panel: FAULTS, name, label, pointer: &pointer, errors: &errors };
        fields.push_str(&match keyboard {
            "" => plain.tick(!value.is_empty()),
            _ => plain.input(value, usual, keyboard),
        });
    }
    let wrong = |e: &&FieldError| e.pointer.starts_with("/faults/") || e.pointer == "/cache";
    let wrong: Vec<_> = errors.iter().filter(wrong).collect();
    fold(FAULTS, "Inject faults", (&faults::summary(&typed), NO_FAULTS), &fields, &wrong)
}

/// ` checked`, if it is.
pub fn checked(is: bool) -> &'static str {
    if is { " checked" } else { "" }
}

/// Hides the faults unless a simulator is chosen, and what a mode has no use for. Names that would need
/// care in a style are left out.
fn style(form: Form) -> String {
    let plain = |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let chosen: Vec<_> = form.data.with_value(|d| {
        let simulators = d.providers.iter().filter(|p| p.simulated && plain(&p.id));
        simulators.map(|p| format!(r#"#provider [value="{}"]:checked"#, p.id)).collect()
    });
    // `:has()` with nothing to look for would make the rule void.
    let chosen = if chosen.is_empty() { "nothing".to_owned() } else { chosen.join(",") };
    format!(
        "form:not(:has({chosen})) .faults,form:has([value=compare]:checked) .cached,\
         form:not(:has([value=parallel]:checked)) .hedge,\
         form:has([value=sequential]:checked) .adaptive{{display:none}}"
    )
}
