//! A response cache in memory that takes calls for identical by their number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Answer, AnswerCache, Cached, CallRequest};
use lanes_model::{CallId, PassId};
use tokio::sync::watch;

type Flight = watch::Sender<Option<Answer>>;

/// The cache; clones share it, and runs share it through [`Memory::of_a_run`].
#[derive(Clone)]
pub struct Memory(Arc<Inner>);

struct Inner {
    /// Calls are identical when they leave the same remainder.
    kinds: u32,
    /// How long a look-up takes.
    delay: Duration,
    panics: bool,
    answers: Mutex<HashMap<u32, Answer>>,
    flights: Mutex<HashMap<u32, Flight>>,
    looking: AtomicUsize,
    most_looking: AtomicUsize,
}

impl Memory {
    pub fn new(kinds: u32) -> Self {
        Self::with(kinds, Duration::ZERO, false)
    }

    pub fn slow(kinds: u32, delay: Duration) -> Self {
        Self::with(kinds, delay, false)
    }

    pub fn panicking() -> Self {
        Self::with(1, Duration::ZERO, true)
    }

    fn with(kinds: u32, delay: Duration, panics: bool) -> Self {
        Self(Arc::new(Inner {
            kinds,
            delay,
            panics,
            answers: Mutex::default(),
            flights: Mutex::default(),
            looking: AtomicUsize::new(0),
            most_looking: AtomicUsize::new(0),
        }))
    }

    pub fn put(&self, kind: u32, answer: Answer) {
        self.0.answers.lock().unwrap().insert(kind, answer);
    }

    pub fn most_looking(&self) -> usize {
        self.0.most_looking.load(Ordering::SeqCst)
    }

    /// Whether any call holds anything.
    pub fn is_at_rest(&self) -> bool {
        self.0.flights.lock().unwrap().is_empty()
    }

    pub fn of_a_run(&self) -> Arc<dyn AnswerCache> {
        Arc::new(OfRun { memory: Arc::clone(&self.0), held: Arc::default() })
    }
}

struct OfRun {
    memory: Arc<Inner>,
    held: Arc<Mutex<HashMap<(PassId, CallId), Held>>>,
}

/// The right to ask; given back when it is dropped.
struct Held(Arc<Inner>, u32);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.flights.lock().unwrap().remove(&self.1);
    }
}

enum Place {
    Mine(Held),
    Taken(watch::Receiver<Option<Answer>>),
}

impl Inner {
    fn place(self: &Arc<Self>, kind: u32) -> Place {
        let mut flights = self.flights.lock().unwrap();
        if let Some(flight) = flights.get(&kind) {
            return Place::Taken(flight.subscribe());
        }
        flights.insert(kind, watch::Sender::new(None));
        Place::Mine(Held(Arc::clone(self), kind))
    }

    async fn find(&self, kind: u32) -> Option<Answer> {
        let now = self.looking.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_looking.fetch_max(now, Ordering::SeqCst);
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.looking.fetch_sub(1, Ordering::SeqCst);
        self.answers.lock().unwrap().get(&kind).cloned()
    }
}

impl AnswerCache for OfRun {
    fn look_up(
        &self,
        pass: PassId,
        call: CallId,
        request: Arc<CallRequest>,
    ) -> BoxFuture<'static, Cached> {
        assert_eq!(request.user, call.0.to_string());
        let (memory, held) = (Arc::clone(&self.memory), Arc::clone(&self.held));
        async move {
            assert!(!memory.panics, "as the test says");
            let kind = call.0 % memory.kinds;
            let mut taken = match memory.place(kind) {
                Place::Taken(taken) => taken,
                Place::Mine(mine) => match memory.find(kind).await {
                    Some(answer) => return Cached::Hit(answer),
                    None => {
                        held.lock().unwrap().insert((pass, call), mine);
                        return Cached::Miss;
                    }
                },
            };
            Cached::Awaited(
                async move {
                    loop {
                        if let Ok(answer) = taken.wait_for(Option::is_some).await {
                            return answer.clone();
                        }
                        match memory.place(kind) {
                            Place::Taken(other) => taken = other,
                            Place::Mine(mine) => {
                                let found = memory.find(kind).await;
                                if found.is_none() {
                                    held.lock().unwrap().insert((pass, call), mine);
                                }
                                return found;
                            }
                        }
                    }
                }
                .boxed(),
            )
        }
        .boxed()
    }

    fn ended(&self, pass: PassId, call: CallId, answer: Option<&Answer>) {
        assert!(!self.memory.panics, "as the test says");
        let Some(held) = self.held.lock().unwrap().remove(&(pass, call)) else { return };
        if let Some(answer) = answer {
            self.memory.answers.lock().unwrap().insert(held.1, answer.clone());
            if let Some(flight) = self.memory.flights.lock().unwrap().get(&held.1) {
                flight.send_replace(Some(answer.clone()));
            }
        }
    }
}
