//! Faults that a run injects into the simulator on purpose: as asked for ([`FaultsRequest`]), and
//! once checked ([`Faults`]).
//!
//! Only the simulator knows how to fail on request, and only its parser knows a latency profile: the
//! check of a run asks both through [`Choices`](crate::spec::Choices). Rates are numbers from 0 to 1
//! to other programs and whole millionths here, so that two runs can be told equal.

mod request;

use serde::de;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::format::PERCENT;
pub use request::FaultsRequest;

/// The faults of a run: at least one, or there are none to speak of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// The share of answers that break the labels or the schema they are to keep to.
    #[serde(default, skip_serializing_if = "Rate::is_zero")]
    pub invalid_rate: Rate,
    /// The simulator's latency profile for this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<String>,
    /// The requests a minute above which the simulator refuses this run's with 429.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u32>,
    /// Whether the run has a second endpoint, at which nobody answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dead_endpoint: bool,
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
        for rate in [self.error_rate, self.hang_rate, self.truncate_rate, self.invalid_rate] {
            if !rate.is_zero() {
                fields.push_str(&rate.percent());
            }
            fields.push('\n');
        }
        fields.push_str(self.latency.as_deref().unwrap_or_default());
        fields.push('\n');
        fields.push_str(&self.rpm.map(|rpm| rpm.to_string()).unwrap_or_default());
        fields.push('\n');
        fields.push_str(if self.dead_endpoint { "on" } else { "" });
        fields
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
    for (field, (before, unit, after)) in fields.split('\n').zip(WORDS) {
        let value = field.trim().trim_end_matches(['%', ' ']);
        if value.is_empty() || value == "0" {
            continue;
        }
        if !words.is_empty() {
            words.push_str(", ");
        }
        // Of a ticked box the words say everything.
        let value = if value == "on" { "" } else { value };
        [before, value, unit, after].iter().for_each(|part| words.push_str(part));
    }
    words
}

/// What stands before each field's value, its unit, and what stands behind.
const WORDS: [(&str, &str, &str); 7] = [
    ("", PERCENT, " errors"),
    ("", PERCENT, " hangs"),
    ("", PERCENT, " cut answers"),
    ("", PERCENT, " invalid answers"),
    ("latency ", "", ""),
    ("429s above ", "", " a minute"),
    ("one dead endpoint", "", ""),
];

/// A share from 0 to 1, in millionths; a number from 0 to 1 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = f64))]
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
    use crate::FieldError;

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
        assert_eq!(faults.fields(), "12.5\n\n5\n\n\n\n");
        assert_eq!(faults.summary(), summary(typed));
        for nothing in ["", "\n\n\n", " \n"] {
            assert_eq!(FaultsRequest::typed(nothing.to_owned()), None);
        }
        let typed = "\n\n\n\n\n90\non\n";
        let faults = FaultsRequest::typed(typed.to_owned()).expect("faults");
        let faults = faults.check(|_| None, &mut errors);
        assert_eq!(faults.fields(), typed.trim_end());
        assert!(errors.is_empty());
    }

    #[test]
    fn a_limit_of_requests_and_a_dead_endpoint_are_asked_for_and_said() {
        let json = r#"{"rpm":90,"dead_endpoint":true}"#;
        let faults = check(json).expect("valid");
        assert_eq!((faults.rpm, faults.dead_endpoint), (Some(90), true));
        assert_eq!(faults.summary(), "429s above 90 a minute, one dead endpoint");
        assert_eq!(serde_json::to_string(&faults).expect("JSON"), json);
        assert!(check(r#"{"rpm":0,"dead_endpoint":false}"#).expect("nothing").is_off());
        for wrong in ["-1", "1000001", "9223372036854775807"] {
            let errors = check(&format!(r#"{{"rpm":{wrong}}}"#)).expect_err(wrong);
            assert_eq!(errors[0].pointer, "/faults/rpm");
            assert!(errors[0].detail.contains(wrong), "{errors:?}");
        }
        for wrong in [r#"{"rpm":2.5}"#, r#"{"dead_endpoint":1}"#] {
            assert!(serde_json::from_str::<FaultsRequest>(wrong).is_err());
        }
    }
}
