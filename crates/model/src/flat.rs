//! Reading events in the browser. The enums of [`RunEvent`] carry their tag inside; [`FlatEvent`] reads
//! the same JSON as one struct with every field optional, and then becomes the event.

use crate::event::{Attempt, AttemptEnd, CallEnd, EventKind, Finish, PassEnd, RunEvent, Usage};
use crate::reads;
use crate::{
    CallId, Failure, Health, HoldReason, Json, LaneId, LimitReason, Micros, PassId, Priority, Read,
    RouteId, RunHeader, RunStatus, Seq, UsdMicros,
};

/// The fields of every kind of event.
#[derive(Debug)]
pub struct FlatEvent {
    seq: Seq,
    at_us: Micros,
    kind: String,
    header: Option<RunHeader>,
    pass: Option<PassId>,
    started_at: Option<String>,
    first: Option<CallId>,
    count: Option<u32>,
    call: Option<CallId>,
    lane: Option<LaneId>,
    attempt: Option<Attempt>,
    held_us: Option<Micros>,
    until_us: Option<Micros>,
    held_by: Option<HoldReason>,
    route: Option<RouteId>,
    hedge: Option<bool>,
    redacted: Option<u32>,
    message: Option<String>,
    limit: Option<u32>,
    why: Option<LimitReason>,
    health: Option<Health>,
    priority: Option<Priority>,
    number: Option<u32>,
    end: Option<FlatEnd>,
    status: Option<RunStatus>,
    calls: Option<Vec<CallId>>,
}

/// The fields of every kind of end; of a pass's there is only the word.
#[derive(Debug, Default)]
struct FlatEnd(EndFields);

#[derive(Debug, Default)]
struct EndFields {
    result: String,
    usage: Option<Usage>,
    cost_usd_micros: Option<UsdMicros>,
    finish: Option<Finish>,
    failure: Option<Failure>,
    retry_at_us: Option<Micros>,
    output: Option<String>,
    cached_usage: Option<Usage>,
    partial: Option<String>,
}

reads! {
    FlatEvent {
        seq, at_us, kind = "type", header, pass, started_at, first, count, call, lane, attempt,
        held_us, until_us, held_by, route, hedge, redacted, message, limit, why, health, priority, number, end,
        status, calls,
    }
    EndFields {
        result, usage, cost_usd_micros, finish, failure, retry_at_us, output, partial, cached_usage,
    }
}

impl Read for FlatEnd {
    fn read(json: &Json) -> Self {
        FlatEnd(match json {
            Json::Text(word) => EndFields { result: word.clone(), ..EndFields::default() },
            fields => Read::read(fields),
        })
    }
}

impl FlatEvent {
    /// The event; none when a field it needs is missing or its kind is not known.
    #[must_use]
    pub fn event(self) -> Option<RunEvent> {
        let end = self.end;
        let kind = match self.kind.as_str() {
            "run_created" => EventKind::RunCreated { header: Box::new(self.header?) },
            "run_started" => EventKind::RunStarted,
            "pass_started" => {
                EventKind::PassStarted { pass: self.pass?, started_at: self.started_at? }
            }
            "calls_queued" => {
                EventKind::CallsQueued { pass: self.pass?, first: self.first?, count: self.count? }
            }
            "call_awaits" => EventKind::CallAwaits { pass: self.pass?, call: self.call? },
            "attempt_started" => EventKind::AttemptStarted {
                pass: self.pass?,
                call: self.call?,
                lane: self.lane?,
                attempt: self.attempt?,
                held: self.held_us.unwrap_or_default(),
                held_by: self.held_by.unwrap_or_default(),
                route: self.route.unwrap_or_default(),
                hedge: self.hedge.unwrap_or_default(),
                redacted: self.redacted.unwrap_or_default(),
            },
            "pass_held" => EventKind::PassHeld {
                pass: self.pass?,
                until: self.until_us?,
                held_by: self.held_by.unwrap_or_default(),
                message: self.message.unwrap_or_default(),
            },
            "limit_changed" => {
                EventKind::LimitChanged { pass: self.pass?, limit: self.limit?, why: self.why? }
            }
            "route_changed" => EventKind::RouteChanged {
                route: self.route?,
                health: self.health?,
                until: self.until_us,
                message: self.message.unwrap_or_default(),
            },
            "run_paused" => EventKind::RunPaused,
            "run_continued" => EventKind::RunContinued,
            "priority_changed" => EventKind::PriorityChanged { priority: self.priority? },
            "first_token" => {
                EventKind::FirstToken { pass: self.pass?, call: self.call?, number: self.number? }
            }
            "attempt_ended" => EventKind::AttemptEnded {
                pass: self.pass?,
                call: self.call?,
                number: self.number?,
                end: end?.attempt()?,
            },
            "call_ended" => {
                EventKind::CallEnded { pass: self.pass?, call: self.call?, end: end?.call()? }
            }
            "pass_ended" => EventKind::PassEnded { pass: self.pass?, end: end?.pass()? },
            "cancel_requested" => EventKind::CancelRequested,
            "run_interrupted" => EventKind::RunInterrupted,
            "run_resumed" => EventKind::RunResumed,
            "calls_reopened" => EventKind::CallsReopened { pass: self.pass?, calls: self.calls? },
            "run_ended" => EventKind::RunEnded { status: self.status? },
            _ => return None,
        };
        Some(RunEvent { seq: self.seq, at: self.at_us, kind })
    }
}

