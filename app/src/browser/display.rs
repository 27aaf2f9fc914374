//! Theme and presentation size: attributes of the document, remembered in cookies so that the server
//! renders the next page right.

/// Switches between light and dark.
pub fn toggle_theme() {
    #[cfg(feature = "hydrate")]
    {
        let Some(root) = root() else { return };
        let dark = match root.get_attribute("data-theme").as_deref() {
            Some(theme) => theme == "dark",
            None => web_sys::window()
                .and_then(|w| w.match_media("(prefers-color-scheme: dark)").ok().flatten())
                .is_some_and(|m| m.matches()),
        };
        let theme = if dark { "light" } else { "dark" };
        let _ = root.set_attribute("data-theme", theme);
        remember("theme", theme);
    }
}

/// Switches the presentation size on and off.
pub fn toggle_present() {
    #[cfg(feature = "hydrate")]
    {
        let Some(root) = root() else { return };
        let on = root.toggle_attribute("data-present").unwrap_or(false);
        remember("present", if on { "1" } else { "0" });
    }
}

/// Switches shortcuts of a single letter off and on.
#[cfg(feature = "hydrate")]
pub fn toggle_letters() {
    let Some(root) = root() else { return };
    let off = letters();
    let _ = match off {
        true => root.set_attribute("data-letters", "off"),
        false => root.remove_attribute("data-letters"),
    };
    remember("letters", if off { "off" } else { "on" });
}

/// Whether a single letter is a shortcut.
#[cfg(feature = "hydrate")]
pub fn letters() -> bool {
    root().is_some_and(|r| !r.has_attribute("data-letters"))
}

#[cfg(feature = "hydrate")]
fn root() -> Option<web_sys::Element> {
    web_sys::window()?.document()?.document_element()
}

#[cfg(feature = "hydrate")]
fn remember(name: &str, value: &str) {
    use wasm_bindgen::JsCast;
    let document = web_sys::window().and_then(|w| w.document());
    if let Some(document) = document.and_then(|d| d.dyn_into::<web_sys::HtmlDocument>().ok()) {
        let cookie = format!("{name}={value}; path=/; max-age=31536000; samesite=strict");
        let _ = document.set_cookie(&cookie);
    }
}
