//! Alerts: rules on figures, how they stand, how they stood, and who is told.
//!
//! Rule: what is measured comes from sums and from the runs in memory, never from a log, so that
//! evaluating costs next to nothing; how an alert moves on is `evaluate`'s matter.

mod evaluate;
mod rules;

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use lanes_model::Micros;
use lanes_store::{AlertChange, Figures, Message};
use serde::{Deserialize, Serialize};

use crate::webhooks::{WebhookEvent, payload_of};
use crate::{Service, ServiceError};
pub use evaluate::AlertStatus;
use evaluate::{Standing, step};
pub use rules::{AlertKind, AlertRule, AlertRuleDefinition, Severity};

/// Changes that are shown.
const SHOWN: u32 = 100;

/// An alert: a rule and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Alert {
    /// The rule.
    #[serde(flatten)]
    pub rule: AlertRule,
    /// How it stands.
    pub status: AlertStatus,
    /// Since when, RFC 3339 in UTC; null when it never stood otherwise.
    pub since: Option<String>,
    /// What was measured last, in the unit of the threshold; null when there was nothing to measure.
    pub value: Option<f64>,
}

/// How an alert changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertChangeView {
    /// The rule's id.
    pub rule: String,
    /// Its name then.
    pub name: String,
    /// What it is about.
    pub kind: String,
    /// How bad that is.
    pub severity: Severity,
    /// How it stood from then on.
    pub status: AlertStatus,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What was measured.
    pub value: Option<f64>,
    /// What it was held against.
    pub threshold: f64,
    /// What that is about in particular: the runs that do not go on.
    #[serde(default)]
    pub runs: Vec<String>,
}

/// All of it. The answer to `GET /api/alerts`.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Alerts {
    /// How many fire.
    pub firing: usize,
    /// The rules and how they stand, in the order in which they were made.
    pub alerts: Vec<Alert>,
    /// How they changed, newest first.
    pub history: Vec<AlertChangeView>,
}

/// What was measured, and at which runs.
type Measured = (Option<f64>, Vec<String>);

impl Service {
    /// How many alerts fire. Costs nothing.
    #[must_use]
    pub fn firing_alerts(&self) -> usize {
        self.inner().background.firing.load(Ordering::Relaxed)
    }

