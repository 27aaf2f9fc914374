//! Rules of alerts: what they are about, and how they are made and changed.

use jiff::Timestamp;
use lanes_model::FieldError;
use serde::{Deserialize, Serialize};

use super::evaluate::step;
use crate::{Service, ServiceError};

/// The most rules.
const MOST: usize = 100;
/// The longest window and wait, seconds: figures by the minute are kept for two days.
const LONGEST_S: u32 = 86_400;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// The share of calls that failed in the window, percent.
    ErrorRate,
    /// The time that 95 in 100 answered calls of the window took at most, seconds.
    P95Duration,
    /// What attempts cost today (UTC), dollars.
    DailySpend,
    /// For how long nothing came of a run that should go on, seconds.
    StalledRun,
}

impl AlertKind {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::ErrorRate, Self::P95Duration, Self::DailySpend, Self::StalledRun];

    /// The name in requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::ErrorRate => "error_rate",
            Self::P95Duration => "p95_duration",
            Self::DailySpend => "daily_spend",
            Self::StalledRun => "stalled_run",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// The name people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ErrorRate => "Failed calls",
            Self::P95Duration => "Call time, 95th percentile",
            Self::DailySpend => "Spend today",
            Self::StalledRun => "Silence of a run",
        }
    }

    /// The unit of thresholds and values.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::ErrorRate => "%",
            Self::P95Duration | Self::StalledRun => "s",
            Self::DailySpend => "USD",
        }
    }
}

/// How bad it is when an alert fires.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at.
    #[default]
    Warning,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name in requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The name people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Info => "Info",
            Self::Warning => "Warning",
            Self::Critical => "Critical",
        }
    }
}

const fn on() -> bool {
    true
}

const fn five_minutes() -> u32 {
    300
}

const fn one() -> u32 {
    1
}

/// A rule as it is asked for. The body of `POST /api/alerts/rules` and `PUT /api/alerts/rules/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRuleDefinition {
    /// The name people read.
    pub name: String,
    /// `error_rate`, `p95_duration`, `daily_spend` or `stalled_run`.
    pub kind: String,
    /// It fires from this value on: percent of an error rate, seconds of a time, dollars of a spend.
    pub threshold: f64,
    /// Of error rate and call time: over how many seconds, by whole minutes.
    #[serde(default = "five_minutes")]
    pub window_s: u32,
    /// For how many seconds the value must stay there before it fires.
    #[serde(default)]
    pub for_s: u32,
    /// Of error rate and call time: with fewer calls in the window there is nothing to measure.
    #[serde(default = "one")]
    pub min_calls: u32,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// Whether calls of the simulator count, too.
    #[serde(default)]
    pub simulated: bool,
    /// Whether it is evaluated.
    #[serde(default = "on")]
    pub enabled: bool,
}

