//! Tasks that people made: kept with everything that was said of them, in their order.

use lanes_model::task::built_in;
use lanes_model::{Output, Schema, Task, TaskId, Temperature};
use lanes_store::Store;

use crate::support::Place;

const AT: &str = "2026-11-21T03:55:07Z";
const LATER: &str = "2026-11-21T04:00:00.5Z";

fn task(id: &str) -> Task {
    Task { id: id.into(), built_in: false, ..built_in().remove(0) }
}

#[tokio::test]
async fn a_task_survives_the_program_with_everything_that_was_said_of_it() {
    let place = Place::new();
    let store = place.open().await;
    let mut one = task("one");
    one.temperature = Temperature::of(0.29);
    one.output = Output::Schema(Schema::new("{\n  \"zeta\": 1,\n  \"alpha\": [\n    null\n  ]\n}"));
    store.put_tasks(std::slice::from_ref(&one), AT).await.unwrap();
    store.close().await;
    assert_eq!(place.open().await.tasks().await.unwrap(), [one]);
}

#[tokio::test]
async fn tasks_stay_in_the_order_in_which_they_were_made() {
    let store = Store::open_in_memory().await.unwrap();
    store.put_tasks(&[task("b"), task("a")], AT).await.unwrap();
    store.put_tasks(&[task("c")], LATER).await.unwrap();
    let changed = Task { name: "Changed".to_owned(), ..task("b") };
    store.put_tasks(std::slice::from_ref(&changed), LATER).await.unwrap();
    assert_eq!(store.tasks().await.unwrap(), [changed, task("a"), task("c")]);
}

#[tokio::test]
async fn a_task_that_is_deleted_is_gone_once() {
    let store = Store::open_in_memory().await.unwrap();
    store.put_tasks(&[task("a")], AT).await.unwrap();
    assert!(store.delete_task(&TaskId::from("a")).await.unwrap());
    assert!(!store.delete_task(&TaskId::from("a")).await.unwrap());
    assert_eq!(store.tasks().await.unwrap(), []);
}
