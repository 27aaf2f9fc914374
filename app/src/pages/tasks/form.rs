//! The left half of the editor: everything that is said of a task.

use lanes_model::FieldError;
use leptos::prelude::*;

use super::fields::{Line, Lines, Wrong};
use crate::server::TaskForm;

const PROMPT_HINT: &str = "<code>{{text}}</code> is the document’s text; in a workflow <code>{{stage.output}}</code> is \
     what an earlier stage answered.";
const SCHEMA_HINT: &str = "The schema is sent along, and the answer is checked against it.";
const LABELS_HINT: &str = "One a line. The answer must be one of them and nothing else.";

/// The fields; an id that is kept stays, and what is built in can only be read.
#[component]
pub fn Fields(
    form: TaskForm,
    errors: Vec<FieldError>,
    fixed_id: bool,
    built_in: bool,
) -> impl IntoView {
    let wrong = |place: &str, id| Wrong::at(&errors, place, id);
    let kind = |value: &'static str, label: &'static str| {
        let chosen = form.output == value || (value == "text" && form.output.is_empty());
        view! {
            <label>
                <input
                    type="radio"
                    name="output"
                    value=value
                    checked=chosen
                    disabled=built_in && !chosen
                />
                {label}
            </label>
        }
    };
    view! {
        <div class="card-body stack">
            <div class="picks">
                <Line
                    id="id"
                    label="Id"
                    class="mono"
                    hint=if fixed_id {
                        "Names it in requests and exports; it stays as it is."
                    } else {
                        "Lower case letters, digits, - and _. Used in requests and exports."
                    }
                    value=form.id
                    wrong=wrong("/id", "id")
                    fixed=fixed_id
                />
                <Line
                    id="name"
                    label="Name"
                    value=form.name
                    wrong=wrong("/name", "name")
                    fixed=built_in
                />
            </div>
            <Lines
                id="system"
                name="system_message"
                label="System message"
                rows=3
                value=form.system_message
                wrong=wrong("/system_message", "system")
                fixed=built_in
            />
            <Lines
                id="prompt"
                name="prompt"
                label="Prompt"
                hint=PROMPT_HINT
                rows=7
                value=form.prompt
                wrong=wrong("/prompt", "prompt")
                fixed=built_in
            />
            <div class="row" style="gap:var(--4);align-items:start">
                <Line
                    id="max_tokens"
                    label="Max tokens"
                    width="6rem"
                    keyboard="numeric"
                    value=form.max_tokens
                    wrong=wrong("/max_tokens", "max_tokens")
                    fixed=built_in
                />
                <Line
                    id="temperature"
                    label="Temperature"
                    width="6rem"
                    keyboard="decimal"
                    placeholder="default"
                    value=form.temperature
                    wrong=wrong("/temperature", "temperature")
                    fixed=built_in
                />
                <fieldset class="field" style="flex:1;min-width:14rem">
                    <legend>"Answer"</legend>
                    <div class="seg">
                        {kind("text", "Text")} {kind("labels", "Labels")}
                        {kind("schema", "JSON")}
                    </div>
                </fieldset>
            </div>
            <div class="for-labels">
                <Lines
                    id="labels"
                    name="labels"
                    label="Labels"
                    hint=LABELS_HINT
                    rows=4
                    value=form.labels
                    wrong=wrong("/output/labels", "labels")
                />
            </div>
            <div class="for-schema">
                <Lines
                    id="schema"
                    name="schema"
                    label="JSON schema"
                    hint=SCHEMA_HINT
                    rows=8
                    value=form.schema
                    wrong=wrong("/output/schema", "schema")
                />
            </div>
        </div>
    }
}
