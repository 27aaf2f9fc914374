//! The figures and sentences of whole runs.

use proptest::prelude::*;

use super::*;
use crate::testing::{self, Script, Try};
use crate::{Failure, Mode};

fn run(mode: Mode, lanes: u32, ms: &[u64]) -> RunState {
    testing::run(&Script::plain(mode, lanes, ms))
}

fn headline_of(script: &Script) -> String {
    headline(&testing::run(script)).unwrap()
}

#[test]
fn speedup_time_saved_and_efficiency_are_different_figures() {
    let found = Comparison::of(&run(Mode::Compare, 4, &[1_000; 4])).unwrap();
    assert_eq!(
        found,
        Comparison {
            speedup: 4.0,
            time_saved: 0.75,
            parallel_efficiency: 1.0,
            sample_documents: None,
        }
    );
    assert_eq!(Comparison::of(&run(Mode::Parallel, 4, &[1_000; 4])), None);
}

#[test]
fn the_headline_of_a_compare_run_says_how_much_sooner() {
    let state = run(Mode::Compare, 6, &[2_340, 1_450, 1_800, 2_350, 2_460, 1_600]);
    let text = headline(&state).unwrap();
    assert_eq!(text, "Parallel finished 4.9× sooner: 2.5 s instead of 12.0 s");
}

#[test]
fn the_headline_says_so_when_parallel_was_slower_or_no_faster() {
    let mut state = run(Mode::Compare, 2, &[1_450, 1_450]);
    let end_after = |pass: &mut PassState, ms| {
        pass.end = pass.start.map(|start| start + Micros::from_millis(ms));
    };
    end_after(&mut state.passes[0], 3_100);
    assert_eq!(headline(&state).unwrap(), "Parallel was slower: 3.1 s instead of 2.9 s");
    end_after(&mut state.passes[0], 2_890);
    let same = "Parallel and Sequential took the same time: 2.9 s";
    assert_eq!(headline(&state).unwrap(), same);
    end_after(&mut state.passes[0], 2_820);
    let little = "Parallel finished sooner: 2.8 s instead of 2.9 s";
    assert_eq!(headline(&state).unwrap(), little);
}

#[test]
fn the_headline_of_one_pass_names_calls_time_and_lanes() {
    let script = Script::plain(Mode::Parallel, 6, &[2_500; 6]);
    assert_eq!(headline_of(&script), "6 calls in 2.5 s on 6 lanes");
    let script = Script::plain(Mode::Sequential, 1, &[2_500]);
    assert_eq!(headline_of(&script), "1 call in 2.5 s on 1 lane");
}

#[test]
fn the_headline_counts_failures_and_names_their_reason() {
    let fails = vec![Try { ttft: 400_000, generating: 0, fails: Some(1) }];
    let mut script = Script::plain(Mode::Parallel, 2, &[1_000, 1_000]);
    script.calls.push(fails.clone());
    assert_eq!(headline_of(&script), "3 calls in 1.4 s on 2 lanes; 1 of 3 calls failed");
    script.calls = vec![fails.clone(), fails.clone()];
    assert_eq!(headline_of(&script), "All 2 calls failed: Server error");
    script.calls = vec![fails];
    assert_eq!(headline_of(&script), "The call failed: Server error");
}

#[test]
fn a_stopped_run_says_when_and_what_it_has() {
    let cancelled = |mode, ms: u64| Script {
        cancel: Some(ms * 1_000),
        ..Script::plain(mode, 2, &[1_000, 1_000, 9_000])
    };
    let text = headline_of(&cancelled(Mode::Compare, 3_400));
    assert_eq!(text, "Cancelled after 3.4 s: 2 of 6 calls have a result");
    let text = headline_of(&cancelled(Mode::Parallel, 0));
    assert_eq!(text, "Cancelled after 0.0 s: 0 of 3 calls have a result");
}

#[test]
fn a_run_that_goes_on_has_no_headline_but_an_interrupted_one_has() {
    let script =
        Script { interrupt: Some(1_500_000), ..Script::plain(Mode::Parallel, 2, &[1_000; 4]) };
    let log = testing::simulate(&script);
    let end = log.iter().position(|e| matches!(e.kind, crate::EventKind::RunInterrupted)).unwrap();
    let before = RunState::fold(&log[..end]).unwrap();
    assert_eq!(headline(&before), None);
    let state = RunState::fold(&log[..=end]).unwrap();
    assert_eq!(headline(&state).unwrap(), "Interrupted after 1.5 s: 2 of 4 calls have a result");
}

#[test]
fn the_main_failure_is_the_most_frequent() {
    let fails = vec![Try { ttft: 10, generating: 0, fails: Some(1) }];
    let script = Script { calls: vec![fails; 3], ..Script::plain(Mode::Parallel, 2, &[]) };
    let mut state = testing::run(&script);
    state.passes[0].calls[0].failure = Some(Failure::new(FailureKind::Timeout, "No answer"));
    assert_eq!(main_failure(&state), Some(FailureKind::ServerError));
}

#[test]
fn the_speedup_so_far_is_an_estimate_until_sequential_has_caught_up() {
    let log = testing::simulate(&Script::plain(Mode::Compare, 2, &[1_000, 2_000, 1_000]));
    let at = |ms: u64| {
        let now = Micros::from_millis(ms);
        let upto = log.iter().take_while(|e| e.at <= now);
        speedup_so_far(&RunState::fold(upto).unwrap(), now)
    };
    assert_eq!(at(500), None);
    assert_eq!(at(1_500), Some(SoFar { value: 1.0, estimated: true }));
    // Parallel took 2 s; Sequential has needed 1 s and is taken to need 3 s more.
    assert_eq!(at(3_500), Some(SoFar { value: 2.0, estimated: true }));
    assert_eq!(at(6_000), Some(SoFar { value: 2.0, estimated: false }));
}

proptest! {
    #[test]
    fn every_run_that_is_over_has_a_headline(script in testing::scripts()) {
        let state = testing::run(&script);
        prop_assert!(headline(&state).is_some_and(|text| !text.is_empty()));
        let so_far = speedup_so_far(&state, state.latest);
        prop_assert!(so_far.is_none_or(|s| s.value.is_finite() && s.value >= 0.0));
        let _ = crate::explain_ledger(&state);
    }
}

#[test]
fn a_sequential_pass_over_a_sample_is_reckoned_up_by_the_work_of_the_others() {
    let mut state = testing::run(&Script::plain(Mode::Compare, 2, &[4, 4, 8]));
    let parallel = state.passes[0].clone();
    let sequential = &mut state.passes[1];
    sequential.calls.truncate(2);
    sequential.end = sequential.calls[1].end;
    let measured = sequential.wall(state.latest);
    // The third call was as much work as the two that were measured.
    assert_eq!(sequential_time(&state), Some(Micros(measured.0 * 2)));
    let found = Comparison::of(&state).unwrap();
    assert_eq!(found.sample_documents, Some(2));
    let wall = wall(&parallel).unwrap();
    assert!((found.speedup - measured.0 as f64 * 2.0 / wall.0 as f64).abs() < 1e-9);
    let words = headline(&state).unwrap();
    assert!(words.contains("≈") && words.contains("measured on 2 of 3 documents"), "{words}");
}
