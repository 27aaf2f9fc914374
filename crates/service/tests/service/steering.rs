//! Runs that are steered while they go on: paused, given other lanes and priorities; and runs that
//! steer themselves: adaptive concurrency and hedges.

use lanes_model::{
    AttemptResult, CallStatus, EventKind, LimitReason, Priority, RunEvent, RunHeader, RunId,
    RunState, RunStatus, RunSummary, Seq, UsdMicros,
};
use lanes_service::{ProviderConfig, RunChange, RunFilter, Service, ServiceError, Store};
use lanes_simulator::SimulatorConfig;

use crate::soak::create;
use crate::support::{
    asked, events, finished, going_on, latency, provider, service, simulator, until,
};

fn change(concurrency: Option<i64>, priority: Option<&str>) -> RunChange {
    RunChange { concurrency, priority: priority.map(str::to_owned) }
}

/// Of each run in the list, whether it is said to be paused.
async fn listed_as_paused(service: &Service) -> Vec<bool> {
    let page = service.list(&RunFilter { limit: 10, ..RunFilter::default() }).await.unwrap();
    page.items.iter().map(|run| run.paused).collect()
}

fn all_answered(state: &RunState) -> bool {
    state.passes[0].calls.iter().all(|c| c.status() == CallStatus::Succeeded)
}

fn place(log: &[RunEvent], wanted: impl Fn(&EventKind) -> bool) -> usize {
    log.iter().position(|e| wanted(&e.kind)).unwrap()
}

fn starts(kind: &EventKind) -> bool {
    matches!(kind, EventKind::AttemptStarted { .. })
}

