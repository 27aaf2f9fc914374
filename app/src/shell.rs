//! The HTML document that a page is rendered into. No inline script: the boot module loads the rest.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;
use serde::Deserialize;

use crate::App;
use crate::server::Display;

/// The names of the built files, with their content hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct SiteFiles {
    /// The glue between the browser and the program.
    pub js: String,
    /// The program.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The module that starts the program.
    pub boot: String,
}

/// The header in which a page tells the server, and nobody else, the number that its own inline scripts
/// carry.
pub const NONCE_HEADER: &str = "x-lanes-nonce";

/// Tells the server the number of this page's inline scripts, for its content security policy.
fn tell_nonce() {
    let options = use_context::<leptos_axum::ResponseOptions>();
    let nonce = use_nonce().and_then(|nonce| http::HeaderValue::try_from(nonce.to_string()).ok());
    if let (Some(options), Some(nonce)) = (options, nonce) {
        options.insert_header(http::HeaderName::from_static(NONCE_HEADER), nonce);
    }
}

/// The document around the page. The theme comes from a cookie, so that it is right at first sight.
pub fn shell(options: &LeptosOptions) -> impl IntoView + use<> {
    let _ = options;
    tell_nonce();
    let files = use_context::<SiteFiles>().unwrap_or_default();
    let display = Display::of_request();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=display.theme data-present=display.present.then_some("") data-letters=(!display.letters).then_some("off")>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <link rel="stylesheet" href=files.css/>
                <link rel="modulepreload" href=files.js/>
                <script type="module" src=files.boot></script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
