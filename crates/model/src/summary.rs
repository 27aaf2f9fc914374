//! A run in one line, for lists. Stored beside the log, so that a list reads no logs.

use serde::{Deserialize, Serialize};

use crate::{Mode, RunId, RunStatus, UsdMicros};

/// A run in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// Its heading.
    pub title: String,
    /// When it was asked for, RFC 3339 in UTC.
    pub created_at: String,
    /// How it stands.
    pub status: RunStatus,
    /// How it executes.
    pub mode: Mode,
    /// Ids of its tasks.
    pub tasks: Vec<String>,
    /// How many documents.
    pub documents: u32,
    /// Lanes of its parallel pass (1 when it has none).
    pub concurrency: u32,
    /// The provider's id.
    pub provider: String,
    /// The name of the provider that people read.
    pub provider_name: String,
    /// The model.
    pub model: String,
    /// Whether its figures are simulated.
    pub simulated: bool,
    /// Wall time of the parallel pass, or of the only one, once it ended, µs.
    pub wall_us: Option<u64>,
    /// Sequential ÷ parallel wall time, when both passes are complete.
    pub speedup: Option<f64>,
    /// Calls over all passes.
    pub calls: u32,
    /// Calls that failed.
    pub failed: u32,
    /// Calls that needed more than one attempt.
    pub retried: u32,
    /// The reason that most failed calls share, in a few words.
    pub failure: Option<String>,
    /// Cost of all attempts; `None` when no price is known.
    pub cost_usd_micros: Option<UsdMicros>,
}