fn ends(kind: &EventKind) -> bool {
    matches!(kind, EventKind::AttemptEnded { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_run_starts_nothing_and_goes_on_with_other_lanes_and_priority() {
    let (addr, stats) = simulator(latency("fixed:30ms")).await;
    let (service, run) = going_on(&provider(addr), 60, 4, |_| ()).await;
    until(&service, &run, ends).await;
    service.pause(&run).await.unwrap();
    assert!(service.state(&run).await.unwrap().0.paused);
    assert_eq!(listed_as_paused(&service).await, [true]);
    service.pause(&run).await.unwrap();
    service.change(&run, change(Some(1), Some("batch"))).await.unwrap();
    until(&service, &run, |kind| matches!(kind, EventKind::PriorityChanged { .. })).await;
    let sent = asked(&stats);
    assert!(sent < 60);
    service.resume(&run).await.unwrap();
    assert_eq!(listed_as_paused(&service).await, [false]);
    assert!(matches!(service.resume(&run).await, Err(ServiceError::Conflict(_))), "it goes on");

    let state = finished(&service, &run).await;
    assert!(all_answered(&state));
    assert_eq!((state.priority, state.paused, asked(&stats)), (Priority::Batch, false, 60));
    let limit = state.passes[0].limits.last().unwrap();
    assert_eq!((limit.limit, limit.why), (1, LimitReason::User));
    let log = events(&service, &run, Seq(0)).await;
    let paused = place(&log, |kind| matches!(kind, EventKind::RunPaused));
    let on = place(&log, |kind| matches!(kind, EventKind::RunContinued));
    assert!(!log[paused..on].iter().any(|e| starts(&e.kind)), "nothing starts in a pause");
    let mut flying = log[..on].iter().filter(|e| starts(&e.kind)).count()
        - log[..on].iter().filter(|e| ends(&e.kind)).count();
    for event in &log[on..] {
        if starts(&event.kind) {
            assert_eq!(flying, 0, "one lane, once what was under way is over");
            flying += 1;
        } else if ends(&event.kind) {
            flying -= 1;
        }
    }
    for late in [service.pause(&run).await, service.change(&run, change(Some(2), None)).await] {
        assert!(matches!(late, Err(ServiceError::Conflict(_))), "{late:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_run_stays_so_when_the_program_ends_and_goes_on_when_it_is_resumed_by_hand() {
    let (addr, stats) = simulator(latency("fixed:30ms")).await;
    let provider = provider(addr);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lanes.db");
    let store = Store::open(&file).await.unwrap();
    let run = create(&store, &provider, 40, 2).await;
    let first = service(store.clone(), provider.clone()).await;
    first.resume(&run).await.unwrap();
    until(&first, &run, ends).await;
    first.pause(&run).await.unwrap();
    first.shutdown().await;
    store.close().await;

    let second = service(Store::open(&file).await.unwrap(), provider).await;
    let (before, _) = second.state(&run).await.unwrap();
    assert_eq!((before.status, before.paused), (RunStatus::Interrupted, true));
    assert!(asked(&stats) < 40);
    second.resume(&run).await.unwrap();
    let (after, _) = second.state(&run).await.unwrap();
    assert!(!after.paused, "whoever resumes it wants it to go on");
    let state = finished(&second, &run).await;
    assert!(all_answered(&state));
    // Once to begin with, once by hand.
    assert_eq!((state.status, state.resumed), (RunStatus::Succeeded, 2));
}

#[tokio::test]
async fn what_cannot_be_changed_is_said_in_its_place() {
    let hangs = SimulatorConfig { hang_rate: 1.0, ..latency("none") };
    let (addr, _) = simulator(hangs).await;
    let (service, run) = going_on(&provider(addr), 4, 2, |_| ()).await;
    let refused = async |wrong| match service.change(&run, wrong).await {
        Err(ServiceError::Invalid(errors)) => errors.into_iter().map(|e| e.pointer).collect(),
        other => panic!("it was taken: {other:?}"),
    };
    for wrong in [0, -1, 65, i64::MAX, i64::MIN] {
        let places: Vec<String> = refused(change(Some(wrong), None)).await;
        assert_eq!(places, ["/concurrency"], "{wrong}");
    }
    let places = refused(change(Some(0), Some("urgent"))).await;
    assert_eq!(places, ["/concurrency", "/priority"]);
    assert_eq!(refused(RunChange::default()).await, [""]);
    let nobody = RunId::from("nobody");
    let missing = service.change(&nobody, change(Some(1), None)).await;
    assert!(matches!(missing, Err(ServiceError::NotFound(_))));
    assert!(matches!(service.pause(&nobody).await, Err(ServiceError::NotFound(_))));
    service.cancel(&run).await.unwrap();
    assert_eq!(finished(&service, &run).await.status, RunStatus::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_adapt_to_a_provider_that_refuses_and_every_call_is_answered() {
    // More than 100 requests a second are refused, whatever the minute has left.
    let (addr, stats) =
        simulator(SimulatorConfig { rpm: Some(6_000), burst: Some(10), ..latency("fixed:20ms") })
            .await;
    let adapt = |header: &mut RunHeader| header.spec.adaptive = true;
    let (service, run) = going_on(&provider(addr), 200, 48, adapt).await;
    let state = finished(&service, &run).await;
    assert!(all_answered(&state));
    let limits = &state.passes[0].limits;
    assert_eq!((limits[0].limit, limits[0].why), (8, LimitReason::Start));
    let cut = limits.iter().position(|l| l.why == LimitReason::RateLimited).unwrap();
    assert!(limits[cut].limit < limits[cut - 1].limit, "{limits:?}");
    assert!(asked(&stats) > 200, "some were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hedge_is_the_answer_to_a_late_call_and_what_the_loser_cost_is_counted() {
    let (quick, _) = simulator(latency("fixed:20ms")).await;
    let (slow, _) = simulator(latency("rate:ttft=50ms,tps=1,cv=0")).await;
    let replicas = vec![format!("http://{slow}/v1")];
    let config = ProviderConfig { replicas, ..provider(quick) };
    let (service, run) = going_on(&config, 40, 4, |header| {
        header.spec.hedge = true;
        header.plan.calls.iter_mut().for_each(|call| call.task = 0);
    })
    .await;
    let state = finished(&service, &run).await;
    assert!(all_answered(&state));
    let calls = state.passes[0].calls.iter();
    let hedged: Vec<_> = calls.filter(|c| c.attempts.iter().any(|a| a.hedge)).collect();
    assert!(!hedged.is_empty(), "the calls at the slow endpoint are late");
    for call in &hedged {
        let [loser, winner] = call.attempts.as_slice() else { panic!("{:?}", call.attempts) };
        assert_eq!((loser.route.0, winner.route.0, winner.hedge), (1, 0, true));
        assert_eq!(loser.result, AttemptResult::Cancelled);
        assert_eq!((loser.end, winner.result), (winner.end, AttemptResult::Succeeded));
        assert!(loser.usage.unwrap().estimated && loser.cost_usd_micros > Some(UsdMicros(0)));
    }
    let attempts = state.passes[0].calls.iter().flat_map(|c| &c.attempts);
    let cost: UsdMicros = attempts.filter_map(|a| a.cost_usd_micros).sum();
    assert_eq!(RunSummary::of(&state).cost_usd_micros, Some(cost));
}
