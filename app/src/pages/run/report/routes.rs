//! Where the calls of a run went that had more than one place to go.

use lanes_model::{RunState, format, traffic};
use leptos::prelude::*;

use super::heads;

/// The card; nothing when there is but one route.
pub(super) fn card(state: &RunState) -> impl IntoView + use<> {
    let traffic = traffic(state);
    if traffic.is_empty() {
        return None;
    }
    let rows = traffic
        .into_iter()
        .map(|t| {
            view! {
                <tr>
                    <th scope="row">{t.name}</th>
                    <td>{t.model}</td>
                    <td class="num">{format::count(t.answered)}</td>
                    <td class="num">{format::count(t.failed)}</td>
                    <td class="num">{format::count(t.opened.into())}</td>
                </tr>
            }
        })
        .collect_view();
    Some(view! {
        <section class="card" aria-labelledby="h-r">
            <div class="card-head">
                <h2 id="h-r">"Where calls went"</h2>
            </div>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="h-r">
                <table>
                    <thead>
                        <tr inner_html=heads(&["Route", "Model", "#Calls answered", "#Failed attempts", "#Breaker openings"])></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    })
}