impl FlatEnd {
    fn attempt(self) -> Option<AttemptEnd> {
        let end = self.0;
        Some(match end.result.as_str() {
            "succeeded" => AttemptEnd::Succeeded {
                usage: end.usage?,
                cost_usd_micros: end.cost_usd_micros,
                finish: end.finish?,
            },
            "failed" => AttemptEnd::Failed {
                failure: end.failure?,
                retry_at: end.retry_at_us,
                usage: end.usage,
                cost_usd_micros: end.cost_usd_micros,
            },
            "cancelled" => {
                AttemptEnd::Cancelled { usage: end.usage, cost_usd_micros: end.cost_usd_micros }
            }
            _ => return None,
        })
    }

    fn call(self) -> Option<CallEnd> {
        let end = self.0;
        Some(match end.result.as_str() {
            "succeeded" => {
                CallEnd::Succeeded { output: end.output?, cached_usage: end.cached_usage }
            }
            "failed" => CallEnd::Failed { failure: end.failure?, partial: end.partial? },
            "cancelled" => CallEnd::Cancelled { partial: end.partial? },
            _ => return None,
        })
    }

    fn pass(self) -> Option<PassEnd> {
        match self.0.result.as_str() {
            "completed" => Some(PassEnd::Completed),
            "cancelled" => Some(PassEnd::Cancelled),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{failure, scripts, simulate};

    fn read(event: &RunEvent) -> Option<RunEvent> {
        let json = serde_json::to_string(event).unwrap();
        FlatEvent::read(&Json::parse(&json)?).event()
    }

    proptest! {
        #[test]
        fn every_event_of_a_run_reads_as_what_was_written(script in scripts()) {
            for event in simulate(&script) {
                prop_assert_eq!(read(&event), Some(event.clone()));
            }
        }
    }

    #[test]
    fn the_rare_events_read_as_what_was_written() {
        let (pass, call) = (PassId(1), CallId(7));
        let partial = "half \"a\" text\n".to_owned();
        let usage = Usage { input: 9, output: 4, cached: 0, estimated: true };
        let kinds = [
            EventKind::CancelRequested,
            EventKind::PassHeld {
                pass,
                until: Micros(80),
                held_by: HoldReason::Breaker,
                message: "It is down.".to_owned(),
            },
            EventKind::AttemptStarted {
                pass,
                call,
                lane: LaneId(3),
                attempt: Attempt { number: 1, of: 3 },
                held: Micros(40),
                held_by: HoldReason::Queue,
                route: RouteId(2),
                hedge: true,
                redacted: 3,
            },
            EventKind::LimitChanged { pass, limit: 4, why: LimitReason::RateLimited },
            EventKind::RouteChanged {
                route: RouteId(1),
                health: Health::Open,
                until: Some(Micros(9)),
                message: "It is down.".to_owned(),
            },
            EventKind::RunPaused,
            EventKind::RunContinued,
            EventKind::PriorityChanged { priority: Priority::Batch },
            EventKind::RunInterrupted,
            EventKind::RunResumed,
            EventKind::CallsReopened { pass, calls: vec![CallId(2), call] },
            EventKind::PassEnded { pass, end: PassEnd::Cancelled },
            EventKind::RunEnded { status: RunStatus::Partial },
            EventKind::AttemptEnded { pass, call, number: 2, end: AttemptEnd::CANCELLED },
            EventKind::AttemptEnded {
                pass,
                call,
                number: 1,
                end: AttemptEnd::Failed {
                    failure: failure(),
                    retry_at: Some(Micros(5)),
                    usage: Some(usage),
                    cost_usd_micros: Some(UsdMicros(7)),
                },
            },
            EventKind::CallEnded {
                pass,
                call,
                end: CallEnd::Failed { failure: failure(), partial: partial.clone() },
            },
            EventKind::CallEnded { pass, call, end: CallEnd::Cancelled { partial } },
            EventKind::CallAwaits { pass, call },
            EventKind::CallEnded {
                pass,
                call,
                end: CallEnd::Succeeded { output: "old".to_owned(), cached_usage: Some(usage) },
            },
        ];
        for kind in kinds {
            let event = RunEvent { seq: Seq(9), at: Micros(1), kind };
            assert_eq!(read(&event).as_ref(), Some(&event));
        }
    }

    #[test]
    fn a_kind_that_is_not_known_is_no_event() {
        let text = r#"{"seq":1,"at_us":2,"type":"moon_landed"}"#;
        assert_eq!(FlatEvent::read(&Json::parse(text).unwrap()).event(), None);
        let text = r#"{"seq":1,"at_us":2,"type":"pass_ended","pass":0}"#;
        assert_eq!(FlatEvent::read(&Json::parse(text).unwrap()).event(), None);
    }
}
