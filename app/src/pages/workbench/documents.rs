//! The documents of a run: chosen in the browser's own picker or dropped on it, read by the server,
//! listed with what was found. Without JavaScript the same fields are a plain form.

use lanes_model::format;
use leptos::prelude::*;

use super::form::Form;
use crate::components::icons::Icon;
use crate::components::markup::escape;
use crate::server::Doc;

/// The form that sends files: it stands apart, for forms cannot stand in one another.
pub const UPLOAD_ID: &str = "upload";
/// Documents shown in the list.
const SHOWN: usize = 200;

/// Where files are chosen, and what came of them.
#[component]
pub fn Documents(form: Form) -> impl IntoView {
    view! {
        <div class="stack">
            <div class="drop">
                <Icon name="upload"/>
                <label for="files">
                    <b>"Upload documents"</b>
                    " or drop them here: TXT, Markdown, PDF, DOCX, CSV, JSONL and images, up to 25 MB each"
                </label>
                <input
                    id="files"
                    type="file"
                    name="file"
                    multiple
                    form=UPLOAD_ID
                    on:change=move |event| chosen(form, &event)
                />
                <input
                    class="input"
                    name="text_column"
                    form=UPLOAD_ID
                    aria-label="Column of a table that holds the text"
                    placeholder="text column: the longest"
                />
                <button class="btn btn--small no-js" type="submit" form=UPLOAD_ID>
                    "Upload"
                </button>
            </div>
            <div role="status" inner_html=move || outcome(form)></div>
            <div on:change=move |event| left_out(form, &event) inner_html=move || list(form)></div>
        </div>
    }
    .into_any()
}

/// How far an upload is, and what was not taken.
fn outcome(form: Form) -> String {
    let mut html = String::new();
    let uploading = form.uploading.read();
    if !uploading.is_empty() {
        html = ["<p class=\"hint\"><progress></progress> ", &uploading, "</p>"].concat();
    }
    for rejected in form.rejected.read().iter() {
        html += &["<p class=\"hint hint--bad\">", &escape(rejected), "</p>"].concat();
    }
    html
}

/// The documents, each with a box to leave it out.
fn list(form: Form) -> String {
    let docs = form.documents.read();
    if docs.is_empty() {
        return String::new();
    }
    let size = size(&docs);
    let mut html =
        ["<p class=\"sub\">", &size, "</p><ul class=\"docs\" aria-label=\"Chosen documents\">"]
            .concat();
    for (n, doc) in docs.iter().enumerate() {
        let id = escape(&doc.id);
        if n >= SHOWN {
            html += &["<input type=\"hidden\" name=\"document\" value=\"", &id, "\">"].concat();
            continue;
        }
        let (name, about) = (escape(&doc.name), escape(&doc.about));
        html += &[
            "<li><label><input type=\"checkbox\" name=\"document\" checked value=\"",
            &id,
            "\"> ",
            &name,
            "</label> <a href=\"/documents/",
            &id,
            "\" target=\"_blank\">Preview<span class=\"sr\"> of ",
            &name,
            ", in a new tab</span></a><small class=\"hint\">",
            &about,
            "</small></li>",
        ]
        .concat();
    }
    if let Some(more) = docs.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        html += &["<li class=\"hint\">and ", &format::count(more as u64), " more</li>"].concat();
    }
    html + "</ul>"
}

/// "12 documents, 3,400 tokens".
fn size(docs: &[Doc]) -> String {
    let records: u64 = docs.iter().map(|d| d.records).sum();
    let tokens = format::plural(docs.iter().map(|d| d.tokens).sum(), "token");
    let documents = format::plural(docs.len() as u64, "document");
    if records == docs.len() as u64 {
        return [&documents, " · ", &tokens].concat();
    }
    [&documents, " · ", &format::plural(records, "record"), " · ", &tokens].concat()
}

/// Files were chosen: the server reads them, a few at a time.
fn chosen(form: Form, event: &leptos::ev::Event) {
    #[cfg(feature = "hydrate")]
    browser::upload(form, event);
    #[cfg(not(feature = "hydrate"))]
    let _ = (form, event);
}

/// A document's box was cleared.
fn left_out(form: Form, event: &leptos::ev::Event) {
    let id = event_target_value(event);
    form.documents.update(|docs| docs.retain(|d| d.id != id));
}

#[cfg(feature = "hydrate")]
mod browser {
    use lanes_model::{Json, Read};
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use wasm_bindgen::JsCast;
    use web_sys::{File, FormData, HtmlInputElement};

    use super::super::values::Field;
    use super::Form;
    use crate::browser::fetch::send_form;
    use crate::server::Doc;

    /// Files of one request: as many as the server reads at once.
    const AT_ONCE: usize = 4;

    pub(super) fn upload(form: Form, event: &leptos::ev::Event) {
        let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) else {
            return;
        };
        let (Some(list), Some(fields)) = (input.files(), input.form()) else { return };
        let Ok(data) = FormData::new_with_form(&fields) else { return };
        let files: Vec<File> = (0..list.length()).filter_map(|n| list.get(n)).collect();
        // So that the same file can be chosen again.
        input.set_value("");
        form.rejected.set(Vec::new());
        spawn_local(async move {
            for (n, some) in files.chunks(AT_ONCE).enumerate() {
                let (done, all) = ((n * AT_ONCE).to_string(), files.len().to_string());
                form.uploading.set([&done, " of ", &all, " read …"].concat());
                data.delete("file");
                for file in some {
                    let _ = data.append_with_blob_and_filename("file", file, &file.name());
                }
                match send_form("/documents", &data).await {
                    Ok((true, answer)) => {
                        if let Some(json) = Json::parse(&answer) {
                            take(form, &json);
                        }
                    }
                    Ok((false, answer)) => {
                        let why = Json::parse(&answer).map(|j| j.get("detail").text().to_owned());
                        form.rejected.update(|r| r.extend(why));
                    }
                    Err(error) => {
                        form.rejected.update(|r| r.push(error));
                        break;
                    }
                }
            }
            form.uploading.set(String::new());
        });
    }

    /// Takes what came of an upload, as `Chosen` says it.
    fn take(form: Form, chosen: &Json) {
        form.touch(Field::Text);
        form.documents.update(|docs| {
            for doc in Vec::<Doc>::read(chosen.get("documents")) {
                if docs.iter().all(|d| d.id != doc.id) {
                    docs.push(doc);
                }
            }
        });
        form.rejected.update(|r| r.extend(Vec::<String>::read(chosen.get("rejected"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_names_records_where_there_are_more_than_documents() {
        let doc = |records| Doc { records, tokens: 7, ..Doc::default() };
        assert_eq!(size(&[doc(1), doc(1)]), "2 documents · 14 tokens");
        assert_eq!(size(&[doc(1), doc(20)]), "2 documents · 21 records · 14 tokens");
    }
}
