//! The response cache: answers to calls that were asked before in exactly the same way.
//!
//! Found in memory or in the store, and given to the engine through [`AnswerCache`]. Of identical
//! calls, of whatever runs, one at a time is asked: it holds a flight, and the others wait for that to
//! land. The rules: only complete answers are kept; whatever fails here counts as not found; a run
//! that ends gives back what it holds.

mod keeper;
mod key;
mod memory;
mod single;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Answer, AnswerCache, Cached, CallRequest};
use lanes_model::{CallId, Finish, PassId, Redaction, RunHeader, UsdMicros};
use lanes_store::{AnswerKey, AnswerNote, Store, StoreError, StoredAnswer};
use serde::Serialize;
use tokio::sync::watch;

use keeper::Keeper;
use key::Asked;
use memory::Memory;

/// The most that is kept in the store, in bytes.
const MOST_STORED: u64 = 256 << 20;
/// The most that is kept in memory, in bytes.
const MOST_IN_MEMORY: usize = 32 << 20;

/// What the cache holds and what it was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CacheStats {
    /// Answers kept.
    pub entries: u64,
    /// What they count for in the limit.
    pub bytes: u64,
    /// Calls answered from it since the program began.
    pub hits: u64,
    /// Calls looked up since then that had to be asked.
    pub misses: u64,
}

type Found = Arc<StoredAnswer>;

/// The cache of the program.
pub(crate) struct ResponseCache {
    store: Store,
    keeper: Keeper,
    memory: Mutex<Memory>,
    /// What is being asked or looked up now.
    flights: Mutex<HashMap<AnswerKey, watch::Sender<Option<Found>>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl ResponseCache {
    /// The answers in a store. To be called within a runtime.
    pub(crate) fn new(store: Store) -> Arc<Self> {
        Arc::new(Self {
            keeper: Keeper::spawn(store.clone(), MOST_STORED),
            store,
            memory: Mutex::new(Memory::new(MOST_IN_MEMORY)),
            flights: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        })
    }

    /// A run's access to it; `base_urls` is where the requests of each provider
    /// go first, by its id.
    pub(crate) fn of_run(
        self: &Arc<Self>,
        header: Arc<RunHeader>,
        base_urls: HashMap<String, String>,
    ) -> Arc<dyn AnswerCache> {
        Arc::new(RunCache { cache: Arc::clone(self), header, base_urls, held: Arc::default() })
    }

    pub(crate) async fn stats(&self) -> Result<CacheStats, StoreError> {
        self.flush().await;
        let totals = self.store.answer_totals().await?;
        Ok(CacheStats {
            entries: totals.entries,
            bytes: totals.bytes,
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        })
    }

    /// Forgets every answer. What is being asked now is kept when it comes.
    pub(crate) async fn purge(&self) -> Result<(), StoreError> {
        lock(&self.memory).clear();
        let purged = self.keeper.purge().await;
        // Again, for what was read from the store meanwhile.
        lock(&self.memory).clear();
        purged
    }

    /// Waits until everything noted is written, or known not to be.
    pub(crate) async fn flush(&self) {
        self.keeper.flush().await;
    }

    /// Takes the flight of a key, or a ticket to wait for it.
    fn board(self: &Arc<Self>, key: AnswerKey, redaction: Option<&Arc<Redaction>>) -> Boarding {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(&key) {
            return Boarding::Taken(flight.subscribe());
        }
        flights.insert(key, watch::Sender::new(None));
        Boarding::Mine(Flight { cache: Arc::clone(self), key, redaction: redaction.cloned() })
    }

    /// The answer of a key, if it is there.
    async fn find(&self, key: &AnswerKey) -> Option<Found> {
        let (found, generation) = {
            let mut memory = lock(&self.memory);
            (memory.get(key), memory.generation())
        };
        let found = match found {
            Some(found) => found,
            None => {
                let stored = self.store.answer(key).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "the response cache cannot be read");
                    None
                });
                let found = Arc::new(stored?);
                lock(&self.memory).put(*key, Arc::clone(&found), generation);
                found
            }
        };
        self.keeper.note(*key, AnswerNote::Used);
        Some(found)
    }

    fn keep(&self, key: AnswerKey, answer: Found) {
        let mut memory = lock(&self.memory);
        let generation = memory.generation();
        memory.put(key, Arc::clone(&answer), generation);
        drop(memory);
        self.keeper.note(key, AnswerNote::Given((*answer).clone()));
    }
}

enum Boarding {
    Mine(Flight),
    Taken(watch::Receiver<Option<Found>>),
}

