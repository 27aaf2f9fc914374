//! The page: rendered by the app, with the service and the names of the built files in its context.

use std::net::SocketAddr;

use app::{ApiDescription, App, SiteFiles, shell};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use lanes_service::{Access, Service};
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{LeptosRoutes, generate_route_list, render_app_async_with_context};

use super::{AppState, assets, openapi, problem, strict};

/// Leptos' own options; the program needs no file beside it.
pub fn options(addr: SocketAddr) -> LeptosOptions {
    LeptosOptions::builder().output_name("lanes").site_addr(addr).build()
}

/// What every render finds in its context.
fn context(
    service: Service,
    access: Access,
    files: SiteFiles,
) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context(service.clone());
        provide_context(access.clone());
        provide_context(files.clone());
        provide_context(ApiDescription(openapi::description()));
    }
}

/// The pages' own routes, and those of their server functions.
pub fn routes(state: &AppState) -> Router<AppState> {
    let options = state.options.clone();
    Router::new().leptos_routes_with_context(
        state,
        generate_route_list(App),
        context(state.service.clone(), state.gate.access().clone(), assets::files()),
        move || shell(&options),
    )
}

/// Any other address: the page that says so, with status 404; a problem for programs.
pub async fn fallback(State(state): State<AppState>, request: Request) -> Response {
    if strict::wants_json(request.headers()) {
        return problem::no_such_address(request.uri().clone()).await.into_response();
    }
    render(state, || {}, request).await
}

/// Renders the page at the request's address with more in its context.
pub async fn render(
    state: AppState,
    more: impl Fn() + Clone + Send + Sync + 'static,
    request: Request,
) -> Response {
    let base = context(state.service, state.gate.access().clone(), assets::files());
    let options = state.options;
    let handler = render_app_async_with_context(
        move || {
            base();
            more();
        },
        move || shell(&options),
    );
    handler(request).await.into_response()
}
