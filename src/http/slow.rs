//! Bodies that come too slowly: a client that holds a connection without sending is given up, and so is
//! one that sends a byte now and then.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// What has to come in a second, on average, once the patience is over.
const BYTES_A_SECOND: f64 = 256.0;
/// How much of a refused body is read and forgotten, in bytes.
const MOST_FORGOTTEN: usize = 16 << 20;
/// For how long.
const FORGETTING: Duration = Duration::from_secs(5);

/// Whether the body of a request was given up.
#[derive(Debug, Clone, Default)]
pub struct Slow(Arc<AtomicBool>);

impl Slow {
    /// Whether it was.
    pub fn was_given_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that is waited for only so long. The time in which nobody reads it does not count.
pub struct Paced<B>(Arc<Mutex<Waited<B>>>);

/// What nobody has read of a body, once it is not wanted any more.
pub struct Rest<B>(Arc<Mutex<Waited<B>>>);

struct Waited<B> {
    body: B,
    patience: Duration,
    slow: Slow,
    /// While it is waited for: since when, and until when.
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
    waited: Duration,
    bytes: u64,
    over: bool,
}

impl<B: Body<Data = Bytes> + Unpin> Paced<B>
where
    B::Error: Into<axum::BoxError>,
{
    /// Waits for at most `patience` at a time; tells `slow` when that was not enough.
    pub fn new(body: B, patience: Duration, slow: Slow) -> (Self, Rest<B>) {
        let over = body.is_end_stream();
        let (wait, waited, bytes) = (None, Duration::ZERO, 0);
        let shared = Waited { body, patience, slow, wait, waited, bytes, over };
        let shared = Arc::new(Mutex::new(shared));
        (Self(Arc::clone(&shared)), Rest(shared))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Rest<B>
where
    B::Error: Into<axum::BoxError>,
{
    /// Reads on and forgets what comes, for a while: a client that is still sending would otherwise not
    /// see why it was refused.
    pub async fn forget(self) {
        let read = async {
            let mut bytes = 0;
            while bytes < MOST_FORGOTTEN {
                match poll_fn(|cx| lock(&self.0).poll(cx)).await {
                    Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, Bytes::len),
                    _ => break,
                }
            }
        };
        let _ = tokio::time::timeout(FORGETTING, read).await;
    }
}

impl<B: Body<Data = Bytes> + Unpin> Waited<B>
where
    B::Error: Into<axum::BoxError>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            let patience = self.patience;
            let begin = || (Instant::now(), Box::pin(tokio::time::sleep(patience)));
            let (_, sleep) = self.wait.get_or_insert_with(begin);
            ready!(sleep.as_mut().poll(cx));
            return self.give_up();
        };
        if let Some((since, _)) = self.wait.take() {
            self.waited += since.elapsed();
        }
        let Some(Ok(frame)) = frame else {
            self.over = true;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        };
        self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        if self.is_too_slow() { self.give_up() } else { Poll::Ready(Some(Ok(frame))) }
    }

    fn give_up<T>(&mut self) -> Poll<Option<Result<T, axum::BoxError>>> {
        self.over = true;
        self.slow.0.store(true, Ordering::Relaxed);
        let error = io::Error::new(io::ErrorKind::TimedOut, "the body did not come in time");
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_too_slow(&self) -> bool {
        let late = self.waited.saturating_sub(self.patience).as_secs_f64();
        late > 0.0 && (self.bytes as f64) < late * BYTES_A_SECOND
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Paced<B>
where
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        lock(&self.0).poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        let shared = lock(&self.0);
        shared.over || shared.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).body.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use futures::stream;

    /// So many pieces, each after a pause.
    fn body(pieces: u32, bytes: usize, pause: Duration) -> axum::body::Body {
        axum::body::Body::from_stream(stream::unfold(0, move |n| async move {
            tokio::time::sleep(pause).await;
            (n < pieces).then(|| (Ok::<_, io::Error>(Bytes::from(vec![b'x'; bytes])), n + 1))
        }))
    }

    async fn read(body: axum::body::Body) -> (Option<usize>, bool) {
        let slow = Slow::default();
        let (paced, _) = Paced::new(body, Duration::from_secs(10), slow.clone());
        let read = to_bytes(axum::body::Body::new(paced), usize::MAX).await;
        (read.ok().map(|bytes| bytes.len()), slow.was_given_up())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_as_long_as_it_comes() {
        let seconds = Duration::from_secs;
        assert_eq!(read(body(3, 10, seconds(1))).await, (Some(30), false));
        assert_eq!(read(body(100, 4_000, seconds(5))).await, (Some(400_000), false));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_pauses_or_drips_is_given_up() {
        let seconds = Duration::from_secs;
        assert_eq!(read(body(3, 10, seconds(11))).await, (None, true));
        assert_eq!(read(body(10_000, 1, seconds(1))).await, (None, true));
    }
}
