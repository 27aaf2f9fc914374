//! Runs in one line: lists, filters, pages, sums.

use lanes_model::{Mode, RunStatus, RunSummary, UsdMicros};
use lanes_store::{RunFilter, Store, StoreError, Totals};

use crate::support::{create, create_with, id, summary};

/// A run created `second` seconds into some minute.
fn at(run: &str, second: u32) -> RunSummary {
    RunSummary { created_at: format!("2026-11-21T03:55:{second:02}Z"), ..summary(run) }
}

fn filter(limit: u32) -> RunFilter {
    RunFilter { limit, ..RunFilter::default() }
}

async fn ids(store: &Store, filter: &RunFilter) -> Vec<String> {
    let page = store.runs(filter).await.unwrap();
    page.items.into_iter().map(|s| s.id.0).collect()
}

#[tokio::test]
async fn a_summary_is_replaced_but_never_brought_back() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    let changed = RunSummary {
        status: RunStatus::Partial,
        failed: 3,
        failure: Some("Rate limited".to_owned()),
        speedup: None,
        ..summary("a")
    };
    store.put_summary(&changed).await.unwrap();
    assert_eq!(store.summary(&id("a")).await.unwrap(), Some(changed.clone()));
    store.delete_run(&id("a")).await.unwrap();
    let late = store.put_summary(&changed).await;
    assert!(matches!(late, Err(StoreError::NotFound { .. })), "{late:?}");
    assert_eq!(store.summary(&id("a")).await.unwrap(), None);
}

#[tokio::test]
async fn pages_are_newest_first_and_do_not_shift_while_runs_come_and_go() {
    let store = Store::open_in_memory().await.unwrap();
    // Two of each second, so that pages end between equals.
    for n in 0..10 {
        create_with(&store, &at(&format!("r{n}"), n / 2)).await;
    }
    let first = store.runs(&filter(3)).await.unwrap();
    let names: Vec<_> = first.items.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(names, ["r9", "r8", "r7"]);
    assert_eq!(first.total, 10);

    create_with(&store, &at("newest", 59)).await;
    create_with(&store, &at("r65", 3)).await;
    store.delete_run(&id("r7")).await.unwrap();
    let next = RunFilter { cursor: first.next_cursor, ..filter(4) };
    let second = store.runs(&next).await.unwrap();
    let names: Vec<_> = second.items.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(names, ["r65", "r6", "r5", "r4"]);
    assert_eq!(second.total, 11);

    let next = RunFilter { cursor: second.next_cursor, ..filter(4) };
    let third = store.runs(&next).await.unwrap();
    let names: Vec<_> = third.items.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(names, ["r3", "r2", "r1", "r0"]);
    assert_eq!(third.next_cursor, None);
}

#[tokio::test]
async fn times_with_decimals_sort_by_time() {
    let store = Store::open_in_memory().await.unwrap();
    for (run, fraction) in [("b", ".5"), ("a", ""), ("d", ".512345678"), ("c", ".51")] {
        let created_at = format!("2026-11-21T03:55:07{fraction}Z");
        create_with(&store, &RunSummary { created_at, ..summary(run) }).await;
    }
    assert_eq!(ids(&store, &filter(9)).await, ["d", "c", "b", "a"]);
}

#[tokio::test]
async fn a_cursor_that_no_page_gave_is_refused() {
    let store = Store::open_in_memory().await.unwrap();
    for cursor in ["", "1", "a7", "' OR 1=1 --", "aa", "a\0"] {
        let filter = RunFilter { cursor: Some(cursor.to_owned()), ..filter(3) };
        assert!(matches!(store.runs(&filter).await, Err(StoreError::BadCursor)), "{cursor:?}");
    }
}

#[tokio::test]
async fn filters_by_mode_status_and_title_apply_together() {
    let store = Store::open_in_memory().await.unwrap();
    let runs = [
        ("a", Mode::Compare, RunStatus::Succeeded, "AI Technology Article, 6 tasks"),
        ("b", Mode::Parallel, RunStatus::Succeeded, "Business Report, 6 tasks"),
        ("c", Mode::Compare, RunStatus::Failed, "Business Report, 2 tasks"),
        ("d", Mode::Sequential, RunStatus::Running, "Überblick"),
        ("e", Mode::Compare, RunStatus::Queued, "Growth 100%_sure\\"),
    ];
    for (second, (run, mode, status, title)) in (0..).zip(runs) {
        let summary = RunSummary { mode, status, title: title.to_owned(), ..at(run, second) };
        create_with(&store, &summary).await;
    }
    let search = |text: &str| RunFilter { search: Some(text.to_owned()), ..filter(9) };
    let mode = RunFilter { mode: Some(Mode::Compare), ..filter(9) };
    assert_eq!(ids(&store, &mode).await, ["e", "c", "a"]);
    let status = RunFilter { status: Some(RunStatus::Succeeded), ..filter(9) };
    assert_eq!(ids(&store, &status).await, ["b", "a"]);
    assert_eq!(ids(&store, &search("  REPORT ")).await, ["c", "b"]);
    assert_eq!(ids(&store, &search("üBER")).await, ["d"]);
    assert_eq!(ids(&store, &search(" ")).await.len(), 5);
    let both = RunFilter { mode: Some(Mode::Compare), ..search("business") };
    assert_eq!(ids(&store, &both).await, ["c"]);
    let page = store.runs(&RunFilter { limit: 1, ..search("report") }).await.unwrap();
    assert_eq!((page.items.len(), page.total), (1, 2));
}

#[tokio::test]
async fn nothing_in_a_search_is_a_wildcard() {
    let store = Store::open_in_memory().await.unwrap();
    for (run, title) in [("a", "100% sure"), ("b", "100 sure"), ("c", "a_b"), ("d", "axb\\c")] {
        create_with(&store, &RunSummary { title: title.to_owned(), ..summary(run) }).await;
    }
    let expected = [("%", "a"), ("_", "c"), ("\\", "d"), ("0% s", "a"), ("a_", "c")];
    for (text, run) in expected {
        let filter = RunFilter { search: Some(text.to_owned()), ..filter(9) };
        assert_eq!(ids(&store, &filter).await, [run], "{text}");
    }
    for text in ["'", "\"", "*", "a%b"] {
        let filter = RunFilter { search: Some(text.to_owned()), ..filter(9) };
        assert!(ids(&store, &filter).await.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn runs_that_were_going_on_are_found_after_a_crash() {
    let store = Store::open_in_memory().await.unwrap();
    for (second, status) in (0..).zip(RunStatus::ALL) {
        create_with(&store, &RunSummary { status, ..at(status.id(), second) }).await;
    }
    assert_eq!(store.live_runs().await.unwrap(), [id("queued"), id("running")]);
    store
        .put_summary(&RunSummary { status: RunStatus::Interrupted, ..summary("running") })
        .await
        .unwrap();
    assert_eq!(store.live_runs().await.unwrap(), [id("queued")]);
}

#[tokio::test]
async fn totals_keep_real_and_simulated_money_apart() {
    let store = Store::open_in_memory().await.unwrap();
    assert_eq!(store.totals().await.unwrap(), Totals::default());
    for (run, simulated, cost) in
        [("a", false, Some(120)), ("b", false, None), ("c", true, Some(7)), ("d", false, Some(3))]
    {
        let cost_usd_micros = cost.map(UsdMicros);
        create_with(&store, &RunSummary { simulated, cost_usd_micros, ..summary(run) }).await;
    }
    let expected = Totals { runs: 4, cost_usd_micros: 123, simulated_cost_usd_micros: 7 };
    assert_eq!(store.totals().await.unwrap(), expected);
}
