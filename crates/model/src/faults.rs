//! Faults that a run injects into the simulator on purpose: as asked for ([`FaultsRequest`]), and
//! once checked ([`Faults`]).
//!
//! Only the simulator knows how to fail on request, and only its parser knows a latency profile: the
//! check of a run asks both through [`Choices`](crate::spec::Choices). Rates are numbers from 0 to 1
//! to other programs and whole millionths here, so that two runs can be told equal.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::FieldError;
use crate::format::PERCENT;
use crate::spec::shorten;

/// The longest latency profile, in characters.
const MOST_LATENCY: usize = 100;

/// Faults as asked for, not yet checked: an object of four optional fields, `error_rate`, `hang_rate`,
/// `truncate_rate` (numbers from 0 to 1, or texts such as `5 %`) and `latency`; or, from a form, a text
/// with a line for each of them, rates in percent. Kept as that text, so that what is wrong with it
/// can be said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct FaultsRequest(String);

impl FaultsRequest {
    /// The names of the fields, in the order of the lines.
    pub const FIELDS: [&str; 4] = ["error_rate", "hang_rate", "truncate_rate", "latency"];

    /// What the fields of a form say, one a line: three rates in percent and the latency. Empty
    /// fields ask for nothing, and so does a form without any of them filled in.
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
            latency: None,
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
                let rates = [asked.error_rate, asked.hang_rate, asked.truncate_rate];
                let mut lines = String::new();
                for rate in rates {
                    lines.push_str(&rate.map(|r| r.0).unwrap_or_default());
                    lines.push('\n');
                }
                // A line break in the latency would be one more line: it is not plain, and refused.
                Ok(FaultsRequest(lines + &asked.latency.unwrap_or_default().replace('\n', "\r")))
            }
        }
        deserializer.deserialize_any(ObjectOrLines)
    }
}

/// The object.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    error_rate: Option<Percent>,
    hang_rate: Option<Percent>,
    truncate_rate: Option<Percent>,
    latency: Option<String>,
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

/// The faults of a run: at least one, or there are none to speak of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Faults {
    /// The share of requests that end with a server error.
    #[serde(default, skip_serializing_if = "Rate::is_zero")]
    pub error_rate: Rate,
    /// The share of requests that are never answered.
    #[serde(default, skip_serializing_if = "Rate::is_zero")]
    pub hang_rate: Rate,
    /// The share of answers that break off.
    #[serde(default, skip_serializing_if = "Rate::is_zero")]
    pub truncate_rate: Rate,
    /// The simulator's latency profile for this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<String>,
}

impl Faults {
    /// Whether nothing is injected.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// What the fields of a form say for these faults; see [`FaultsRequest::typed`].
    #[must_use]
    pub fn fields(&self) -> String {
        let mut fields = String::new();
        for rate in [self.error_rate, self.hang_rate, self.truncate_rate] {
            if !rate.is_zero() {
                fields.push_str(&rate.percent());
            }
            fields.push('\n');
        }
        fields + self.latency.as_deref().unwrap_or_default()
    }

    /// What is injected, in words: "10 % errors, 5 % cut answers".
    #[must_use]
    pub fn summary(&self) -> String {
        summary(&self.fields())
    }
}

/// What a form's fields inject, in words; empty when they inject nothing.
#[must_use]
pub fn summary(fields: &str) -> String {
    let mut words = String::new();
    let kinds = [" errors", " hangs", " cut answers", "latency "];
    for (field, kind) in fields.split('\n').zip(kinds) {
        let value = field.trim().trim_end_matches(['%', ' ']);
        if value.is_empty() || value == "0" {
            continue;
        }
        if !words.is_empty() {
            words.push_str(", ");
        }
        // A rate stands before its word, the latency behind it.
        let parts = match kind.strip_prefix(' ') {
            Some(_) => [value, PERCENT, kind],
            None => [kind, value, ""],
        };
        parts.iter().for_each(|part| words.push_str(part));
    }
    words
}

/// A share from 0 to 1, in millionths; a number from 0 to 1 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate(u32);

