//! Figures for Prometheus, counted as events come in.
//!
//! Labels are bounded: providers are those of the configuration, a model is named where its provider
//! lists it and is `other` elsewhere, an outcome is one of the kinds of failure. Nothing that a request
//! says becomes a label.

use std::collections::HashSet;

use lanes_model::{
    AttemptEnd, CallEnd, EventKind, FailureKind, HoldReason, Micros, RunEvent, RunState, Usage,
};
use lanes_service::{Observer, ProviderConfig, Service};
use prometheus::{
    CounterVec, Encoder, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter,
    IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::process::Began;

/// Upper ends of the classes of times, in seconds: from a cached word to a long answer.
const SECONDS: [f64; 14] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0];
/// Likewise of how long an event waits to be stored.
const LAGS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// All figures.
pub struct Metrics {
    registry: Registry,
    began: Began,
    /// Providers and models that may be labels.
    known: HashSet<(String, String)>,
    runs: IntCounterVec,
    calls: IntCounterVec,
    attempts: IntCounterVec,
    attempt_seconds: HistogramVec,
    first_token_seconds: HistogramVec,
    wait_seconds: CounterVec,
    tokens: IntCounterVec,
    cost: CounterVec,
    cache_hits: IntCounter,
    log_lag: Histogram,
    live: IntGaugeVec,
    in_flight: IntGaugeVec,
    breaker_open: GaugeVec,
    ready: IntGauge,
    http: IntCounterVec,
}

/// The figures cannot be counted.
#[derive(Debug, thiserror::Error)]
#[error("the figures for monitoring cannot be counted: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

impl Metrics {
    /// Figures that all begin with nothing.
    ///
    /// # Errors
    /// Two figures of one name: a mistake in this file.
    pub fn new(providers: &[ProviderConfig]) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        macro_rules! kept {
            ($figure:expr) => {{
                let figure = $figure?;
                registry.register(Box::new(figure.clone()))?;
                figure
            }};
        }
        let times = |name: &str, help: &str, ends: &[f64]| {
            HistogramOpts::new(name, help).buckets(ends.to_vec())
        };
        let by = Opts::new;
        let metrics = Self {
            began: Began::now(),
            known: providers
                .iter()
                .flat_map(|p| p.models.iter().map(|m| (p.id.clone(), m.clone())))
                .collect(),
            runs: kept!(IntCounterVec::new(
                by("lanes_runs_total", "Runs that have ended, by how."),
                &["status"]
            )),
            calls: kept!(IntCounterVec::new(
                by("lanes_calls_total", "Calls that have ended, by how."),
                &["provider", "outcome"]
            )),
            attempts: kept!(IntCounterVec::new(
                by("lanes_attempts_total", "Requests that have ended, by how."),
                &["provider", "model", "outcome"]
            )),
            attempt_seconds: kept!(HistogramVec::new(
                times(
                    "lanes_attempt_duration_seconds",
                    "From sending a request to its end.",
                    &SECONDS
                ),
                &["provider"]
            )),
            first_token_seconds: kept!(HistogramVec::new(
                times(
                    "lanes_time_to_first_token_seconds",
                    "From sending a request to its first text.",
                    &SECONDS
                ),
                &["provider"]
            )),
            wait_seconds: kept!(CounterVec::new(
                by("lanes_wait_seconds_total", "Time for which attempts were held back, by what."),
                &["reason"]
            )),
            tokens: kept!(IntCounterVec::new(
                by("lanes_tokens_total", "Tokens used, as providers report them."),
                &["provider", "model", "kind"]
            )),
            cost: kept!(CounterVec::new(
                by("lanes_cost_usd_total", "Cost of requests whose price is known, in dollars."),
                &["provider", "model"]
            )),
            cache_hits: kept!(IntCounter::new(
                "lanes_cache_hits_total",
                "Calls answered from the response cache."
            )),
            log_lag: kept!(Histogram::with_opts(times(
                "lanes_event_log_lag_seconds",
                "From when something happened until it was stored.",
                &LAGS
            ))),
            live: kept!(IntGaugeVec::new(
                by("lanes_live", "Runs that go on, and their calls that wait or run."),
                &["what"]
            )),
            in_flight: kept!(IntGaugeVec::new(
                by("lanes_requests_in_flight", "Requests under way."),
                &["provider", "endpoint"]
            )),
            breaker_open: kept!(GaugeVec::new(
                by(
                    "lanes_breaker_open",
                    "1 while an endpoint's circuit breaker is open, ½ while it tries."
                ),
                &["provider", "endpoint"]
            )),
            ready: kept!(IntGauge::new("lanes_ready", "1 while a run could be taken.")),
            http: kept!(IntCounterVec::new(
                by(
                    "lanes_http_requests_total",
                    "Requests to this program, by route and status class."
                ),
                &["method", "route", "status"]
            )),
            registry,
        };
        for status in ["succeeded", "partial", "failed", "cancelled", "interrupted"] {
            metrics.runs.with_label_values(&[status]);
        }
        for reason in ["rate_limit", "queue", "breaker", "pause", "storage", "backoff"] {
            metrics.wait_seconds.with_label_values(&[reason]);
        }
        Ok(metrics)
    }

    /// A request to this program has been answered. `route` is the pattern that it matched.
    pub fn answered(&self, method: &str, route: &str, status: u16) {
        let class = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.http.with_label_values(&[method, route, class]).inc();
    }

    /// Everything, as Prometheus reads it.
    ///
    /// # Errors
    /// A figure that cannot be written.
    pub async fn text(&self, service: &Service) -> Result<String, MetricsError> {
        let load = service.load();
        for (what, value) in
            [("runs", load.runs), ("calls_waiting", load.waiting), ("calls_running", load.running)]
        {
            self.live.with_label_values(&[what]).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.in_flight.reset();
        self.breaker_open.reset();
        for provider in service.provider_health() {
            for endpoint in provider.health {
                let labels = [provider.info.id.as_str(), endpoint.endpoint.as_str()];
                let open = match endpoint.breaker {
                    lanes_model::Health::Closed => 0.0,
                    lanes_model::Health::HalfOpen => 0.5,
                    lanes_model::Health::Open => 1.0,
                };
                // An endpoint has a line for each model.
                self.in_flight.with_label_values(&labels).add(i64::from(endpoint.in_flight));
                let gauge = self.breaker_open.with_label_values(&labels);
                gauge.set(gauge.get().max(open));
            }
        }
        self.ready.set(i64::from(service.ready().await.is_ok()));
        let mut out = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        let text = String::from_utf8_lossy(&out).into_owned();
        Ok(text + &self.began.text())
    }

    fn model<'a>(&self, provider: &str, model: &'a str) -> &'a str {
        // The set is asked by owned names; few events come by here.
        let known = self.known.contains(&(provider.to_owned(), model.to_owned()));
        if known { model } else { "other" }
    }

    fn waited(&self, reason: &str, time: Micros) {
        if time.0 > 0 {
            self.wait_seconds.with_label_values(&[reason]).inc_by(time.as_secs_f64());
        }
    }

    fn used(&self, provider: &str, model: &str, usage: &Usage) {
        for (kind, tokens) in
            [("input", usage.input), ("output", usage.output), ("cached", usage.cached)]
        {
            self.tokens.with_label_values(&[provider, model, kind]).inc_by(tokens);
        }
    }
}

