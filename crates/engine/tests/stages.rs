//! Calls that need the answers of others.

use lanes_engine::RunControl;
use lanes_model::FailureKind::{InvalidOutput, InvalidRequest, ServerError, Skipped};
use lanes_model::{
    AttemptEnd, CallId, CallStatus, EventKind, Ledger, LedgerState, Micros, Mode, Plan,
    PlannedStage, RunState, RunStatus, Scope, StageId, lower_bound, segments,
};
use proptest::prelude::*;

use crate::support::provider::{Script, answer_text, answers};
use crate::support::{Bench, Step, ms, parallel, paused};

/// A stage of so many tasks that needs those at these places.
fn stage(tasks: u32, needs: &[u16]) -> PlannedStage {
    let id = StageId(format!("s{tasks}"));
    PlannedStage {
        name: id.to_string(),
        id,
        tasks: (0..tasks).collect(),
        needs: needs.to_vec(),
        ..PlannedStage::default()
    }
}

fn bench(lanes: u32, stages: Vec<PlannedStage>, documents: u32, script: Script) -> Bench {
    let plan = Plan::of_stages(Mode::Parallel, false, lanes, stages, documents);
    assert_eq!(plan.calls.len(), script.len(), "a step for each call");
    Bench::new(&[parallel(lanes)], false, script).with_header(|header| header.plan = plan)
}

fn starts(state: &RunState) -> Vec<u64> {
    let calls = state.passes[0].calls.iter();
    calls.map(|c| c.start().map_or(u64::MAX, |at| at.0 / 1_000)).collect()
}

fn ledger(state: &RunState) -> Ledger {
    let pass = &state.passes[0];
    let ledger = Ledger::of(&segments(&state.header.plan, pass, state.latest));
    if pass.limits.is_empty() {
        assert_eq!(ledger.total().0, pass.wall(state.latest).0 * u64::from(pass.lanes));
    }
    ledger
}

#[tokio::test(start_paused = true)]
async fn a_record_goes_on_as_soon_as_its_own_needs_are_met() {
    // Two records of two stages: the second stage of the first does not wait for the second record.
    let bench = bench(2, vec![stage(1, &[]), stage(1, &[0])], 2, answers(&[10, 10, 100, 10]));
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(starts(&state), [0, 10, 0, 100]);
    assert_eq!(state.passes[0].wall(state.latest), ms(110));
    // The second lane had nothing to do from 20 to 100, and from 100 on.
    let ledger = ledger(&state);
    assert_eq!(ledger.get(LedgerState::DependencyWait), ms(80));
    assert_eq!(ledger.get(LedgerState::Idle), ms(10));
    let bound = lower_bound(&state.header.plan, &state.passes[0], None, None).expect("a bound");
    assert_eq!(bound.us, ms(110));
    let with = bench.provider.with.lock().expect("no panic");
    let second = with.iter().find(|(call, _)| call.0 == 1).expect("it was asked");
    assert_eq!(second.1.needs, [(CallId(0), Some(answer_text(0).into()))]);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_call_without_an_answer_is_skipped_and_the_others_go_on() {
    let script = vec![
        vec![Step::fail(5, InvalidRequest)],
        vec![Step::answer(5)],
        vec![Step::answer(5)],
        vec![Step::answer(5)],
        vec![Step::answer(5)],
        vec![Step::answer(5)],
    ];
    let stages = vec![stage(1, &[]), stage(1, &[0]), stage(1, &[1])];
    let state = bench(2, stages, 2, script).finish().await;
    assert_eq!(state.status, RunStatus::Partial);
    let calls = &state.passes[0].calls;
    let failures: Vec<_> = calls.iter().filter_map(|c| c.failure.as_ref()).collect();
    let kinds: Vec<_> = failures.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [InvalidRequest, Skipped, Skipped]);
    assert!(failures[1].message.contains("“s1”"), "{}", failures[1].message);
    assert!(calls[3..].iter().all(|c| c.status() == CallStatus::Succeeded));
    ledger(&state);
}

