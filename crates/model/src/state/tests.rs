//! The fold: idempotent, refusing gaps, safe with partial text and interruptions.

use proptest::prelude::*;

use super::*;
use crate::Mode;
use crate::testing::{self, Script, Try, simulate};

fn fold(events: &[RunEvent]) -> RunState {
    RunState::fold(events).unwrap()
}

/// A place inside a log of that length, the header excluded.
fn place(len: usize, share: f64) -> usize {
    1 + ((len - 1) as f64 * share) as usize
}

proptest! {
    #[test]
    fn a_log_applied_twice_gives_the_same_state(script in testing::scripts()) {
        let log = simulate(&script);
        let once = fold(&log);
        let mut twice = once.clone();
        for event in &log {
            prop_assert_eq!(twice.apply(event), Applied::Duplicate);
        }
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn a_snapshot_and_an_overlapping_tail_give_the_same_state(
        script in testing::scripts(),
        snapshot in 0.0..1.0f64,
        overlap in 0.0..1.0f64,
    ) {
        let log = simulate(&script);
        let at = place(log.len(), snapshot);
        let from = (at as f64 * overlap) as usize;
        let text = serde_json::to_string(&fold(&log[..at])).unwrap();
        let mut state: RunState = serde_json::from_str(&text).unwrap();
        for event in &log[from..] {
            prop_assert_ne!(state.apply(event), Applied::Gap);
        }
        prop_assert_eq!(state, fold(&log));
    }

    #[test]
    fn an_event_after_a_gap_is_refused_and_changes_nothing(
        script in testing::scripts(),
        cut in 0.0..1.0f64,
    ) {
        let log = simulate(&script);
        let at = place(log.len() - 2, cut);
        let mut state = fold(&log[..at]);
        let before = state.clone();
        prop_assert_eq!(state.apply(&log[at + 1]), Applied::Gap);
        prop_assert_eq!(&state, &before);
        let holed = log[..at].iter().chain(&log[at + 1..]);
        let (last, found) = (log[at - 1].seq, log[at + 1].seq);
        prop_assert_eq!(RunState::fold(holed), Err(FoldError::Gap { last, found }));
    }

    #[test]
    fn every_event_survives_json(script in testing::scripts()) {
        for event in simulate(&script) {
            let text = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<RunEvent>(&text).unwrap(), event);
        }
    }

    #[test]
    fn pieces_of_text_may_come_twice_and_late(
        pieces in prop::collection::vec("[aé€𝄞 ]{0,4}", 1..12),
        order in prop::collection::vec(0..12usize, 0..40),
    ) {
        let mut state = streaming();
        let whole = pieces.concat();
        let piece = |i: usize| {
            let offset = pieces[..i].concat().len() as u32;
            progress(offset, &pieces[i])
        };
        for i in order.into_iter().filter(|&i| i < pieces.len()) {
            let before = state.passes[0].calls[0].output.clone();
            let changed = state.apply_progress(&piece(i));
            let after = &state.passes[0].calls[0].output;
            prop_assert!(whole.starts_with(after.as_str()));
            prop_assert_eq!(changed, *after != before);
        }
        for i in 0..pieces.len() {
            state.apply_progress(&piece(i));
        }
        prop_assert_eq!(&state.passes[0].calls[0].output, &whole);
        // The whole text in one piece, as it is repeated to a viewer that joins late.
        prop_assert!(!state.apply_progress(&progress(0, &whole)));
        prop_assert_eq!(&state.passes[0].calls[0].output, &whole);
    }

    #[test]
    fn an_interruption_keeps_results_and_gives_back_what_was_under_way(
        script in testing::scripts(),
        cut in 0.0..1.0f64,
    ) {
        let log = simulate(&script);
        let before = fold(&log[..place(log.len(), cut)]);
        let mut state = before.clone();
        let event = |seq, kind| RunEvent { seq, at: before.latest, kind };
        let interrupted = event(before.last_seq.next(), EventKind::RunInterrupted);
        prop_assert_eq!(state.apply(&interrupted), Applied::Yes);
        prop_assert_eq!(state.status, RunStatus::Interrupted);
        for (old, new) in before.passes.iter().zip(&state.passes) {
            for (old, new) in old.calls.iter().zip(&new.calls) {
                if old.ended.is_some() {
                    prop_assert_eq!(old, new);
                } else {
                    prop_assert_eq!(new.status(), CallStatus::Queued);
                    prop_assert_eq!(old.attempts.len(), new.attempts.len());
                    prop_assert!(new.attempts.iter().all(|a| a.end.is_some()));
                }
            }
        }
        let resumed = event(interrupted.seq.next(), EventKind::RunResumed);
        prop_assert_eq!(state.apply(&resumed), Applied::Yes);
        prop_assert_eq!((state.status, state.resumed), (RunStatus::Running, before.resumed + 1));
    }
}

