//! The list of keys: a dialog that `?` opens, and where single letters can be turned off.

use leptos::prelude::*;

/// Each key with what it does, as the pages' own listeners have it.
const KEYS: [(&[&str], &str); 12] = [
    (&["Ctrl", "Enter"], "Run (Workbench)"),
    (&["Ctrl", "S"], "Save (task)"),
    (&["1", "–", "6"], "Choose or leave out a task (Workbench)"),
    (&["Space"], "Replay or pause (finished run)"),
    (&["←", "→"], "Step 0.1 s, with Shift 1 s (finished run)"),
    (&["←", "→", "↑", "↓"], "Next call, lane above or below (in the timeline)"),
    (&["Enter"], "Show the call's result (in the timeline)"),
    (&["Esc", "Esc"], "Cancel (live run)"),
    (&["R"], "Run again with changes (finished run)"),
    (&["N"], "New run"),
    (&["P"], "Presentation size"),
    (&["T"], "Light or dark"),
];

/// The dialog.
#[component]
pub fn KeyList(
    /// Whether single letters do something.
    letters: bool,
) -> impl IntoView {
    let rows = KEYS
        .map(|(keys, what)| {
            let keys = keys.iter().map(|k| view! { <kbd>{*k}</kbd> " " }).collect_view();
            view! {
                <div>
                    <dt>{keys}</dt>
                    <dd>{what}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <dialog id="keys" class="card keys" aria-labelledby="h-keys">
            <form method="dialog" class="card-head">
                <h2 id="h-keys">"Keys"</h2>
                <button class="btn btn--small">"Close " <kbd>"Esc"</kbd></button>
            </form>
            <dl class="card-body">{rows}</dl>
            <div class="card-foot">
                <label class="row">
                    <input type="checkbox" data-do="letters" checked=letters/>
                    "Single letters do something"
                </label>
            </div>
        </dialog>
    }
}
