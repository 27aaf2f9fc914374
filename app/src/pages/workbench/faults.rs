//! Faults to inject into the simulator, for this run: off and folded away unless there are some. The
//! closed panel says what is injected. The style sheet hides it while a real provider is chosen, so that
//! it is right without JavaScript too; what is hidden does not count.

use lanes_model::{FaultsRequest, faults};
use leptos::prelude::*;

use super::form::Form;
use super::values::Field;
use super::{FieldNote, described, invalid};

/// What the fields are called, in the order of [`FaultsRequest::FIELDS`].
const LABELS: [&str; 4] = ["Errors, %", "Hangs, %", "Cut answers, %", "Latency"];
/// What is in force when nothing is entered.
const USUAL: [&str; 4] = ["0", "0", "0", "as configured"];

/// The panel.
#[component]
pub fn Inject(form: Form) -> impl IntoView {
    let summary = move || match faults::summary(&form.faults.read()) {
        none if none.is_empty() => "off".to_owned(),
        some => some,
    };
    // Open at first when there is something to see; then as the reader has it.
    let open = form.errors.with_untracked(|errors| {
        errors.iter().any(|e| matches!(Field::of(&e.pointer), Some(Field::Fault(_))))
    });
    let fields = FaultsRequest::FIELDS.into_iter().enumerate().map(|(i, name)| {
        let field = Field::Fault(i);
        let value = form.faults.with_untracked(|f| f.get(i).cloned());
        view! {
            <div class="field">
                <label for=name>{LABELS[i]}</label>
                <input
                    id=name
                    name=name
                    class="input"
                    inputmode=if i < 3 { "decimal" } else { "text" }
                    autocomplete="off"
                    maxlength="100"
                    placeholder=USUAL[i]
                    value=value
                    aria-invalid=invalid(form, field)
                    aria-describedby=described(form, field, "")
                    prop:value=move || form.faults.read().get(i).cloned()
                    on:input=move |event| {
                        form.faults.update(|f| f[i] = event_target_value(&event));
                        form.touch(field);
                    }
                />
                <FieldNote form field/>
            </div>
        }
    });
    view! {
        <details
            class="fold faults" open=open
        >
            <summary>"Inject faults " <span class="hint">{summary}</span></summary>
            <div class="picks">{fields.collect_view()}</div>
        </details>
    }
    .into_any()
}
