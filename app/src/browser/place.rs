//! Going to another page.

/// Opens the page at a path of this server. Does nothing on the server.
pub fn go(path: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(window) = web_sys::window() {
        // The browser refuses only addresses that cannot be read; ours are paths.
        let _ = window.location().assign(path);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = path;
}

/// Calls `back` when the browser shows this page again as it was left, without loading it.
pub fn on_return(back: impl Fn() + 'static) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::prelude::{on_cleanup, window_event_listener_untyped};
        use wasm_bindgen::JsCast;
        let handle = window_event_listener_untyped("pageshow", move |event| {
            let kept =
                event.dyn_ref::<web_sys::PageTransitionEvent>().is_some_and(|e| e.persisted());
            if kept {
                back();
            }
        });
        on_cleanup(move || handle.remove());
    }
    #[cfg(not(feature = "hydrate"))]
    drop(back);
}
