//! What is said of runs of the six tasks.

use super::*;
use crate::testing::{self, Script};
use crate::{Mode, task};

/// A run of the six tasks on one document that took these times, in milliseconds.
fn explained(mode: Mode, lanes: u32, ms: &[u64]) -> Vec<String> {
    let mut state = testing::run(&Script::plain(mode, lanes, ms));
    state.header.tasks = task::built_in();
    state.header.documents.truncate(1);
    for (i, call) in (0..).zip(&mut state.header.plan.calls) {
        (call.task, call.document) = (i, Some(0));
    }
    explain_ledger(&state)
}

const SIX: [u64; 6] = [2_340, 1_450, 1_800, 2_350, 2_460, 1_600];

#[test]
fn idle_lanes_wait_for_the_longest_call() {
    let sentences = explained(Mode::Compare, 6, &SIX);
    assert_eq!(
        sentences,
        [
            "Parallel spends 2.76 lane-seconds idle: five lanes wait for Translation \
             (Spanish), the longest call.",
            "Four lanes would finish at about 3.9 s; more lanes would not finish sooner.",
        ]
    );
}

#[test]
fn lanes_without_a_call_are_named_and_not_needed() {
    let sentences = explained(Mode::Parallel, 8, &SIX);
    assert!(sentences[0].contains("two lanes get no call, and five lanes wait"), "{sentences:?}");
    assert!(sentences[1].starts_with("Six lanes would do as well;"), "{sentences:?}");
}

#[test]
fn more_lanes_are_proposed_where_they_help() {
    let sentences = explained(Mode::Parallel, 3, &[1_000; 6]);
    assert_eq!(
        sentences,
        [
            "100\u{2009}% of the lane time of Parallel goes to requests.",
            "Two lanes would finish at about 3.0 s; six lanes would finish at about 1.0 s.",
        ]
    );
}

#[test]
fn a_sequential_run_learns_what_lanes_would_do() {
    let sentences = explained(Mode::Sequential, 1, &SIX);
    assert_eq!(sentences[1], "Six lanes would finish the same calls at about 2.5 s.");
}

#[test]
fn one_lane_that_would_do_as_well_is_singular() {
    let sentences = explained(Mode::Parallel, 2, &[9_000, 10]);
    assert_eq!(sentences[1], "One lane would do as well; more lanes would not finish sooner.");
}

#[test]
fn a_rate_limit_that_binds_is_named_instead_of_lanes() {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[1_000; 4]));
    state.header.provider.rpm = Some(2);
    state.passes[0].end = Some(Micros::from_secs(121));
    assert_eq!(
        explain_ledger(&state)[1],
        "The provider's limit on requests a minute sets the time, on any number of lanes: \
         raised to 120, it would save 1 m 59 s."
    );
}

#[test]
fn a_limit_that_no_higher_one_would_better_is_not_blamed_and_lanes_do_not_go_below_it() {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[1_000; 8]));
    // Two go at once, the last of the others after 3.03 s: a little more than two lanes need.
    state.header.provider.rpm = Some(119);
    state.passes[0].end = Some(Micros::from_millis(4_034));
    let said = explain_ledger(&state)[1].clone();
    assert!(!said.contains("limit"), "{said}");
    assert!(said.ends_with("more lanes would not finish sooner."), "{said}");
}
