//! The Input card: the samples, the text and its size. Editing a sample's text makes it a text of
//! one's own; a sample takes the place of such a text, which can be had back.

use lanes_model::format;
use lanes_model::sample::SampleInfo;
use leptos::prelude::*;

use super::documents::Documents;
use super::form::Form;
use super::values::Field;
use super::{FieldNote, described, invalid};

/// The card.
#[component]
pub fn InputCard(form: Form) -> impl IntoView {
    let samples = form.data.with_value(|d| d.samples.clone());
    let first = samples.first().cloned();
    // As markup, because a text node can be neither empty nor begin with a line break here.
    let markup = escaped(&form.text.get_untracked());
    view! {
        <section
            class="card c7"
            aria-labelledby="h-input"
            style="display:flex;flex-direction:column"
        >
            <div class="card-head">
                <h2 id="h-input">"Input"</h2>
                {move || {
                    uploaded(form).then(|| {
                        view! {
                            <button
                                class="btn btn--small btn--quiet needs-js"
                                type="button"
                                on:click=move |_| form.documents.set(Vec::new())
                            >
                                "Use a text instead"
                            </button>
                        }
                    })
                }}
                {move || {
                    let own = !uploaded(form)
                        && form.sample.read().is_some()
                        && !form.own.read().trim().is_empty();
                    own.then(|| {
                        view! {
                            <button
                                class="btn btn--small btn--quiet"
                                type="button"
                                on:click=move |_| form.type_text(form.own.get_untracked())
                            >
                                "Back to your text"
                            </button>
                        }
                    })
                }}
            </div>
            <div class="card-body stack" style="flex:1;grid-template-rows:auto auto 1fr">
                <fieldset>
                    <legend class="sr">"Sample texts"</legend>
                    <div class="picks picks--4">
                        {samples
                            .into_iter()
                            .map(|sample| view! { <SamplePick form sample/> })
                            .collect_view()}
                    </div>
                </fieldset>
                <Documents form/>
                <div class="field" style="grid-template-rows:auto 1fr">
                    <div class="row row--apart">
                        <label for="text">"Text"</label>
                        <span class="hint" id="text-count">
                            {move || size(form)}
                        </span>
                    </div>
                    <textarea
                        id="text"
                        name="text"
                        class="textarea"
                        style="height:100%;min-height:15rem;resize:none"
                        aria-invalid=invalid(form, Field::Text)
                        aria-describedby=described(form, Field::Text, "text-count")
                        prop:value=move || form.text.get()
                        on:input=move |event| form.type_text(event_target_value(&event))
                        inner_html=markup
                    ></textarea>
                    <FieldNote form field=Field::Text/>
                    {move || {
                        let first = first.clone().filter(|_| form.text_is_empty())?;
                        let label = format!("Use “{}”", first.name);
                        Some(view! {
                            <div class="row needs-js">
                                <span class="hint">"No text yet. Enter one, or begin with a sample."</span>
                                <button
                                    class="btn btn--small"
                                    type="button"
                                    on:click=move |_| form.pick_sample(first.id.clone())
                                >
                                    {label}
                                </button>
                            </div>
                        })
                    }}
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// Whether documents stand in the place of a text.
fn uploaded(form: Form) -> bool {
    !form.documents.read().is_empty()
}

/// One sample.
#[component]
fn SamplePick(form: Form, sample: SampleInfo) -> impl IntoView {
    let SampleInfo { id, name, tokens, bytes, .. } = sample;
    let size = format!("{} · {}", format::plural(tokens, "token"), format::bytes(bytes));
    let chosen = form.sample.with_untracked(|s| s.as_ref() == Some(&id));
    let (value, picked, watched) = (id.clone(), id.clone(), id);
    view! {
        <label class="pick pick--sample">
            <input
                type="radio"
                name="sample"
                value=value
                checked=chosen
                prop:checked=move || form.sample.with(|s| s.as_ref() == Some(&watched))
                on:change=move |_| form.pick_sample(picked.clone())
            />
            <span>{name}</span>
            <small>{size}</small>
        </label>
    }
    .into_any()
}

/// "312 tokens · 238 words", marked while the tokens are guessed.
fn size(form: Form) -> String {
    let count = form.count.get();
    let tokens = format::plural(count.tokens, "token");
    let tokens = if count.estimated { format::approx(&tokens) } else { tokens };
    format!("{tokens} · {}", format::plural(count.words, "word"))
}

/// A text as the content of a `textarea`. The parser drops one line break at its beginning.
fn escaped(text: &str) -> String {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("\n{safe}")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_text_cannot_leave_its_textarea_and_keeps_its_first_line_break() {
        assert_eq!(escaped("\n</textarea><b>&amp;"), "\n\n&lt;/textarea&gt;&lt;b&gt;&amp;amp;");
    }
}
