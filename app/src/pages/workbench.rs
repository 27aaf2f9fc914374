//! The Workbench: what to run, on what and how, with what it is expected to take. A real form that
//! works without JavaScript; with it, the estimate follows each choice and the run starts in place.

mod documents;
mod draft;
mod form;
mod how;
mod input;
#[cfg(feature = "ssr")]
mod page;
mod panels;
mod runbar;
mod schedule;
mod tasks;
mod values;

#[cfg(feature = "ssr")]
pub use page::Workbench;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::browser::{keys, place};
use crate::components::icons::Icon;
use crate::server::{Packed, WorkbenchData};
use form::Form;
use how::How;
use input::InputCard;
use runbar::RunBar;
use tasks::Tasks;
use values::Field;

/// The id of the form, for the button that stands outside it.
const FORM_ID: &str = "new-run";

/// The form itself, in the browser too.
#[island]
fn Editor(data: Packed<WorkbenchData>) -> impl IntoView {
    let data = data.0;
    let repeats = data.prefill.from.is_some();
    let fresh = repeats || !data.errors.is_empty();
    let form = Form::new(data);
    draft::keep(form, fresh);
    place::on_return(move || form.pending.set(false));
    keys::on_key(move |key| match key.name.as_str() {
        "Enter" if key.command => {
            form.run();
            true
        }
        _ if key.in_field || key.command => false,
        name => tasks::toggle_by_number(form, name),
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        form.run();
    };
    view! {
        <div class="stack">
            <div class="page-head">
                <div>
                    <h1>"Workbench"</h1>
                </div>
            </div>
            <Problems form/>
        </div>
        <form
            id=documents::UPLOAD_ID
            method="post"
            action="/documents"
            enctype="multipart/form-data"
            hidden
        ></form>
        <form
            id=FORM_ID
            class="cols fill"
            aria-label="New run"
            method="post"
            action="/runs"
            novalidate
            on:submit=submit
        >
            <InputCard form/>
            <div class="c5 stack" style="grid-template-rows:auto 1fr">
                <Tasks form/>
                <How form focused=repeats/>
            </div>
        </form>
        <RunBar form/>
    }
    .into_any()
}

/// What stopped the last attempt, in one place.
#[component]
fn Problems(form: Form) -> impl IntoView {
    move || {
        let failure = form.failure.get();
        let errors = form.errors.get();
        let (title, after) = match (&failure, errors.is_empty()) {
            (None, true) => return None,
            (None, false) => ("The run was not started", None),
            (Some(_), _) => ("That did not work", Some("What you entered is kept: try again.")),
        };
        let details: Vec<_> =
            failure.into_iter().chain(errors.into_iter().map(|e| e.detail)).collect();
        Some(view! {
            <div class="note note--bad" role="alert">
                <Icon name="warn"/>
                <div>
                    <b>{title}</b>
                    {details.into_iter().map(|d| view! { <p>{d}</p> }).collect_view()}
                    {after.map(|a| view! { <p>{a}</p> })}
                </div>
            </div>
        })
    }
}

/// What is wrong at a place of the form, beside it.
#[component]
fn FieldNote(form: Form, field: Field) -> impl IntoView {
    move || {
        form.error(field).map(|detail| {
            view! { <p class="hint hint--bad" id=field.error_id()>{detail}</p> }
        })
    }
}

/// `aria-invalid` of a field.
fn invalid(form: Form, field: Field) -> impl Fn() -> Option<&'static str> + Send + Sync + Clone {
    move || form.error(field).map(|_| "true")
}

/// `aria-describedby` of a field: its hint, if it has one, and what is wrong.
fn described(
    form: Form,
    field: Field,
    hint: &'static str,
) -> impl Fn() -> Option<String> + Send + Sync + Clone {
    move || {
        let wrong = form.error(field).map_or("", |_| field.error_id());
        let ids = format!("{wrong} {hint}");
        Some(ids.trim().to_owned()).filter(|ids| !ids.is_empty())
    }
}
