//! A run from its request to its end, and watchers that come at any time.

use std::sync::Arc;

use futures::StreamExt;
use lanes_model::{
    CallStatus, Comparison, EventKind, PassMode, PassState, PassStatus, RunState, RunStatus, Seq,
};
use lanes_service::{RunFilter, WatchItem};

use crate::support::{
    asked, events, fast, finished, fresh, latency, provider, request, simulator, start, until,
};

const ALL: [&str; 6] = ["summary", "sentiment", "keywords", "questions", "translation", "category"];

/// The most attempts of a pass that were under way at one moment.
fn most_at_once(pass: &PassState) -> usize {
    let attempts: Vec<_> = pass.calls.iter().flat_map(|c| &c.attempts).collect();
    let running = |at| attempts.iter().filter(|a| a.start <= at && a.end.unwrap() > at).count();
    attempts.iter().map(|a| running(a.start)).max().unwrap()
}

#[tokio::test]
async fn a_comparison_runs_both_passes_and_is_listed_with_its_figures() {
    let (addr, stats) = simulator(latency("fixed:30ms")).await;
    let service = fresh(provider(addr)).await;
    let run = start(&service, &request("compare", &ALL)).await;
    let state = finished(&service, &run).await;

    assert_eq!(state.status, RunStatus::Succeeded);
    let modes: Vec<_> = state.passes.iter().map(|p| p.mode).collect();
    assert_eq!(modes, [PassMode::Parallel, PassMode::Sequential]);
    for pass in &state.passes {
        assert_eq!(pass.status, PassStatus::Completed);
        assert!(pass.calls.iter().all(|c| c.status() == CallStatus::Succeeded));
        assert!(pass.calls.iter().all(|c| !c.output.is_empty()));
    }
    assert_eq!(asked(&stats), 12);
    // What makes Parallel faster, without asking how fast this machine is.
    assert_eq!(most_at_once(&state.passes[0]), 6);
    assert_eq!(most_at_once(&state.passes[1]), 1);
    let comparison = Comparison::of(&state).unwrap();
    let wall = |i: usize| state.passes[i].wall(state.latest).as_secs_f64();
    assert!((comparison.speedup - wall(1) / wall(0)).abs() < 1e-9, "{comparison:?}");

    let page = service.list(&RunFilter { limit: 10, ..RunFilter::default() }).await.unwrap();
    assert_eq!(page.total, 1);
    assert_eq!(page.items[0].id, run);
    // The summary was written as JSON and read back, which may cost the last digit.
    let listed = page.items[0].speedup.unwrap();
    assert!((listed - comparison.speedup).abs() < 1e-9, "{listed} is not {comparison:?}");
    assert_eq!(service.totals().await.unwrap().cost_usd_micros, 0, "nobody paid for it");
    let history = service.history("simulator", lanes_simulator::MODEL).await.unwrap();
    assert_eq!(history.len(), 6, "later estimates know every task");
}

#[tokio::test]
async fn a_watcher_from_the_start_sees_every_event_once_and_then_the_end() {
    let (service, _) = fast().await;
    let run = start(&service, &request("compare", &ALL)).await;
    let live = events(&service, &run, Seq(0)).await;
    let places: Vec<_> = live.iter().map(|e| e.seq.0).collect();
    assert_eq!(places, (1..=live.len() as u64).collect::<Vec<_>>());
    assert!(matches!(live.last().unwrap().kind, EventKind::RunEnded { .. }));

    let again = events(&service, &run, Seq(0)).await;
    assert_eq!(live, again, "the replay is what was seen live");
    assert_eq!(RunState::fold(&live).unwrap(), service.state(&run).await.unwrap().0);
}

#[tokio::test]
async fn two_watchers_are_told_the_same_words_which_are_written_once() {
    let (addr, _) = simulator(latency("fixed:30ms")).await;
    let service = fresh(provider(addr)).await;
    let run = start(&service, &request("sequential", &ALL)).await;
    let told = || async {
        let items = service.watch(&run, Seq(0)).await.unwrap();
        let items: Vec<_> = items.map(|item| item.unwrap()).collect().await;
        let each = items.iter().map(|item| match item {
            WatchItem::Event(e) => (Some(Arc::clone(e)), e.json().to_owned()),
            WatchItem::Progress(piece) => (None, piece.json().to_owned()),
            WatchItem::Clock(_) | WatchItem::Trouble(_) | WatchItem::End(_) => {
                (None, String::new())
            }
        });
        each.collect::<Vec<_>>()
    };
    let (one, other) = futures::join!(told(), told());
    let events = |told: &[(Option<_>, _)]| -> Vec<Arc<_>> {
        told.iter().filter_map(|(event, _): &(Option<Arc<_>>, String)| event.clone()).collect()
    };
    let (one_s, other_s) = (events(&one), events(&other));
    assert_eq!(one_s.len(), other_s.len());
    let same = one_s.iter().zip(&other_s).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
    assert!(same > 6, "{same} of {} live events are shared", one_s.len());
    // The text of every call, however it was gathered, is the one of its answer.
    let state = service.state(&run).await.unwrap().0;
    assert!(state.passes[0].calls.iter().all(|call| !call.output.is_empty()));
    assert!(one.iter().any(|(event, json)| event.is_none() && json.contains("\"offset\"")));
}

#[tokio::test]
async fn a_watcher_that_comes_in_the_middle_gets_what_it_has_not_seen() {
    let (addr, _) = simulator(latency("fixed:20ms")).await;
    let service = fresh(provider(addr)).await;
    let run = start(&service, &request("sequential", &ALL)).await;
    let seen = until(&service, &run, |kind| matches!(kind, EventKind::CallEnded { .. })).await;
    let rest = events(&service, &run, seen).await;
    assert_eq!(rest[0].seq, seen.next());
    assert!(rest.windows(2).all(|pair| pair[1].seq == pair[0].seq.next()));
    let all = events(&service, &run, Seq(0)).await;
    assert_eq!(all[seen.0 as usize..], rest);
    assert_eq!(events(&service, &run, all.last().unwrap().seq).await, []);
}
