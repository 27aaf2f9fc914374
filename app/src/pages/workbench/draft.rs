//! What only the browser does for the form: it keeps what was entered over a reload, in the
//! session's storage, and has a text counted once the typing pauses. On the server nothing happens.

use super::form::Form;

/// Where the draft is kept.
#[cfg(feature = "hydrate")]
const KEY: &str = "lanes.workbench";

/// Where a panel is kept: the server draws its fields, so they are not among the form's values.
#[cfg(feature = "hydrate")]
fn key(panel: &str) -> String {
    ["lanes.", panel].concat()
}

/// How long the typing pauses before the server counts, ms.
#[cfg(feature = "hydrate")]
const PAUSE_MS: u32 = 300;

/// Keeps what differs from what the page came with, and fills it in again after a reload. A page
/// that came with choices of its own (`fresh`) drops what was kept.
pub fn keep(form: Form, fresh: bool) {
    #[cfg(feature = "hydrate")]
    {
        use super::panels::{FAULTS, OPTIONS};
        use super::values::Values;
        use lanes_model::{Json, Read};
        use leptos::prelude::*;

        let storage = || web_sys::window().and_then(|w| w.session_storage().ok().flatten());
        let first = form.data.with_value(Values::first);
        Effect::new(move |before: Option<()>| {
            let Some(storage) = storage() else { return };
            if before.is_none() && !fresh {
                let kept = storage.get_item(KEY).ok().flatten();
                if let Some(kept) = kept.and_then(|s| Json::parse(&s)) {
                    form.fill(form.data.with_value(|d| Values::read(&kept).fitting(d)));
                }
                for panel in [FAULTS, OPTIONS] {
                    if let Ok(Some(kept)) = storage.get_item(&key(panel)) {
                        super::panels::fill(panel, &kept);
                    }
                }
                super::panels::tell(form.mode.get_untracked());
            } else if before.is_none() {
                for panel in [FAULTS, OPTIONS] {
                    let _ = storage.remove_item(&key(panel));
                }
            }
            let values = form.values();
            // A full storage only means that nothing is kept.
            let _ = match serde_json::to_string(&values) {
                Ok(json) if values != first => storage.set_item(KEY, &json),
                _ => storage.remove_item(KEY),
            };
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (form, fresh);
}

/// Keeps a panel over a reload.
#[cfg(feature = "hydrate")]
pub fn keep_panel(panel: &str, typed: &str) {
    if let Some(storage) = web_sys::window().and_then(|w| w.session_storage().ok().flatten()) {
        // A full storage only means that nothing is kept.
        let _ = storage.set_item(&key(panel), typed);
    }
}

/// Has the text counted exactly, a moment after the last change.
pub fn count_soon(form: Form) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::prelude::*;
        use leptos::task::spawn_local;

        form.edition.update_value(|n| *n += 1);
        let edition = form.edition.get_value();
        let current = move || form.edition.try_get_value() == Some(edition);
        let timer = gloo_timers::callback::Timeout::new(PAUSE_MS, move || {
            let Some(text) = form.text.try_get_untracked().filter(|t| !t.is_empty() && current())
            else {
                return;
            };
            if text.len() > form.limits().max_text_bytes {
                return;
            }
            spawn_local(async move {
                if let Ok(count) = crate::server::count_text(text).await
                    && current()
                {
                    form.count.set(count);
                }
            });
        });
        timer.forget();
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = form;
}
