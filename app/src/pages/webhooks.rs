//! `/settings/webhooks`: who is told of what happens, and a form to make another. Each has a page of its
//! own with what went there; see `log`. Plain posts: `src/http/webhook_forms.rs`.

mod form;
mod log;

use lanes_model::format;
use lanes_service::{WebhookEvent, WebhookView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::components::icons::Icon;
use crate::components::missing::Missing;
use crate::components::settings_nav::SettingsNav;
use crate::server::{UiError, WebhookForm, WebhookSecret, WebhookSent, service, set_status};
use form::WebhookFields;
use log::Deliveries;

/// The list of webhooks.
#[component]
pub fn WebhooksPage() -> impl IntoView {
    let sent = use_context::<WebhookSent>();
    let made = use_context::<WebhookSecret>();
    Suspend::new(async move {
        let webhooks = match service() {
            Ok(service) => service.webhooks().await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        view! { <List webhooks sent made/> }
    })
}

#[component]
fn List(
    webhooks: Vec<WebhookView>,
    sent: Option<WebhookSent>,
    made: Option<WebhookSecret>,
) -> impl IntoView {
    let count = format::plural(webhooks.len() as u64, "webhook");
    let (form, errors) = match sent {
        Some(sent) => (sent.form, sent.errors),
        None => (WebhookForm::blank(), Vec::new()),
    };
    let table = (!webhooks.is_empty()).then(|| {
        view! {
            <section class="card" aria-label="Webhooks">
                <div class="scroll" tabindex="0" role="region" aria-label="Table of webhooks">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"Webhook"</th>
                                <th scope="col">"Address"</th>
                                <th scope="col">"Told when"</th>
                                <th scope="col">"State"</th>
                            </tr>
                        </thead>
                        <tbody>
                            {webhooks
                                .into_iter()
                                .map(|webhook| view! { <Row webhook/> })
                                .collect_view()}
                        </tbody>
                    </table>
                </div>
            </section>
        }
    });
    view! {
        <Title text="Webhooks"/>
        <main id="main" class="page">
            <SettingsNav here="/settings/webhooks"/>
            <div class="page-head">
                <div>
                    <h1>"Webhooks"</h1>
                    <p>{format!("{count}. Signed messages to your own programs when something happens.")}</p>
                </div>
                <a class="btn" href="/alerts">
                    <Icon name="bell"/>
                    "Alerts"
                </a>
            </div>
            {made.map(|made| view! { <Secret made/> })}
            {table}
            <section class="card" aria-labelledby="h-new">
                <div class="card-head">
                    <h2 id="h-new">"New webhook"</h2>
                </div>
                <form class="card-body stack" method="post" action="/settings/webhooks">
                    <WebhookFields form errors/>
                    <div class="row">
                        <button class="btn btn--primary" type="submit">
                            "Make webhook"
                        </button>
                        <span class="hint">"Its secret is shown once, on the next page."</span>
                    </div>
                </form>
            </section>
        </main>
    }
}

/// The secret of a webhook that was just made.
#[component]
fn Secret(made: WebhookSecret) -> impl IntoView {
    view! {
        <div class="note note--warn" role="status">
            <Icon name="key"/>
            <div class="stack">
                <b>{format!("The secret of “{}” is shown only now", made.name)}</b>
                <p>"Give it to the receiver, which checks the signature of every message with it."</p>
                <div class="field">
                    <label for="secret">"Secret"</label>
                    <input
                        id="secret"
                        class="input mono"
                        readonly
                        autocomplete="off"
                        value=made.secret
                    />
                </div>
            </div>
        </div>
    }
}

#[component]
fn Row(webhook: WebhookView) -> impl IntoView {
    let page = format!("/settings/webhooks/{}", webhook.id);
    let told = webhook.events.iter().map(|id| told_when(id)).collect::<Vec<_>>().join(", ");
    view! {
        <tr>
            <th scope="row">
                <a class="link" href=page>
                    {webhook.name.clone()}
                </a>
            </th>
            <td class="mono told">{webhook.url.clone()}</td>
            <td class="told">{told}</td>
            <td>
                <State enabled=webhook.enabled/>
            </td>
        </tr>
    }
}

/// An event in a list, by the word that it is known by in messages.
fn told_when(id: &str) -> String {
    WebhookEvent::ALL.iter().find(|e| e.id() == id).map_or(id, |e| e.id()).to_owned()
}

#[component]
fn State(enabled: bool) -> impl IntoView {
    match enabled {
        true => view! {
            <span class="badge badge--ok">
                <Icon name="check"/>
                "On"
            </span>
        },
        false => view! {
            <span class="badge">
                <Icon name="stop"/>
                "Off"
            </span>
        },
    }
}

/// One webhook: its form, and what went there.
#[component]
pub fn WebhookPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|p| p.get("id")).unwrap_or_default();
    let (saved, cursor) =
        use_query_map().with_untracked(|q| (q.get("saved").is_some(), q.get("cursor")));
    let sent = use_context::<WebhookSent>();
    Suspend::new(async move {
        let found = async {
            let service = service()?;
            let webhook = service.webhook(&id).await?;
            let cursor = cursor.filter(|cursor| !cursor.is_empty());
            let deliveries = service.webhook_deliveries(&id, cursor.as_deref()).await?;
            Ok::<_, UiError>((webhook, deliveries))
        };
        let (webhook, deliveries) = match found.await {
            Ok(found) => found,
            Err(error) => {
                set_status(404);
                let words = error.to_string();
                return view! { <Missing what="webhook" words all="/settings/webhooks"/> }
                    .into_any();
            }
        };
        let saved = (saved && sent.is_none()).then(|| {
            view! {
                <span class="badge badge--ok" role="status">
                    <Icon name="check"/>
                    "Saved"
                </span>
            }
        });
        let (form, errors) = match sent {
            Some(sent) => (sent.form, sent.errors),
            None => (WebhookForm::of(&webhook), Vec::new()),
        };
        let page = format!("/settings/webhooks/{}", webhook.id);
        let question =
            format!("Delete the webhook “{}” and the record of what went there?", webhook.name);
        view! {
            <Title text=webhook.name.clone()/>
            <main id="main" class="page">
                <div class="page-head">
                    <div>
                        <h1>{webhook.name.clone()}</h1>
                        <p>
                            <a href="/settings/webhooks">"Webhooks"</a>
                        </p>
                    </div>
                    {saved}
                    <State enabled=webhook.enabled/>
                    {webhook.enabled
                        .then(|| view! {
                            <form method="post" action=format!("{page}/test")>
                                <button class="btn" type="submit">
                                    "Send a test"
                                </button>
                            </form>
                        })}
                    <form method="post" action=format!("{page}/delete") data-confirm=question>
                        <button class="btn btn--danger" type="submit">
                            "Delete"
                        </button>
                    </form>
                </div>
                {webhook.note
                    .map(|note| view! {
                        <div class="note note--warn">
                            <Icon name="warn"/>
                            <div>
                                <b>"Switched off by Lanes"</b>
                                <p>{note}</p>
                            </div>
                        </div>
                    })}
                <section class="card" aria-labelledby="h-webhook">
                    <div class="card-head">
                        <h2 id="h-webhook">"Webhook"</h2>
                    </div>
                    <form class="card-body stack" method="post" action=page.clone()>
                        <WebhookFields form errors/>
                        <div class="row">
                            <button class="btn btn--primary" type="submit">
                                "Save"
                            </button>
                        </div>
                    </form>
                </section>
                <Deliveries page=deliveries at=page enabled=webhook.enabled/>
            </main>
        }
        .into_any()
    })
}
