//! The How to run card: mode, race, concurrency, provider and model, the folded panels, and the
//! expected schedule where there is room for it.

use lanes_model::Mode;
use leptos::ev::KeyboardEvent;
use leptos::{html, prelude::*};

use super::form::Form;
use super::panels::panels;
use super::schedule::Schedule;
use super::values::{Field, usual_lanes};
use super::{FieldNote, described, invalid};
use crate::components::icons::{Icon, mode_icon};

/// The card. `focused`: the form repeats a run, and concurrency is what is likely to change.
#[component]
pub fn How(form: Form, focused: bool) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="h-how">
            <div class="card-head">
                <h2 id="h-how">"How to run"</h2>
            </div>
            <div class="card-body stack">
                <Modes form/>
                <Concurrency form focused/>
                <Provider form/>
                {panels(form)}
                <Schedule form/>
            </div>
        </section>
    }
    .into_any()
}

/// Mode, and race for compare. Race is hidden by the style sheet, so that it is right without
/// JavaScript too.
#[component]
fn Modes(form: Form) -> impl IntoView {
    let mode = form.mode.get_untracked();
    let race = form.race.get_untracked();
    let parallel = form.data.with_value(|d| d.parallel);
    let hint = if parallel { "" } else { "mode-hint" };
    view! {
        <fieldset class="field" aria-describedby=described(form, Field::Mode, hint)>
            <legend class="sr">"Mode"</legend>
            <div class="seg">
                {Mode::ALL
                    .into_iter()
                    .map(|m| {
                        view! {
                            <label>
                                <input
                                    type="radio"
                                    name="mode"
                                    value=m.id()
                                    checked=m == mode
                                    disabled=!parallel && m != Mode::Sequential
                                    prop:checked=move || form.mode.get() == m
                                    on:change=move |_| {
                                        form.mode.set(m);
                                        form.touch(Field::Mode);
                                        form.touch(Field::Race);
                                    }
                                />
                                <Icon name=mode_icon(m.id())/>
                                {m.label()}
                            </label>
                        }
                    })
                    .collect_view()}
            </div>
            {(!parallel)
                .then(|| {
                    view! {
                        <div class="hint" id="mode-hint">
                            "Parallel processing is switched off on this server \
                             (LANES_ENABLE_PARALLEL=false), and with it the other modes."
                        </div>
                    }
                })}
            <FieldNote form field=Field::Mode/>
            <label class="row race">
                <input
                    type="checkbox"
                    name="race"
                    value="on"
                    checked=race
                    aria-describedby=described(form, Field::Race, "")
                    prop:checked=move || form.race.get()
                    on:change=move |event| {
                        form.race.set(event_target_checked(&event));
                        form.touch(Field::Race);
                    }
                />
                <span>"Race: run both passes at once"</span>
            </label>
            <FieldNote form field=Field::Race/>
        </fieldset>
    }
    .into_any()
}

