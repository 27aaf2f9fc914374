//! The field names and figures that other programs rely on.

use serde_json::{Value, json};

use super::*;
use crate::FailureKind;
use crate::testing::{self, Script, Try};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Whether `value` has these fields, among others.
fn assert_has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(keys(value).contains(field), "{field} is missing in {:?}", keys(value));
    }
}

fn view(script: &Script) -> Value {
    let state = testing::run(script);
    serde_json::to_value(RunView::of(&state, state.latest)).unwrap()
}

#[test]
fn a_finished_comparison_has_the_promised_fields() {
    let v = view(&Script::plain(Mode::Compare, 2, &[1_000, 3_000]));
    assert_has(&v, &["id", "status", "mode", "last_seq", "passes", "comparison"]);
    assert_eq!((&v["status"], &v["mode"]), (&json!("succeeded"), &json!("compare")));
    assert_has(&v["comparison"], &["speedup", "time_saved", "parallel_efficiency"]);
    assert_eq!(v["passes"][0]["mode"], "parallel");
    assert_eq!(v["passes"][1]["mode"], "sequential");
    let p = &v["passes"][1];
    assert_has(p, &["concurrency", "started_at", "wall_us", "work_us", "bound_attained"]);
    assert_eq!((&p["wall_us"], &p["work_us"]), (&json!(4_000_000), &json!(4_000_000)));
    assert_eq!(p["lower_bound"], json!({"us": 4_000_000, "binding": "work"}));
    assert_eq!(p["bound_attained"], 1.0);
    assert_eq!(
        v["passes"][0]["ledger"],
        json!({
            "ttft_us": 2_000_000, "generating_us": 2_000_000, "failed_us": 0, "rate_limit_us": 0,
            "backoff_us": 0, "dependency_us": 0, "queue_us": 0, "engine_us": 0,
            "idle_us": 2_000_000,
        })
    );
    assert_eq!(
        v["counts"],
        json!({
            "queued": 0, "running": 0, "succeeded": 4, "failed": 0, "cancelled": 0, "invalid": 0,
        })
    );
}

#[test]
fn times_of_a_call_count_from_the_start_of_its_pass() {
    let v = view(&Script::plain(Mode::Compare, 2, &[1_000, 3_000]));
    let call = &v["passes"][1]["calls"][1];
    assert_eq!((&call["start_us"], &call["end_us"]), (&json!(1_000_000), &json!(4_000_000)));
    assert_eq!((&call["ttft_us"], &call["lane"]), (&json!(1_500_000), &json!(0)));
    assert_eq!(call["tokens"], json!({"input": 120, "output": 40, "cached": 0}));
    assert_eq!((&call["task"], &call["attempts"]), (&json!("summary"), &json!(1)));
    assert_eq!((&call["output"], &call["error"]), (&json!("Answer 1"), &Value::Null));
    assert_eq!((&call["cost_usd_micros"], &call["finish"]), (&json!(42), &json!("stop")));
    assert_eq!((&call["estimated"], &call["document"]), (&json!(false), &v["documents"][1]["id"]));
    assert_eq!(
        call["attempt_log"],
        json!([{
            "number": 1, "lane": 0, "start_us": 1_000_000, "first_token_us": 2_500_000,
            "end_us": 4_000_000, "result": "succeeded", "error": null, "cost_usd_micros": 42,
        }])
    );
}

#[test]
fn a_failure_comes_with_its_kind_and_advice() {
    let fails = vec![Try { ttft: 400_000, generating: 0, fails: Some(1) }];
    let script = Script { calls: vec![fails], ..Script::plain(Mode::Parallel, 1, &[]) };
    let v = view(&script);
    let call = &v["passes"][0]["calls"][0];
    assert_eq!(call["status"], "failed");
    assert_eq!(
        call["error"],
        json!({
            "kind": "server_error", "message": "HTTP 503 after 0.40 s", "http_status": 503,
            "advice": FailureKind::ServerError.advice(),
        })
    );
    assert_eq!(call["attempt_log"][0]["error"]["kind"], "server_error");
    assert_eq!((&call["tokens"], &call["cost_usd_micros"]), (&Value::Null, &Value::Null));
    assert!(v.get("comparison").is_none());
}

#[test]
fn before_a_pass_starts_its_figures_are_null() {
    let log = testing::simulate(&Script::plain(Mode::Compare, 2, &[1_000, 3_000]));
    let state = RunState::fold(&log[..5]).unwrap();
    let v = serde_json::to_value(RunView::of(&state, Micros(250))).unwrap();
    let waiting = &v["passes"][1];
    for field in ["started_at", "wall_us", "work_us", "lower_bound", "bound_attained", "ledger"] {
        assert_eq!(waiting[field], Value::Null, "{field}");
    }
    let call = &waiting["calls"][0];
    assert_eq!((&call["status"], &call["output"]), (&json!("queued"), &Value::Null));
    assert_eq!((&call["start_us"], &call["attempts"]), (&Value::Null, &json!(0)));
    assert_eq!(v["passes"][0]["wall_us"], 250);
    assert_eq!(v["passes"][0]["calls"][0]["status"], "running");
}

#[test]
fn a_run_at_rest_does_not_grow_older() {
    let state = testing::run(&Script::plain(Mode::Compare, 2, &[1_000, 3_000]));
    assert_eq!(RunView::of(&state, Micros::from_secs(99)), RunView::of(&state, Micros::ZERO));
}

#[test]
fn a_view_is_read_back_as_it_was_written() {
    let state = testing::run(&Script::plain(Mode::Compare, 2, &[1_000, 3_000]));
    let view = RunView::of(&state, state.latest);
    let text = serde_json::to_string(&view).unwrap();
    assert_eq!(serde_json::from_str::<RunView>(&text).unwrap(), view);
}

#[test]
fn an_answer_from_the_cache_has_no_attempt_costs_nothing_and_keeps_its_tokens() {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[1_000, 1_000]));
    let call = &mut state.passes[0].calls[1];
    call.cached = call.usage();
    call.attempts.clear();
    state.header.spec.cache = true;
    let v = serde_json::to_value(RunView::of(&state, state.latest)).unwrap();
    assert_eq!(v["cache"], true);
    let calls = &v["passes"][0]["calls"];
    let picked = |v: &Value| {
        ["attempts", "cached", "cost_usd_micros", "status", "finish"].map(|f| v[f].clone())
    };
    let expected = |v: Value| -> Vec<Value> { serde_json::from_value(v).unwrap() };
    assert_eq!(picked(&calls[0]).to_vec(), expected(json!([1, false, 42, "succeeded", "stop"])));
    assert_eq!(picked(&calls[1]).to_vec(), expected(json!([0, true, 0, "succeeded", "stop"])));
    assert_eq!(calls[1]["tokens"], json!({"input": 120, "output": 40, "cached": 0}));
    assert_eq!((&calls[1]["start_us"], &calls[1]["lane"]), (&Value::Null, &Value::Null));
    assert_eq!(v["counts"]["succeeded"], 2);
}
