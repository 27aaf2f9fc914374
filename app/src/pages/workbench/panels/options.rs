//! The panel of pace, budget and fallback as HTML.

use lanes_model::options::form::{
    FALLBACK, FIELDS, NO_FALLBACK, POINTERS, fallback_value, summary,
};
use lanes_model::{FieldError, ProviderInfo};
use leptos::prelude::*;

use super::html::{Plain, fold};
use super::{AS_USUAL, OPTIONS};
use crate::components::markup::escape;
use crate::pages::workbench::form::Form;
use crate::pages::workbench::values::Field;

/// So many fallbacks can be chosen, or as many as the run has that is repeated.
const FALLBACKS: [&str; 3] = ["Fallback", "Then", "And then"];

/// The panel.
pub fn draw(form: Form) -> String {
    form.data.with_value(|d| {
        let lines: Vec<_> = d.prefill.options.split('\n').map(str::trim).collect();
        let line = |place: usize| lines.get(place).copied().unwrap_or_default();
        let plain = |place: usize, label| Plain {
            panel: OPTIONS,
            name: FIELDS[place],
            label,
            pointer: POINTERS[place],
            errors: &d.errors,
        };
        let adaptive = [("", "Auto"), ("on", "On"), ("off", "Off")];
        let priority = [("", "Interactive"), ("batch", "Batch: may wait")];
        let mut fields = [
            plain(0, "Spending limit, $").input(line(0), "none", "decimal"),
            plain(1, "Deadline, s").input(line(1), "none", "decimal"),
            select(&plain(2, "Adaptive concurrency"), &adaptive, line(2)),
            select(&plain(3, "Priority"), &priority, line(3)),
            r#"<p class="hint across adaptive">Auto adapts the lanes of a parallel run, where no limit of the provider is known.</p>"#
                .to_owned(),
            plain(4, "Hedge slow calls with a second try").tick(!line(4).is_empty()),
            if d.limits.redact {
                r#"<p class="hint across">Personal data is redacted before it leaves, always.</p>"#
                    .to_owned()
            } else {
                plain(5, "Redact personal data before it leaves").tick(!line(5).is_empty())
            },
            plain(6, "Cut long documents, tokens a piece").input(line(6), "refuse", "numeric"),
        ]
        .concat();
        let named = lines.get(FIELDS.len()..).unwrap_or_default();
        let there = fallbacks(&d.providers, named, &d.errors);
        fields.push_str(&there);
        let title = if there.is_empty() { "Pace and budget" } else { "Pace, budget and fallback" };
        let mode = d.prefill.mode.parse().unwrap_or_default();
        let summary = summary(&d.prefill.options, mode);
        let wrong = |e: &&FieldError| Field::of(&e.pointer) == Some(Field::Options);
        let wrong: Vec<_> = d.errors.iter().filter(wrong).collect();
        fold(OPTIONS, title, (&summary, AS_USUAL), &fields, &wrong)
    })
}

/// The fallbacks in their order; nothing where there is nothing to fall back to.
fn fallbacks(providers: &[ProviderInfo], named: &[&str], errors: &[FieldError]) -> String {
    let mut known = Vec::new();
    for provider in providers {
        for model in &provider.models {
            let value = fallback_value(&provider.id, model);
            known.push((value, format!("{} · {model}", provider.name)));
        }
        if provider.models.is_empty() {
            let value = fallback_value(&provider.id, "");
            known.push((value, format!("{} · the run's model", provider.name)));
        }
    }
    // A model by any other name, of a run that is repeated.
    for other in named.iter().filter(|n| !n.is_empty() && **n != NO_FALLBACK) {
        if !known.iter().any(|(value, _)| value == other) {
            known.push(((*other).to_owned(), (*other).to_owned()));
        }
    }
    if known.len() < 2 {
        return String::new();
    }
    let mut fields = String::new();
    for place in 0..named.len().max(FALLBACKS.len()) {
        let (id, pointer) = (format!("{FALLBACK}-{place}"), format!("/{FALLBACK}/{place}"));
        let label = FALLBACKS.get(place).or(FALLBACKS.last()).copied().unwrap_or_default();
        let mut choices = if place == 0 {
            vec![("", "As configured"), (NO_FALLBACK, "None")]
        } else {
            vec![("", "None")]
        };
        choices.extend(known.iter().map(|(value, name)| (value.as_str(), name.as_str())));
        let plain = Plain { panel: OPTIONS, name: &id, label, pointer: &pointer, errors };
        fields.push_str(&select(&plain, &choices, named.get(place).unwrap_or(&"")));
    }
    fields
}

/// A choice of values with their names.
fn select(plain: &Plain<'_>, choices: &[(&str, &str)], chosen: &str) -> String {
    let (name, label, attributes) = (plain.name, plain.label, plain.attributes());
    let mut options = String::new();
    for (value, text) in choices {
        let selected = if *value == chosen { " selected" } else { "" };
        let (value, text) = (escape(value), escape(text));
        options.push_str(&format!(r#"<option value="{value}"{selected}>{text}</option>"#));
    }
    format!(
        r#"<div class="field {name}"><label for="{name}">{label}</label><select class="select" {attributes}>{options}</select></div>"#
    )
}
