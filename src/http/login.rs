//! Signing in and out of the pages: a form that takes a key or the token and answers with a session.

use app::server::LoginSent;
use axum::body::Body;
use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use lanes_service::SESSION_SECONDS;
use leptos::prelude::provide_context;
use secrecy::{ExposeSecret, SecretString};

use super::access::{COOKIE, Client, Gate, cookie};
use super::{AppState, Problem, page};

/// The form. It has no `Debug`: there is a secret in it.
#[derive(serde::Deserialize)]
pub struct Login {
    #[serde(default)]
    token: SecretString,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub async fn log_in(
    State(state): State<AppState>,
    State(gate): State<Gate>,
    Extension(client): Extension<Client>,
    Form(form): Form<Login>,
) -> Response {
    let next = own_path(&form.next).to_owned();
    let (status, problem) = match gate.log_in(&client, form.token.expose_secret().trim()).await {
        Err(problem) => return problem.into_response(),
        Ok(Ok(Some(session))) => {
            let mut response = Redirect::to(&next).into_response();
            let set = set_cookie(session.expose_secret(), SESSION_SECONDS, gate.is_https(&client));
            response.headers_mut().extend(set.map(|value| (header::SET_COOKIE, value)));
            return response;
        }
        Ok(Ok(None)) => (
            StatusCode::UNAUTHORIZED,
            "This key or token is not right, or it has ended.".to_owned(),
        ),
        Ok(Err(wait)) => {
            let seconds = wait.as_secs().max(1);
            let words = format!("Too many wrong keys or tokens: try again in {seconds} s.");
            (StatusCode::TOO_MANY_REQUESTS, words)
        }
    };
    let sent = LoginSent { next, problem };
    let mut again = Request::new(Body::empty());
    *again.method_mut() = Method::GET;
    *again.uri_mut() = Uri::from_static("/login");
    let mut response = page::render(state, move || provide_context(sent.clone()), again).await;
    *response.status_mut() = status;
    response
}

/// `POST /logout`
pub async fn log_out(
    State(gate): State<Gate>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(session) = cookie(&headers, COOKIE) {
        gate.access().close_session(session).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    let set = set_cookie("", 0, gate.is_https(&client));
    response.headers_mut().extend(set.map(|value| (header::SET_COOKIE, value)));
    Ok(response)
}

fn set_cookie(session: &str, seconds: i64, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An address of this server, whatever was asked for.
fn own_path(next: &str) -> &str {
    let plain = |b: u8| b.is_ascii_graphic() && b != b'\\';
    let own = next.starts_with('/') && !next.starts_with("//") && next.bytes().all(plain);
    if own && next.len() <= 2_000 { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_to_another_site() {
        for own in ["/", "/runs?q=a&cursor=b", "/runs/1#x"] {
            assert_eq!(own_path(own), own);
        }
        for foreign in [
            "",
            "runs",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: x",
            "/\tevil",
            "javascript:alert(1)",
        ] {
            assert_eq!(own_path(foreign), "/", "{foreign}");
        }
    }
}
