//! Which request fails, and how; and the headers that override the configuration for one request.
//!
//! The chat handler asks for a [`Behaviour`] per request and a [`Fault`] per identity. The rule: a
//! fault is drawn from the identity alone, never from a clock or a counter shared by all.

use axum::http::{HeaderMap, StatusCode};

use crate::{
    SimulatorConfig,
    api_error::ApiError,
    draw::{Identity, Salt},
    latency::LatencyProfile,
};

const ERROR_RATE: &str = "x-simulate-error-rate";
const HANG_RATE: &str = "x-simulate-hang-rate";
const TRUNCATE_RATE: &str = "x-simulate-truncate-rate";
const INVALID_RATE: &str = "x-simulate-invalid-rate";
const LATENCY: &str = "x-simulate-latency";
const SEED: &str = "x-simulate-seed";
const RPM: &str = "x-simulate-rpm";
const RUN: &str = "x-simulate-run";

/// The configuration as one request sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Behaviour {
    pub(crate) latency: LatencyProfile,
    pub(crate) seed: u64,
    error_rate: f64,
    hang_rate: f64,
    truncate_rate: f64,
    invalid_rate: f64,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Accepted, never answered.
    Hang,
    /// Answered with this status.
    Error(StatusCode),
    /// Cut after this share of the tokens, above 0 and below 1.
    Truncate(f64),
}

impl Behaviour {
    /// The configuration, overridden by the request's `x-simulate-*` headers.
    ///
    /// # Errors
    /// 400 naming the header whose value cannot be used.
    pub(crate) fn of(config: &SimulatorConfig, headers: &HeaderMap) -> Result<Self, ApiError> {
        let rate = |name, default| {
            read(headers, name, default, |text| match text.parse::<f64>() {
                Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
                _ => Err("it must be a number from 0 to 1".to_owned()),
            })
        };
        Ok(Self {
            latency: read(headers, LATENCY, config.latency, |text| {
                text.parse().map_err(|reason: crate::LatencyError| reason.to_string())
            })?,
            seed: read(headers, SEED, config.seed, |text| {
                text.parse().map_err(|_| "it must be a whole number from 0".to_owned())
            })?,
            error_rate: rate(ERROR_RATE, config.error_rate)?,
            hang_rate: rate(HANG_RATE, config.hang_rate)?,
            truncate_rate: rate(TRUNCATE_RATE, config.truncate_rate)?,
            invalid_rate: rate(INVALID_RATE, config.invalid_rate)?,
        })
    }

    /// Draws whether this answer breaks what it was asked to keep to.
    pub(crate) fn is_invalid(&self, identity: Identity) -> bool {
        identity.uniform(Salt::Invalid) < self.invalid_rate
    }

    /// Draws whether and how this request fails. A hang comes before an error, an error before a
    /// cut; each rate holds exactly among the requests that reach its draw.
    pub(crate) fn fault(&self, identity: Identity) -> Option<Fault> {
        if identity.uniform(Salt::Hang) < self.hang_rate {
            Some(Fault::Hang)
        } else if identity.uniform(Salt::Error) < self.error_rate {
            Some(Fault::Error(if identity.uniform(Salt::ErrorKind) < 0.5 {
                StatusCode::INTERNAL_SERVER_ERROR
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            }))
        } else if identity.uniform(Salt::Truncate) < self.truncate_rate {
            Some(Fault::Truncate(0.2 + 0.6 * identity.uniform(Salt::CutPoint)))
        } else {
            None
        }
    }
}

/// The run that a request belongs to and the requests a minute that its run may send, where its headers
/// set a limit in place of the configured one.
///
/// # Errors
/// 400 naming the header whose value cannot be used.
pub(crate) fn own_limit(headers: &HeaderMap) -> Result<Option<(&str, u32)>, ApiError> {
    let rpm = read(headers, RPM, None, |text| match text.parse() {
        Ok(rpm) if rpm > 0 => Ok(Some(rpm)),
        _ => Err("it must be a whole number from 1".to_owned()),
    })?;
    let run = headers.get(RUN).and_then(|run| run.to_str().ok()).unwrap_or_default();
    Ok(rpm.map(|rpm| (run, rpm)))
}

