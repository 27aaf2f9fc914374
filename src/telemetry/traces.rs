//! Traces for OpenTelemetry: a run is a trace, its calls are spans in it, their attempts are spans in
//! those, by the semantic conventions for generative AI
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>). Texts are not part of them.
//!
//! Spans are made from events when what they tell of has ended. Their ids follow from the run's id, so
//! that nothing is remembered between events, and a run that goes on after a restart is one trace.
//! They are sent by a thread of its own; when the receiver is away they are dropped, and the run goes on.

use std::time::{Duration, SystemTime};

use lanes_model::{
    AttemptEnd, CallEnd, CallId, EventKind, Failure, Finish, Micros, PassId, RunEvent, RunState,
    RunStatus,
};
use lanes_service::Observer;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};
use sha2::{Digest, Sha256};

/// The variables that say where traces go; the exporter reads them, and the headers, itself.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// Makes spans of events.
pub struct Traces {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
}

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent to the address in OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
pub struct TracesError(String);

impl Traces {
    /// Traces to where the environment says; none when it says nothing. Call it outside of the async
    /// runtime: its client is a blocking one.
    ///
    /// # Errors
    /// An address that cannot be used.
    pub fn from_env() -> Result<Option<Self>, TracesError> {
        let is_set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
        if !ENDPOINTS.iter().any(is_set) {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.map_err(|error| TracesError(error.to_string()))?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before these.
        let own = [
            KeyValue::new("service.name", "lanes"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ];
        let said = std::env::var("OTEL_SERVICE_NAME").is_ok();
        let own = own.into_iter().filter(|kv| !(said && kv.key.as_str() == "service.name"));
        processor.set_resource(&Resource::builder().with_attributes(own).build());
        let scope =
            InstrumentationScope::builder("lanes").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Some(Self { processor, scope }))
    }

    /// Sends what is left.
    pub fn shutdown(&self) {
        if let Err(error) = self.processor.shutdown_with_timeout(Duration::from_secs(2)) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }

    fn end(&self, span: Span) {
        let context =
            SpanContext::new(span.trace, span.id, TraceFlags::SAMPLED, false, TraceState::NONE);
        self.processor.on_end(SpanData {
            span_context: context,
            parent_span_id: span.parent,
            parent_span_is_remote: false,
            span_kind: span.kind,
            name: span.name.into(),
            start_time: span.start,
            end_time: span.end,
            attributes: span.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: span.status,
            instrumentation_scope: self.scope.clone(),
        });
    }
}

/// A span that has ended.
struct Span {
    trace: TraceId,
    id: SpanId,
    parent: SpanId,
    kind: SpanKind,
    name: String,
    start: SystemTime,
    end: SystemTime,
    attributes: Vec<KeyValue>,
    status: Status,
}

/// The ids of a run's spans.
struct Ids<'a>(&'a str);

