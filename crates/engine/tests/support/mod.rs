//! A run in a box: a plan, a scripted provider, a recording log, and ways to look at the result.

pub mod cache;
pub mod log;
pub mod plan;
pub mod provider;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lanes_engine::{Job, Limiter, RetryPolicy, RunClock, RunControl, Unlimited, execute};
use lanes_model::{Budget, Micros, PassMode, RunHeader, RunSpec, RunState, RunStatus};

pub use cache::Memory;
pub use log::{Entry, Log};
pub use plan::header;
pub use provider::{Script, Scripted, Step};

pub const SEQUENTIAL: (PassMode, u32) = (PassMode::Sequential, 1);

pub const fn parallel(lanes: u32) -> (PassMode, u32) {
    (PassMode::Parallel, lanes)
}

pub const fn ms(n: u64) -> Micros {
    Micros::from_millis(n)
}

/// Everything a test run is made of.
pub struct Bench {
    pub provider: Arc<Scripted>,
    pub log: Arc<Log>,
    pub retry: RetryPolicy,
    pub limiter: Arc<dyn Limiter>,
    pub cache: Option<Memory>,
    pub control: RunControl,
}

impl Bench {
    /// A run of these passes over as many calls as the script has.
    pub fn new(passes: &[(PassMode, u32)], race: bool, script: Script) -> Self {
        let header = header(passes, race, script.len());
        Self {
            provider: Arc::new(Scripted::new(script)),
            log: Arc::new(Log::new(header)),
            retry: RetryPolicy { seed: 7, ..RetryPolicy::default() },
            limiter: Arc::new(Unlimited),
            cache: None,
            control: RunControl::new(),
        }
    }

    /// The same run with a budget.
    pub fn with_budget(self, budget: Budget) -> Self {
        self.with_spec(|spec| spec.budget = budget)
    }

    /// The same run with another specification.
    pub fn with_spec(self, change: impl FnOnce(&mut RunSpec)) -> Self {
        self.with_header(|header| change(&mut header.spec))
    }

    /// The same run with another header.
    pub fn with_header(self, change: impl FnOnce(&mut RunHeader)) -> Self {
        let mut header = self.log.state().header;
        change(&mut header);
        Self { log: Arc::new(Log::new(header)), ..self }
    }

    /// Carries the run out, from wherever its log stands.
    pub async fn execute(&self) -> RunStatus {
        self.execute_at(self.log.state().latest).await
    }

    /// Carries the run out by a clock that has gone on for a while before the engine begins.
    pub async fn finish_with_clock_at(&self, at: Micros) -> RunState {
        self.execute_at(at).await;
        self.log.checked()
    }

    async fn execute_at(&self, at: Micros) -> RunStatus {
        let state = self.log.state();
        let clock = RunClock::starting_at(at);
        execute(Job {
            state,
            provider: Arc::clone(&self.provider) as _,
            records: Arc::clone(&self.provider) as _,
            sink: Arc::clone(&self.log) as _,
            clock: Arc::new(clock),
            limiter: Arc::clone(&self.limiter),
            cache: self.cache.as_ref().map(|cache| cache.of_a_run()),
            retry: self.retry,
            control: self.control.clone(),
        })
        .await
    }

    /// Carries the run out and gives its state; the log has to be well formed.
    pub async fn finish(&self) -> RunState {
        let status = self.execute().await;
        let state = self.log.checked();
        assert_eq!(state.status, status);
        state
    }

    /// Carries the run out while something stops it after so many milliseconds.
    pub async fn stopped_after(&self, after: u64, stop: impl FnOnce(&RunControl)) -> RunState {
        let (state, ()) = tokio::join!(self.finish(), async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            stop(&self.control);
        });
        state
    }
}

/// Runs a future on one thread with time paused, for property tests.
pub fn paused<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}
