//! The loop that accepts connections. It is our own, for three reasons: each request knows who is at the
//! other end; a client that sends its request too slowly is not waited for; and no more connections are
//! taken than there are files to be had.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::Problem;
use super::access::Peer;
use super::slow::{Paced, Slow};

/// The most that the head of a request may hold.
const HEAD_BYTES: usize = 64 << 10;
/// After the system had nothing left for a connection.
const BREATH: Duration = Duration::from_millis(200);

/// How many files the process may have open; raised as far as the system lets it.
pub fn open_files() -> u32 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let most = limit.maximum.unwrap_or(1 << 20).min(1 << 20);
        if limit.current.is_some_and(|now| now < most) {
            let raised = Rlimit { current: Some(most), maximum: limit.maximum };
            if let Err(error) = setrlimit(Resource::Nofile, raised) {
                tracing::debug!(%error, "the limit of open files stays as it is");
            }
        }
        let now = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
        u32::try_from(now).unwrap_or(1 << 20).min(1 << 20)
    }
    #[cfg(not(unix))]
    {
        8_192
    }
}

/// Serves until `stop`, then until every connection has ended. At most `connections` at a time; a client
/// that keeps it waiting for longer than `patience` is given up.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: u32,
    patience: Duration,
    stop: CancellationToken,
) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(connections as usize));
    let tracker = TaskTracker::new();
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_its_own(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken for the moment");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let (router, stop) = (router.clone(), stop.clone());
        tracker.spawn(async move {
            connection(stream, peer, router, patience, stop).await;
            drop(place);
        });
    }
    drop(listener);
    tracker.close();
    tracker.wait().await;
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    patience: Duration,
    stop: CancellationToken,
) {
    // An event is sent when it happens, however small it is.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(router.clone(), peer, patience, request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEAD_BYTES);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

async fn answer(
    mut router: Router,
    peer: SocketAddr,
    patience: Duration,
    request: Request<Incoming>,
) -> Result<Response, std::convert::Infallible> {
    let slow = Slow::default();
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(header::EXPECT);
    let (body, rest) = Paced::new(body, patience, slow.clone());
    let mut request = Request::from_parts(parts, Body::new(body));
    request.extensions_mut().insert(Peer(peer));
    let response = router.call(request).await?;
    if !slow.was_given_up() || response.status().is_success() {
        // A client that asked first has not begun to send.
        if !waits && (response.status().is_client_error() || response.status().is_server_error()) {
            rest.forget().await;
        }
        return Ok(response);
    }
    let mut response = Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "The rest of the request did not come in time: send it again, without pauses.",
    )
    .into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

/// An error of the connection that was to be accepted, not of the system.
fn is_its_own(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
