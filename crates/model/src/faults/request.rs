//! Faults as they are asked for, by a program as an object or by a form as lines, and their check.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Faults, Rate};
use crate::FieldError;
use crate::format::PERCENT;
use crate::spec::shorten;

/// The longest latency profile, in characters.
const MOST_LATENCY: usize = 100;

/// The highest limit of requests a minute.
const MOST_RPM: u32 = 1_000_000;

/// Faults as asked for, not yet checked: an object of optional fields, `error_rate`, `hang_rate`,
/// `truncate_rate`, `invalid_rate` (numbers from 0 to 1, or texts such as `5 %`), `latency`, `rpm` and `dead_endpoint`;
/// or, from a form, a text with a line for each of them, rates in percent. Kept as that text, so that
/// what is wrong with it can be said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = Asked))]
pub struct FaultsRequest(String);

impl FaultsRequest {
    /// The names of the fields, in the order of the lines.
    pub const FIELDS: [&str; 7] = [
        "error_rate",
        "hang_rate",
        "truncate_rate",
        "invalid_rate",
        "latency",
        "rpm",
        "dead_endpoint",
    ];

    /// What the fields of a form say, one a line: four rates in percent, the latency, the requests
    /// a minute, and whether the box of the dead endpoint is ticked. Empty fields ask for nothing, and so does a form without any of them filled in.
    #[must_use]
    pub fn typed(fields: String) -> Option<Self> {
        Some(fields).filter(|f| !f.trim().is_empty()).map(Self)
    }

    /// Checks the faults; every problem is put to the others. `latency_problem` knows the profiles.
    pub(crate) fn check(
        &self,
        latency_problem: fn(&str) -> Option<String>,
        errors: &mut Vec<FieldError>,
    ) -> Faults {
        let mut lines = self.0.split('\n').map(str::trim);
        let mut rate = |field: &str, what: &str| {
            let asked = lines.next().unwrap_or_default().trim_end_matches(['%', ' ']);
            if asked.is_empty() {
                return Rate::default();
            }
            let rate = asked.parse::<f64>().ok().and_then(|percent| Rate::of(percent / 100.0));
            rate.unwrap_or_else(|| {
                let asked = shorten(asked);
                errors.push(FieldError::new(
                    format!("/faults/{field}"),
                    format!("{asked}{PERCENT} {what} cannot be: a share is from 0{PERCENT} to 100{PERCENT}."),
                ));
                Rate::default()
            })
        };
        let mut faults = Faults {
            error_rate: rate("error_rate", "errors"),
            hang_rate: rate("hang_rate", "hangs"),
            truncate_rate: rate("truncate_rate", "cut answers"),
            invalid_rate: rate("invalid_rate", "invalid answers"),
            ..Faults::default()
        };
        let latency = lines.next().unwrap_or_default();
        if !latency.is_empty() {
            let plain = latency.len() <= MOST_LATENCY
                && latency.chars().all(|c| c.is_ascii_graphic() || c == ' ');
            let problem = if plain {
                latency_problem(latency)
            } else {
                Some(format!("A latency has at most {MOST_LATENCY} plain characters."))
            };
            match problem {
                Some(detail) => errors.push(FieldError::new("/faults/latency", detail)),
                None => faults.latency = Some(latency.to_owned()),
            }
        }
        // None at all is no limit, as 0 % are no errors.
        let rpm = lines.next().filter(|rpm| !rpm.is_empty() && *rpm != "0");
        if let Some(asked) = rpm {
            faults.rpm = asked.parse().ok().filter(|rpm| (1..=MOST_RPM).contains(rpm));
            if faults.rpm.is_none() {
                let asked = shorten(asked);
                errors.push(FieldError::new(
                    "/faults/rpm",
                    format!(
                        "“{asked}” requests a minute cannot be: give a whole number from 1 to \
                         {MOST_RPM}."
                    ),
                ));
            }
        }
        faults.dead_endpoint = lines.next().is_some_and(|ticked| !ticked.is_empty());
        faults
    }
}

impl<'de> Deserialize<'de> for FaultsRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectOrLines;
        impl<'de> Visitor<'de> for ObjectOrLines {
            type Value = FaultsRequest;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object such as {\"error_rate\": 0.1}")
            }
            fn visit_str<E: de::Error>(self, lines: &str) -> Result<FaultsRequest, E> {
                Ok(FaultsRequest(lines.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FaultsRequest, A::Error> {
                let asked = Asked::deserialize(MapAccessDeserializer::new(map))?;
                let Asked { error_rate, hang_rate, truncate_rate, invalid_rate, .. } = asked;
                let mut lines = String::new();
                for rate in [error_rate, hang_rate, truncate_rate, invalid_rate] {
                    lines.push_str(&rate.map(|r| r.0).unwrap_or_default());
                    lines.push('\n');
                }
                // A line break in the latency would be one more line: it is not plain, and refused.
                lines.push_str(&asked.latency.unwrap_or_default().replace('\n', "\r"));
                lines.push('\n');
                lines.push_str(&asked.rpm.map(|rpm| rpm.to_string()).unwrap_or_default());
                lines.push('\n');
                lines.push_str(if asked.dead_endpoint { "on" } else { "" });
                Ok(FaultsRequest(lines))
            }
        }
        deserializer.deserialize_any(ObjectOrLines)
    }
}

/// The object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = FaultsFields))]
struct Asked {
    /// The share of requests that end with a server error.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>, minimum = 0.0, maximum = 1.0))]
    error_rate: Option<Percent>,
    /// The share of requests that are never answered.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>, minimum = 0.0, maximum = 1.0))]
    hang_rate: Option<Percent>,
    /// The share of answers that break off.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>, minimum = 0.0, maximum = 1.0))]
    truncate_rate: Option<Percent>,
    /// The share of answers that break the labels or the schema they are to keep to.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<f64>, minimum = 0.0, maximum = 1.0))]
    invalid_rate: Option<Percent>,
    /// The simulator's latency profile for this run, such as `fixed:2s`.
    #[serde(default)]
    latency: Option<String>,
    /// The requests a minute above which the simulator refuses this run's with 429.
    #[serde(default)]
    rpm: Option<i64>,
    /// Whether the run has a second endpoint, at which nobody answers.
    #[serde(default)]
    dead_endpoint: bool,
}

/// A number from 0 to 1 in percent, or what stands before a text's percent sign.
struct Percent(String);

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Percent;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 1, or a text such as \"5 %\"")
            }
            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Percent, E> {
                Ok(Percent((share * 100.0).to_string()))
            }
            fn visit_u64<E: de::Error>(self, share: u64) -> Result<Percent, E> {
                Ok(Percent(share.saturating_mul(100).to_string()))
            }
            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Percent, E> {
                Ok(Percent(share.saturating_mul(100).to_string()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Percent, E> {
                match text.trim().strip_suffix('%') {
                    Some(percent) if !percent.trim().is_empty() && !percent.contains('\n') => {
                        Ok(Percent(percent.trim().to_owned()))
                    }
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}
