use proptest::prelude::*;

use super::*;
use crate::testing::{self, Script, Try, scripts, simulate};
use crate::{CallEnd, Mode, PassStatus, RunStatus, Seq};

/// The sums after a log, event by event; each time they are what a recount says.
fn folded(log: &[RunEvent]) -> (RunState, Batch) {
    let mut state = RunState::begin(&log[0]).unwrap();
    let mut batch = Batch::of(&state);
    for event in &log[1..] {
        assert_eq!(batch.apply(&mut state, event), Applied::Yes);
        assert_eq!(batch, Batch::of(&state), "after {event:?}");
    }
    (state, batch)
}

fn failing() -> Script {
    let fails = Try { ttft: 10, generating: 0, fails: Some(5) };
    let answers = Try { fails: None, ..fails };
    let calls = vec![vec![fails, answers], vec![fails, fails, fails], vec![answers]];
    Script { calls, ..Script::plain(Mode::Parallel, 2, &[]) }
}

proptest! {
    #[test]
    fn the_sums_of_any_log_equal_a_recount(script in scripts()) {
        folded(&simulate(&script));
    }
}

#[test]
fn an_event_that_comes_twice_counts_once() {
    let log = simulate(&failing());
    let (mut state, mut batch) = folded(&log);
    let before = batch.clone();
    assert_eq!(batch.apply(&mut state, &log[3]), Applied::Duplicate);
    assert_eq!(batch, before);
}

#[test]
fn a_frame_says_how_a_run_stands() {
    let (state, batch) = folded(&simulate(&failing()));
    let frame = batch.frame(&state, state.latest, true);
    assert_eq!((frame.calls, frame.counts.succeeded, frame.counts.failed), (3, 2, 1));
    assert_eq!((frame.in_flight, frame.documents_done), (0, frame.documents));
    assert_eq!((frame.stages[0].done, frame.stages[0].failed, frame.stages[0].calls), (2, 1, 3));
    assert_eq!(frame.eta, None, "it is over");
    let [group] = frame.failures.as_slice() else { panic!("{:?}", frame.failures) };
    assert_eq!((group.calls, group.attempts, group.retry_helps), (1, 3, true));
    let history = frame.history.unwrap();
    assert_eq!(
        history
            .points
            .iter()
            .map(|p| (p.done, p.failed))
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        (2, 1)
    );
    assert!(history.points.len() <= 240 && history.in_flight.len() >= history.points.len());
}

fn reopen(log: &mut Vec<RunEvent>, state: &RunState) {
    for (pass, calls) in reopened(state, &Reopen::default()) {
        let kind = EventKind::CallsReopened { pass, calls };
        log.push(RunEvent { seq: Seq(log.len() as u64 + 1), at: state.latest, kind });
    }
}

#[test]
fn reopened_calls_wait_again_and_the_run_can_go_on() {
    let mut log = simulate(&failing());
    let (state, _) = folded(&log);
    assert_eq!(state.status, RunStatus::Partial);
    reopen(&mut log, &state);
    let (state, batch) = folded(&log);
    assert_eq!((state.status, state.passes[0].status), (RunStatus::Queued, PassStatus::Running));
    let call = &state.passes[0].calls[1];
    assert_eq!(
        (call.status(), call.attempts.len(), call.tries().len()),
        (CallStatus::Queued, 3, 0)
    );
    assert_eq!((batch.counts().queued, batch.failures(&state).len()), (1, 0));
    let end = CallEnd::Succeeded { output: "late".to_owned(), cached_usage: None };
    let (pass, call) = (PassId(0), CallId(1));
    let kind = EventKind::CallEnded { pass, call, end };
    log.push(RunEvent { seq: state.last_seq.next(), at: state.latest, kind });
    let (state, batch) = folded(&log);
    assert_eq!((state.outcome(), batch.counts().succeeded), (RunStatus::Succeeded, 3));
}

#[test]
fn a_page_of_calls_goes_on_where_the_one_before_ended() {
    let state = testing::run(&Script::plain(Mode::Parallel, 2, &[30, 10, 20, 40, 50]));
    for sort in [CallSort::Plan, CallSort::Document, CallSort::Duration] {
        let mut query = CallQuery { sort, limit: 2, ..CallQuery::default() };
        let mut seen = Vec::new();
        loop {
            let (rows, next) = query.page(&state);
            assert!(rows.len() <= 2);
            seen.extend(rows.iter().map(|r| r.call));
            query.after = next;
            if next.is_none() {
                break;
            }
        }
        let mut all = seen.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4], "{sort:?}");
        if sort == CallSort::Duration {
            assert_eq!(seen, [4, 3, 0, 2, 1]);
        }
    }
    let none = CallQuery { status: Some(CallStatus::Failed), limit: 9, ..CallQuery::default() };
    assert_eq!(none.page(&state), (Vec::new(), None));
}

#[test]
fn the_grid_finds_records_by_name_and_answer() {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[30, 10]));
    state.passes[0].calls[1].output = "A Needle in hay".to_owned();
    let grid = |search: &str, status| {
        GridQuery { search: search.to_owned(), status, size: 10, ..GridQuery::default() }
            .grid(&state)
    };
    let all = grid("", None);
    assert_eq!((all.page, all.pages), (1, 1));
    assert_eq!(grid("needle", None).matching, 1);
    assert_eq!(grid("no such", None).matching, 0);
    assert_eq!(grid("", Some(CallStatus::Failed)).matching, 0);
}

#[test]
fn a_window_has_bars_while_they_are_few_and_cells_when_they_are_many() {
    let state = testing::run(&failing());
    let window = Window { from: Micros::ZERO, to: Micros::MAX, lanes: 64, width: 100 };
    let few = Timeline::of(&state, state.latest, window);
    assert_eq!(few.bars.as_ref().map(Vec::len), Some(6));
    assert_eq!((few.rows, few.cells), (2, None));
    let one_row = Timeline::of(&state, state.latest, Window { lanes: 1, width: 10, ..window });
    let cells = one_row.cells.unwrap();
    assert_eq!((one_row.rows, one_row.lanes_per_row, cells.len(), cells[0].len()), (1, 2, 1, 10));
    assert!(cells[0].contains('f'), "{cells:?}");
}
