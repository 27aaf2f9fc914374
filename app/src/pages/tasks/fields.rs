//! The editor's fields: what each is called, what is wrong with it, and where.

use lanes_model::FieldError;
use leptos::prelude::*;

/// A text as the content of a `textarea`. The parser drops one line break at its beginning.
pub fn escaped(text: &str) -> String {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("\n{safe}")
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    id: &'static str,
    details: Vec<String>,
    /// Whether it is the first field with something wrong: the focus goes there.
    first: bool,
}

impl Wrong {
    /// What is wrong at that place of a task, or below it.
    pub fn at(errors: &[FieldError], place: &str, id: &'static str) -> Self {
        let here = |e: &&FieldError| {
            let rest = e.pointer.strip_prefix(place);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let details = errors.iter().filter(here).map(|e| e.detail.clone()).collect();
        let first = errors.first().is_some_and(|e| here(&e));
        Self { id, details, first }
    }

    /// `aria-invalid`.
    pub fn invalid(&self) -> Option<&'static str> {
        (!self.details.is_empty()).then_some("true")
    }

    /// `autofocus`.
    pub const fn focus(&self) -> bool {
        self.first
    }

    /// `aria-describedby`: what is wrong, and the hint.
    pub fn described(&self, hint: &str) -> Option<String> {
        let wrong = self.invalid().map(|_| format!("{}-wrong", self.id)).unwrap_or_default();
        Some(format!("{wrong} {hint}").trim().to_owned()).filter(|ids| !ids.is_empty())
    }

    /// The words.
    pub fn note(&self) -> impl IntoView + use<> {
        let (id, words) = (format!("{}-wrong", self.id), self.details.join(" "));
        (!words.is_empty()).then(|| view! { <p class="hint hint--bad" id=id>{words}</p> })
    }
}

/// A field of several lines.
#[component]
pub fn Lines(
    /// Its id and the end of its place.
    id: &'static str,
    /// Its name in the form.
    name: &'static str,
    /// What people read.
    label: &'static str,
    /// More about it.
    #[prop(optional)]
    hint: &'static str,
    /// How high it is.
    rows: u8,
    /// What is typed.
    value: String,
    /// What is wrong with it.
    wrong: Wrong,
    /// Whether it can only be read.
    #[prop(optional)]
    fixed: bool,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    let described = wrong.described(if hint.is_empty() { "" } else { &hint_id });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <textarea
                id=id
                name=name
                class="textarea mono"
                rows=rows.to_string()
                spellcheck="false"
                readonly=fixed
                autofocus=wrong.focus()
                aria-invalid=wrong.invalid()
                aria-describedby=described
                inner_html=escaped(&value)
            ></textarea>
            {wrong.note()}
            {(!hint.is_empty()).then(|| view! { <span class="hint" id=hint_id inner_html=hint></span> })}
        </div>
    }
}

/// A field of one line.
#[component]
pub fn Line(
    /// Its id and its name in the form.
    id: &'static str,
    /// What people read.
    label: &'static str,
    /// More about it.
    #[prop(optional)]
    hint: &'static str,
    /// More classes.
    #[prop(optional)]
    class: &'static str,
    /// How wide it is.
    #[prop(optional)]
    width: &'static str,
    /// Which keyboard it wants.
    #[prop(default = "text")]
    keyboard: &'static str,
    /// The most characters.
    #[prop(default = "120")]
    most: &'static str,
    /// What is in force when nothing is typed.
    #[prop(optional)]
    placeholder: &'static str,
    /// What is typed.
    value: String,
    /// What is wrong with it.
    wrong: Wrong,
    /// Whether it can only be read.
    #[prop(optional)]
    fixed: bool,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    let described = wrong.described(if hint.is_empty() { "" } else { &hint_id });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                name=id
                class=format!("input {class}")
                style=(!width.is_empty()).then(|| format!("width:{width}"))
                value=value
                inputmode=keyboard
                placeholder=placeholder
                autocomplete="off"
                maxlength=most
                readonly=fixed
                autofocus=wrong.focus()
                aria-invalid=wrong.invalid()
                aria-describedby=described
            />
            {wrong.note()}
            {(!hint.is_empty()).then(|| view! { <span class="hint" id=hint_id>{hint}</span> })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_textarea_and_keeps_its_first_line_break() {
        assert_eq!(escaped("\n</textarea><b>&amp;"), "\n\n&lt;/textarea&gt;&lt;b&gt;&amp;amp;");
    }

    #[test]
    fn what_is_wrong_below_a_place_is_wrong_there() {
        let errors = [FieldError::new("/output/labels/1", "Twice."), FieldError::new("/id", "No.")];
        let wrong = Wrong::at(&errors, "/output/labels", "labels");
        assert_eq!((wrong.invalid(), wrong.focus()), (Some("true"), true));
        assert_eq!(wrong.described("hint"), Some("labels-wrong hint".to_owned()));
        assert_eq!(Wrong::at(&errors, "/i", "i").described(""), None);
    }
}
