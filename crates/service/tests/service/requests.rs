//! Requests: repeated, wrong, and with texts that are hard on everything.

use lanes_model::{CallStatus, RunId, RunRequest, RunStatus, Seq, spec::InputRequest};
use lanes_service::{ExportFormat, RunFilter, ServiceError};

use crate::support::{asked, fast, finished, request, start};

#[tokio::test]
async fn the_same_key_gives_the_same_run_and_another_request_with_it_is_refused() {
    let (service, stats) = fast().await;
    let body = request("sequential", &["summary"]);
    let first = service.start(&body, Some("key-1")).await.unwrap();
    let again = service.start(&body, Some("key-1")).await.unwrap();
    assert!(first.new && !again.new);
    assert_eq!(first.id, again.id);
    finished(&service, &first.id).await;
    assert_eq!(asked(&stats), 1);
    let other = service.start(&request("sequential", &["category"]), Some("key-1")).await;
    assert!(other.is_err(), "{other:?}");
    assert_eq!(
        service.list(&RunFilter { limit: 5, ..RunFilter::default() }).await.unwrap().total,
        1
    );
}

#[tokio::test]
async fn a_text_with_control_characters_and_html_runs_and_is_kept_as_it_is() {
    let (service, _) = fast().await;
    let text =
        "Nul \0 here. <script>alert(1)</script> & “quotes” 😀\r\n=1+1 was the answer. \u{202e}end.";
    let body = RunRequest {
        input: InputRequest { text: Some(text.into()), ..InputRequest::default() },
        tasks: vec!["summary".into(), "sentiment".into()],
        mode: Some("parallel".into()),
        ..RunRequest::default()
    };
    let run = start(&service, &body).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert!(state.passes[0].calls.iter().all(|c| c.status() == CallStatus::Succeeded));
    assert_eq!(service.input_text(&state).await.unwrap(), text);
    assert!(!state.header.title.contains('\0'));
    for format in [ExportFormat::Json, ExportFormat::Csv, ExportFormat::Markdown] {
        let file = lanes_service::export::export(&state, state.latest, format).unwrap();
        assert!(file.file_name.is_ascii() && !file.body.is_empty());
    }
}

#[tokio::test]
async fn a_wrong_request_names_every_place_and_starts_nothing() {
    let (service, stats) = fast().await;
    let mut body = request("compare", &["summary", "no-such-task"]);
    body.concurrency = Some(0);
    body.provider = Some("nobody".into());
    let Err(ServiceError::Invalid(errors)) = service.start(&body, None).await else {
        panic!("it was taken")
    };
    let places: Vec<_> = errors.iter().map(|e| e.pointer.as_str()).collect();
    assert_eq!(places, ["/tasks/1", "/concurrency", "/provider"]);
    assert_eq!(asked(&stats), 0);
    assert_eq!(service.totals().await.unwrap().runs, 0);
}

#[tokio::test]
async fn a_run_that_is_not_there_is_not_found_by_anything() {
    let (service, _) = fast().await;
    let nobody = RunId("nobody".into());
    assert!(matches!(service.state(&nobody).await, Err(ServiceError::NotFound(_))));
    assert!(matches!(service.cancel(&nobody).await, Err(ServiceError::NotFound(_))));
    assert!(matches!(service.resume(&nobody).await, Err(ServiceError::NotFound(_))));
    assert!(service.watch(&nobody, Seq(0)).await.is_err());
}
