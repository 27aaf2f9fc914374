//! The sums that the dashboard reads.

use lanes_model::{Micros, RunStatus, Seq};
use lanes_store::{Counted, FigureKey, FigureRow, Figures};

use crate::support::{Place, create, id};

fn row(start: i64, task: &str, calls: u64) -> FigureRow {
    let key = FigureKey { task: task.to_owned(), ..FigureKey::default() };
    let mut figures = Figures { calls, cost_usd_micros: 7, ..Figures::default() };
    (0..calls).for_each(|_| figures.times.add(Micros(1_000_000)));
    FigureRow { start, key, figures }
}

fn at(seq: u64, at_rest: bool) -> Counted {
    Counted { seq: Seq(seq), at_rest }
}

#[tokio::test]
async fn sums_add_up_by_minute_and_by_hour() {
    let place = Place::new();
    let store = place.open().await;
    let rows = [row(3_600, "a", 2), row(3_660, "a", 3), row(7_200, "b", 1)];
    assert!(store.add_figures(&rows, &[], None).await.unwrap());
    assert!(store.add_figures(&[row(3_600, "a", 1)], &[], None).await.unwrap());
    let minutes = store.figures(3_600, 60).await.unwrap();
    let said: Vec<_> = minutes.iter().map(|r| (r.start, r.figures.calls)).collect();
    assert_eq!(said, [(3_600, 3), (3_660, 3), (7_200, 1)]);
    let hours = store.figures(0, 3_600).await.unwrap();
    let said: Vec<_> = hours.iter().map(|r| (r.start, r.figures.calls)).collect();
    assert_eq!(said, [(3_600, 6), (7_200, 1)]);
    assert_eq!((hours[0].figures.times.total(), hours[0].figures.cost_usd_micros), (6, 21));
    let since = store.figures_since(3_660).await.unwrap();
    assert_eq!(since.iter().map(|r| r.figures.calls).collect::<Vec<_>>(), [3, 1]);
    store.forget_figures(7_200, 3_600).await.unwrap();
    assert_eq!(store.figures(0, 60).await.unwrap().len(), 1);
    assert_eq!(store.figures(0, 3_600).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_run_is_counted_as_far_as_it_was_said_and_no_further_twice() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    let run = id("a");
    let early = "2000-01-01T00:00:00Z";
    assert_eq!(store.uncounted_runs(early).await.unwrap(), std::slice::from_ref(&run));
    let counted = [(run.clone(), at(5, false)), (id("gone"), at(1, true))];
    store.add_figures(&[row(60, "a", 1)], &counted, None).await.unwrap();
    assert_eq!(store.counted(&run).await.unwrap(), Some(Seq(5)));
    assert_eq!(store.uncounted_runs(early).await.unwrap(), std::slice::from_ref(&run));
    let done = [(run.clone(), at(9, true))];
    let stale = store.add_figures(&[row(60, "a", 1)], &done, Some((&run, None))).await.unwrap();
    assert!(!stale, "somebody else has counted meanwhile");
    let known = Some((&run, Some(Seq(5))));
    assert!(store.add_figures(&[row(60, "a", 1)], &done, known).await.unwrap());
    assert_eq!(store.figures(0, 60).await.unwrap()[0].figures.calls, 2);
    assert!(store.uncounted_runs(early).await.unwrap().is_empty());
    assert_eq!(store.run_counts(early).await.unwrap(), [(RunStatus::Succeeded, 1)]);
    assert!(store.delete_run(&run).await.unwrap());
    assert_eq!(store.counted(&run).await.unwrap(), None);
    assert_eq!(store.figures(0, 60).await.unwrap()[0].figures.calls, 2, "what was is not undone");
}
