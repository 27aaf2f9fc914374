//! The form that makes a key.

use lanes_model::FieldError;
use lanes_service::Scope;
use leptos::prelude::*;

use crate::components::icons::Icon;
use crate::server::KeySent;

const SCOPES: [(Scope, &str); 3] = [
    (Scope::Read, "read: look at runs, results and figures"),
    (Scope::Run, "run: also start and steer runs, edit tasks and workflows"),
    (Scope::Admin, "admin: everything, keys too"),
];

/// What is wrong at a place, under its field.
fn wrong(errors: &[FieldError], place: &str, id: &str) -> Option<impl IntoView + use<>> {
    let words = errors.iter().find(|e| e.pointer == place)?.detail.clone();
    Some(view! {
        <p class="hint hint--bad" id=format!("{id}-wrong")>
            {words}
        </p>
    })
}

/// The form, with what was wrong the last time.
#[component]
pub fn NewKey(sent: KeySent) -> impl IntoView {
    let KeySent { request, days, errors, .. } = sent;
    let is_wrong = |place: &str| errors.iter().any(|e| e.pointer == place);
    let invalid = |place: &str| is_wrong(place).then_some("true");
    let described = |place: &str, id: &str| is_wrong(place).then(|| format!("{id}-wrong"));
    let chosen = Scope::from_id(&request.scope).unwrap_or(Scope::Run);
    let scopes = SCOPES.map(|(scope, words)| {
        view! {
            <option value=scope.id() selected=scope == chosen>
                {words}
            </option>
        }
    });
    view! {
        <section class="card" aria-labelledby="h-new-key">
            <div class="card-head">
                <h2 id="h-new-key">"New key"</h2>
            </div>
            <form class="card-body stack" method="post" action="/settings/keys">
                <div class="picks">
                    <div class="field">
                        <label for="key-name">"Name"</label>
                        <input
                            id="key-name"
                            class="input"
                            name="name"
                            value=request.name
                            required
                            maxlength="80"
                            autocomplete="off"
                            aria-invalid=invalid("/name")
                            aria-describedby=described("/name", "key-name")
                        />
                        {wrong(&errors, "/name", "key-name")}
                    </div>
                    <div class="field">
                        <label for="key-days">"Ends in, days"</label>
                        <input
                            id="key-days"
                            class="input"
                            name="expires_in_days"
                            value=days
                            inputmode="numeric"
                            placeholder="never"
                            autocomplete="off"
                            aria-invalid=invalid("/expires_in_days")
                            aria-describedby=described("/expires_in_days", "key-days")
                        />
                        {wrong(&errors, "/expires_in_days", "key-days")}
                    </div>
                </div>
                <div class="field">
                    <label for="key-scope">"Scope"</label>
                    <select
                        id="key-scope"
                        class="select"
                        name="scope"
                        aria-invalid=invalid("/scope")
                        aria-describedby=described("/scope", "key-scope")
                    >
                        {scopes.collect_view()}
                    </select>
                    {wrong(&errors, "/scope", "key-scope")}
                </div>
                <div class="row">
                    <button class="btn btn--primary" type="submit">
                        <Icon name="plus"/>
                        "Make the key"
                    </button>
                </div>
            </form>
        </section>
    }
}
