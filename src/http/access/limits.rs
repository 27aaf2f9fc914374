//! How much one client may ask: requests a minute, and event streams at the same time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use lanes_service::Caller;

use super::Client;

/// The most clients that are counted at once; those that ask least are forgotten first.
const MOST_CLIENTS: usize = 50_000;

/// For whom it counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// A key, from wherever it is used.
    Key(String),
    /// An address; of IPv6 the network, which one client has to itself.
    Address(IpAddr),
}

impl Who {
    pub(super) fn of(client: &Client) -> Self {
        Self::Address(match client.ip {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        })
    }

    pub(super) fn holding(client: &Client, caller: &Caller) -> Self {
        match caller {
            Caller::Key { id, .. } => Self::Key(id.clone()),
            _ => Self::of(client),
        }
    }
}

/// A bucket for each client: full at first, and filled again evenly over a minute.
pub(super) struct Buckets {
    size: f64,
    levels: Mutex<HashMap<Who, (f64, Instant)>>,
}

impl Buckets {
    pub(super) fn a_minute(size: u32) -> Self {
        Self { size: size.max(1).into(), levels: Mutex::default() }
    }

    /// Takes one from a client's bucket, or says when there will be one.
    pub(super) fn take(&self, who: Who) -> Result<(), Duration> {
        self.take_at(who, Instant::now())
    }

    /// Whether there is one, without taking it.
    pub(super) fn look(&self, who: &Who) -> Result<(), Duration> {
        let levels = lock(&self.levels);
        self.wait(levels.get(who).map_or(self.size, |at| self.filled(at, Instant::now())))
    }

    fn take_at(&self, who: Who, now: Instant) -> Result<(), Duration> {
        let mut levels = lock(&self.levels);
        if levels.len() >= MOST_CLIENTS && !levels.contains_key(&who) {
            levels.retain(|_, at| self.filled(at, now) < self.size);
            if levels.len() >= MOST_CLIENTS {
                levels.clear();
            }
        }
        let entry = levels.entry(who).or_insert((self.size, now));
        *entry = (self.filled(entry, now), now);
        self.wait(entry.0)?;
        entry.0 -= 1.0;
        Ok(())
    }

    fn filled(&self, (level, at): &(f64, Instant), now: Instant) -> f64 {
        let since = now.saturating_duration_since(*at).as_secs_f64();
        (level + since * self.size / 60.0).min(self.size)
    }

    fn wait(&self, level: f64) -> Result<(), Duration> {
        let missing = 1.0 - level;
        if missing <= 0.0 {
            return Ok(());
        }
        Err(Duration::from_secs_f64(missing * 60.0 / self.size))
    }
}

/// The event streams that are open.
pub struct Streams {
    most: u32,
    of_client: u32,
    open: Mutex<(u32, HashMap<Who, u32>)>,
}

impl Streams {
    pub(super) fn new(most: u32, of_client: u32) -> Self {
        Self { most, of_client, open: Mutex::default() }
    }

    /// Counts one more, for as long as the value lives.
    ///
    /// # Errors
    /// Why there can be no more, in words.
    pub(super) fn open(self: &Arc<Self>, who: Who) -> Result<Open, String> {
        let mut open = lock(&self.open);
        let (all, clients) = &mut *open;
        if *all >= self.most {
            return Err(format!(
                "{} event streams are open, as many as there can be: close some, or read the run's \
                 state instead.",
                self.most
            ));
        }
        let own = clients.entry(who.clone()).or_default();
        if *own >= self.of_client {
            return Err(format!(
                "This client has {} event streams open, as many as one can have: close some.",
                self.of_client
            ));
        }
        *own += 1;
        *all += 1;
        Ok(Open { streams: Arc::clone(self), who })
    }
}

/// One open stream.
pub(super) struct Open {
    streams: Arc<Streams>,
    who: Who,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = lock(&self.streams.open);
        let (all, clients) = &mut *open;
        *all = all.saturating_sub(1);
        if let Some(own) = clients.get_mut(&self.who) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                clients.remove(&self.who);
            }
        }
    }
}

/// A body that counts as an open stream.
pub(super) struct Counted {
    body: Body,
    _open: Open,
}

impl Counted {
    pub(super) fn new(body: Body, open: Open) -> Self {
        Self { body, _open: open }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(ip: &str) -> Who {
        Who::of(&Client { ip: ip.parse().unwrap(), https: false })
    }

    #[test]
    fn a_bucket_is_emptied_filled_and_its_clients_own() {
        let buckets = Buckets::a_minute(60);
        let start = Instant::now();
        let take = |ip: &str, after: f64| {
            buckets.take_at(client(ip), start + Duration::from_secs_f64(after))
        };
        assert!((0..60).all(|_| take("10.0.0.1", 0.0).is_ok()));
        let wait = take("10.0.0.1", 0.0).unwrap_err();
        assert!((0.9..=1.0).contains(&wait.as_secs_f64()), "{wait:?}");
        assert!(take("10.0.0.2", 0.0).is_ok());
        assert!(take("10.0.0.1", 1.1).is_ok());
        assert!(take("10.0.0.1", 1.1).is_err());
        assert!((0..60).all(|_| take("10.0.0.1", 1_000.0).is_ok()));
        assert!(take("10.0.0.1", 1_000.0).is_err());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_ne!(client("10.0.0.1"), client("10.0.0.2"));
    }

    #[test]
    fn streams_are_counted_for_each_client_and_in_all_while_they_are_open() {
        let streams = Arc::new(Streams::new(3, 2));
        let one =
            [client("10.0.0.1"), client("10.0.0.1")].map(|who| streams.open(who).ok().unwrap());
        let of_client = streams.open(client("10.0.0.1")).err().unwrap();
        assert!(of_client.starts_with("This client has 2"), "{of_client}");
        let other = streams.open(client("10.0.0.2")).ok().unwrap();
        let in_all = streams.open(client("10.0.0.3")).err().unwrap();
        assert!(in_all.starts_with("3 event streams are open"), "{in_all}");
        drop((one, other));
        assert_eq!(*lock(&streams.open), (0, HashMap::new()));
    }
}
