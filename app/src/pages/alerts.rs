//! `/alerts`: the rules and how they stand, what has changed, and a form to make another rule;
//! `/alerts/{id}`: the form of one. Plain posts: `src/http/alert_forms.rs`.

mod form;

use lanes_model::{Micros, UsdMicros, format};
use lanes_service::{Alert, AlertChangeView, AlertKind, AlertRule, AlertStatus, Alerts, Severity};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::components::icons::Icon;
use crate::components::missing::Missing;
use crate::server::{AlertForm, AlertSent, UiError, service, set_status};
use form::AlertFields;

/// The alerts.
#[component]
pub fn AlertsPage() -> impl IntoView {
    let sent = use_context::<AlertSent>();
    Suspend::new(async move {
        let found = async { Ok::<_, UiError>(service()?.alerts().await?) };
        match found.await {
            Ok(alerts) => view! { <All alerts sent/> }.into_any(),
            Err(error) => {
                set_status(503);
                view! { <Missing what="alert" words=error.to_string() all="/alerts"/> }.into_any()
            }
        }
    })
}

#[component]
fn All(alerts: Alerts, sent: Option<AlertSent>) -> impl IntoView {
    let now = service().map(|s| s.wall_clock()).unwrap_or_default();
    let Alerts { firing, alerts, history } = alerts;
    let words = match firing {
        0 => "Nothing fires.".to_owned(),
        1 => "1 alert fires.".to_owned(),
        n => format!("{n} alerts fire."),
    };
    let (form, errors) = match sent {
        Some(sent) => (sent.form, sent.errors),
        None => (AlertForm::blank(), Vec::new()),
    };
    let rows = alerts.into_iter().map(|alert| {
        let now = now.clone();
        view! { <Row alert now/> }
    });
    let rows = rows.collect_view();
    view! {
        <Title text="Alerts"/>
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Alerts"</h1>
                    <p>{format!("{words} Rules are looked at every 10 seconds.")}</p>
                </div>
                <a class="btn" href="/settings/webhooks">
                    "Webhooks"
                </a>
                <a class="btn" href="/alerts">
                    <Icon name="retry"/>
                    "Refresh"
                </a>
            </div>
            <section class="card" aria-label="Rules">
                <div class="scroll" tabindex="0" role="region" aria-label="Table of rules">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"Rule"</th>
                                <th scope="col">"State"</th>
                                <th scope="col">"Fires from"</th>
                                <th scope="col" class="num">
                                    "Now"
                                </th>
                                <th scope="col">"Severity"</th>
                                <th scope="col">
                                    <span class="sr">"Actions"</span>
                                </th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
            <History history now/>
            <section class="card" aria-labelledby="h-new">
                <div class="card-head">
                    <h2 id="h-new">"New rule"</h2>
                </div>
                <form class="card-body stack" method="post" action="/alerts">
                    <AlertFields form errors/>
                    <div class="row">
                        <button class="btn btn--primary" type="submit">
                            "Make rule"
                        </button>
                    </div>
                </form>
            </section>
        </main>
    }
}

