//! What went through the door since the program began, by provider and model as they were asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanes_model::{Usage, UsdMicros};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Choice;

/// Requests for one model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct DoorTotals {
    /// The provider that was asked for.
    pub provider: String,
    /// The model that was asked for.
    pub model: String,
    /// Requests taken.
    pub requests: u64,
    /// Answered by a provider.
    pub answered: u64,
    /// Answered from the cache.
    pub cached: u64,
    /// Not answered.
    pub failed: u64,
    /// Given up by whoever asked.
    pub gone: u64,
    /// Attempts at providers.
    pub attempts: u64,
    /// Tokens used.
    pub tokens: Usage,
    /// What they cost, where the price is known.
    pub cost_usd_micros: Option<UsdMicros>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Totals(Mutex<BTreeMap<(String, String), DoorTotals>>);

impl Totals {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<(String, String), DoorTotals>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<DoorTotals> {
        self.kept().values().cloned().collect()
    }

    pub(crate) fn of(&self, provider: &str) -> Vec<DoorTotals> {
        self.kept().values().filter(|t| t.provider == provider).cloned().collect()
    }
}

/// One request, until it has ended.
pub(crate) struct Ended {
    totals: Arc<Totals>,
    key: (String, String),
    over: bool,
}

impl Ended {
    pub(super) fn new(totals: Arc<Totals>, choice: &Choice) -> Self {
        let key = (choice.provider.clone(), choice.model.clone());
        let this = Self { totals, key, over: false };
        this.count(|t| t.requests += 1);
        this
    }

    fn count(&self, change: impl FnOnce(&mut DoorTotals)) {
        let mut kept = self.totals.kept();
        let (provider, model) = self.key.clone();
        change(kept.entry(self.key.clone()).or_insert_with(|| DoorTotals {
            provider,
            model,
            ..DoorTotals::default()
        }));
    }

    pub(super) fn attempt(&self) {
        self.count(|t| t.attempts += 1);
    }

    pub(super) fn used(&self, usage: Usage, cost: Option<UsdMicros>) {
        self.count(|t| {
            t.tokens.input += usage.input;
            t.tokens.output += usage.output;
            t.tokens.cached += usage.cached;
            t.tokens.estimated |= usage.estimated;
            if let Some(cost) = cost {
                let spent = t.cost_usd_micros.get_or_insert_default();
                spent.0 = spent.0.saturating_add(cost.0);
            }
        });
    }

    pub(super) fn answered(&mut self) {
        self.over = true;
        self.count(|t| t.answered += 1);
    }

    pub(super) fn cached(&mut self) {
        self.over = true;
        self.count(|t| t.cached += 1);
    }

    pub(super) fn failed(&mut self) {
        self.over = true;
        self.count(|t| t.failed += 1);
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if !self.over {
            self.count(|t| t.gone += 1);
        }
    }
}
