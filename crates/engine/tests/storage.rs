//! What a log that cannot be stored does to a run: what is under way goes on, nothing new begins, and the
//! wait is in the log once that is stored again.

use std::time::Duration;

use lanes_model::{HoldReason, Ledger, LedgerState, RunStatus, explain_ledger, segments};

use crate::support::provider::answers;
use crate::support::{Bench, ms, parallel};

#[tokio::test(start_paused = true)]
async fn nothing_new_begins_while_the_log_is_not_stored() {
    let bench = Bench::new(&[parallel(2)], false, answers(&[1_000; 6]));
    let (state, ()) = tokio::join!(bench.finish(), async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        *bench.log.trouble.lock().unwrap() = Some("The disk is full.".to_owned());
        tokio::time::sleep(Duration::from_secs(30)).await;
        *bench.log.trouble.lock().unwrap() = None;
    });
    assert_eq!(state.status, RunStatus::Succeeded);
    let pass = &state.passes[0];
    let starts: Vec<_> = pass.calls.iter().map(|c| c.attempts[0].start).collect();
    assert_eq!(starts[..4], [ms(0), ms(0), ms(1_000), ms(1_000)]);
    assert!(starts[4..].iter().all(|at| (ms(31_500)..=ms(31_750)).contains(at)), "{starts:?}");
    assert!(pass.calls.iter().all(|c| c.attempts.len() == 1));
    let held: Vec<_> = pass.holds.iter().map(|h| (h.from, h.why)).collect();
    assert_eq!(held.first(), Some(&(ms(2_000), HoldReason::Storage)), "{held:?}");
    let ledger = Ledger::of(&segments(&state.header.plan, pass, state.latest));
    assert!(ledger.get(LedgerState::QueueWait) >= ms(2 * 29_500), "{ledger:?}");
    assert_eq!(ledger.get(LedgerState::Engine), ms(0));
    let words = explain_ledger(&state).join(" ");
    assert!(words.contains("while the log could not be written"), "{words}");
}
