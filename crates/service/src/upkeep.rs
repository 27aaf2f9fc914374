//! What is kept for how long. The program lets old runs go by itself where it is told to, and a command
//! does it at once; both by this file.
//!
//! Rule: a run that goes on is never touched, and what is let go is a whole run: its log, its summary and
//! the texts that nobody else uses.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lanes_store::{OldRun, Store};

use crate::{Service, ServiceError};

/// How long runs are kept. What is not said is no reason to let one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Runs asked for longer ago than that go.
    pub age: Option<Duration>,
    /// While there is more data than that, in bytes, the oldest run goes.
    pub bytes: Option<u64>,
}

impl Retention {
    /// Whether everything is kept.
    #[must_use]
    pub const fn keeps_all(&self) -> bool {
        self.age.is_none() && self.bytes.is_none()
    }
}

/// What was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Pruned {
    /// How many runs.
    pub runs: u64,
    /// How much data there was before, in bytes.
    pub bytes_before: u64,
    /// And after. What is between is used again before the file grows.
    pub bytes_after: u64,
}

/// Runs looked at in one go.
const PAGE: u32 = 100;

/// Lets runs go as `retention` says at `now`. A `rehearsal` counts those that are too old and deletes
/// nothing; it cannot know how much room each run takes, so `bytes` does not count then.
///
/// # Errors
/// A store that fails; what has been deleted stays so.
pub async fn prune(
    store: &Store,
    retention: &Retention,
    now: Timestamp,
    rehearsal: bool,
) -> Result<Pruned, ServiceError> {
    let size = store.size().await?.used;
    let mut pruned = Pruned { bytes_before: size, bytes_after: size, ..Pruned::default() };
    if let Some(age) = retention.age {
        // A time before all times is older than every run.
        let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
        let before = now.checked_sub(age).unwrap_or(Timestamp::MIN).to_string();
        if rehearsal {
            pruned.runs = store.old_runs(Some(&before), u32::MAX).await?.len() as u64;
            return Ok(pruned);
        }
        while let Some(gone) = delete_all(store, store.old_runs(Some(&before), PAGE).await?).await?
        {
            pruned.runs += gone;
        }
    }
    if let Some(most) = retention.bytes.filter(|_| !rehearsal) {
        while store.size().await?.used > most {
            // One at a time: a run can be anything from a page to a gigabyte.
            match delete_all(store, store.old_runs(None, 1).await?).await? {
                Some(gone) => pruned.runs += gone,
                None => break,
            }
        }
    }
    pruned.bytes_after = store.size().await?.used;
    Ok(pruned)
}

/// Deletes runs; none when there is none.
async fn delete_all(store: &Store, runs: Vec<OldRun>) -> Result<Option<u64>, ServiceError> {
    let mut gone = 0;
    for OldRun { run, .. } in runs {
        gone += u64::from(store.delete_run(&run).await?);
    }
    Ok((gone > 0).then_some(gone))
}

impl Service {
    /// Lets old runs go, every hour and at once. Ends with the program.
    pub fn let_old_runs_go(&self, retention: Retention) {
        if retention.keeps_all() {
            return;
        }
        let store = self.inner().store.clone();
        tokio::spawn(async move {
            let mut hourly = tokio::time::interval(Duration::from_secs(3_600));
            loop {
                hourly.tick().await;
                match prune(&store, &retention, Timestamp::now(), false).await {
                    Ok(Pruned { runs: 0, .. }) => {}
                    Ok(Pruned { runs, bytes_before, bytes_after }) => {
                        tracing::info!(runs, bytes_before, bytes_after, "old runs are gone");
                    }
                    // The store is closed when the program ends.
                    Err(ServiceError::Store(lanes_store::StoreError::Closed)) => return,
                    Err(error) => tracing::warn!(%error, "old runs could not be deleted"),
                }
            }
        });
    }
}