/// A run whose first call streams.
fn streaming() -> RunState {
    fold(&simulate(&Script::plain(Mode::Parallel, 1, &[1_000]))[..6])
}

fn progress(offset: u32, text: &str) -> Progress {
    Progress { pass: PassId(0), call: CallId(0), number: 1, offset, text: text.to_owned() }
}

#[test]
fn a_piece_that_leaves_a_hole_or_belongs_elsewhere_is_not_applied() {
    let mut state = streaming();
    assert!(!state.apply_progress(&progress(3, "late")));
    assert!(!state.apply_progress(&Progress { number: 2, ..progress(0, "x") }));
    assert!(!state.apply_progress(&Progress { call: CallId(7), ..progress(0, "x") }));
    assert!(!state.apply_progress(&Progress { pass: PassId(7), ..progress(0, "x") }));
    assert!(state.apply_progress(&progress(0, "née")));
    // Not at a boundary between characters: what another text would have there is not taken.
    assert!(!state.apply_progress(&progress(3, "ééé")));
    assert_eq!(state.passes[0].calls[0].output, "née");
}

#[test]
fn text_after_the_end_of_a_call_is_not_applied() {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 1, &[1_000]));
    assert!(!state.apply_progress(&progress(8, "!")));
    assert_eq!(state.passes[0].calls[0].output, "Answer 0");
}

#[test]
fn a_log_needs_its_header_first() {
    let log = simulate(&Script::plain(Mode::Parallel, 1, &[1_000]));
    assert_eq!(RunState::fold(&[]), Err(FoldError::Empty));
    assert_eq!(RunState::fold(&log[1..]), Err(FoldError::NoHeader(Seq(2))));
}

#[test]
fn the_made_up_logs_hold_every_kind_of_event() {
    let fails = Try { ttft: 900, generating: 100, fails: Some(50) };
    let calls = vec![vec![fails], vec![fails, testing::answered(500, 500)[0]]];
    let script = Script { calls, ..Script::plain(Mode::Compare, 1, &[]) };
    let stopped = Script { cancel: Some(1_200), interrupt: Some(300), ..script.clone() };
    let logs = [simulate(&script), simulate(&stopped)].concat();
    let kinds: std::collections::BTreeSet<String> = logs
        .iter()
        .map(|e| serde_json::to_value(e).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    let all = [
        "attempt_ended",
        "attempt_started",
        "call_ended",
        "calls_queued",
        "cancel_requested",
        "first_token",
        "pass_ended",
        "pass_started",
        "run_created",
        "run_ended",
        "run_interrupted",
        "run_resumed",
        "run_started",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn the_outcome_follows_from_the_calls() {
    let fails = vec![Try { ttft: 10, generating: 0, fails: Some(1) }];
    let answers = testing::answered(10, 10);
    let outcome = |calls: Vec<Vec<Try>>, cancel| {
        let script = Script { calls, cancel, ..Script::plain(Mode::Parallel, 1, &[]) };
        testing::run(&script).status
    };
    let both = || vec![fails.clone(), answers.clone()];
    assert_eq!(outcome(vec![answers.clone()], None), RunStatus::Succeeded);
    assert_eq!(outcome(vec![fails.clone()], None), RunStatus::Failed);
    assert_eq!(outcome(both(), None), RunStatus::Partial);
    assert_eq!(outcome(both(), Some(15)), RunStatus::Cancelled);
}
