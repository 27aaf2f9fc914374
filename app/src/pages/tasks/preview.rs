//! The right half of the editor: the prompt as it would be sent, and how a trial went.

use lanes_model::{FieldError, UsdMicros, format};
use lanes_service::{Preview, Trial};
use leptos::prelude::*;

use crate::components::badge::{Badge, BadgeText};

/// The most characters of a filled-in text that are shown.
const SHOWN: usize = 600;

/// The prompt as it would be sent.
#[component]
pub fn PromptPreview(preview: Preview, unknown: Vec<FieldError>) -> impl IntoView {
    let tokens = format::count(preview.tokens);
    let with = if preview.system.is_empty() { "" } else { ", system message included" };
    let system = (!preview.system.is_empty()).then(|| {
        view! {
            <h3 class="sub">"System message"</h3>
            <pre class="sent" tabindex="0">{preview.system.clone()}</pre>
        }
    });
    let parts = preview.parts.into_iter().map(|part| match part.filled {
        true => view! { <mark>{shortened(&part.text)}</mark> }.into_any(),
        false => part.text.into_any(),
    });
    let unknown = unknown.into_iter().map(|e| view! { <p class="hint hint--bad">{e.detail}</p> });
    view! {
        {system}
        <h3 class="sub">
            "Prompt as sent " <span class="hint">{format!("{tokens} tokens{with}")}</span>
        </h3>
        <pre class="sent" tabindex="0">{parts.collect_view()}</pre>
        {unknown.collect_view()}
    }
}

/// A long text without its middle.
fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= SHOWN {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SHOWN * 2 / 3).collect();
    let end: String = text.chars().skip(count - SHOWN / 3).collect();
    let left_out = format::count((count - SHOWN) as u64);
    format!("{} … ({left_out} characters more) … {}", begin.trim_end(), end.trim_start())
}

/// How a trial went; what was wrong with it where there was none.
#[component]
pub fn TrialResult(trial: Option<Trial>, errors: Vec<FieldError>) -> impl IntoView {
    let errors = errors.into_iter().map(|e| view! { <p class="hint hint--bad">{e.detail}</p> });
    let trial = trial.map(|trial| {
        let basis = basis(&trial);
        let badge = match (&trial.error, trial.fits) {
            (Some(_), _) => verdict("bad", "x", "Failed"),
            (None, true) => verdict("ok", "check", "Fits"),
            (None, false) => verdict("warn", "warn", "Does not fit"),
        };
        let simulated =
            trial.simulated.then(|| view! { <span class="badge badge--sim">"Simulated"</span> });
        let problem = trial
            .error
            .map(|failure| failure.message)
            .or(trial.problem)
            .map(|words| view! { <p class="hint hint--bad">{words}</p> });
        let answer = trial.answer.map(|text| view! { <p class="sub answered">{text}</p> });
        view! {
            <div class="row">
                <h3 class="sub">"Answer"</h3>
                <Badge text=Signal::stored(badge)/>
                {simulated}
                <span class="hint">{basis}</span>
            </div>
            {problem}
            {answer}
        }
    });
    view! {
        {errors.collect_view()}
        {trial}
    }
}

fn verdict(kind: &'static str, icon: &'static str, word: &str) -> BadgeText {
    BadgeText { kind, icon: Some(icon), word: word.to_owned() }
}

/// "1.88 s · first token 0.41 s · 94 tokens · $0.0001".
fn basis(trial: &Trial) -> String {
    let mut words = vec![format::seconds(trial.duration_us)];
    words.extend(trial.ttft_us.map(|t| format!("first token {}", format::seconds(t))));
    words.extend(trial.redacted.map(|n| format!("{} redacted", format::plural(n.into(), "place"))));
    words.extend(trial.tokens.map(|t| format::plural(t.output, "token")));
    words.extend(trial.cost_usd_micros.map(|UsdMicros(c)| format::cost(UsdMicros(c)).to_string()));
    words.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_ends() {
        assert_eq!(shortened("short"), "short");
        let long = format!("{}middle{}", "a".repeat(1_000), "z".repeat(1_000));
        let shown = shortened(&long);
        assert!(shown.starts_with("aaa") && shown.ends_with("zzz"), "{shown}");
        assert!(shown.contains("1,406 characters more") && !shown.contains("middle"), "{shown}");
    }
}