fn read<T>(
    headers: &HeaderMap,
    name: &'static str,
    default: T,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, ApiError> {
    let Some(value) = headers.get(name) else { return Ok(default) };
    let text = value.to_str().map(str::trim).unwrap_or("(not text)");
    parse(text).map_err(|reason| {
        let shown: String = text.chars().take(80).collect();
        ApiError::invalid(
            format!("The header {name} has the value `{shown}`: {reason}."),
            Some(name),
        )
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    fn faults(config: &SimulatorConfig) -> Vec<Option<Fault>> {
        let behaviour = Behaviour::of(config, &HeaderMap::new()).unwrap();
        (0..10_000)
            .map(|content| behaviour.fault(Identity { seed: 5, content, occurrence: 0 }))
            .collect()
    }

    #[test]
    fn without_rates_nothing_fails() {
        assert!(faults(&SimulatorConfig::default()).iter().all(Option::is_none));
    }

    #[test]
    fn rates_are_met_over_many_requests() {
        let config =
            SimulatorConfig { error_rate: 0.3, hang_rate: 0.1, ..SimulatorConfig::default() };
        let faults = faults(&config);
        let hangs = faults.iter().filter(|f| **f == Some(Fault::Hang)).count();
        let errors = faults.iter().filter(|f| matches!(f, Some(Fault::Error(_)))).count();
        assert!((900..1_100).contains(&hangs), "{hangs}");
        assert!((2_550..2_850).contains(&errors), "{errors}");
    }

    #[test]
    fn a_certain_cut_falls_inside_every_answer() {
        let config = SimulatorConfig { truncate_rate: 1.0, ..SimulatorConfig::default() };
        for fault in faults(&config) {
            assert!(matches!(fault, Some(Fault::Truncate(share)) if (0.2..0.8).contains(&share)));
        }
    }

    #[test]
    fn headers_override_the_configuration() {
        let given = headers(&[(ERROR_RATE, "1"), (LATENCY, "fixed:3s"), (SEED, "9")]);
        let behaviour = Behaviour::of(&SimulatorConfig::default(), &given).unwrap();
        assert_eq!(behaviour.latency.to_string(), "fixed:3s");
        assert_eq!(behaviour.seed, 9);
        let identity = Identity { seed: 9, content: 1, occurrence: 0 };
        assert!(matches!(behaviour.fault(identity), Some(Fault::Error(_))));
    }

    #[test]
    fn a_limit_of_its_own_belongs_to_a_run() {
        assert_eq!(own_limit(&headers(&[(RUN, "7")])).unwrap(), None);
        assert_eq!(own_limit(&headers(&[(RPM, "30"), (RUN, "7")])).unwrap(), Some(("7", 30)));
        assert_eq!(own_limit(&headers(&[(RPM, "30")])).unwrap(), Some(("", 30)));
        for wrong in ["0", "-1", "many", "4294967296"] {
            let refusal = own_limit(&headers(&[(RPM, wrong)])).unwrap_err();
            assert!(refusal.to_string().contains(RPM), "{refusal}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_used_is_refused_by_name() {
        for (name, value) in [
            (ERROR_RATE, "2"),
            (HANG_RATE, "often"),
            (TRUNCATE_RATE, "NaN"),
            (INVALID_RATE, "1.5"),
            (LATENCY, "x"),
            (SEED, "-1"),
        ] {
            let refusal =
                Behaviour::of(&SimulatorConfig::default(), &headers(&[(name, value)])).unwrap_err();
            assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
            assert!(refusal.to_string().contains(name), "{refusal}");
        }
    }
}
