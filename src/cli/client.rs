//! The one client of the REST API behind every command: refusals become words.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::sse::Events;

/// What is asked for in one go has to come in this time.
const SHORT: Duration = Duration::from_secs(60);
/// A stream says at least that it is alive.
const SILENCE: Duration = Duration::from_secs(60);

/// Why the server's answer is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It is no address of a server.
    #[error("“{0}” is not the address of a server; give one such as http://127.0.0.1:7862")]
    Address(String),
    /// Nobody answers.
    #[error("{url} does not answer ({why}): is `lanes serve` running there?")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// The server says no.
    #[error("{0}")]
    Refused(Refusal),
    /// The answer is not what this version of Lanes knows.
    #[error("the answer of {url} cannot be read ({why}): is it a Lanes of the same version?")]
    Answer {
        /// Of what.
        url: String,
        /// Why.
        why: String,
    },
    /// A file on this side.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A problem (RFC 9457) in words.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    lines: Vec<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines.join("\n  "))
    }
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<Place>,
}

#[derive(Debug, Deserialize)]
struct Place {
    #[serde(default)]
    pointer: String,
    #[serde(default)]
    detail: String,
}

impl Refusal {
    fn of(status: StatusCode, body: &str) -> Self {
        let problem: Problem = serde_json::from_str(body).unwrap_or_default();
        let mut lines = vec![match problem.detail.is_empty() {
            true => format!("the server answered {status}"),
            false => problem.detail,
        }];
        let places = problem.errors.iter().map(|e| format!("{}: {}", e.pointer, e.detail));
        match problem.errors.as_slice() {
            // It says the same.
            [one] if lines.first() == Some(&one.detail) => lines = places.collect(),
            _ => lines.extend(places),
        }
        if status == StatusCode::UNAUTHORIZED {
            lines.push("Give the server's token with --token or LANES_TOKEN.".to_owned());
        }
        Self { status, lines }
    }
}

/// A Lanes server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<Arc<str>>,
}

impl Client {
    /// A client of the server at that address.
    ///
    /// # Errors
    /// When it is no address.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address(without_credentials(url));
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let usable = matches!(parsed.scheme(), "http" | "https") && parsed.username().is_empty();
        if !usable || parsed.query().is_some() {
            return Err(wrong());
        }
        let http = http_client(&parsed, Duration::from_secs(10)).map_err(|why| {
            ClientError::Unreachable { url: parsed.origin().ascii_serialization(), why }
        })?;
        let token = token.map(str::trim).filter(|token| !token.is_empty()).map(Arc::from);
        Ok(Self { http, base: url.trim().trim_end_matches('/').to_owned(), token })
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        &self.base
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.text().await.unwrap_or_default();
        Err(ClientError::Refused(Refusal::of(status, &body)))
    }

    pub(super) fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        ClientError::Unreachable { url: self.base.clone(), why: reason(error) }
    }

    /// `GET`, as the text it is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn text(&self, path: &str) -> Result<String, ClientError> {
        let response = self.send(self.request(Method::GET, path).timeout(SHORT)).await?;
        response.text().await.map_err(|error| self.unreachable(&error))
    }

    /// `GET`, as what it says.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.read(path, &self.text(path).await?)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read<T: DeserializeOwned>(&self, path: &str, text: &str) -> Result<T, ClientError> {
        serde_json::from_str(text).map_err(|error| ClientError::Answer {
            url: format!("{}{path}", self.base),
            why: error.to_string(),
        })
    }

    /// `POST` of JSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        let request = self.request(Method::POST, path).timeout(SHORT).json(body);
        let response = self.send(request).await?;
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        self.read(path, &text)
    }

    /// `POST` of a form with files, which takes as long as it takes.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post_form(&self, path: &str, form: Form) -> Result<Value, ClientError> {
        let response = self.send(self.request(Method::POST, path).multipart(form)).await?;
        let text = response.text().await.map_err(|error| self.unreachable(&error))?;
        self.read(path, &text)
    }

    /// The server-sent events of an answer to a form.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stream_form(&self, path: &str, form: Form) -> Result<Events, ClientError> {
        let response = self.send(self.request(Method::POST, path).multipart(form)).await?;
        Ok(Events::new(response, SILENCE))
    }

    /// The server-sent events of an address.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stream(&self, path: &str) -> Result<Events, ClientError> {
        Ok(Events::new(self.send(self.request(Method::GET, path)).await?, SILENCE))
    }

    /// A download.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn download(&self, path: &str) -> Result<Download, ClientError> {
        let response = self.send(self.request(Method::GET, path)).await?;
        Ok(Download { response, client: self.clone() })
    }
}