#[tokio::test(start_paused = true)]
async fn a_stage_over_all_records_goes_once_with_what_there_is() {
    let all = PlannedStage { scope: Scope::All, ..stage(1, &[0]) };
    let script = vec![
        vec![Step::answer(5)],
        vec![Step::fail(5, InvalidRequest)],
        vec![Step::answer(20)],
        vec![Step::answer(5)],
    ];
    let bench = bench(4, vec![stage(1, &[]), all], 3, script);
    let state = bench.finish().await;
    assert_eq!(starts(&state)[3], 20);
    let with = bench.provider.with.lock().expect("no panic").clone();
    let last = with.last().expect("it was asked");
    let there: Vec<_> = last.1.needs.iter().map(|(_, text)| text.is_some()).collect();
    assert_eq!(there, [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_stage_over_all_records_is_skipped_when_none_got_there() {
    let all = PlannedStage { scope: Scope::All, ..stage(1, &[0]) };
    let fails = || vec![Step::fail(5, InvalidRequest)];
    let script = vec![fails(), fails(), vec![Step::answer(5)]];
    let state = bench(4, vec![stage(1, &[]), all], 2, script).finish().await;
    assert_eq!(state.passes[0].calls[2].failure.as_ref().map(|f| f.kind), Some(Skipped));
    assert_eq!(state.status, RunStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_stage_has_no_more_calls_under_way_than_it_may() {
    let narrow = PlannedStage { concurrency: Some(2), ..stage(1, &[]) };
    let bench = bench(6, vec![narrow, stage(1, &[])], 4, answers(&[10; 8]));
    let state = bench.finish().await;
    // The calls of the other stage take the lanes that the narrow one may not use.
    assert_eq!(starts(&state), [0, 0, 0, 0, 10, 0, 10, 0]);
    let ledger = ledger(&state);
    assert_eq!(ledger.get(LedgerState::QueueWait), Micros::ZERO);
    assert_eq!(ledger.get(LedgerState::Idle), ms(40));
    assert_eq!(ledger.get(LedgerState::Engine), Micros::ZERO);
    let bound = lower_bound(&state.header.plan, &state.passes[0], None, None).expect("a bound");
    assert_eq!(bound.us, ms(20));
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_a_full_stage_leaves_free_waits_in_a_queue() {
    let narrow = PlannedStage { concurrency: Some(1), ..stage(1, &[]) };
    let state = bench(2, vec![narrow], 3, answers(&[10; 3])).finish().await;
    assert_eq!(starts(&state), [0, 10, 20]);
    assert_eq!(ledger(&state).get(LedgerState::QueueWait), ms(20));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_wrong_form_is_asked_for_once_more_with_the_reason() {
    let bench = bench(2, vec![stage(1, &[])], 2, answers(&[10, 10]));
    *bench.provider.rejects.lock().expect("no panic") = vec![(0, 1), (1, 2)];
    let state = bench.finish().await;
    let calls = &state.passes[0].calls;
    assert_eq!(calls[0].status(), CallStatus::Succeeded);
    assert_eq!(calls[1].status(), CallStatus::Invalid);
    assert_eq!(calls[1].failure.as_ref().map(|f| f.kind), Some(InvalidOutput));
    assert_eq!(calls[1].output, answer_text(1));
    assert!(calls.iter().all(|c| c.attempts.len() == 2));
    assert!(calls[0].attempts[0].usage.is_some(), "what it used is told");
    let with = bench.provider.with.lock().expect("no panic");
    let reasons: Vec<_> = with.iter().map(|(_, asked)| asked.rejected.is_some()).collect();
    assert_eq!(reasons, [false, false, true, true]);
    ledger(&state);
}

#[tokio::test(start_paused = true)]
async fn calls_are_looked_up_with_what_they_need() {
    let stages = || vec![stage(1, &[]), stage(1, &[0])];
    let mut bench = bench(2, stages(), 2, answers(&[10; 4]));
    bench.cache = Some(crate::support::Memory::new(8));
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let with = bench.provider.with.lock().expect("no panic");
    let second = with.iter().filter(|(call, _)| call.0 == 1);
    assert!(second.into_iter().all(|(_, asked)| asked.needs[0].1.is_some()));
}

fn step() -> impl Strategy<Value = Step> {
    (1u64..60, 0u32..12).prop_map(|(duration, kind)| match kind {
        0 => Step::fail(duration, ServerError),
        1 => Step::fail(duration, InvalidRequest),
        _ => Step::answer(duration),
    })
}

/// Up to five stages, each needing some of those before it.
fn stages() -> impl Strategy<Value = Vec<PlannedStage>> {
    let one = (1u32..3, any::<u16>(), 0u32..5, prop::option::weighted(0.3, 1u32..4));
    prop::collection::vec(one, 1..6).prop_map(|stages| {
        let planned = stages.into_iter().enumerate().map(|(place, (tasks, mask, all, cap))| {
            let before = 0..u16::try_from(place).expect("few stages");
            let needs: Vec<_> = before.filter(|i| mask & (1 << i) != 0).collect();
            let scope = if all == 0 { Scope::All } else { Scope::Record };
            PlannedStage { scope, concurrency: cap, ..stage(tasks, &needs) }
        });
        planned.collect()
    })
}

/// Everything that holds for any run of stages that has come to its end.
fn check(bench: &Bench, state: &RunState, lanes: u32) -> Result<(), TestCaseError> {
    let (plan, pass) = (&state.header.plan, &state.passes[0]);
    prop_assert!(pass.calls.iter().all(|c| c.ended.is_some()));
    for (id, call) in (0..).map(CallId).zip(&pass.calls) {
        let needs: Vec<_> = plan.needs(id).map(|need| &pass.calls[need.index()]).collect();
        let met = match plan.stage_of(id).expect("a stage").scope {
            Scope::Record => needs.iter().all(|n| n.status() == CallStatus::Succeeded),
            Scope::All => {
                needs.is_empty() || needs.iter().any(|n| n.status() == CallStatus::Succeeded)
            }
        };
        let skipped = call.failure.as_ref().is_some_and(|f| f.kind == Skipped);
        prop_assert_eq!(skipped, !met);
        prop_assert_eq!(skipped, call.attempts.is_empty());
        let last = needs.iter().filter_map(|n| n.end).max();
        prop_assert!(call.start().is_none_or(|start| last.is_none_or(|last| last <= start)));
    }
    for (id, asked) in bench.provider.with.lock().expect("no panic").iter() {
        let expected = plan.needs(*id).map(|need| {
            let call = &pass.calls[need.index()];
            let answered = call.status() == CallStatus::Succeeded;
            (need, answered.then(|| call.output.as_str().into()))
        });
        prop_assert_eq!(&asked.needs, &expected.collect::<Vec<_>>());
    }
    for (place, stage) in plan.stages.iter().enumerate() {
        let of = pass.calls.iter().zip(&plan.calls);
        let of = of.filter(|(_, planned)| usize::from(planned.stage) == place);
        let spans: Vec<_> = of
            .flat_map(|(c, _)| &c.attempts)
            .map(|a| (a.start, a.end.unwrap_or(a.start)))
            .collect();
        let most = spans
            .iter()
            .map(|(at, _)| spans.iter().filter(|(start, end)| start <= at && at < end).count());
        let cap = stage.concurrency.unwrap_or(lanes).min(lanes) as usize;
        prop_assert!(most.max().unwrap_or(0) <= cap);
    }
    let ledger = ledger(state);
    prop_assert_eq!(ledger.get(LedgerState::Engine), Micros::ZERO, "no lane idles: {:?}", ledger);
    if let Some(bound) = lower_bound(plan, pass, None, None) {
        prop_assert!(bound.us <= pass.wall(state.latest));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn needs_are_met_before_a_call_goes_and_no_lane_idles(
        stages in stages(),
        documents in 1u32..5,
        lanes in 1u32..7,
        steps in prop::collection::vec(prop::collection::vec(step(), 1..3), 64),
    ) {
        let plan = Plan::of_stages(Mode::Parallel, false, lanes, stages.clone(), documents);
        let script: Script = steps.into_iter().cycle().take(plan.calls.len()).collect();
        let bench = bench(lanes, stages, documents, script);
        let state = paused(bench.finish());
        check(&bench, &state, lanes)?;
    }

    #[test]
    fn a_run_that_was_cut_off_anywhere_goes_on_to_the_same_end(
        stages in stages(),
        documents in 1u32..4,
        lanes in 1u32..5,
        durations in prop::collection::vec(1u64..40, 60),
        cut in 1usize..200,
    ) {
        let plan = Plan::of_stages(Mode::Parallel, false, lanes, stages.clone(), documents);
        let durations: Vec<_> = durations.into_iter().cycle().take(plan.calls.len()).collect();
        let whole = bench(lanes, stages.clone(), documents, answers(&durations));
        let undisturbed = paused(whole.finish());
        let cut_off = bench(lanes, stages, documents, answers(&durations));
        paused(cut_off.finish());
        let events = cut_off.log.events();
        let cut = cut.min(events.len() - 1);
        // An answer and the end of its call are stored together.
        let end = match &events[cut - 1].kind {
            EventKind::AttemptEnded { end: AttemptEnd::Succeeded { .. }, .. } => cut + 1,
            _ => cut,
        };
        cut_off.log.truncate(end);
        let answered = |state: &RunState| {
            state.passes[0].calls.iter().filter(|c| c.successful().is_some()).count()
        };
        let before = answered(&cut_off.log.state());
        let again = Bench { control: RunControl::new(), ..cut_off };
        let attempts = again.provider.attempts();
        let state = paused(again.finish());
        prop_assert_eq!(state.status, RunStatus::Succeeded);
        prop_assert_eq!(again.provider.attempts() - attempts, plan.calls.len() - before);
        let outputs = |state: &RunState| {
            state.passes[0].calls.iter().map(|c| c.output.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(outputs(&state), outputs(&undisturbed));
    }
}

/// Two calls, one that follows from them without a request, one that needs that.
fn with_known() -> Bench {
    let stages = vec![stage(2, &[]), stage(1, &[0]), stage(1, &[1])];
    let script = vec![
        vec![Step::answer(10)],
        vec![Step::answer(20)],
        vec![Step::fail(1, InvalidRequest)],
        vec![Step::answer(5)],
    ];
    let bench = bench(2, stages, 1, script);
    *bench.provider.known.lock().expect("no panic") = vec![2];
    bench
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_follows_from_others_ends_with_them_and_without_an_attempt() {
    let bench = with_known();
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let joined = &state.passes[0].calls[2];
    assert_eq!(joined.output, [answer_text(0), answer_text(1)].join("+"));
    assert_eq!((joined.attempts.len(), joined.end), (0, Some(ms(20))));
    assert_eq!(starts(&state)[3], 20);
    assert_eq!(state.passes[0].wall(state.latest), ms(25));
    let bound = lower_bound(&state.header.plan, &state.passes[0], None, None).expect("a bound");
    assert_eq!(bound.us, ms(25));
    ledger(&state);
}

#[tokio::test(start_paused = true)]
async fn what_follows_from_others_is_worked_out_after_a_restart_wherever_the_log_ends() {
    let whole = with_known();
    let expected = whole.finish().await;
    let kinds = whole.log.kinds();
    for events in 2..kinds.len() {
        // An answer and the end of its call are written together.
        if let EventKind::AttemptEnded { end: AttemptEnd::Succeeded { .. }, .. } = kinds[events - 1]
        {
            continue;
        }
        let cut = with_known();
        cut.finish().await;
        cut.log.truncate(events);
        let state = cut.finish().await;
        let outputs = |s: &RunState| -> Vec<String> {
            s.passes[0].calls.iter().map(|c| c.output.clone()).collect()
        };
        assert_eq!(outputs(&state), outputs(&expected), "cut after {events}");
        assert!(state.passes[0].calls[2].attempts.is_empty());
    }
}
