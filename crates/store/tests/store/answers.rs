//! Answers of the response cache: kept, counted, and forgotten in the order of their use.

use lanes_model::Usage;
use lanes_store::{AnswerKey, AnswerNote, AnswerTotals, Store, StoredAnswer};
use proptest::prelude::*;

use crate::support::Place;

const AT: &str = "2026-11-21T03:55:07Z";
const ROOM: u64 = 1 << 20;

fn key(n: u8) -> AnswerKey {
    [n; 32]
}

/// One that counts for 1000 bytes.
fn answer(n: u8) -> StoredAnswer {
    let usage = Usage { input: u64::from(n), output: 5, cached: 1, estimated: true };
    StoredAnswer { text: format!("{n:0740}"), usage, model: "mini".to_owned() }
}

fn given(n: u8) -> (AnswerKey, AnswerNote) {
    (key(n), AnswerNote::Given(answer(n)))
}

async fn kept(store: &Store) -> Vec<u8> {
    let mut kept = Vec::new();
    for n in 0..20 {
        if let Some(found) = store.answer(&key(n)).await.unwrap() {
            assert_eq!(found, answer(n));
            kept.push(n);
        }
    }
    kept
}

#[tokio::test]
async fn an_answer_survives_the_program_and_is_counted() {
    let place = Place::new();
    let store = place.open().await;
    assert_eq!(store.answer(&key(1)).await.unwrap(), None);
    assert_eq!(store.answer_totals().await.unwrap(), AnswerTotals::default());
    store.note_answers(&[given(1), given(2)], AT, ROOM).await.unwrap();
    store.close().await;
    let store = place.open().await;
    assert_eq!(kept(&store).await, [1, 2]);
    let totals = AnswerTotals { entries: 2, bytes: 2_000 };
    assert_eq!(store.answer_totals().await.unwrap(), totals);
}

#[tokio::test]
async fn an_answer_given_anew_replaces_the_old_one() {
    let store = Store::open_in_memory().await.unwrap();
    let old = StoredAnswer { text: "old".to_owned(), ..answer(1) };
    store.note_answers(&[(key(1), AnswerNote::Given(old))], AT, ROOM).await.unwrap();
    store.note_answers(&[given(1)], AT, ROOM).await.unwrap();
    assert_eq!((kept(&store).await, store.answer_totals().await.unwrap().entries), (vec![1], 1));
}

#[tokio::test]
async fn the_least_recently_used_are_the_first_to_go() {
    let store = Store::open_in_memory().await.unwrap();
    store.note_answers(&[given(1), given(2), given(3)], AT, 3_000).await.unwrap();
    assert_eq!(kept(&store).await, [1, 2, 3]);
    store.note_answers(&[(key(1), AnswerNote::Used), given(4)], AT, 3_000).await.unwrap();
    assert_eq!(kept(&store).await, [1, 3, 4]);
    // To use what is gone changes nothing.
    store.note_answers(&[(key(2), AnswerNote::Used)], AT, 2_000).await.unwrap();
    assert_eq!(kept(&store).await, [1, 4]);
    store.note_answers(&[], AT, 999).await.unwrap();
    assert_eq!(store.answer_totals().await.unwrap(), AnswerTotals::default());
}

#[tokio::test]
async fn a_purge_leaves_nothing() {
    let store = Store::open_in_memory().await.unwrap();
    store.note_answers(&[given(1), given(2)], AT, ROOM).await.unwrap();
    store.purge_answers().await.unwrap();
    assert_eq!(kept(&store).await, [0u8; 0]);
    store.note_answers(&[given(3)], AT, ROOM).await.unwrap();
    assert_eq!(kept(&store).await, [3]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_kept_is_what_was_used_last_and_fits(
        notes in prop::collection::vec((0u8..8, any::<bool>()), 0..30),
        room in 0usize..6,
    ) {
        let mut expected: Vec<u8> = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(async {
            let store = Store::open_in_memory().await.unwrap();
            for &(n, new) in &notes {
                if new || expected.contains(&n) {
                    expected.retain(|&k| k != n);
                    expected.push(n);
                }
                expected.drain(..expected.len().saturating_sub(room));
                let note = if new { given(n) } else { (key(n), AnswerNote::Used) };
                store.note_answers(&[note], AT, room as u64 * 1_000).await.unwrap();
            }
            kept(&store).await
        });
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
    }
}