/// The kind of a failure as a label.
fn word(kind: FailureKind) -> String {
    let word = serde_json::to_value(kind).ok();
    word.and_then(|w| w.as_str().map(str::to_owned)).unwrap_or_else(|| "failed".to_owned())
}

impl Observer for Metrics {
    fn event(&self, run: &RunState, event: &RunEvent, lag: Micros) {
        self.log_lag.observe(lag.as_secs_f64());
        match &event.kind {
            EventKind::AttemptStarted { held, held_by, .. } => {
                let reason = match held_by {
                    HoldReason::RateLimit => "rate_limit",
                    HoldReason::Queue => "queue",
                    HoldReason::Breaker => "breaker",
                    HoldReason::Pause => "pause",
                    HoldReason::Storage => "storage",
                };
                self.waited(reason, *held);
            }
            EventKind::FirstToken { pass, call, number } => {
                if let Some(attempt) = run.attempt(*pass, *call, *number) {
                    let (provider, _) = run.header.place_of(*call, Some(attempt.route));
                    let time = event.at.since(attempt.start);
                    self.first_token_seconds
                        .with_label_values(&[provider])
                        .observe(time.as_secs_f64());
                }
            }
            EventKind::AttemptEnded { pass, call, number, end } => {
                let Some(attempt) = run.attempt(*pass, *call, *number) else { return };
                let (provider, model) = run.header.place_of(*call, Some(attempt.route));
                let model = self.model(provider, model);
                let (outcome, usage, cost) = match end {
                    AttemptEnd::Succeeded { usage, cost_usd_micros, .. } => {
                        ("succeeded".to_owned(), Some(usage), cost_usd_micros)
                    }
                    AttemptEnd::Failed { failure, retry_at, usage, cost_usd_micros } => {
                        let wait = retry_at.map(|at| at.since(event.at)).unwrap_or_default();
                        self.waited("backoff", wait);
                        (word(failure.kind), usage.as_ref(), cost_usd_micros)
                    }
                    AttemptEnd::Cancelled { usage, cost_usd_micros } => {
                        ("cancelled".to_owned(), usage.as_ref(), cost_usd_micros)
                    }
                };
                self.attempts.with_label_values(&[provider, model, &outcome]).inc();
                let time = event.at.since(attempt.start).as_secs_f64();
                self.attempt_seconds.with_label_values(&[provider]).observe(time);
                if let Some(usage) = usage {
                    self.used(provider, model, usage);
                }
                if let Some(cost) = cost {
                    let dollars = cost.0 as f64 / 1e6;
                    self.cost.with_label_values(&[provider, model]).inc_by(dollars);
                }
            }
            EventKind::CallEnded { call, end, .. } => {
                let (provider, _) = run.header.choice_of(*call);
                let outcome = match end {
                    CallEnd::Succeeded { cached_usage: Some(_), .. } => {
                        self.cache_hits.inc();
                        "succeeded".to_owned()
                    }
                    CallEnd::Succeeded { .. } => "succeeded".to_owned(),
                    CallEnd::Failed { failure, .. } => word(failure.kind),
                    CallEnd::Cancelled { .. } => "cancelled".to_owned(),
                };
                self.calls.with_label_values(&[provider, &outcome]).inc();
            }
            EventKind::RunEnded { status } => {
                self.runs.with_label_values(&[status.id()]).inc();
            }
            EventKind::RunInterrupted => self.runs.with_label_values(&["interrupted"]).inc(),
            _ => {}
        }
    }
}
