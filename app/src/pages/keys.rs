//! `/settings/keys`: the API keys there are, and the form that makes one. Plain posts
//! (`src/http/keys.rs`).

mod form;

use lanes_service::{ApiKey, Caller, MadeKey, Scope};
use leptos::prelude::*;
use leptos_meta::Title;
use secrecy::ExposeSecret;

use crate::components::icons::Icon;
use crate::components::settings_nav::SettingsNav;
use crate::server::{KeySent, is_open, keys, viewer};
use form::NewKey;

/// The page.
#[component]
pub fn KeysPage() -> impl IntoView {
    let sent = use_context::<KeySent>().unwrap_or_default();
    let viewer = viewer().unwrap_or(Caller::Anyone);
    let may = viewer.scope().covers(Scope::Admin);
    let made = sent.made.clone();
    view! {
        <Title text="API keys"/>
        <main id="main" class="page">
            <SettingsNav here="/settings/keys"/>
            <div class="page-head">
                <div>
                    <h1>"API keys"</h1>
                    <p>{standing(&viewer)}</p>
                </div>
                {(viewer != Caller::Anyone)
                    .then(|| view! {
                        <form method="post" action="/logout">
                            <button class="btn" type="submit">"Sign out"</button>
                        </form>
                    })}
            </div>
            {made.map(|made| view! { <Made made/> })}
            {if may {
                view! {
                    <NewKey sent/>
                    {Suspend::new(async move {
                        match keys().await {
                            Ok(keys) => view! { <Listing keys/> }.into_any(),
                            Err(error) => view! { <p role="alert">{error.to_string()}</p> }.into_any(),
                        }
                    })}
                }
                    .into_any()
            } else {
                view! {
                    <div class="note">
                        <Icon name="key"/>
                        <div>
                            <p>"Keys are made and revoked by holders of a key with the scope admin."</p>
                        </div>
                    </div>
                }
                    .into_any()
            }}
        </main>
    }
}

/// Who is let in, and as whom one is here.
fn standing(viewer: &Caller) -> String {
    match viewer {
        Caller::Anyone if is_open() => {
            "Programs on this machine need no key. From elsewhere nobody is let in: set LANES_TOKEN, \
             or make a key, and listen on another address."
                .to_owned()
        }
        Caller::Key { name, scope, .. } => format!("Signed in with the key “{name}”, scope {scope}."),
        _ => "Signed in with LANES_TOKEN.".to_owned(),
    }
}

/// A key just made: the one time that its secret is shown.
#[component]
fn Made(made: MadeKey) -> impl IntoView {
    let words = format!("The key “{}” is made. Copy it now: it is not shown again.", made.key.name);
    let secret = made.secret.expose_secret().to_owned();
    view! {
        <div class="note" role="status">
            <Icon name="key"/>
            <div class="field across">
                <label for="new-key">{words}</label>
                <input
                    id="new-key"
                    class="input mono"
                    readonly
                    autocomplete="off"
                    spellcheck="false"
                    value=secret
                />
            </div>
        </div>
    }
}

#[component]
fn Listing(keys: Vec<ApiKey>) -> impl IntoView {
    if keys.is_empty() {
        return view! {
            <div class="card">
                <div class="empty">
                    <h2>"There are no keys"</h2>
                    <p>"A key lets a program or a person in, for as much as its scope says."</p>
                </div>
            </div>
        }
        .into_any();
    }
    view! {
        <section class="card" aria-label="Keys">
            <div class="scroll" tabindex="0" role="region" aria-label="Table of keys">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Id"</th>
                            <th scope="col">"Scope"</th>
                            <th scope="col">"Made"</th>
                            <th scope="col">"Used last"</th>
                            <th scope="col">"Ends"</th>
                            <th scope="col">
                                <span class="sr">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{keys.into_iter().map(|key| view! { <Row key/> }).collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Row(key: ApiKey) -> impl IntoView {
    let ApiKey { id, name, scope, created_at, expires_at, last_used_at, expired } = key;
    let label = format!("Revoke {name}");
    let question = format!("Revoke the key “{name}”? Whoever uses it is shut out at once.");
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td class="mono">{id.clone()}</td>
            <td>
                <span class="badge">{scope}</span>
            </td>
            <td>{when(Some(created_at))}</td>
            <td>{when(last_used_at)}</td>
            <td>{when(expires_at)} {expired.then_some(" (over)")}</td>
            <td class="num">
                <form method="post" action=format!("/settings/keys/{id}/revoke") data-confirm=question>
                    <button class="btn btn--small btn--quiet" type="submit" aria-label=label>
                        "Revoke"
                    </button>
                </form>
            </td>
        </tr>
    }
}

/// A time to the minute.
fn when(at: Option<String>) -> impl IntoView {
    match at {
        None => "never".into_any(),
        Some(at) => {
            let words = at.get(..16).unwrap_or(&at).replace('T', " ");
            view! { <time datetime=at>{words} " UTC"</time> }.into_any()
        }
    }
}
