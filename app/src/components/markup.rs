//! Small pieces as HTML, for places that change as a whole and often: a row of bars is one text rather
//! than a view for each. Rule: whatever comes from outside passes through [`escape`].

use lanes_model::LedgerState;

/// Bars in the colours of their states; each with where it begins and how wide it is, in percent.
#[must_use]
pub fn bars(parts: impl IntoIterator<Item = (LedgerState, f64, f64)>) -> String {
    let mut html = String::new();
    for (state, x, w) in parts {
        let class = state.class();
        html.push_str(&format!(
            r#"<span class="bar bar--{class}" style="--x:{x:.2}%;--w:{w:.2}%"></span>"#
        ));
    }
    html
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
    use super::escape;

    #[test]
    fn markup_in_a_text_stays_text() {
        let safe = escape(r#"<img src=x onerror="alert('1')"> & more"#);
        assert_eq!(safe, "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more");
    }
}
