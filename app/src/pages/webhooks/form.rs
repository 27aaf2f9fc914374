//! The fields of a webhook, with what is wrong at each.

use lanes_model::FieldError;
use lanes_service::WebhookEvent;
use leptos::prelude::*;

use crate::components::icons::Icon;
use crate::pages::tasks::fields::{Line, Wrong};
use crate::server::WebhookForm;

/// The fields.
#[component]
pub fn WebhookFields(form: WebhookForm, errors: Vec<FieldError>) -> impl IntoView {
    let whole: Vec<_> = errors.iter().filter(|e| e.pointer.is_empty()).collect();
    let whole = (!whole.is_empty()).then(|| {
        let words = whole.iter().map(|e| e.detail.as_str()).collect::<Vec<_>>().join(" ");
        view! {
            <div class="note note--bad" role="alert">
                <Icon name="warn"/>
                <div>
                    <p>{words}</p>
                </div>
            </div>
        }
    });
    let wrong = Wrong::at(&errors, "/events", "events");
    let events = WebhookEvent::ALL.map(|event| {
        let ticked = form.events.iter().any(|id| id == event.id());
        view! {
            <label class="row cached">
                <input type="checkbox" name="event" value=event.id() checked=ticked/>
                <span>{event.label()} " " <code class="dim">{event.id()}</code></span>
            </label>
        }
    });
    view! {
        {whole}
        <div class="picks">
            <Line
                id="name"
                label="Name"
                value=form.name.clone()
                wrong=Wrong::at(&errors, "/name", "name")
            />
            <Line
                id="url"
                label="Address"
                hint="A URL that begins with https:// and leads to the public Internet"
                keyboard="url"
                most="2000"
                value=form.url.clone()
                wrong=Wrong::at(&errors, "/url", "url")
            />
        </div>
        <fieldset class="field" aria-describedby=wrong.described("")>
            <legend>"Tell it when"</legend>
            <div class="stack stack--tight">{events}</div>
            {wrong.note()}
        </fieldset>
        <label class="row cached">
            <input type="checkbox" name="enabled" value="on" checked=form.enabled/>
            "Switched on"
        </label>
    }
}