/// The right to ask. When it is dropped without having landed, the next who waits asks.
struct Flight {
    cache: Arc<ResponseCache>,
    key: AnswerKey,
    /// What was taken out of the request: it is not kept in the answer either.
    redaction: Option<Arc<Redaction>>,
}

impl Flight {
    /// Gives the answer to all who wait.
    fn land(self, answer: Found) {
        if let Some(flight) = lock(&self.cache.flights).get(&self.key) {
            flight.send_replace(Some(answer));
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.cache.flights).remove(&self.key);
    }
}

type Holding = Mutex<HashMap<(PassId, CallId), Flight>>;

/// A run's access to the cache, with the flights that its calls hold.
struct RunCache {
    cache: Arc<ResponseCache>,
    header: Arc<RunHeader>,
    base_urls: HashMap<String, String>,
    held: Arc<Holding>,
}

/// One look-up.
struct LookUp {
    cache: Arc<ResponseCache>,
    held: Arc<Holding>,
    place: (PassId, CallId),
    key: AnswerKey,
    redaction: Option<Arc<Redaction>>,
}

impl LookUp {
    async fn first(self) -> Cached {
        match self.cache.board(self.key, self.redaction.as_ref()) {
            Boarding::Taken(taken) => {
                Cached::Awaited(async move { self.wait(taken).await }.boxed())
            }
            Boarding::Mine(flight) => match self.search(flight).await {
                Some(answer) => Cached::Hit(answer),
                None => Cached::Miss,
            },
        }
    }

    async fn wait(&self, mut taken: watch::Receiver<Option<Found>>) -> Option<Answer> {
        loop {
            if let Ok(landed) = taken.wait_for(Option::is_some).await
                && let Some(found) = landed.as_deref()
            {
                return Some(self.hit(found));
            }
            match self.cache.board(self.key, self.redaction.as_ref()) {
                Boarding::Taken(other) => taken = other,
                Boarding::Mine(flight) => return self.search(flight).await,
            }
        }
    }

    /// Looks for the answer; without one the call holds the flight until it has ended.
    async fn search(&self, flight: Flight) -> Option<Answer> {
        let Some(found) = self.cache.find(&self.key).await else {
            self.cache.misses.fetch_add(1, Ordering::Relaxed);
            lock(&self.held).insert(self.place, flight);
            return None;
        };
        let answer = self.hit(&found);
        flight.land(found);
        Some(answer)
    }

    fn hit(&self, found: &StoredAnswer) -> Answer {
        self.cache.hits.fetch_add(1, Ordering::Relaxed);
        Answer {
            // It may have been given to someone with other data in the same places.
            text: match &self.redaction {
                Some(redaction) => redaction.restore(&found.text),
                None => found.text.clone(),
            },
            usage: found.usage,
            cost: Some(UsdMicros(0)),
            finish: Finish::Stop,
        }
    }
}

impl AnswerCache for RunCache {
    fn look_up(
        &self,
        pass: PassId,
        call: CallId,
        request: Arc<CallRequest>,
    ) -> BoxFuture<'static, Cached> {
        let Some(task) = self.header.task_of(call) else {
            return futures::future::ready(Cached::Miss).boxed();
        };
        let provider = self.header.choice_of(call).0;
        let base_url = self.base_urls.get(provider).map(String::as_str).unwrap_or_default();
        let asked = Asked {
            base_url,
            model: &request.model,
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            output: &request.output,
            system: &request.system,
            user: &request.user,
            task: task.id.as_str(),
            prompt: &task.prompt,
            images: &request.images,
        };
        let look_up = LookUp {
            cache: Arc::clone(&self.cache),
            held: Arc::clone(&self.held),
            place: (pass, call),
            key: asked.key(),
            redaction: request.redaction.clone(),
        };
        look_up.first().boxed()
    }

    fn ended(&self, pass: PassId, call: CallId, answer: Option<&Answer>) {
        ended(&self.cache, &self.held, (pass, call), answer, &self.header.spec.model);
    }
}

/// Keeps the answer of a call that held a flight, and gives it to all who wait.
fn ended(
    cache: &ResponseCache,
    held: &Holding,
    place: (PassId, CallId),
    answer: Option<&Answer>,
    model: &str,
) {
    let Some(flight) = lock(held).remove(&place) else { return };
    // An answer that was cut short is no answer to the next who asks.
    let Some(answer) = answer.filter(|a| a.finish == Finish::Stop) else { return };
    let found = Arc::new(StoredAnswer {
        text: match &flight.redaction {
            Some(redaction) => redaction.hide(&answer.text),
            None => answer.text.clone(),
        },
        usage: answer.usage,
        model: model.to_owned(),
    });
    cache.keep(flight.key, Arc::clone(&found));
    flight.land(found);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
