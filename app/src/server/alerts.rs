//! The form of an alert's rule, as it was typed.

use lanes_model::FieldError;
use lanes_service::{AlertKind, AlertRuleDefinition, Severity};

/// The form's fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertForm {
    /// The name.
    pub name: String,
    /// What it is about.
    pub kind: String,
    /// From which value on it fires.
    pub threshold: String,
    /// Over how long, seconds.
    pub window_s: String,
    /// For how long it must stay there, seconds.
    pub for_s: String,
    /// The least number of calls.
    pub min_calls: String,
    /// How bad it is.
    pub severity: String,
    /// Whether the simulator counts.
    pub simulated: bool,
    /// Whether it is evaluated.
    pub enabled: bool,
}

impl AlertForm {
    /// What a new rule begins with.
    #[must_use]
    pub fn blank() -> Self {
        Self {
            kind: AlertKind::ErrorRate.id().to_owned(),
            window_s: "300".to_owned(),
            for_s: "60".to_owned(),
            min_calls: "20".to_owned(),
            severity: Severity::Warning.id().to_owned(),
            enabled: true,
            ..Self::default()
        }
    }

    /// The fields of a rule.
    #[must_use]
    pub fn of(rule: &AlertRuleDefinition) -> Self {
        Self {
            name: rule.name.clone(),
            kind: rule.kind.clone(),
            threshold: rule.threshold.to_string(),
            window_s: rule.window_s.to_string(),
            for_s: rule.for_s.to_string(),
            min_calls: rule.min_calls.to_string(),
            severity: rule.severity.id().to_owned(),
            simulated: rule.simulated,
            enabled: rule.enabled,
        }
    }

    /// The fields that a browser sent.
    #[must_use]
    pub fn read(fields: &[(String, String)]) -> Self {
        let one = |name: &str| {
            fields.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()).unwrap_or_default()
        };
        let ticked = |name: &str| fields.iter().any(|(k, _)| k == name);
        Self {
            name: one("name"),
            kind: one("kind"),
            threshold: one("threshold"),
            window_s: one("window_s"),
            for_s: one("for_s"),
            min_calls: one("min_calls"),
            severity: one("severity"),
            simulated: ticked("simulated"),
            enabled: ticked("enabled"),
        }
    }

    /// The rule that the fields say. What is no number is out of every range.
    #[must_use]
    pub fn definition(&self) -> AlertRuleDefinition {
        let number = |typed: &str| typed.trim().parse::<u32>().unwrap_or(u32::MAX);
        let severity = Severity::ALL.into_iter().find(|s| s.id() == self.severity);
        AlertRuleDefinition {
            name: self.name.clone(),
            kind: self.kind.clone(),
            threshold: self.threshold.trim().replace(',', ".").parse().unwrap_or(f64::NAN),
            window_s: number(&self.window_s),
            for_s: number(&self.for_s),
            min_calls: number(&self.min_calls),
            severity: severity.unwrap_or_default(),
            simulated: self.simulated,
            enabled: self.enabled,
        }
    }
}

/// A form that was found wrong, shown again. Put into the context by the handler of the form.
#[derive(Debug, Clone)]
pub struct AlertSent {
    /// As it was sent.
    pub form: AlertForm,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}
