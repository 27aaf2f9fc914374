//! Workflows that people made: kept with everything that was said of them, in their order.

use lanes_model::task::built_in;
use lanes_model::{Scope, Stage, StageId, Task, Workflow, WorkflowId};
use lanes_store::Store;

use crate::support::Place;

const AT: &str = "2026-11-21T03:55:07Z";
const LATER: &str = "2026-11-21T04:00:00.5Z";

fn workflow(id: &str) -> Workflow {
    let stage = |id: &str, needs: &[&str]| Stage {
        id: StageId(id.to_owned()),
        tasks: vec!["summary".into()],
        needs: needs.iter().map(|n| StageId((*n).to_owned())).collect(),
        ..Stage::default()
    };
    Workflow {
        id: WorkflowId(id.to_owned()),
        name: "Digest".to_owned(),
        about: "What for".to_owned(),
        tasks: vec![Task { built_in: false, ..built_in().remove(0) }],
        stages: vec![
            stage("read", &[]),
            Stage {
                scope: Scope::All,
                concurrency: Some(100),
                provider: Some("simulator".to_owned()),
                ..stage("judge", &["read"])
            },
        ],
        ..Workflow::default()
    }
}

#[tokio::test]
async fn a_workflow_survives_the_program_with_everything_that_was_said_of_it() {
    let place = Place::new();
    let store = place.open().await;
    store.put_workflow(&workflow("one"), AT).await.unwrap();
    store.close().await;
    assert_eq!(place.open().await.workflows().await.unwrap(), [workflow("one")]);
}

#[tokio::test]
async fn workflows_stay_in_the_order_in_which_they_were_made_until_they_are_deleted() {
    let store = Store::open_in_memory().await.unwrap();
    store.put_workflow(&workflow("b"), AT).await.unwrap();
    store.put_workflow(&workflow("a"), LATER).await.unwrap();
    let changed = Workflow { name: "Changed".to_owned(), ..workflow("b") };
    store.put_workflow(&changed, LATER).await.unwrap();
    assert_eq!(store.workflows().await.unwrap(), [changed, workflow("a")]);
    let b = WorkflowId("b".to_owned());
    assert!(store.delete_workflow(&b).await.unwrap());
    assert!(!store.delete_workflow(&b).await.unwrap());
    assert_eq!(store.workflows().await.unwrap(), [workflow("a")]);
}
