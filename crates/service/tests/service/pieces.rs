//! Documents that are too long for one call: refused with their length, or cut, asked piece by piece and
//! put together.

use std::io::Write;

use lanes_model::{CallId, RunRequest, RunState, RunStatus, RunView, spec::InputRequest};
use lanes_provider::tokens;
use lanes_service::{ServiceError, Upload};

use crate::support::{asked, fast, finished, start};

/// About 2,000 tokens in sentences that differ.
fn long_text() -> String {
    let sentence = |n: u32| {
        format!("The pump of station {n} failed after {} hours of work in the rain. ", n * 7 + 3)
    };
    (0..120).map(sentence).collect()
}

fn cut(text: &str, tasks: &[&str], piece_tokens: Option<i64>) -> RunRequest {
    RunRequest {
        input: InputRequest { text: Some(text.to_owned()), ..InputRequest::default() },
        tasks: tasks.iter().map(|t| (*t).to_owned()).collect(),
        mode: Some("parallel".to_owned()),
        concurrency: Some(8),
        long: Some("chunk".to_owned()),
        piece_tokens,
        ..RunRequest::default()
    }
}

fn output(state: &RunState, call: CallId) -> &str {
    &state.passes[0].calls[call.index()].output
}

#[tokio::test]
async fn a_long_text_is_summarised_piece_by_piece_and_then_as_a_whole() {
    let (service, stats) = fast().await;
    let text = long_text();
    let run = start(&service, &cut(&text, &["summary"], Some(500))).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let plan = &state.header.plan;
    let pieces = plan.pieces_of(0);
    assert!((3..12).contains(&pieces.len()), "{pieces:?}");
    assert_eq!(pieces.iter().map(|p| p.bytes).sum::<u64>(), text.len() as u64);
    assert!(pieces.iter().all(|p| p.tokens <= 500));
    assert_eq!(asked(&stats), pieces.len() + 1);
    // The simulator's summary is made of sentences of what it was given: each of its own piece.
    let mut from = 0;
    for (n, piece) in pieces.iter().enumerate() {
        let own = &text[from..from + piece.bytes as usize];
        from += piece.bytes as usize;
        let first = output(&state, CallId(n as u32)).split(". ").next().unwrap();
        assert!(own.contains(first.trim_end_matches('.')), "“{first}” is not of piece {n}");
    }
    let whole = CallId(pieces.len() as u32);
    assert_eq!(plan.parts_of(whole).count(), pieces.len());
    let parts: String = plan.parts_of(whole).map(|part| output(&state, part)).collect();
    let first = output(&state, whole).split(". ").next().unwrap();
    assert!(parts.contains(first.trim_end_matches('.')), "“{first}” is of no part");
    let view = RunView::of(&state, state.latest);
    assert_eq!(view.passes[0].calls[1].part, Some(2));
    assert_eq!(view.passes[0].calls[whole.index()].part, None);
    assert!(state.header.subject_of(CallId(0)).contains(", part 1 of "));
}

#[tokio::test]
async fn a_translation_of_pieces_is_put_together_without_another_request() {
    let (service, stats) = fast().await;
    let text = long_text();
    let run = start(&service, &cut(&text, &["translation", "category"], Some(600))).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let plan = &state.header.plan;
    let pieces = plan.pieces_of(0).len();
    assert_eq!(asked(&stats), pieces * 2 + 1);
    let whole = CallId(pieces as u32 * 2);
    let parts: Vec<_> = plan.parts_of(whole).map(|part| output(&state, part)).collect();
    assert_eq!(parts.len(), pieces);
    assert_eq!(output(&state, whole), parts.join("\n"));
    assert!(state.passes[0].calls[whole.index()].attempts.is_empty());
    let view = RunView::of(&state, state.latest);
    let ledger = view.passes[0].ledger.as_ref().unwrap();
    assert_eq!(ledger.total().0, view.passes[0].wall_us.unwrap().0 * 8);
}

#[tokio::test]
async fn short_documents_of_the_same_run_stay_whole() {
    let (service, stats) = fast().await;
    let mut ids = Vec::new();
    for (name, text) in
        [("short.txt", "One sentence is all.".to_owned()), ("long.txt", long_text())]
    {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let upload = Upload { name: name.to_owned(), file };
        let document = service.add_document(upload, None).await.unwrap().unwrap();
        ids.push(document.id.to_string());
    }
    let input = InputRequest { document_ids: Some(ids), ..InputRequest::default() };
    let request = RunRequest { input, ..cut("", &["summary"], Some(700)) };
    let state = finished(&service, &start(&service, &request).await).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let plan = &state.header.plan;
    assert!(plan.pieces_of(0).is_empty() && plan.pieces_of(1).len() > 1);
    assert_eq!(asked(&stats), 1 + plan.pieces_of(1).len() + 1);
    assert!(output(&state, CallId(0)).contains("One sentence"));
}

#[tokio::test]
async fn wishes_that_cannot_be_met_are_refused_in_words() {
    let (service, _) = fast().await;
    let places = |error: Result<_, ServiceError>| match error {
        Err(ServiceError::Invalid(errors)) => {
            errors.into_iter().map(|e| (e.pointer, e.detail)).collect::<Vec<_>>()
        }
        _ => panic!("it was taken"),
    };
    let mut wrong = cut("A text.", &["summary"], Some(5));
    assert_eq!(places(service.start(&wrong, None).await)[0].0, "/piece_tokens");
    wrong.long = Some("shorten".to_owned());
    assert_eq!(places(service.start(&wrong, None).await)[0].0, "/long");
    wrong.long = None;
    wrong.piece_tokens = Some(1_000);
    assert_eq!(places(service.start(&wrong, None).await)[0].0, "/piece_tokens");
    // The numbers of 180,000 bytes are many tokens.
    let numbers: String = (0..26_000).map(|n| format!("{n}. ")).collect();
    assert!(tokens::count(&numbers) > 100_000);
    let many = places(service.start(&cut(&numbers, &["summary"], Some(100)), None).await);
    assert!(many[0].1.contains("choose larger pieces"), "{many:?}");
}
