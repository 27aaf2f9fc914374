use super::*;
use crate::task::built_in;

fn stage(id: &str, tasks: &[&str], needs: &[&str]) -> Stage {
    Stage {
        id: StageId(id.to_owned()),
        tasks: tasks.iter().map(|t| TaskId::from(*t)).collect(),
        needs: needs.iter().map(|n| StageId((*n).to_owned())).collect(),
        ..Stage::default()
    }
}

fn task(id: &str, prompt: &str) -> Task {
    Task {
        id: TaskId::from(id),
        prompt: prompt.to_owned(),
        built_in: false,
        ..built_in()[0].clone()
    }
}

fn workflow(stages: Vec<Stage>, tasks: Vec<Task>) -> Workflow {
    Workflow {
        id: crate::workflow::WorkflowId("w".to_owned()),
        name: "W".to_owned(),
        tasks,
        stages,
        ..Workflow::default()
    }
}

fn problems(workflow: &Workflow) -> Vec<(String, String)> {
    let tasks = built_in();
    let providers = [("simulator".to_owned(), vec!["m".to_owned()])];
    let choices = WorkflowChoices { tasks: &tasks, providers: &providers };
    workflow.problems(&choices).into_iter().map(|e| (e.pointer, e.detail)).collect()
}

#[test]
fn a_chain_of_stages_with_the_answers_of_earlier_ones_is_right() {
    let stages =
        vec![stage("read", &["summary", "keywords"], &[]), stage("judge", &["verdict"], &["read"])];
    let tasks = vec![task("verdict", "{{text}} {{read.output}} {{read.keywords.output}}")];
    assert_eq!(problems(&workflow(stages, tasks)), []);
}

#[test]
fn a_cycle_is_named_in_order_and_stages_behind_it_are_not_part_of_it() {
    let stages = vec![
        stage("a", &["summary"], &["c"]),
        stage("b", &["summary"], &["a"]),
        stage("c", &["summary"], &["b"]),
        stage("after", &["summary"], &["c"]),
        stage("before", &["summary"], &[]),
    ];
    let found = problems(&workflow(stages, vec![]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "/stages/0/needs");
    assert!(found[0].1.contains("“a” → “b” → “c” → “a”"), "{}", found[0].1);
}

#[test]
fn what_is_missing_is_named_at_its_place() {
    let stages = vec![
        stage("one", &["nothing", "summary", "summary"], &["two", "one"]),
        stage("one", &[], &[]),
        stage("Bad Id", &["summary"], &[]),
    ];
    let found = problems(&workflow(stages, vec![]));
    let places: Vec<_> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        [
            "/stages/0/needs/0",
            "/stages/0/needs/1",
            "/stages/0/tasks/0",
            "/stages/0/tasks/2",
            "/stages/1/id",
            "/stages/1/tasks",
            "/stages/2/id",
        ]
    );
    assert!(found[0].1.contains("“two”"));
}

#[test]
fn a_prompt_may_use_only_what_its_stage_needs() {
    let stages = vec![
        stage("one", &["summary"], &[]),
        stage("two", &["t"], &["one"]),
        stage("three", &["u"], &[]),
    ];
    let tasks = vec![
        task("t", "{{one.output}} {{nowhere.output}} {{one.keywords.output}} {{what}}"),
        task("u", "{{one.output}}"),
    ];
    let found: Vec<_> = problems(&workflow(stages, tasks)).into_iter().map(|p| p.1).collect();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].contains("no stage “nowhere”"));
    assert!(found[1].contains("no task “keywords”"));
    assert!(found[2].contains("“{{what}}”"));
    assert!(found[3].contains("must need “one”"));
}

#[test]
fn limits_hold_for_tasks_and_stages() {
    let mut first = stage("one", &["t"], &[]);
    first.concurrency = Some(0);
    first.provider = Some("nobody".to_owned());
    let mut wrong = task("t", "no placeholder");
    wrong.max_tokens = 0;
    wrong.name.clear();
    let places: Vec<_> =
        problems(&workflow(vec![first], vec![wrong])).into_iter().map(|p| p.0).collect();
    assert_eq!(
        places,
        [
            "/tasks/0/name",
            "/tasks/0/prompt",
            "/tasks/0/max_tokens",
            "/stages/0/concurrency",
            "/stages/0/provider",
        ]
    );
    assert_eq!(problems(&workflow(vec![], vec![]))[0].0, "/stages");
}

#[test]
fn a_stage_may_ask_for_more_at_once_than_a_run_has_lanes() {
    let mut one = stage("one", &["summary"], &[]);
    one.concurrency = Some(100);
    assert_eq!(problems(&workflow(vec![one], vec![])), []);
}

#[test]
fn a_stage_over_all_records_has_no_text_of_its_own() {
    let mut all = stage("all", &["summary", "t"], &["one"]);
    all.scope = Scope::All;
    let stages = vec![stage("one", &["summary"], &[]), all];
    let found = problems(&workflow(stages, vec![task("t", "{{one.output}}")]));
    let places: Vec<_> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["/stages/1/tasks/0"]);
    assert!(found[0].1.contains("all records"), "{}", found[0].1);
}
