//! The icons: one sprite a page, referred to by name.

use leptos::prelude::*;

/// Every symbol, drawn by [`Icon`].
#[cfg(feature = "ssr")]
const SYMBOLS: &str = r##"<symbol id="i-bell" viewBox="0 0 16 16"><path d="M3.500 11.500h9l-1.200-1.700V7.200a3.300 3.300 0 0 0-6.600 0v2.600zM6.700 13.600h2.600M8 2.600v1.300"/></symbol><symbol id="i-category" viewBox="0 0 16 16"><path d="M2.5 4.500a1 1 0 0 1 1-1h3l1.5 1.700h4.500a1 1 0 0 1 1 1v5.300a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1z"/></symbol><symbol id="i-check" viewBox="0 0 16 16"><path d="m3.5 8.5 3 3 6-7"/></symbol><symbol id="i-clock" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.5"/><path d="M8 5v3l2 1.5"/></symbol><symbol id="i-cmp" viewBox="0 0 16 16"><path d="M2 5.500h12M2 10.500h5"/></symbol><symbol id="i-custom" viewBox="0 0 16 16"><path d="M6 3 3 8l3 5M10 3l3 5-3 5"/></symbol><symbol id="i-down" viewBox="0 0 16 16"><path d="M8 3v7.500M5 7.700l3 2.9 3-2.900M3 13h10"/></symbol><symbol id="i-key" viewBox="0 0 16 16"><circle cx="5.5" cy="10" r="2.8"/><path d="m7.5 8 5-5M10.5 5l1.8 1.8"/></symbol><symbol id="i-keywords" viewBox="0 0 16 16"><path d="M3 8.5V3h5.5l4.8 4.8a1 1 0 0 1 0 1.4l-4.1 4.1a1 1 0 0 1-1.4 0z"/><path d="M5.8 5.8v.1"/></symbol><symbol id="i-par" viewBox="0 0 16 16"><path d="M3 4.500h7M3 8h10M3 11.500h5"/></symbol><symbol id="i-play" viewBox="0 0 16 16"><path d="M5 3.5v9l7.5-4.5z"/></symbol><symbol id="i-plug" viewBox="0 0 16 16"><path d="M5.5 2.500v3M10.5 2.500v3M4 5.500h8v2a4 4 0 0 1-8 0zM8 11.500v2"/></symbol><symbol id="i-plus" viewBox="0 0 16 16"><path d="M8 3.500v9M3.5 8h9"/></symbol><symbol id="i-present" viewBox="0 0 16 16"><rect x="2" y="3" width="12" height="8" rx="1"/><path d="M8 11v2.500M5.5 13.500h5"/></symbol><symbol id="i-questions" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.7"/><path d="M6.4 6.4a1.7 1.7 0 1 1 2.4 1.5c-.6.3-.8.6-.8 1.2M8 11.2v.1"/></symbol><symbol id="i-retry" viewBox="0 0 16 16"><path d="M13 8a5 5 0 1 1-1.5-3.500L13 6M13 2.800V6H9.8"/></symbol><symbol id="i-sentiment" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.5"/><path d="M6 9.5c1 1.2 3 1.2 4 0M6.2 6.5v.1M9.8 6.5v.1"/></symbol><symbol id="i-seq" viewBox="0 0 16 16"><path d="M2 8h3.500M6.5 8H10M11 8h3"/></symbol><symbol id="i-stop" viewBox="0 0 16 16"><rect x="4" y="4" width="8" height="8" rx="1"/></symbol><symbol id="i-summary" viewBox="0 0 16 16"><path d="M3 4h10M3 8h10M3 12h6"/></symbol><symbol id="i-sun" viewBox="0 0 16 16"><circle cx="8" cy="8" r="2.8"/><path d="M8 1.500v1.300M8 13.200v1.300M1.5 8h1.300M13.2 8h1.300M3.4 3.400l.9.9M11.7 11.700l.9.9M3.4 12.600l.9-.9M11.7 4.300l.9-.9"/></symbol><symbol id="i-translation" viewBox="0 0 16 16"><path d="M2.5 4h7M6 2.5V4M8.3 4c-.6 2.6-2.6 4.6-5 5.5M4 6.2c1 1.7 2.6 2.8 4.2 3.300M8 13.500l2.7-6.5 2.8 6.500M9 11.500h3.5"/></symbol><symbol id="i-upload" viewBox="0 0 16 16"><path d="M8 10.500V3M5 5.7 8 2.800l3 2.900M3 10.500v2.500h10v-2.5"/></symbol><symbol id="i-warn" viewBox="0 0 16 16"><path d="M8 2.5 14 13H2zM8 6.500v3M8 11.200v.1"/></symbol><symbol id="i-x" viewBox="0 0 16 16"><path d="m4 4 8 8M12 4l-8 8"/></symbol>"##;

/// The sprite, once in a page.
#[cfg(feature = "ssr")]
#[component]
pub fn IconSprite() -> impl IntoView {
    view! {
        <svg
            width="0"
            height="0"
            style="position:absolute"
            aria-hidden="true"
            inner_html=SYMBOLS
        ></svg>
    }
}

/// One icon, decorative: the word beside it says the same.
#[component]
pub fn Icon(
    /// The symbol's name, without `i-`.
    name: &'static str,
    /// More classes.
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    view! {
        <svg class=format!("icon {class}") aria-hidden="true">
            <use href=format!("#i-{name}")></use>
        </svg>
    }
}

/// The icon of a task; tasks that Lanes does not ship share one.
#[must_use]
pub fn task_icon(task: &str) -> &'static str {
    match task {
        "summary" => "summary",
        "sentiment" => "sentiment",
        "keywords" => "keywords",
        "questions" => "questions",
        "translation" => "translation",
        "category" => "category",
        _ => "custom",
    }
}

/// The icon of a mode.
#[must_use]
pub fn mode_icon(mode: &str) -> &'static str {
    match mode {
        "sequential" => "seq",
        "parallel" => "par",
        _ => "cmp",
    }
}