impl AlertRuleDefinition {
    /// What it is about; none for a kind that is not known here.
    #[must_use]
    pub fn known_kind(&self) -> Option<AlertKind> {
        AlertKind::from_id(&self.kind)
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AlertRule {
    /// Names it.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub definition: AlertRuleDefinition,
}

impl Service {
    /// The rules there are, in the order in which they were made.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn alert_rules(&self) -> Result<Vec<AlertRule>, ServiceError> {
        let rules = self.inner().store.alert_rules().await?;
        let known = rules.into_iter().filter_map(|(id, body)| match serde_json::from_str(&body) {
            Ok(definition) => Some(AlertRule { id, definition }),
            Err(error) => {
                tracing::warn!(rule = id, %error, "a rule of an alert cannot be read");
                None
            }
        });
        Ok(known.collect())
    }

    /// Keeps a new rule.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with everything that is wrong with it, [`ServiceError::Conflict`] when
    /// there are too many, or a store that fails.
    pub async fn create_alert_rule(
        &self,
        definition: AlertRuleDefinition,
    ) -> Result<AlertRule, ServiceError> {
        let definition = checked(definition)?;
        let _one = self.inner().background.alerting.lock().await;
        if self.alert_rules().await?.len() >= MOST {
            let words = format!("There are {MOST} rules already: delete one first.");
            return Err(ServiceError::Conflict(words));
        }
        let rule = AlertRule { id: uuid::Uuid::now_v7().to_string(), definition };
        self.keep_rule(&rule).await?;
        Ok(rule)
    }

    /// Puts a rule in the place of one that is there. How it stands is measured anew.
    ///
    /// # Errors
    /// As [`Service::create_alert_rule`], and [`ServiceError::NotFound`].
    pub async fn replace_alert_rule(
        &self,
        id: &str,
        definition: AlertRuleDefinition,
    ) -> Result<AlertRule, ServiceError> {
        let _one = self.inner().background.alerting.lock().await;
        self.known_rule(id).await?;
        let rule = AlertRule { id: id.to_owned(), definition: checked(definition)? };
        self.keep_rule(&rule).await?;
        Ok(rule)
    }

    /// Forgets a rule. One that fires is resolved with that.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn delete_alert_rule(&self, id: &str) -> Result<(), ServiceError> {
        {
            let _one = self.inner().background.alerting.lock().await;
            let rule = self.known_rule(id).await?;
            let now = Timestamp::now();
            let before = self.standings().await?.remove(id).unwrap_or_default();
            let after = step(&before, &rule, None, now);
            if before.status != after.status {
                self.keep(&rule, &before, &after, Vec::new(), now).await?;
            }
            self.inner().store.delete_alert_rule(id).await?;
        }
        self.evaluate_alerts(Timestamp::now()).await
    }

    async fn known_rule(&self, id: &str) -> Result<AlertRule, ServiceError> {
        let found = self.alert_rules().await?.into_iter().find(|rule| rule.id == id);
        found.ok_or_else(|| {
            let id: String = id.chars().filter(|c| !c.is_control()).take(40).collect();
            ServiceError::NotFound(format!("There is no rule “{id}”."))
        })
    }

    async fn keep_rule(&self, rule: &AlertRule) -> Result<(), ServiceError> {
        let body = serde_json::to_string(&rule.definition).unwrap_or_default();
        let at = Timestamp::now().to_string();
        Ok(self.inner().store.put_alert_rule(&rule.id, &body, &at).await?)
    }
}

/// A definition with everything that is wrong with it said at once.
fn checked(definition: AlertRuleDefinition) -> Result<AlertRuleDefinition, ServiceError> {
    let mut wrong = Vec::new();
    let mut say = |place: &str, detail: &str| wrong.push(FieldError::new(place, detail));
    let name = definition.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        say("/name", "The name must have 1 to 120 characters, on one line.");
    }
    let threshold = definition.threshold;
    match definition.known_kind() {
        None => say(
            "/kind",
            "The kind must be one of error_rate, p95_duration, daily_spend, stalled_run.",
        ),
        Some(AlertKind::ErrorRate) if !(threshold > 0.0 && threshold <= 100.0) => {
            say("/threshold", "The threshold must be above 0 and at most 100 percent.");
        }
        Some(AlertKind::StalledRun) if !(1.0..=86_400.0).contains(&threshold) => {
            say("/threshold", "The threshold must be from 1 to 86400 seconds.");
        }
        Some(AlertKind::P95Duration | AlertKind::DailySpend)
            if !(threshold > 0.0 && threshold <= 1_000_000.0) =>
        {
            say("/threshold", "The threshold must be above 0 and at most a million.");
        }
        Some(_) => {}
    }
    if !(60..=LONGEST_S).contains(&definition.window_s) {
        say("/window_s", "The window must be from 60 to 86400 seconds.");
    }
    if definition.for_s > LONGEST_S {
        say("/for_s", "The wait must be at most 86400 seconds.");
    }
    if !(1..=1_000_000).contains(&definition.min_calls) {
        say("/min_calls", "The least number of calls must be from 1 to a million.");
    }
    match wrong.is_empty() {
        true => Ok(AlertRuleDefinition { name, ..definition }),
        false => Err(ServiceError::Invalid(wrong)),
    }
}
