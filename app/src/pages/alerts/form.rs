//! The fields of a rule, with what is wrong at each.

use lanes_model::FieldError;
use lanes_service::{AlertKind, Severity};
use leptos::prelude::*;

use crate::components::icons::Icon;
use crate::pages::tasks::fields::{Line, Wrong};
use crate::server::AlertForm;

/// The fields.
#[component]
pub fn AlertFields(form: AlertForm, errors: Vec<FieldError>) -> impl IntoView {
    let whole: Vec<_> = errors.iter().filter(|e| e.pointer.is_empty()).collect();
    let whole = (!whole.is_empty()).then(|| {
        let words = whole.iter().map(|e| e.detail.as_str()).collect::<Vec<_>>().join(" ");
        view! {
            <div class="note note--bad" role="alert">
                <Icon name="warn"/>
                <div>
                    <p>{words}</p>
                </div>
            </div>
        }
    });
    let kinds = AlertKind::ALL.map(|kind| {
        let words = format!("{} ({})", kind.label(), kind.unit());
        view! {
            <option value=kind.id() selected=form.kind == kind.id()>
                {words}
            </option>
        }
    });
    let severities = Severity::ALL.map(|severity| {
        view! {
            <option value=severity.id() selected=form.severity == severity.id()>
                {severity.label()}
            </option>
        }
    });
    let wrong = |place: &'static str| Wrong::at(&errors, place, &place[1..]);
    let kind = wrong("/kind");
    view! {
        {whole}
        <div class="picks picks--4 rule">
            <Line id="name" label="Name" value=form.name.clone() wrong=wrong("/name")/>
            <div class="field">
                <label for="kind">"About"</label>
                <select
                    id="kind"
                    name="kind"
                    class="select"
                    aria-invalid=kind.invalid()
                    aria-describedby=kind.described("")
                >
                    {kinds}
                </select>
                {kind.note()}
            </div>
            <Line
                id="threshold"
                label="Fires from"
                hint="In the unit of what it is about"
                keyboard="decimal"
                value=form.threshold.clone()
                wrong=wrong("/threshold")
            />
            <div class="field">
                <label for="severity">"Severity"</label>
                <select id="severity" name="severity" class="select">
                    {severities}
                </select>
            </div>
            <Line
                id="for_s"
                label="For, seconds"
                hint="It fires after the value stayed there so long"
                keyboard="numeric"
                value=form.for_s.clone()
                wrong=wrong("/for_s")
            />
            <Line
                id="window_s"
                label="Window, seconds"
                hint="Of failed calls and call time"
                keyboard="numeric"
                value=form.window_s.clone()
                wrong=wrong("/window_s")
            />
            <Line
                id="min_calls"
                label="Least calls"
                hint="With fewer in the window it does not fire"
                keyboard="numeric"
                value=form.min_calls.clone()
                wrong=wrong("/min_calls")
            />
        </div>
        <label class="row cached">
            <input type="checkbox" name="simulated" value="on" checked=form.simulated/>
            "Count calls of the simulator, too"
        </label>
        <label class="row cached">
            <input type="checkbox" name="enabled" value="on" checked=form.enabled/>
            "Switched on"
        </label>
    }
}