/// A setting of so many seconds, in the largest unit that it is a whole number of.
fn span(seconds: u64) -> String {
    match seconds {
        s if s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// A value in the unit of its kind.
fn measured(kind: &str, value: Option<f64>) -> String {
    match (AlertKind::from_id(kind), value) {
        (Some(AlertKind::ErrorRate), Some(v)) => format::percent(v / 100.0),
        (Some(AlertKind::DailySpend), Some(v)) => format::cost(UsdMicros((v * 1e6) as u64)),
        (Some(_), Some(v)) => format::seconds(Micros((v * 1e6) as u64)),
        _ => "–".to_owned(),
    }
}

#[component]
fn State(status: AlertStatus, enabled: bool) -> impl IntoView {
    let (class, icon) = match (status, enabled) {
        (AlertStatus::Firing, _) => ("badge badge--bad", "bell"),
        (AlertStatus::Pending, true) => ("badge badge--warn", "clock"),
        (AlertStatus::Resolved, true) => ("badge badge--ok", "check"),
        (_, true) => ("badge", "check"),
        (_, false) => ("badge", "stop"),
    };
    let word = match enabled || status == AlertStatus::Firing {
        true => status.label(),
        false => "Off",
    };
    view! {
        <span class=class>
            <Icon name=icon/>
            {word}
        </span>
    }
}

#[component]
fn Row(alert: Alert, now: String) -> impl IntoView {
    let AlertRule { id, definition: rule } = alert.rule;
    let page = format!("/alerts/{id}");
    let label = rule.known_kind().map_or("", AlertKind::label);
    let since = alert.since.filter(|_| rule.enabled && alert.status != AlertStatus::Quiet);
    let since = since.map(|at| {
        view! { <p class="hint">{format!("since {}", crate::pages::runs::started(&at, &now))}</p> }
    });
    let wait = match rule.for_s {
        0 => String::new(),
        s => format!(" for {}", span(s.into())),
    };
    let over = match rule.known_kind() {
        Some(AlertKind::ErrorRate | AlertKind::P95Duration) => {
            let window = span(rule.window_s.into());
            format!("over {window}, from {} on", format::plural(rule.min_calls.into(), "call"))
        }
        _ => String::new(),
    };
    let threshold = format!("{}{wait}", measured(&rule.kind, Some(rule.threshold)));
    let question = format!("Delete the rule “{}”?", rule.name);
    let (edit, delete) = (format!("Edit {}", rule.name), format!("Delete {}", rule.name));
    view! {
        <tr>
            <th scope="row">
                <a class="link" href=page.clone()>
                    {rule.name.clone()}
                </a>
                <p class="hint">{label}</p>
            </th>
            <td>
                <State status=alert.status enabled=rule.enabled/>
                {since}
            </td>
            <td>{threshold} <p class="hint">{over}</p></td>
            <td class="num">{measured(&rule.kind, alert.value)}</td>
            <td>
                <Badge severity=rule.severity/>
            </td>
            <td>
                <div class="row row--end">
                    <a class="btn btn--small btn--quiet" href=page.clone() aria-label=edit>
                        "Edit"
                    </a>
                    <form method="post" action=format!("{page}/delete") data-confirm=question>
                        <button
                            class="btn btn--small btn--quiet"
                            type="submit"
                            aria-label=delete
                        >
                            "Delete"
                        </button>
                    </form>
                </div>
            </td>
        </tr>
    }
}

#[component]
fn Badge(severity: Severity) -> impl IntoView {
    let class = match severity {
        Severity::Info => "badge",
        Severity::Warning => "badge badge--warn",
        Severity::Critical => "badge badge--bad",
    };
    view! { <span class=class>{severity.label()}</span> }
}

/// What has changed.
#[component]
fn History(history: Vec<AlertChangeView>, now: String) -> impl IntoView {
    if history.is_empty() {
        return view! { <p class="hint">"No alert has changed so far."</p> }.into_any();
    }
    let rows = history.into_iter().map(|change| {
        let runs = change.runs.into_iter().take(5).map(|run| {
            let short: String = run.chars().take(8).collect();
            view! {
                " "
                <a class="link" href=format!("/runs/{run}")>
                    {format!("run {short}")}
                </a>
            }
        });
        let against = format!(
            "{} (from {})",
            measured(&change.kind, change.value),
            measured(&change.kind, Some(change.threshold))
        );
        view! {
            <tr>
                <td>{crate::pages::runs::started(&change.at, &now)}</td>
                <th scope="row">{change.name} {runs.collect_view()}</th>
                <td>
                    <State status=change.status enabled=true/>
                </td>
                <td>{against}</td>
                <td>
                    <Badge severity=change.severity/>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="card" aria-labelledby="h-history">
            <div class="card-head">
                <h2 id="h-history">"History"</h2>
            </div>
            <div class="scroll" tabindex="0" role="region" aria-label="Table of changes">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"When"</th>
                            <th scope="col">"Rule"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Measured"</th>
                            <th scope="col">"Severity"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

/// One rule's form.
#[component]
pub fn AlertPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|p| p.get("id")).unwrap_or_default();
    let saved = use_query_map().with_untracked(|q| q.get("saved")).is_some();
    let sent = use_context::<AlertSent>();
    Suspend::new(async move {
        let rules = async { Ok::<_, UiError>(service()?.alert_rules().await?) };
        let rule = rules.await.unwrap_or_default().into_iter().find(|rule| rule.id == id);
        let Some(AlertRule { id, definition }) = rule else {
            set_status(404);
            let words = "It may have been deleted.".to_owned();
            return view! { <Missing what="rule" words all="/alerts"/> }.into_any();
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
            None => (AlertForm::of(&definition), Vec::new()),
        };
        let page = format!("/alerts/{id}");
        view! {
            <Title text=definition.name.clone()/>
            <main id="main" class="page">
                <div class="page-head">
                    <div>
                        <h1>{definition.name.clone()}</h1>
                        <p>
                            <a href="/alerts">"Alerts"</a>
                        </p>
                    </div>
                    {saved}
                </div>
                <section class="card" aria-labelledby="h-rule">
                    <div class="card-head">
                        <h2 id="h-rule">"Rule"</h2>
                    </div>
                    <form class="card-body stack" method="post" action=page>
                        <AlertFields form errors/>
                        <div class="row">
                            <button class="btn btn--primary" type="submit">
                                "Save"
                            </button>
                        </div>
                    </form>
                </section>
            </main>
        }
        .into_any()
    })
}
