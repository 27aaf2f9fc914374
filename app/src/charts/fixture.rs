//! Small runs for the tests of the charts: two calls, of 1.5 s and 2.5 s, compared on two lanes.

use lanes_model::provider::{Pace, Price};
use lanes_model::{
    Attempt, AttemptEnd, CallEnd, CallId, DocumentId, DocumentInfo, EventKind, Finish, LaneId,
    Micros, Mode, PassEnd, PassId, Plan, ProviderInfo, RunEvent, RunHeader, RunId, RunSpec,
    RunState, RunStatus, Seq, Usage, task,
};

fn header(title: &str) -> RunHeader {
    let tasks: Vec<_> = task::built_in().into_iter().take(2).collect();
    RunHeader {
        id: RunId("0199-test".to_owned()),
        title: title.to_owned(),
        created_at: "2026-11-21T10:42:00Z".to_owned(),
        spec: RunSpec::plain(Mode::Compare, 2, "simulator", "simulated-mini", &tasks),
        tasks,
        documents: vec![DocumentInfo {
            id: DocumentId("0".repeat(32)),
            name: title.to_owned(),
            bytes: 400,
            tokens: 100,
        }],
        provider: ProviderInfo {
            id: "simulator".to_owned(),
            name: "Simulated".to_owned(),
            simulated: true,
            models: vec!["simulated-mini".to_owned()],
            price: Some(Price::default()),
            rpm: None,
            tpm: None,
            pace: Pace { ttft_us: 400_000, millitokens_per_s: 50_000, whole_us: 0, cv_permille: 0 },
        },
        routes: Vec::new(),
        plan: Plan::new(Mode::Compare, false, 2, 2, 1),
    }
}

/// What happens, with its time in ms: parallel from 0 to 2.5 s, sequential from 3 s to 7 s.
fn script(title: &str) -> Vec<(u64, EventKind)> {
    let mut log = vec![
        (0, EventKind::RunCreated { header: Box::new(header(title)) }),
        (0, EventKind::RunStarted),
    ];
    let begin = |log: &mut Vec<_>, at, pass| {
        let started_at = "2026-11-21T10:42:00Z".to_owned();
        log.push((at, EventKind::PassStarted { pass: PassId(pass), started_at }));
        log.push((at, EventKind::CallsQueued { pass: PassId(pass), first: CallId(0), count: 2 }));
    };
    let call = |log: &mut Vec<_>, pass: u8, call: u32, lane: u16, from: u64, to: u64| {
        let (pass, call) = (PassId(pass), CallId(call));
        let attempt = Attempt { number: 1, of: 3 };
        let usage = Usage { input: 100, output: 40, cached: 0, estimated: false };
        let end = AttemptEnd::Succeeded { usage, cost_usd_micros: None, finish: Finish::Stop };
        log.push((
            from,
            EventKind::AttemptStarted {
                pass,
                call,
                lane: LaneId(lane),
                attempt,
                held: Micros::ZERO,
                held_by: Default::default(),
                route: Default::default(),
                hedge: false,
                redacted: 0,
            },
        ));
        log.push((from + 400, EventKind::FirstToken { pass, call, number: 1 }));
        log.push((to, EventKind::AttemptEnded { pass, call, number: 1, end }));
        let end = CallEnd::Succeeded { output: "An answer.".to_owned(), cached_usage: None };
        log.push((to, EventKind::CallEnded { pass, call, end }));
    };
    let end = |log: &mut Vec<_>, at, pass| {
        log.push((at, EventKind::PassEnded { pass: PassId(pass), end: PassEnd::Completed }));
    };
    begin(&mut log, 0, 0);
    call(&mut log, 0, 0, 0, 0, 1_500);
    call(&mut log, 0, 1, 1, 0, 2_500);
    end(&mut log, 2_500, 0);
    begin(&mut log, 3_000, 1);
    call(&mut log, 1, 0, 0, 3_000, 4_500);
    call(&mut log, 1, 1, 0, 4_500, 7_000);
    end(&mut log, 7_000, 1);
    log.push((7_000, EventKind::RunEnded { status: RunStatus::Succeeded }));
    log
}

fn fold(script: Vec<(u64, EventKind)>) -> RunState {
    let events: Vec<_> = (1..)
        .zip(script)
        .map(|(seq, (ms, kind))| RunEvent { seq: Seq(seq), at: Micros::from_millis(ms), kind })
        .collect();
    RunState::fold(&events).unwrap()
}

/// A run that is over.
pub(crate) fn finished(title: &str) -> RunState {
    fold(script(title))
}

/// The same run before its first call.
pub(super) fn started(title: &str) -> RunState {
    fold(script(title).into_iter().take(3).collect())
}
