//! What a run needs to know of the provider it uses: its name, whether it is simulated, its prices.
//!
//! Never a key: keys stay in the provider crate.

use serde::{Deserialize, Serialize};

use crate::{Usage, UsdMicros};

/// A model's price in micro-dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Price {
    /// A million prompt tokens.
    pub input_usd_micros_per_mtok: u64,
    /// A million prompt tokens that the provider took from its own prompt cache.
    pub cached_usd_micros_per_mtok: u64,
    /// A million tokens of the answer.
    pub output_usd_micros_per_mtok: u64,
}

impl Price {
    /// The cost of one answer, rounded to the nearest micro-dollar. Cached prompt tokens are part
    /// of the prompt tokens and priced apart.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> UsdMicros {
        let cached = usage.cached.min(usage.input);
        let pico = u128::from(usage.input - cached) * u128::from(self.input_usd_micros_per_mtok)
            + u128::from(cached) * u128::from(self.cached_usd_micros_per_mtok)
            + u128::from(usage.output) * u128::from(self.output_usd_micros_per_mtok);
        UsdMicros(u64::try_from((pico + 500_000) / 1_000_000).unwrap_or(u64::MAX))
    }
}

/// The provider of a run, as it was when the run was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderInfo {
    /// The name used in requests, such as `openai` or `simulator`.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Whether figures and answers are simulated. Every surface that shows them must say so.
    pub simulated: bool,
    /// The models that can be chosen, the default first.
    pub models: Vec<String>,
    /// The price of the run's model (in a list of providers: of the default model), when known.
    pub price: Option<Price>,
    /// Requests a minute, when known.
    pub rpm: Option<u32>,
    /// Tokens a minute, when known.
    pub tpm: Option<u32>,
    /// What a call is expected to take before there is any history, for estimates.
    pub pace: Pace,
}

/// The expected speed of a provider, for estimates before there is history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pace {
    /// Time to first token, µs.
    pub ttft_us: u64,
    /// Tokens a second in thousandths; 0 when the whole answer takes `whole_us` whatever its length.
    pub millitokens_per_s: u64,
    /// Time of a whole answer, µs, when it does not depend on length; 0 when it does.
    pub whole_us: u64,
    /// How much calls of the same kind differ: standard deviation ÷ mean of their times, thousandths.
    #[serde(default)]
    pub cv_permille: u32,
}