impl Rate {
    /// The nearest rate; none for what is not from 0 to 1.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most a million
    pub fn of(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then(|| Self((share * 1e6).round() as u32))
    }

    /// From 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// Whether it never happens.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde passes it
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// The number of percent.
    fn percent(self) -> String {
        (f64::from(self.0) / 1e4).to_string()
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.share())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        Self::of(share).ok_or_else(|| de::Error::custom("a rate is a number from 0 to 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(json: &str) -> FaultsRequest {
        serde_json::from_str(json).expect("a request for faults")
    }

    fn check(json: &str) -> Result<Faults, Vec<FieldError>> {
        let mut errors = Vec::new();
        let unknown = |l: &str| (l != "fixed:2s").then(|| format!("“{l}” is unknown."));
        let faults = asked(json).check(unknown, &mut errors);
        if errors.is_empty() { Ok(faults) } else { Err(errors) }
    }

    #[test]
    fn rates_are_numbers_up_to_one_or_percent() {
        let numbers = check(r#"{"error_rate":0.1,"hang_rate":1,"truncate_rate":0.005}"#);
        let percent = check(r#"{"error_rate":"10 %","hang_rate":"100%","truncate_rate":"0.5 %"}"#);
        assert_eq!(numbers, percent);
        let faults = numbers.expect("valid");
        assert_eq!(
            faults.summary(),
            "10\u{2009}% errors, 100\u{2009}% hangs, 0.5\u{2009}% cut answers"
        );
    }

    #[test]
    fn what_is_no_rate_is_refused_at_its_place_and_repeated() {
        for wrong in ["2", "-0.1", "1e300", r#""101 %""#, r#""often %""#, r#""NaN%""#] {
            for field in ["error_rate", "hang_rate", "truncate_rate"] {
                let errors = check(&format!(r#"{{"{field}":{wrong}}}"#)).expect_err(wrong);
                assert_eq!(errors[0].pointer, format!("/faults/{field}"));
            }
        }
        let errors = check(r#"{"error_rate":2}"#).expect_err("too many");
        assert!(errors[0].detail.starts_with("200\u{2009}% errors cannot be"), "{errors:?}");
        for wrong in [r#"{"error_rate":true}"#, r#"{"errors":0.1}"#, r#"{"error_rate":"5"}"#, "3"] {
            assert!(serde_json::from_str::<FaultsRequest>(wrong).is_err());
        }
    }

    #[test]
    fn a_latency_is_short_plain_and_known() {
        let latency = |l: &str| check(&serde_json::json!({ "latency": l }).to_string());
        assert_eq!(latency(" fixed:2s ").expect("known").summary(), "latency fixed:2s");
        assert!(latency("").expect("none").is_off());
        for wrong in ["soon", "fixed:2s\u{7}", "fixed:2s\nnone", "zwölf", &"x".repeat(101)] {
            assert_eq!(latency(wrong).expect_err(wrong)[0].pointer, "/faults/latency");
        }
    }

    #[test]
    fn faults_are_stored_as_asked_for_and_only_what_is_on() {
        let json = r#"{"error_rate":0.1,"latency":"fixed:2s"}"#;
        let faults = check(json).expect("valid");
        assert_eq!(serde_json::to_string(&faults).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<Faults>(json).expect("faults"), faults);
        assert!(serde_json::from_str::<Faults>(r#"{"error_rate":1.5}"#).is_err());
    }

    #[test]
    fn a_form_says_the_same_before_and_after() {
        let typed = "12.5\n\n 5 % \n";
        assert_eq!(summary(typed), "12.5\u{2009}% errors, 5\u{2009}% cut answers");
        let mut errors = Vec::new();
        let asked = FaultsRequest::typed(typed.to_owned()).expect("faults");
        let faults = asked.check(|_| None, &mut errors);
        assert_eq!(faults.fields(), "12.5\n\n5\n");
        assert_eq!(faults.summary(), summary(typed));
        for nothing in ["", "\n\n\n", " \n"] {
            assert_eq!(FaultsRequest::typed(nothing.to_owned()), None);
        }
    }
}
