//! Keeps other web sites from using a visitor's browser against this server.

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;

/// Refuses a state-changing request that another origin's page sent.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let headers = request.headers();
    let text = |name| headers.get(name).and_then(|v: &header::HeaderValue| v.to_str().ok());
    let foreign = match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_none_or(|(_, from)| !from.eq_ignore_ascii_case(host))
        }
        (Some(_), None) => true,
        (None, _) => false,
    };
    if !safe && foreign {
        return Problem::new(
            StatusCode::FORBIDDEN,
            "Requests that change something are accepted from this server's own pages only.",
        )
        .into_response();
    }
    next.run(request).await
}
