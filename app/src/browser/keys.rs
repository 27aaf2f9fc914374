//! Keyboard shortcuts. Single letters do nothing while a field has the focus, and can be turned off.

/// A key press as the pages see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's name, such as `Enter` or `n`.
    pub name: String,
    /// Whether Ctrl or ⌘ is held.
    pub command: bool,
    /// Whether Shift is held.
    pub shift: bool,
    /// Whether a text field has the focus.
    pub in_field: bool,
}

/// Calls `on_key` for each key press until the current owner is cleaned up; `true` means handled.
/// Does nothing on the server.
pub fn on_key(handler: impl Fn(&Key) -> bool + 'static) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let handle = leptos::prelude::window_event_listener(leptos::ev::keydown, move |event| {
            let target = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlElement>().ok());
            let in_field = target.is_some_and(|t| {
                let tag = t.tag_name();
                let kind = t.get_attribute("type").unwrap_or_default();
                matches!(tag.as_str(), "TEXTAREA" | "SELECT")
                    || (tag == "INPUT" && !matches!(kind.as_str(), "checkbox" | "radio" | "range"))
            });
            let key = Key {
                name: event.key(),
                command: event.ctrl_key() || event.meta_key(),
                shift: event.shift_key(),
                in_field,
            };
            let letter = key.name.chars().count() == 1 && key.name != " ";
            // Whoever has turned letters off still finds the place to turn them on.
            let off = letter && key.name != "?" && !key.command && !super::display::letters();
            if !event.alt_key() && !off && handler(&key) {
                event.prevent_default();
            }
        });
        leptos::prelude::on_cleanup(move || handle.remove());
    }
    #[cfg(not(feature = "hydrate"))]
    drop(handler);
}