/// The stepper.
#[component]
fn Concurrency(form: Form, focused: bool) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    if focused {
        Effect::new(move |_| {
            if let Some(field) = field.get() {
                // After a change of page the field is built before it is in the document.
                set_timeout(
                    move || {
                        let _ = field.focus();
                        field.select();
                    },
                    std::time::Duration::ZERO,
                );
            }
        });
    }
    let most = form.limits().max_concurrency.max(1);
    let typed = form.concurrency.get_untracked();
    let usual = move || usual_lanes(form.tasks.read().len(), &form.limits()).to_string();
    let set = move |value: String| {
        form.concurrency.set(value);
        form.touch(Field::Concurrency);
    };
    let step = move |by: i64| {
        let now = untrack(|| {
            form.lanes().unwrap_or_else(|_| usual_lanes(form.tasks.read().len(), &form.limits()))
        });
        set((i64::from(now) + by).clamp(1, i64::from(most)).to_string());
    };
    let key = move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowUp" => 1,
            "ArrowDown" => -1,
            "PageUp" => 8,
            "PageDown" => -8,
            _ => return,
        };
        event.prevent_default();
        step(by);
    };
    let hint = move || match form.mode.get() {
        Mode::Sequential => "Sequential runs one call at a time.".to_owned(),
        _ => format!("Calls in flight at once. Your limit is {most}."),
    };
    view! {
        <div class="field">
            <div class="row row--apart">
                <div>
                    <label for="concurrency">"Concurrency"</label>
                    <div class="hint" id="concurrency-hint">
                        {hint}
                    </div>
                </div>
                <div class="stepper" role="group" aria-label="Concurrency">
                    <button
                        type="button"
                        class="needs-js"
                        aria-label="Fewer"
                        tabindex="-1"
                        on:click=move |_| step(-1)
                    >
                        "−"
                    </button>
                    <input
                        id="concurrency"
                        name="concurrency"
                        inputmode="numeric"
                        autocomplete="off"
                        maxlength="6"
                        value=typed
                        placeholder=usual
                        aria-invalid=invalid(form, Field::Concurrency)
                        aria-describedby=described(form, Field::Concurrency, "concurrency-hint")
                        node_ref=field
                        prop:value=move || form.concurrency.get()
                        on:input=move |event| set(event_target_value(&event))
                        on:keydown=key
                    />
                    <button
                        type="button"
                        class="needs-js"
                        aria-label="More"
                        tabindex="-1"
                        on:click=move |_| step(1)
                    >
                        "+"
                    </button>
                </div>
            </div>
            <FieldNote form field=Field::Concurrency/>
        </div>
    }
    .into_any()
}

/// Provider and model. An empty model is the provider's first, whose name shows in its place.
#[component]
fn Provider(form: Form) -> impl IntoView {
    let providers = form.data.with_value(|d| d.providers.clone());
    let current = form.provider.get_untracked();
    let model = form.model.get_untracked();
    let chosen = Memo::new(move |_| {
        let id = form.provider.get();
        form.data.with_value(|d| d.providers.iter().find(|p| p.id == id).cloned())
    });
    let models = move || chosen.read().as_ref().map(|p| p.models.clone()).unwrap_or_default();
    let usual = move || match models().into_iter().next() {
        Some(first) => first,
        None => "Name of a model".to_owned(),
    };
    view! {
        <div class="field">
            <div class="row row--apart">
                <label for="provider">"Provider and model"</label>
                {move || {
                    form.simulated()
                        .then(|| {
                            view! {
                                <span class="badge badge--sim">
                                    "Simulated: timings are modelled"
                                </span>
                            }
                        })
                }}
            </div>
            <div class="picks">
                <select
                    id="provider"
                    name="provider"
                    class="select"
                    aria-invalid=invalid(form, Field::Provider)
                    aria-describedby=described(form, Field::Provider, "")
                    prop:value=move || form.provider.get()
                    on:change=move |event| {
                        form.provider.set(event_target_value(&event));
                        form.model.set(String::new());
                        form.touch(Field::Provider);
                        form.touch(Field::Model);
                    }
                >
                    {providers
                        .into_iter()
                        .map(|p| {
                            let selected = p.id == current;
                            view! { <option value=p.id selected=selected>{p.name}</option> }
                        })
                        .collect_view()}
                </select>
                <input
                    name="model"
                    class="input"
                    list="models"
                    aria-label="Model"
                    autocomplete="off"
                    spellcheck="false"
                    value=model
                    placeholder=usual
                    aria-invalid=invalid(form, Field::Model)
                    aria-describedby=described(form, Field::Model, "")
                    prop:value=move || form.model.get()
                    on:input=move |event| {
                        form.model.set(event_target_value(&event));
                        form.touch(Field::Model);
                    }
                />
            </div>
            <datalist id="models">
                {move || models().into_iter().map(|m| view! { <option value=m></option> }).collect_view()}
            </datalist>
            <FieldNote form field=Field::Provider/>
            <FieldNote form field=Field::Model/>
        </div>
    }
    .into_any()
}