    /// The rules, how they stand and how they stood.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn alerts(&self) -> Result<Alerts, ServiceError> {
        let mut standings = self.standings().await?;
        let alert = |rule: AlertRule| {
            let standing = standings.remove(&rule.id);
            let since = standing.as_ref().filter(|s| s.since != Timestamp::default());
            Alert {
                status: standing.as_ref().map(|s| s.status).unwrap_or_default(),
                since: since.map(|s| s.since.to_string()),
                value: standing.and_then(|s| s.value),
                rule,
            }
        };
        let alerts: Vec<_> = self.alert_rules().await?.into_iter().map(alert).collect();
        let history = self.inner().store.alert_history(SHOWN).await?;
        Ok(Alerts {
            firing: alerts.iter().filter(|a| a.status == AlertStatus::Firing).count(),
            alerts,
            history: history.iter().filter_map(|body| serde_json::from_str(body).ok()).collect(),
        })
    }

    /// Measures what the rules are about, moves the alerts on, and has webhooks told of those that
    /// begin to fire or are resolved.
    ///
    /// # Errors
    /// A store that fails; the rules before that have moved on.
    pub async fn evaluate_alerts(&self, now: Timestamp) -> Result<(), ServiceError> {
        let _one = self.inner().background.alerting.lock().await;
        let mut standings = self.standings().await?;
        let mut firing = 0;
        for rule in self.alert_rules().await? {
            let before = standings.remove(&rule.id).unwrap_or_default();
            let (value, runs) = match rule.definition.enabled {
                true => self.measure(&rule, now).await?,
                false => (None, Vec::new()),
            };
            let after = step(&before, &rule, value, now);
            firing += usize::from(after.status == AlertStatus::Firing);
            if after != before {
                self.keep(&rule, &before, &after, runs, now).await?;
            }
        }
        self.inner().background.firing.store(firing, Ordering::Relaxed);
        Ok(())
    }

    /// Writes down how an alert stands, with the change and who is told of it.
    async fn keep(
        &self,
        rule: &AlertRule,
        before: &Standing,
        after: &Standing,
        runs: Vec<String>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let state = serde_json::to_string(after).unwrap_or_default();
        let change = (before.status != after.status).then(|| {
            let definition = &rule.definition;
            let view = AlertChangeView {
                rule: rule.id.clone(),
                name: definition.name.clone(),
                kind: definition.kind.clone(),
                severity: definition.severity,
                status: after.status,
                at: now.to_string(),
                value: after.value,
                threshold: definition.threshold,
                runs,
            };
            let event = match after.status {
                AlertStatus::Firing => Some(WebhookEvent::AlertFiring),
                AlertStatus::Resolved => Some(WebhookEvent::AlertResolved),
                AlertStatus::Quiet | AlertStatus::Pending => None,
            };
            let at_us = now.as_microsecond();
            let message = event.map(|event| {
                let url = format!("{}/alerts", self.inner().background.public_url());
                let mut data = serde_json::to_value(&view).unwrap_or_default();
                data["url"] = url.into();
                let kind = event.id();
                let payload = Some(payload_of(kind, at_us, data));
                let id = format!("msg_{}_{at_us}", rule.id);
                Message { id, kind: kind.to_owned(), at_us, payload, ..Message::default() }
            });
            AlertChange { at_us, body: serde_json::to_string(&view).unwrap_or_default(), message }
        });
        self.inner().store.put_alert_state(&rule.id, &state, change.as_ref()).await?;
        if let Some(change) = change.filter(|change| change.message.is_some()) {
            tracing::info!(alert = %rule.definition.name, status = after.status.label(), "alert");
            drop(change);
            self.inner().background.outbox.notify_one();
        }
        Ok(())
    }

    async fn measure(&self, rule: &AlertRule, now: Timestamp) -> Result<Measured, ServiceError> {
        let definition = &rule.definition;
        let seconds = now.as_second();
        let from = match definition.known_kind() {
            None => return Ok((None, Vec::new())),
            Some(AlertKind::StalledRun) => {
                let at_least = Micros::from_millis((definition.threshold * 1_000.0) as u64);
                let silent = self.inner().hub.silent(at_least);
                let longest = silent.first().map(|(_, silence)| silence.as_secs_f64());
                let runs = silent.into_iter().take(20).map(|(run, _)| run.to_string()).collect();
                return Ok((longest, runs));
            }
            // The day of the calendar, in UTC.
            Some(AlertKind::DailySpend) => seconds.div_euclid(86_400) * 86_400,
            Some(AlertKind::ErrorRate | AlertKind::P95Duration) => {
                (seconds - i64::from(definition.window_s)).div_euclid(60) * 60 + 60
            }
        };
        self.inner().flush_figures().await?;
        let mut sum = Figures::default();
        let rows = self.inner().store.figures_since(from).await?;
        for row in rows.iter().filter(|row| definition.simulated || !row.key.simulated) {
            sum.merge(&row.figures);
        }
        let enough = sum.calls >= u64::from(definition.min_calls);
        let value = match definition.known_kind() {
            Some(AlertKind::DailySpend) => Some(sum.cost_usd_micros as f64 / 1e6),
            Some(AlertKind::ErrorRate) if enough && sum.calls > 0 => {
                Some(sum.failed as f64 / sum.calls as f64 * 100.0)
            }
            Some(AlertKind::P95Duration) if enough => {
                sum.times.quantile(0.95).map(Micros::as_secs_f64)
            }
            _ => None,
        };
        Ok((value, Vec::new()))
    }

    async fn standings(&self) -> Result<HashMap<String, Standing>, ServiceError> {
        let states = self.inner().store.alert_states().await?;
        let known = states.into_iter().filter_map(|(rule, body)| {
            // What cannot be read counts as never evaluated.
            Some((rule, serde_json::from_str(&body).ok()?))
        });
        Ok(known.collect())
    }
}
