//! Streaming text on its way through the engine.

use lanes_model::FailureKind::ServerError;
use lanes_model::{Applied, RunState};

use crate::support::provider::answer_text;
use crate::support::{Bench, Entry, Step, parallel};

#[tokio::test(start_paused = true)]
async fn pieces_say_where_they_belong_and_add_up_to_the_answer() {
    let steps = vec![Step::fail(10, ServerError), Step::answer(20)];
    let bench = Bench::new(&[parallel(2)], false, vec![steps, vec![Step::answer(10)]]);
    bench.finish().await;
    let entries = bench.log.entries().into_iter();
    let pieces: Vec<_> = entries
        .filter_map(|e| match e {
            Entry::Progress(p) if p.call.0 == 0 => Some((p.number, p.offset, p.text)),
            _ => None,
        })
        .collect();
    let text = answer_text(0);
    let (first, rest) = text.split_at(4);
    let expected = [(1, 0, first.to_owned()), (2, 0, first.to_owned()), (2, 4, rest.to_owned())];
    assert_eq!(pieces, expected);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_who_applies_events_and_pieces_as_they_come_misses_nothing() {
    let script = (0..6).map(|n| vec![Step::fail(n, ServerError), Step::answer(2 * n)]).collect();
    let bench = Bench::new(&[parallel(2)], false, script);
    bench.finish().await;
    let events = bench.log.events();
    let mut state = RunState::begin(&events[0]).unwrap();
    let mut events = events.iter().skip(1);
    let mut streamed = vec![String::new(); 6];
    for entry in bench.log.entries().into_iter().skip(1) {
        match entry {
            Entry::Event(_) => assert_eq!(state.apply(events.next().unwrap()), Applied::Yes),
            Entry::Progress(piece) => {
                assert!(state.apply_progress(&piece), "{piece:?} does not fit");
                let call = piece.call.index();
                streamed[call].clone_from(&state.passes[0].calls[call].output);
            }
        }
    }
    let answers: Vec<_> = (0..6).map(answer_text).collect();
    assert_eq!(streamed, answers);
}