impl Ids<'_> {
    fn hash(&self, what: &str) -> [u8; 32] {
        Sha256::digest(format!("{}/{what}", self.0)).into()
    }

    /// The run's own id, which has as many bits as a trace's.
    fn trace(&self) -> TraceId {
        let plain: String = self.0.chars().filter(char::is_ascii_hexdigit).collect();
        TraceId::from_hex(&plain).unwrap_or_else(|_| {
            let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.hash("trace");
            TraceId::from_bytes(bytes)
        })
    }

    fn span(&self, what: &str) -> SpanId {
        let [a, b, c, d, e, f, g, h, ..] = self.hash(what);
        SpanId::from_bytes([a, b, c, d, e, f, g, h])
    }

    fn call(&self, pass: PassId, call: CallId) -> SpanId {
        self.span(&format!("{}/{}", pass.0, call.0))
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn failed(failure: &Failure, attributes: &mut Vec<KeyValue>) -> Status {
    attributes.push(KeyValue::new("error.type", failure.kind.label().to_owned()));
    if let Some(status) = failure.http_status {
        attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
    }
    Status::error(failure.kind.label())
}

impl Observer for Traces {
    fn event(&self, run: &RunState, event: &RunEvent, lag: Micros) {
        let ids = Ids(run.header.id.as_str());
        let end = SystemTime::now() - Duration::from_micros(lag.0);
        let began = |at: Micros| end - Duration::from_micros(event.at.since(at).0);
        let text = |name: &'static str, value: &str| KeyValue::new(name, value.to_owned());
        match &event.kind {
            EventKind::AttemptEnded { pass, call, number: n, end: how } => {
                let Some(attempt) = run.attempt(*pass, *call, *n) else { return };
                let (provider, model) = run.header.place_of(*call, Some(attempt.route));
                let mut attributes = vec![
                    text("gen_ai.operation.name", "chat"),
                    text("gen_ai.provider.name", provider),
                    text("gen_ai.request.model", model),
                    KeyValue::new("lanes.attempt", i64::from(*n)),
                    KeyValue::new("lanes.lane", i64::from(attempt.lane.0)),
                    KeyValue::new("lanes.hedge", attempt.hedge),
                ];
                if let Some(first) = attempt.first_token {
                    let time = first.since(attempt.start).as_secs_f64();
                    attributes.push(KeyValue::new("gen_ai.response.time_to_first_chunk", time));
                }
                if let Some(usage) = attempt.usage {
                    attributes
                        .push(KeyValue::new("gen_ai.usage.input_tokens", number(usage.input)));
                    attributes
                        .push(KeyValue::new("gen_ai.usage.output_tokens", number(usage.output)));
                }
                let status = match how {
                    AttemptEnd::Succeeded { finish, .. } => {
                        let finish = match finish {
                            Finish::Stop => "stop",
                            Finish::Length => "length",
                        };
                        let reasons = vec![opentelemetry::StringValue::from(finish)];
                        let reasons = opentelemetry::Array::String(reasons);
                        let reasons = opentelemetry::Value::Array(reasons);
                        attributes.push(KeyValue::new("gen_ai.response.finish_reasons", reasons));
                        Status::Unset
                    }
                    AttemptEnd::Failed { failure, .. } => failed(failure, &mut attributes),
                    AttemptEnd::Cancelled { .. } => {
                        attributes.push(KeyValue::new("lanes.cancelled", true));
                        Status::Unset
                    }
                };
                self.end(Span {
                    trace: ids.trace(),
                    id: ids.span(&format!("{}/{}/{n}", pass.0, call.0)),
                    parent: ids.call(*pass, *call),
                    kind: SpanKind::Client,
                    name: format!("chat {model}"),
                    start: began(attempt.start),
                    end,
                    attributes,
                    status,
                });
            }
            EventKind::CallEnded { pass, call, end: how } => {
                let Some(state) = run.call(*pass, *call) else { return };
                let task = run.header.task_of(*call).map_or("call", |t| t.id.as_str());
                let mut attributes = vec![
                    text("lanes.task", task),
                    text(
                        "lanes.document",
                        run.header.document_of(*call).map_or("", |d| d.id.as_str()),
                    ),
                    KeyValue::new("lanes.attempts", number(state.attempts.len() as u64)),
                    KeyValue::new("lanes.cached", state.cached.is_some()),
                ];
                let status = match how {
                    CallEnd::Succeeded { .. } => Status::Unset,
                    CallEnd::Failed { failure, .. } => failed(failure, &mut attributes),
                    CallEnd::Cancelled { .. } => Status::Unset,
                };
                self.end(Span {
                    trace: ids.trace(),
                    id: ids.call(*pass, *call),
                    parent: ids.span("run"),
                    kind: SpanKind::Internal,
                    name: format!("call {task}"),
                    start: began(state.ready.or(state.start()).unwrap_or(event.at)),
                    end,
                    attributes,
                    status,
                });
            }
            EventKind::RunEnded { status } => {
                let attributes = vec![
                    text("lanes.run", run.header.id.as_str()),
                    text("lanes.mode", run.header.spec.mode.id()),
                    text("lanes.status", status.id()),
                    KeyValue::new("lanes.calls", number(run.header.plan.calls.len() as u64)),
                ];
                self.end(Span {
                    trace: ids.trace(),
                    id: ids.span("run"),
                    parent: SpanId::INVALID,
                    kind: SpanKind::Internal,
                    name: "run".to_owned(),
                    start: began(Micros::ZERO),
                    end,
                    attributes,
                    status: match status {
                        RunStatus::Failed => Status::error("every call failed"),
                        _ => Status::Unset,
                    },
                });
            }
            _ => {}
        }
    }
}
