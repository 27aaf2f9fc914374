//! Small pieces as HTML, for places that change as a whole and often: a row of bars is one text rather
//! than a view for each. Rule: whatever comes from outside passes through [`escape`].

use lanes_model::{LedgerState, format};

/// Bars in the colours of their states; each with where it begins and how wide it is, in percent.
#[must_use]
pub fn bars(parts: impl IntoIterator<Item = (LedgerState, f64, f64)>) -> String {
    let mut html = String::new();
    for (state, x, w) in parts {
        let class = state.class();
        html.push_str(&format!(
            r#"<span class="bar bar--{class}" style="{}"></span>"#,
            place(x, w)
        ));
    }
    html
}

/// A note that warns of something, or says that it is `bad`: a heading and more words.
#[must_use]
pub fn note(bad: bool, heading: &str, text: &str) -> String {
    format!(
        r#"<div class="note note--{}">{}<div><b>{}</b><p>{}</p></div></div>"#,
        if bad { "bad" } else { "warn" },
        icon("warn"),
        escape(heading),
        escape(text)
    )
}

/// A share in percent as CSS has it, to the thousandth.
#[must_use]
pub fn percent(x: f64) -> String {
    format::fixed(x, 3) + "%"
}

/// Where a bar begins and how wide it is, in percent, as custom properties.
#[must_use]
pub fn place(x: f64, w: f64) -> String {
    format!("--x:{};--w:{}", percent(x), percent(w))
}

/// A word of the program with the colour of its state before it.
#[must_use]
pub fn swatch(tag: &str, state: LedgerState, text: &str) -> String {
    format!(r#"<{tag}><span class="swatch bar--{}"></span>{text}</{tag}>"#, state.class())
}

/// A word with its definition, as [`Definition`](super::definition::Definition) draws it.
#[must_use]
pub fn definition(id: &str, word: &str, meaning: &str) -> String {
    let (word, meaning) = (escape(word), escape(meaning));
    format!(
        r#"<button class="def" type="button" aria-describedby="{id}">{word}<span class="tip" role="tooltip" id="{id}">{meaning}</span></button>"#
    )
}

/// An icon, as [`Icon`](super::icons::Icon) draws it.
#[must_use]
pub fn icon(name: &str) -> String {
    format!(r##"<svg class="icon" aria-hidden="true"><use href="#i-{name}"></use></svg>"##)
}

/// A text from outside, fit to stand in HTML and in XML: what has a meaning there is written as a
/// reference, and characters that XML does not allow are left out.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{escape, percent, place};

    #[test]
    fn shares_are_written_to_the_thousandth() {
        assert_eq!(place(0.0, 100.0), "--x:0.000%;--w:100.000%");
        assert_eq!(percent(33.333_6), "33.334%");
    }

    #[test]
    fn markup_in_a_text_stays_text() {
        let safe = escape(r#"<img src=x onerror="alert('1')"> & more"#);
        assert_eq!(safe, "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more");
    }
}
