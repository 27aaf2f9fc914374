//! What went to a webhook and what came of it, with a button to send it again.

use lanes_model::{Micros, format};
use lanes_service::{DeliveryPage, DeliveryView};
use leptos::prelude::*;

use crate::components::icons::Icon;
use crate::server::service;

/// The log of deliveries.
#[component]
pub fn Deliveries(
    page: DeliveryPage,
    /// The webhook's own address.
    at: String,
    /// Whether messages go there.
    enabled: bool,
) -> impl IntoView {
    let now = service().map(|s| s.wall_clock()).unwrap_or_default();
    let next = page.next_cursor.map(|cursor| {
        view! {
            <div class="card-foot">
                <a href=format!("{at}?cursor={cursor}#deliveries")>"Earlier deliveries"</a>
            </div>
        }
    });
    let rows = match page.items.is_empty() {
        true => view! {
            <div class="card-body">
                <p class="dim">"Nothing was sent there so far."</p>
            </div>
        }
        .into_any(),
        false => view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of deliveries">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Message"</th>
                            <th scope="col">"When"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Last try"</th>
                            <th scope="col" class="num">
                                "Tries"
                            </th>
                            <th scope="col">
                                <span class="sr">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {page
                            .items
                            .into_iter()
                            .map(|delivery| {
                                let (at, now) = (at.clone(), now.clone());
                                view! { <Row delivery at now enabled/> }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
        }
        .into_any(),
    };
    view! {
        <section class="card" aria-labelledby="deliveries">
            <div class="card-head">
                <h2 id="deliveries">"Deliveries"</h2>
                <a class="btn btn--small" href=format!("{at}#deliveries")>
                    <Icon name="retry"/>
                    "Refresh"
                </a>
            </div>
            {rows}
            {next}
        </section>
    }
}

#[component]
fn Row(delivery: DeliveryView, at: String, now: String, enabled: bool) -> impl IntoView {
    let (class, icon, word) = match delivery.state.as_str() {
        "delivered" => ("badge badge--ok", "check", "Delivered".to_owned()),
        "failed" => ("badge badge--bad", "x", "Given up".to_owned()),
        _ => ("badge badge--warn", "clock", "Waiting".to_owned()),
    };
    let when = |instant: &str| crate::pages::runs::started(instant, &now);
    let next = delivery.next_at.as_deref().filter(|_| !delivery.attempts.is_empty());
    let next = next.map(|at| view! { <p class="hint">{format!("again {}", when(at))}</p> });
    let tries = delivery.attempts.len() as u64;
    let last = delivery.attempts.first().map(|attempt| {
        let duration = u64::try_from(attempt.duration_us).unwrap_or_default();
        let status = attempt.status.map_or_else(|| "No answer".to_owned(), |s| s.to_string());
        let said = attempt.error.clone().unwrap_or_else(|| attempt.answer.clone());
        let words = format!("{status}, {}", format::seconds_table(Micros(duration)));
        view! {
            {words}
            <p class="told">{said.chars().take(300).collect::<String>()}</p>
        }
    });
    let again = format!("{at}/deliveries/{}/redeliver", delivery.id);
    let label = format!("Send {} again", delivery.message);
    let about = delivery.run.clone().map(|run| {
        view! {
            " "
            <a class="link" href=format!("/runs/{run}")>
                "run"
            </a>
        }
    });
    view! {
        <tr>
            <th scope="row">
                {delivery.r#type.clone()} {about} <p class="hint mono">{delivery.message.clone()}</p>
            </th>
            <td>{when(&delivery.created_at)}</td>
            <td>
                <span class=class>
                    <Icon name=icon/>
                    {word}
                </span>
                {next}
            </td>
            <td>{last}</td>
            <td class="num">{format::count(tries)}</td>
            <td>
                {enabled
                    .then(|| view! {
                        <form method="post" action=again>
                            <button
                                class="btn btn--small btn--quiet"
                                type="submit"
                                aria-label=label
                            >
                                "Send again"
                            </button>
                        </form>
                    })}
            </td>
        </tr>
    }
}
