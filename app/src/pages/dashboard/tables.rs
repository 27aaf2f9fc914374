//! Figures by model and by task.

use lanes_model::{UsdMicros, format};
use lanes_service::{FigureView, ModelFigures, TaskFigures};
use leptos::prelude::*;

use super::{about, cost};

/// By provider and model.
#[component]
pub fn Models(models: Vec<ModelFigures>) -> impl IntoView {
    let rows = models.into_iter().map(|model| {
        let simulated = model.simulated;
        view! {
            <tr>
                <th scope="row">
                    {model.model} " " <span class="dim">{model.provider}</span> " "
                    {simulated.then(|| view! { <span class="badge badge--sim">"Simulated"</span> })}
                </th>
                <Cells figures=model.figures/>
            </tr>
        }
    });
    view! { <Table title="By model" id="models" first="Model" rows=rows.collect_view().into_any()/> }
}

/// By task; `names` are those of the tasks that are there now.
#[component]
pub fn Tasks(tasks: Vec<TaskFigures>, names: Vec<(String, String)>) -> impl IntoView {
    let rows = tasks.into_iter().map(|task| {
        let name = names.iter().find(|(id, _)| *id == task.task).map(|(_, name)| name.clone());
        let name = name.unwrap_or_else(|| task.task.clone());
        view! {
            <tr>
                <th scope="row">{name}</th>
                <Cells figures=task.figures/>
            </tr>
        }
    });
    view! { <Table title="By task" id="tasks" first="Task" rows=rows.collect_view().into_any()/> }
}

#[component]
fn Cells(figures: FigureView) -> impl IntoView {
    let share = figures.error_rate.map_or_else(|| "–".to_owned(), format::percent);
    let tokens = figures.input_tokens + figures.output_tokens;
    let (paid, simulated) = cost(&figures);
    let money = match (figures.cost_usd_micros, figures.simulated_cost_usd_micros) {
        (_, 0) => paid,
        (0, micros) => format!("{} simulated", format::cost(UsdMicros(micros))),
        _ => format!("{paid} {simulated}"),
    };
    view! {
        <td class="num">{format::count(figures.calls)}</td>
        <td class="num">{share}</td>
        <td class="num">{about(figures.p50_us)}</td>
        <td class="num">{about(figures.p95_us)}</td>
        <td class="num">{format::count(tokens)}</td>
        <td class="num">{format::count(figures.cached)}</td>
        <td class="num">{money}</td>
    }
}

#[component]
fn Table(
    title: &'static str,
    id: &'static str,
    first: &'static str,
    rows: AnyView,
) -> impl IntoView {
    let heading = format!("h-{id}");
    let heads = ["Calls", "Failed", "p50", "p95", "Tokens", "From cache", "Cost"];
    let heads = heads.map(|head| view! { <th scope="col" class="num">{head}</th> });
    view! {
        <section class="card" aria-labelledby=heading>
            <div class="card-head">
                <h2 id=format!("h-{id}")>{title}</h2>
            </div>
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Table {}", title.to_lowercase())>
                <table class="tight">
                    <thead>
                        <tr>
                            <th scope="col">{first}</th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
