//! `/login`: where a browser shows a key or the token. A plain post (`src/http/login.rs`).

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::icons::Icon;
use crate::server::{LoginSent, is_open};

/// The page.
#[component]
pub fn LoginPage() -> impl IntoView {
    let asked = use_query_map().with_untracked(|q| q.get("next")).unwrap_or_default();
    let sent = use_context::<LoginSent>();
    let wrong = sent.is_some();
    let LoginSent { next, problem } =
        sent.unwrap_or_else(|| LoginSent { next: asked, ..LoginSent::default() });
    let refused = wrong.then(|| {
        view! {
            <p class="hint hint--bad" role="alert" id="token-wrong">
                {problem}
            </p>
        }
    });
    let open = is_open().then(|| {
        view! {
            <div class="note" role="status">
                <Icon name="check"/>
                <div>
                    <p>"This Lanes asks nobody for a key: it is reached from this machine alone."</p>
                </div>
            </div>
        }
    });
    view! {
        <Title text="Sign in"/>
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Sign in"</h1>
                    <p>"With an API key of this Lanes, or its token."</p>
                </div>
            </div>
            {open}
            <section class="card" aria-label="Sign in">
                <form class="card-body stack" method="post" action="/login">
                    <input type="hidden" name="next" value=next/>
                    <div class="field">
                        <label for="token">"Key or token"</label>
                        <input
                            id="token"
                            class="input mono"
                            type="password"
                            name="token"
                            required
                            maxlength="512"
                            autocomplete="current-password"
                            autofocus
                            aria-invalid=wrong.then_some("true")
                            aria-describedby=if wrong { "token-wrong" } else { "token-hint" }
                        />
                        {refused}
                        <span class="hint" id="token-hint">
                            "An administrator makes keys under Settings, or with “lanes keys create”."
                        </span>
                    </div>
                    <div class="row">
                        <button class="btn btn--primary" type="submit">
                            <Icon name="key"/>
                            "Sign in"
                        </button>
                    </div>
                </form>
            </section>
        </main>
    }
}
