//! What a simulator is told when it starts.
//!
//! Plain data, filled by the command line or by a test. The rule: a rate is a probability, checked
//! once when the server binds.

use crate::{LatencyProfile, SimulatorError};

/// How a simulator behaves. The default is the `demo` latency with no limits and no faults.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatorConfig {
    /// How long answers take.
    pub latency: LatencyProfile,
    /// Requests a minute; `None` for no limit and no such headers.
    pub rpm: Option<u32>,
    /// Requests that may come at once, where that is fewer than a minute's: providers measure in
    /// shorter spans than the minute they speak of. They come back at the pace of `rpm`, without
    /// which this limits nothing.
    pub burst: Option<u32>,
    /// Tokens a minute, prompt and answer together; `None` for no limit and no such headers.
    pub tpm: Option<u32>,
    /// The share of requests, 0 to 1, answered with HTTP 500 or 503.
    pub error_rate: f64,
    /// The share of requests, 0 to 1, that are accepted and never answered.
    pub hang_rate: f64,
    /// The share of requests, 0 to 1, whose answer ends in the middle.
    pub truncate_rate: f64,
    /// The share of answers, 0 to 1, that break the labels or the schema they were asked to keep to;
    /// others have nothing to break.
    pub invalid_rate: f64,
    /// What every draw starts from.
    pub seed: u64,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            latency: LatencyProfile::Demo,
            rpm: None,
            burst: None,
            tpm: None,
            error_rate: 0.0,
            hang_rate: 0.0,
            truncate_rate: 0.0,
            invalid_rate: 0.0,
            seed: 0,
        }
    }
}

impl SimulatorConfig {
    /// Checks that the rates are probabilities and that a limit, where set, is not zero.
    ///
    /// # Errors
    /// [`SimulatorError::InvalidRate`] or [`SimulatorError::ZeroLimit`], naming the field.
    pub fn validate(&self) -> Result<(), SimulatorError> {
        let rates = [
            ("error_rate", self.error_rate),
            ("hang_rate", self.hang_rate),
            ("truncate_rate", self.truncate_rate),
            ("invalid_rate", self.invalid_rate),
        ];
        for (name, value) in rates {
            if !(0.0..=1.0).contains(&value) {
                return Err(SimulatorError::InvalidRate { name, value });
            }
        }
        for (name, limit) in [("rpm", self.rpm), ("burst", self.burst), ("tpm", self.tpm)] {
            if limit == Some(0) {
                return Err(SimulatorError::ZeroLimit { name });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert!(SimulatorConfig::default().validate().is_ok());
    }

    #[test]
    fn a_rate_outside_zero_to_one_is_refused_by_name() {
        for value in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let config = SimulatorConfig { hang_rate: value, ..SimulatorConfig::default() };
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains("hang_rate"), "{message}");
        }
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        let config = SimulatorConfig { tpm: Some(0), ..SimulatorConfig::default() };
        assert!(config.validate().unwrap_err().to_string().contains("tpm"));
    }
}
