use proptest::prelude::*;
use serde::Serialize;

use super::*;
use crate::testing::{nonsense_passes, run, scripts};

fn again<T: Read + Serialize>(value: &T) -> T {
    T::read(&Json::parse(&serde_json::to_string(value).unwrap()).unwrap())
}

/// The same tree, as serde has it.
fn tree(value: &serde_json::Value) -> Json {
    use serde_json::Value;
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Number(n) => n.as_u64().map_or(Json::Null, Json::Number),
        Value::String(s) => Json::Text(s.clone()),
        Value::Array(list) => Json::List(list.iter().map(tree).collect()),
        Value::Object(map) => {
            Json::Object(map.iter().map(|(name, value)| (name.clone(), tree(value))).collect())
        }
    }
}

proptest! {
    #[test]
    fn every_run_reads_as_what_was_written(script in scripts()) {
        let mut state = run(&script);
        // What the browser does not read.
        state.header.spec.faults = None;
        state.header.spec.input = Input::Text;
        prop_assert_eq!(again(&state), state);
    }

    #[test]
    fn every_pass_reads_as_what_was_written(pass in nonsense_passes()) {
        prop_assert_eq!(again(&pass), pass);
    }

    #[test]
    fn every_text_reads_as_what_was_written(text in any::<String>()) {
        prop_assert_eq!(again(&text), text.clone());
        // Escaped as much as can be.
        let units: String = text.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
        prop_assert_eq!(Json::parse(&format!("\"{units}\"")), Some(Json::Text(text)));
    }

    #[test]
    fn no_text_at_all_is_a_mishap(text in any::<String>()) {
        let _ = Json::parse(&text);
        let _ = Json::parse(&format!("[{text}"));
    }

    #[test]
    fn what_looks_like_json_reads_as_serde_reads_it(text in "[\\[\\]{}\",:0-9a-e.ntrueflsx \\\\-]{0,16}") {
        if let Ok(value) = serde_json::from_str(&text) {
            let unlike = text.matches(':').count() > 1;
            prop_assert!(unlike || Json::parse(&text) == Some(tree(&value)), "{}", text);
        }
    }
}

#[test]
fn every_word_of_every_enum_is_known() {
    fn all<T: Read + Serialize + PartialEq + std::fmt::Debug + Copy>(words: &[T]) {
        for word in words {
            assert_eq!(again(word), *word);
        }
    }
    all(&RunStatus::ALL);
    all(&Mode::ALL);
    all(&[PassMode::Sequential, PassMode::Parallel]);
    all(&[Finish::Stop, Finish::Length]);
    all(&[CallEndState::Succeeded, CallEndState::Failed, CallEndState::Cancelled]);
    use AttemptResult as R;
    all(&[R::Running, R::Succeeded, R::Failed, R::Cancelled]);
    use PassStatus as P;
    all(&[P::Waiting, P::Running, P::Completed, P::Cancelled]);
    all(&[Health::Closed, Health::HalfOpen, Health::Open]);
    use HoldReason as H;
    all(&[H::RateLimit, H::Queue, H::Breaker, H::Pause, H::Storage]);
    use LimitReason as L;
    all(&[L::Start, L::RateLimited, L::Slower, L::Grew, L::Probe, L::User]);
    all(&[Priority::Interactive, Priority::Batch]);
    use FailureKind as F;
    all(&[
        F::InvalidKey,
        F::QuotaExhausted,
        F::UnknownModel,
        F::InvalidRequest,
        F::ContentRefused,
        F::RateLimited,
        F::ServerError,
        F::Unreachable,
        F::Timeout,
        F::MalformedStream,
        F::TruncatedStream,
        F::BudgetReached,
    ]);
}

#[test]
fn what_stands_beside_a_run_reads_as_what_was_written() {
    let failure = Failure {
        http_status: Some(429),
        retry_after: Some(Micros(7)),
        ..Failure::new(FailureKind::RateLimited, "a \"message\"")
    };
    assert_eq!(again(&failure), failure);
    let count = TextCount::guess("two words");
    assert_eq!(again(&count), count);
    let limits = Limits::default();
    assert_eq!(again(&limits), limits);
    let error = FieldError::new("/tasks/2", "wrong");
    assert_eq!(again(&error), error);
    let budget = Budget { max_cost_usd_micros: Some(5), deadline_ms: None };
    assert_eq!(again(&budget), budget);
    for task in crate::task::built_in() {
        assert_eq!(again(&task), task);
    }
    let history = TaskHistory {
        task: TaskId::from("summary"),
        samples: 3,
        duration_us: 9,
        ttft_us: 4,
        output_tokens: 80,
        deviation_us: 2,
    };
    assert_eq!(again(&history), history);
    let piece =
        Progress {
            pass: PassId(1), call: CallId(2), number: 1, offset: 3, text: "é\n".to_owned()
        };
    assert_eq!(again(&piece), piece);
    let sample =
        SampleInfo { id: "a".to_owned(), name: "A".to_owned(), tokens: 1, words: 2, bytes: 3 };
    assert_eq!(again(&sample), sample);
}

#[test]
fn what_is_missing_reads_as_nothing() {
    let pass =
        PassState::read(&Json::parse(r#"{"lanes": 3, "holds": null, "more": -1.5}"#).unwrap());
    assert_eq!((pass.lanes, pass.calls.len(), pass.holding), (3, 0, None));
    for wrong in ["", "{", "[1,]", "[1 2]", "{\"a\" 1}", "\"\\ud800\"", "\"open", "nul", "1 2"] {
        assert_eq!(Json::parse(wrong), None, "{wrong}");
    }
    assert_eq!(Json::parse(&"[".repeat(100_000)), None);
}
