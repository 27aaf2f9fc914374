//! Badges: an icon or a dot and a word, never colour alone.

use lanes_model::{CallState, CallStatus, RunStatus};
use leptos::prelude::*;

use super::markup::{escape, icon};

/// What a badge says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadgeText {
    /// The modifier of the class: `ok`, `warn`, `bad`, `live` or nothing.
    pub kind: &'static str,
    /// The icon; none means a dot when live.
    pub icon: Option<&'static str>,
    /// The word.
    pub word: String,
}

impl BadgeText {
    /// What stands in the badge.
    fn html(&self) -> String {
        let sign = match self.icon {
            Some(name) => icon(name),
            None if self.kind == "live" => r#"<span class="dot"></span>"#.to_owned(),
            None => String::new(),
        };
        format!("{sign} {}", escape(&self.word))
    }

    /// A badge in one piece, as [`Badge`] draws it.
    #[cfg(feature = "ssr")]
    #[must_use]
    pub fn whole(&self) -> String {
        let class = match self.kind {
            "" => "badge".to_owned(),
            kind => format!("badge badge--{kind}"),
        };
        format!(r#"<span class="{class}">{}</span>"#, self.html())
    }

    fn new(kind: &'static str, icon: Option<&'static str>, word: impl Into<String>) -> Self {
        Self { kind, icon, word: word.into() }
    }

    /// How a run stands, and whether the user has paused it.
    #[must_use]
    pub fn run(status: RunStatus, paused: bool) -> Self {
        match status {
            RunStatus::Running if paused => Self::new("", None, "Paused"),
            RunStatus::Queued => Self::new("", None, "Queued"),
            RunStatus::Running => Self::new("live", None, "Running"),
            RunStatus::Succeeded => Self::new("ok", Some("check"), "Finished"),
            RunStatus::Partial => Self::new("warn", Some("warn"), "Partly failed"),
            RunStatus::Failed => Self::new("bad", Some("x"), "Failed"),
            RunStatus::Cancelled => Self::new("", Some("stop"), "Cancelled"),
            RunStatus::Interrupted => Self::new("warn", Some("warn"), "Interrupted"),
        }
    }

    /// How a call stands.
    #[must_use]
    pub fn call(call: &CallState) -> Self {
        let attempts = call.attempts.len();
        let streaming = call.attempts.last().is_some_and(|a| a.first_token.is_some());
        match call.status() {
            CallStatus::Queued if attempts > 0 => {
                Self::new("warn", Some("retry"), "Waiting to retry")
            }
            CallStatus::Queued => Self::new("", None, "Waiting for a lane"),
            CallStatus::Running if streaming => Self::new("live", None, "Streaming"),
            CallStatus::Running => Self::new("live", None, "Waiting for first token"),
            CallStatus::Succeeded if attempts > 1 => {
                Self::new("warn", Some("retry"), "Retried, done")
            }
            CallStatus::Succeeded => Self::new("ok", Some("check"), "Done"),
            CallStatus::Failed => Self::new("bad", Some("x"), "Failed"),
            CallStatus::Invalid => Self::new("bad", Some("x"), "Invalid"),
            CallStatus::Cancelled => Self::new("", Some("stop"), "Cancelled"),
        }
    }
}

/// A badge.
#[component]
pub fn Badge(
    /// What it says.
    #[prop(into)]
    text: Signal<BadgeText>,
) -> impl IntoView {
    let class = move || match text.get().kind {
        "" => "badge".to_owned(),
        kind => format!("badge badge--{kind}"),
    };
    view! { <span class=class inner_html=move || text.with(BadgeText::html)></span> }
}
