//! Expected schedules, costs and what is left of a run.

use super::*;
use crate::provider::Pace;
use crate::testing::{self, Script, Try};
use crate::{Mode, task};

fn provider() -> ProviderInfo {
    testing::header(Mode::Compare, 2, 1).provider
}

fn history(task: &str, samples: u32, duration_us: u64) -> TaskHistory {
    TaskHistory {
        task: TaskId::from(task),
        samples,
        duration_us,
        ttft_us: duration_us / 4,
        output_tokens: 50,
        deviation_us: 0,
    }
}

#[test]
fn calls_that_differ_make_the_last_lane_late() {
    let tasks = task::built_in();
    let known: Vec<_> = tasks
        .iter()
        .map(|t| TaskHistory { deviation_us: 300_000, ..history(t.id.as_str(), 200, 2_000_000) })
        .collect();
    let chosen: Vec<_> = tasks.iter().zip(&known).map(|(t, h)| (t, Some(h))).collect();
    let plan = Plan::new(Mode::Compare, false, 6, 6, 1);
    let found = estimate(&chosen, &[300], &plan, &provider());
    let (parallel, sequential) = (found.passes[0].wall, found.passes[1].wall);
    // Six standard normals are expected to reach 1.267 deviations.
    assert!((parallel.as_secs_f64() - 2.38).abs() < 0.02, "{parallel:?}");
    assert_eq!(sequential, Micros::from_secs(12));
    assert!(found.passes[0].calls.iter().all(|c| c.end == Micros::from_secs(2)));
}

/// Two tasks, the first with history, in compare mode on two lanes.
fn estimate_with(documents: &[u64], provider: &ProviderInfo) -> Estimate {
    let tasks = task::built_in();
    let known = history("summary", 40, 1_000_000);
    let chosen = [(&tasks[0], Some(&known)), (&tasks[2], None)];
    let plan = Plan::new(Mode::Compare, false, 2, 2, documents.len() as u32);
    estimate(&chosen, documents, &plan, provider)
}

#[test]
fn history_goes_before_pace_and_calls_are_scheduled_in_order() {
    let found = estimate_with(&[100, 100], &provider());
    // Keywords: 0.4 s to the first token, and 20 tokens at 50 a second.
    let (summary, keywords) = (1_000_000, 800_000);
    let walls: Vec<_> = found.passes.iter().map(|p| (p.mode, p.wall.0)).collect();
    assert_eq!(
        walls,
        [
            (PassMode::Parallel, keywords + summary),
            (PassMode::Sequential, 2 * (keywords + summary))
        ]
    );
    let lanes: Vec<_> = found.passes[0].calls.iter().map(|c| (c.lane.0, c.start.0)).collect();
    assert_eq!(lanes, [(0, 0), (1, 0), (1, keywords), (0, summary)]);
    assert_eq!(found.samples, 0);
}

#[test]
fn the_cost_follows_from_prompt_and_expected_answer() {
    let found = estimate_with(&[100], &provider());
    let tasks = task::built_in();
    let input = |t: &Task| 100 + t.system_message.len() as u64 / 4 + 12;
    let cost = |input: u64, output: u64| (input * 150 + output * 600 + 500) / 1_000;
    let sum = cost(input(&tasks[0]), 50) + cost(input(&tasks[2]), 20);
    assert_eq!(found.cost_per_pass, Some(UsdMicros(sum)));
    let free = ProviderInfo { price: None, ..provider() };
    assert_eq!(estimate_with(&[100], &free).cost_per_pass, None);
}

#[test]
fn a_provider_may_take_the_same_time_for_every_answer() {
    let pace = Pace { ttft_us: 400_000, millitokens_per_s: 0, whole_us: 900_000, cv_permille: 0 };
    let found = estimate_with(&[100], &ProviderInfo { pace, ..provider() });
    assert_eq!(found.passes[0].calls[1].end, Micros(900_000));
}

#[test]
fn a_rate_limit_makes_the_estimate_longer() {
    let found = estimate_with(&[100, 100], &ProviderInfo { rpm: Some(2), ..provider() });
    // Four requests, half a minute apart.
    assert_eq!(found.passes[0].wall, Micros::from_secs(90));
}

/// The state of a run at a moment, with an estimate of 1 s for every call.
fn at(script: &Script, ms: u64) -> Vec<(u8, u32, u16, u64, u64)> {
    let now = Micros::from_millis(ms);
    let log = testing::simulate(script);
    let state = RunState::fold(log.iter().take_while(|e| e.at <= now)).unwrap();
    let tasks = task::built_in();
    let known = history("summary", 3, 1_000_000);
    let documents = vec![100; script.calls.len()];
    let plan = &state.header.plan;
    let estimate = estimate(&[(&tasks[0], Some(&known))], &documents, plan, &provider());
    assert_eq!(estimate.samples, 3);
    remaining(&state, &estimate, now)
        .into_iter()
        .map(|(pass, c)| (pass.0, c.call.0, c.lane.0, c.start.0 / 1_000, c.end.0 / 1_000))
        .collect()
}

#[test]
fn calls_under_way_end_as_expected_and_others_follow() {
    let script = Script::plain(Mode::Parallel, 2, &[900, 3_000, 900, 900]);
    assert_eq!(
        at(&script, 500),
        [
            (0, 0, 0, 0, 1_000),
            (0, 1, 1, 0, 1_000),
            (0, 2, 0, 1_000, 2_000),
            (0, 3, 1, 1_000, 2_000),
        ]
    );
    // The second call is overdue: it ends now at the earliest.
    assert_eq!(at(&script, 2_000), [(0, 1, 1, 0, 2_000), (0, 3, 0, 1_800, 2_800)]);
    assert_eq!(at(&script, 9_000), []);
}

#[test]
fn a_waiting_pass_starts_at_its_own_zero_with_what_the_other_took() {
    let script = Script::plain(Mode::Compare, 2, &[400, 3_000]);
    assert_eq!(at(&script, 500), [(0, 1, 1, 0, 1_000), (1, 0, 0, 0, 400), (1, 1, 0, 400, 1_400),]);
}

#[test]
fn a_call_in_backoff_is_expected_after_it() {
    let fails = Try { ttft: 100_000, generating: 0, fails: Some(700_000) };
    let script = Script {
        calls: vec![vec![fails, fails], testing::answered(200_000, 300_000)],
        ..Script::plain(Mode::Parallel, 1, &[])
    };
    assert_eq!(at(&script, 200), [(0, 1, 0, 100, 1_100), (0, 0, 0, 1_100, 2_100)]);
    assert_eq!(at(&script, 700), [(0, 0, 0, 800, 1_800)]);
}

#[test]
fn nothing_is_expected_to_start_once_a_run_is_being_cancelled() {
    let script = Script::plain(Mode::Parallel, 1, &[900, 900]);
    let log = testing::simulate(&script);
    let mut state = RunState::fold(&log[..5]).unwrap();
    state.cancel_requested = true;
    let tasks = task::built_in();
    let estimate = estimate(&[(&tasks[0], None)], &[9, 9], &state.header.plan, &provider());
    let left = remaining(&state, &estimate, Micros(1));
    assert_eq!(left.iter().map(|(_, c)| c.call.0).collect::<Vec<_>>(), [0]);
}
