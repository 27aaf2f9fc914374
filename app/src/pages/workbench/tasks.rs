//! The Tasks card: which tasks to run, as native checkboxes, and with the keys 1 to 9.

use lanes_model::Task;
use leptos::prelude::*;

use super::form::Form;
use super::values::Field;
use super::{FieldNote, described};
use crate::components::icons::{Icon, task_icon};

/// The card.
#[component]
pub fn Tasks(form: Form) -> impl IntoView {
    let tasks = form.data.with_value(|d| d.tasks.clone());
    let none = move || form.tasks.read().is_empty();
    view! {
        <section class="card" aria-labelledby="h-tasks">
            <div class="card-head">
                <h2 id="h-tasks">"Tasks"</h2>
                <span class="hint needs-js">
                    {move || format!("{} selected", form.tasks.read().len())}
                </span>
                <button
                    class="btn btn--small btn--quiet needs-js"
                    type="button"
                    style="min-width:3.5rem"
                    aria-label=move || if none() { "Select all tasks" } else { "Clear all tasks" }
                    on:click=move |_| {
                        let all = form.tasks.with_untracked(Vec::is_empty);
                        form.set_tasks(|_| all);
                    }
                >
                    {move || if none() { "All" } else { "Clear" }}
                </button>
            </div>
            <fieldset class="card-body" aria-describedby=described(form, Field::Tasks, "")>
                <legend class="sr">"Tasks to run"</legend>
                <div class="picks">
                    {tasks
                        .into_iter()
                        .zip(1..)
                        .map(|(task, number)| view! { <TaskPick form task number/> })
                        .collect_view()}
                </div>
                <FieldNote form field=Field::Tasks/>
            </fieldset>
        </section>
    }
    .into_any()
}

/// One task.
#[component]
fn TaskPick(form: Form, task: Task, number: usize) -> impl IntoView {
    let id = task.id.to_string();
    let has = |chosen: &[String], id: &str| chosen.iter().any(|c| c == id);
    let chosen = form.tasks.with_untracked(|c| has(c, &id));
    let (value, watched) = (id.clone(), id.clone());
    view! {
        <label class="pick">
            <input
                type="checkbox"
                name="task"
                value=value
                aria-keyshortcuts=(number <= 9).then(|| number.to_string())
                checked=chosen
                prop:checked=move || form.tasks.with(|c| has(c, &watched))
                on:change=move |event| form.set_task(&id, event_target_checked(&event))
            />
            <Icon name=task_icon(task.id.as_str())/>
            <span>{task.name}</span>
            <Icon name="check" class="check"/>
        </label>
    }
    .into_any()
}

/// Toggles the task whose number was typed; whether there is one.
pub fn toggle_by_number(form: Form, key: &str) -> bool {
    let place = key.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let id = place.and_then(|i| form.data.with_value(|d| d.tasks.get(i).map(|t| t.id.to_string())));
    let Some(id) = id else { return false };
    let on = form.tasks.with_untracked(|chosen| chosen.contains(&id));
    form.set_task(&id, !on);
    true
}
