//! Means over the latest calls.

use lanes_store::{CallRecord, Store};

fn call(task: &str, n: u64) -> CallRecord {
    CallRecord {
        task: task.to_owned(),
        provider: "openai".to_owned(),
        model: "gpt".to_owned(),
        duration_us: n * 1_000,
        ttft_us: n * 10,
        input_tokens: 5,
        output_tokens: n,
        ended_at: format!("2026-11-21T{:02}:{:02}:07Z", n / 60, n % 60),
    }
}

#[tokio::test]
async fn means_are_over_the_latest_forty_calls_of_each_task() {
    let store = Store::open_in_memory().await.unwrap();
    // In no order of time: what counts is when a call ended.
    let calls: Vec<_> = (1..=100).map(|n| call("summary", n * 37 % 101)).collect();
    store.record_calls(&calls).await.unwrap();
    store.record_calls(&[call("category", 3), call("category", 4)]).await.unwrap();
    store
        .record_calls(&[CallRecord { model: "other".to_owned(), ..call("summary", 900) }])
        .await
        .unwrap();
    store.record_calls(&[]).await.unwrap();

    let rows = store.task_history("openai", "gpt", 40).await.unwrap();
    let tasks: Vec<_> = rows.iter().map(|r| (r.task.as_str(), r.samples)).collect();
    assert_eq!(tasks, [("category", 2), ("summary", 40)]);
    // 61 … 100 and 3, 4: both means end in a half, which rounds up.
    assert_eq!((rows[1].duration_us, rows[1].ttft_us, rows[1].output_tokens), (80_500, 805, 81));
    assert_eq!((rows[0].duration_us, rows[0].ttft_us, rows[0].output_tokens), (3_500, 35, 4));
    assert!(store.task_history("openai", "unknown", 40).await.unwrap().is_empty());
    assert!(store.task_history("simulator", "gpt", 40).await.unwrap().is_empty());
}

#[tokio::test]
async fn old_calls_are_forgotten() {
    let store = Store::open_in_memory().await.unwrap();
    let calls: Vec<_> = (1..=700).map(|n| call("summary", n)).collect();
    store.record_calls(&calls).await.unwrap();
    let rows = store.task_history("openai", "gpt", 10_000).await.unwrap();
    assert_eq!(rows[0].samples, 500);
    // 201 … 700.
    assert_eq!(rows[0].ttft_us, 4_505);
}
