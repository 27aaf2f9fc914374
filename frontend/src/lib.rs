//! The WebAssembly entry point: hydrate the islands, nothing else.

// An island is one deeply nested type.
#![recursion_limit = "512"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Brings the server-rendered page to life. Called once by the boot module, which then calls the
/// function that each island exports.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
    app::browser::enhance();
}