/// A file that comes.
pub struct Download {
    response: Response,
    client: Client,
}

impl Download {
    /// What the server calls it: a plain name without a folder.
    pub fn name(&self) -> Option<String> {
        let header = self.response.headers().get("content-disposition")?.to_str().ok()?;
        let (_, rest) = header.split_once("filename=\"")?;
        let name = rest.split('"').next()?;
        let plain = Path::new(name).file_name()?.to_str()?;
        (plain == name && !name.starts_with('.')).then(|| name.to_owned())
    }

    /// Writes it as it comes.
    ///
    /// # Errors
    /// When the connection or the writing fails: what is there is not the whole.
    pub async fn write(mut self, out: &mut impl Write) -> Result<u64, WriteError> {
        let mut bytes = 0;
        loop {
            let chunk = self.response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| self.client.unreachable(&error))? else {
                out.flush()?;
                return Ok(bytes);
            };
            out.write_all(&chunk)?;
            bytes += chunk.len() as u64;
        }
    }
}

/// Why a download is not whole.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// On the way.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// On the disk.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// A file as a part of a form, read while it is sent.
///
/// # Errors
/// When it cannot be opened.
pub async fn file_part(path: &Path) -> Result<Part, ClientError> {
    let file = |source| ClientError::File { path: path.to_owned(), source };
    Part::file(path).await.map_err(file)
}

/// An HTTP client for that address. Proxies are not asked for the own machine; certificates are needed
/// for https alone.
pub(super) fn http_client(url: &Url, connect: Duration) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("lanes/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .redirect(reqwest::redirect::Policy::none());
    if url.scheme() == "http" {
        let roots = rustls::RootCertStore::empty();
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots);
        builder = builder.tls_backend_preconfigured(tls.with_no_client_auth());
    }
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| reason(&error))
}

/// Whether an address is of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Why a request failed, in its innermost words and without the address.
pub(super) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    match inner.is::<reqwest::Error>() {
        true => "the request failed".to_owned(),
        false => inner.to_string(),
    }
}

fn without_credentials(url: &str) -> String {
    match url.contains('@') {
        true => "[hidden]".to_owned(),
        false => url.chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_in_words_with_every_place() {
        let body = r#"{"type":"urn:lanes:problem:invalid-input","status":422,
            "detail":"2 things in the request are wrong; see errors.",
            "errors":[{"pointer":"/tasks/0","detail":"There is no task “x”."},
                      {"pointer":"/mode","detail":"“y” is not a mode."}]}"#;
        let said = Refusal::of(StatusCode::UNPROCESSABLE_ENTITY, body).to_string();
        assert_eq!(
            said,
            "2 things in the request are wrong; see errors.\n  /tasks/0: There is no task “x”.\n  \
             /mode: “y” is not a mode."
        );
        let other = Refusal::of(StatusCode::BAD_GATEWAY, "<html>").to_string();
        assert_eq!(other, "the server answered 502 Bad Gateway");
    }

    #[test]
    fn an_address_has_a_scheme_and_never_a_password() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        assert!(Client::new("http://127.0.0.1:7862/", None).is_ok());
        for wrong in ["127.0.0.1:7862", "ftp://host", "http://u:secret@host", ""] {
            let Err(error) = Client::new(wrong, None) else {
                unreachable!("{wrong} was taken");
            };
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn an_address_of_this_machine_is_known() {
        let own = |url: &str| is_loopback(&Url::parse(url).unwrap());
        assert!(own("http://localhost:1") && own("http://127.0.0.2") && own("http://[::1]:80"));
        assert!(!own("http://example.org") && !own("http://10.0.0.1"));
    }
}
