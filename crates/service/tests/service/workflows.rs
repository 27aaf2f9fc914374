//! Workflows: shipped ones without problems, those that people make kept and offered.

use lanes_model::{Stage, StageId, WorkflowDefinition, WorkflowId};
use lanes_service::{
    ProviderConfig, ServiceError, Store, TaskFormat, WorkflowFile, blank_workflow, workflow_toml,
};

use crate::support::{latency, provider, simulator, with_providers};

/// A service with the steps of recordings beside the simulator, as the program has them.
async fn whole(store: Store) -> lanes_service::Service {
    let (addr, _) = simulator(latency("none")).await;
    let step = |id: &str| ProviderConfig { id: id.to_owned(), ..provider(addr) };
    let steps = ["distribute", "denoise", "ivr", "language", "transcript"];
    let steps = steps.iter().map(|s| step(&format!("audio-{s}")));
    with_providers(store, std::iter::once(provider(addr)).chain(steps).collect()).await
}

fn places(error: &ServiceError) -> Vec<&str> {
    match error {
        ServiceError::Invalid(errors) => errors.iter().map(|e| e.pointer.as_str()).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_shipped_workflow_is_free_of_problems_and_reads_as_it_is_written() {
    let service = whole(Store::open_in_memory().await.unwrap()).await;
    assert_eq!(service.workflows().len(), 8);
    for workflow in service.workflows() {
        let definition = WorkflowDefinition::from(workflow.clone());
        let text = workflow_toml(&definition).unwrap();
        let file = WorkflowFile { format: TaskFormat::Toml, text: &text };
        assert_eq!(file.read().unwrap(), definition, "{text}");
        let checked = service.check_workflow_file(file);
        assert!(checked.is_ok(), "{}: {checked:?}", workflow.id);
        assert!(!service.workflow_samples(&workflow.id).unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_workflow_is_offered_until_it_is_deleted_and_survives_the_program() {
    let store = Store::open_in_memory().await.unwrap();
    let first = whole(store.clone()).await;
    let made = first.create_workflow(blank_workflow()).await.unwrap();
    let again = whole(store).await;
    assert_eq!(again.workflow(&made.id).unwrap(), made);
    let names = again.tasks_of(&made).into_iter().map(|t| t.name).collect::<Vec<_>>();
    assert_eq!(names, ["Summary", "Judgement"]);
    let changed = WorkflowDefinition { name: "Other".to_owned(), ..blank_workflow() };
    again.replace_workflow(&made.id, changed).await.unwrap();
    assert_eq!(again.workflow(&made.id).unwrap().name, "Other");
    again.delete_workflow(&made.id).await.unwrap();
    assert!(matches!(again.workflow(&made.id), Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn what_is_shipped_can_be_copied_and_not_changed() {
    let service = whole(Store::open_in_memory().await.unwrap()).await;
    let id = WorkflowId("claims-file".to_owned());
    for refused in [
        service.replace_workflow(&id, blank_workflow()).await.map(|_| ()),
        service.delete_workflow(&id).await,
    ] {
        assert!(matches!(refused, Err(ServiceError::Conflict(_))), "{refused:?}");
    }
    let copy = service.copy_workflow(&id).await.unwrap();
    assert_eq!((copy.id.as_str(), copy.built_in), ("claims-file-copy", false));
    let second = service.copy_workflow(&id).await.unwrap();
    assert_eq!(second.id.as_str(), "claims-file-copy-2");
    assert_eq!(service.workflow_samples(&copy.id).unwrap().len(), 5);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let service = whole(Store::open_in_memory().await.unwrap()).await;
    let mut wrong = WorkflowDefinition { id: "import".to_owned(), ..blank_workflow() };
    wrong.stages[0].needs = vec![StageId("decide".to_owned())];
    wrong.stages[0].provider = Some("nobody".to_owned());
    wrong.stages.push(Stage { id: StageId("last".to_owned()), ..Stage::default() });
    let error = service.create_workflow(wrong).await.unwrap_err();
    let expected = ["/stages/0/provider", "/stages/2/tasks", "/stages/0/needs", "/id"];
    let mut found = places(&error);
    found.sort_unstable();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    let renamed = WorkflowDefinition { id: "other".to_owned(), ..blank_workflow() };
    let made = service.create_workflow(blank_workflow()).await.unwrap();
    let error = service.replace_workflow(&made.id, renamed).await.unwrap_err();
    assert_eq!(places(&error), ["/id"]);
}

#[tokio::test]
async fn sample_records_are_taken_in_once() {
    let service = whole(Store::open_in_memory().await.unwrap()).await;
    let id = WorkflowId("market-digest".to_owned());
    let first = service.add_workflow_samples(&id).await.unwrap();
    assert_eq!(service.add_workflow_samples(&id).await.unwrap(), first);
    let ids: Vec<_> = first.iter().map(|id| id.0.clone()).collect();
    let documents = service.documents_of(&ids).await.unwrap();
    assert_eq!(documents[0].name, "Central bank leaves its rate alone.txt");
    assert!(documents.iter().all(|d| d.tokens > 50));
}
