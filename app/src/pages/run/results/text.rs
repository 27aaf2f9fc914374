//! What a result card says: the text, or why there is none.

use lanes_model::{CallState, CallStatus, Failure, Finish};
use leptos::prelude::*;

/// A text of that many bytes may not fit into its card.
const SCROLLED: usize = 500;

/// What stands in a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing has arrived.
    Waiting,
    /// Text; `streaming` while it grows.
    Text { text: String, streaming: bool, cut: bool },
    /// A list of short words.
    Chips(Vec<String>),
    /// It failed; what had arrived of the last answer.
    Failed { failure: Option<Failure>, partial: String },
    /// It was stopped.
    Cancelled { partial: String, begun: bool },
}

impl Body {
    /// What there is to say of a call.
    pub(super) fn of(call: &CallState, task: &str) -> Self {
        let text = call.output.clone();
        match call.status() {
            CallStatus::Queued | CallStatus::Running if text.is_empty() => Body::Waiting,
            CallStatus::Queued | CallStatus::Running => {
                Body::Text { text, streaming: true, cut: false }
            }
            CallStatus::Succeeded => match chips(&text).filter(|_| task == "keywords") {
                Some(chips) => Body::Chips(chips),
                None => {
                    let finish = call.successful().and_then(|a| a.finish);
                    Body::Text { text, streaming: false, cut: finish == Some(Finish::Length) }
                }
            },
            CallStatus::Failed | CallStatus::Invalid => {
                Body::Failed { failure: call.failure.clone(), partial: text }
            }
            CallStatus::Cancelled => {
                Body::Cancelled { partial: text, begun: !call.attempts.is_empty() }
            }
        }
    }
}

/// The words of a list on one line, when it is one: several, none long.
fn chips(text: &str) -> Option<Vec<String>> {
    let text = text.trim().trim_end_matches('.');
    if text.contains('\n') {
        return None;
    }
    let words: Vec<_> = text.split(',').map(|w| w.trim().to_owned()).collect();
    let short = words.iter().all(|w| (1..=40).contains(&w.chars().count()));
    (words.len() > 1 && short).then_some(words)
}

/// The text of a card.
#[component]
pub(super) fn BodyView(body: Body, lang: Option<&'static str>) -> impl IntoView {
    match body {
        Body::Waiting => view! {
            <div class="text" aria-busy="true">
                <div class="stack">
                    <div class="bone" style="width:92%"></div>
                    <div class="bone" style="width:78%"></div>
                    <div class="bone" style="width:40%"></div>
                </div>
            </div>
        }
        .into_any(),
        Body::Text { text, streaming, cut } => {
            // A text that is too long for its card is scrolled, with the keyboard too.
            let stop = (text.len() > SCROLLED).then_some("0");
            let class = if streaming { "text text--grows" } else { "text" };
            view! {
                <div class=class tabindex=stop>
                    <div lang=lang style="white-space:pre-line">
                        {text} {streaming.then(|| view! { <span class="caret"></span> })}
                    </div>
                    {cut.then(|| view! { <p class="dim">"Cut off at the most tokens of the task."</p> })}
                </div>
            }
            .into_any()
        }
        Body::Chips(words) => view! {
            <div class="text">
                <ul class="chips">
                    {words.into_iter().map(|w| view! { <li>{w}</li> }).collect_view()}
                </ul>
            </div>
        }
        .into_any(),
        Body::Failed { failure, partial } => view! {
            <div class="text">
                {failure
                    .map(|f| {
                        view! {
                            <p class="bad" style="font-weight:500">{f.message.clone()}</p>
                            <p>{f.kind.advice()}</p>
                        }
                    })}
                {partial_view(partial, lang)}
            </div>
        }
        .into_any(),
        Body::Cancelled { partial, begun } => view! {
            <div class="text">
                {partial_view(partial, lang)} <p class="dim">{if begun { "Stopped here." } else { "Not begun." }}</p>
            </div>
        }
        .into_any(),
    }
}

/// What had arrived before it ended.
fn partial_view(text: String, lang: Option<&'static str>) -> impl IntoView {
    (!text.is_empty())
        .then(|| view! { <p class="dim" lang=lang style="white-space:pre-line">{text}</p> })
}

/// Copies a text and says so for a while.
pub(super) fn copy(text: String, copied: RwSignal<bool>) {
    #[cfg(feature = "hydrate")]
    {
        let Some(window) = web_sys::window() else { return };
        // The promise is left to itself: when the browser refuses there is nothing better to do.
        let _ = window.navigator().clipboard().write_text(&text);
        copied.set(true);
        set_timeout(
            move || {
                copied.try_set(false);
            },
            std::time::Duration::from_secs(2),
        );
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (text, copied);
    }
}

#[cfg(test)]
mod tests {
    use super::chips;

    #[test]
    fn a_line_of_short_words_becomes_chips() {
        let words = chips("tokens, models, price.").unwrap();
        assert_eq!(words, ["tokens", "models", "price"]);
        assert_eq!(chips("One sentence without a list"), None);
        assert_eq!(chips("first,\nsecond"), None);
    }
}
