//! What holds for any text whatever that somebody gives as a file of tasks or of a workflow. Each
//! function is the body of a fuzz target of the same name (`fuzz/`), and is driven by the tests below in
//! every run of `make test`.

use lanes_model::workflow::WorkflowChoices;
use lanes_model::{Mode, Plan, Task, Workflow, task};

use crate::output::OutputCheck;
use crate::service::read_tasks;
use crate::{TaskFormat, WorkflowFile, workflow_toml};

/// The form is chosen by the first byte.
fn formed(data: &[u8]) -> (TaskFormat, String) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let text = String::from_utf8_lossy(rest).into_owned();
    match first % 3 {
        0 => (TaskFormat::Toml, text),
        1 => (TaskFormat::Json, text),
        _ => (TaskFormat::guess(&text), text),
    }
}

/// A file of tasks: every problem is said in words at a place; a task without any can be used.
pub fn task_file(data: &[u8]) {
    let (format, text) = formed(data);
    let file = match read_tasks(format, &text) {
        Ok(file) => file,
        Err(wrong) => return assert!(!wrong.detail.trim().is_empty()),
    };
    for task in file.tasks.into_iter().map(Task::from) {
        let problems = task.problems();
        assert!(problems.iter().all(|p| !p.detail.trim().is_empty() && p.pointer.starts_with('/')));
        if problems.is_empty() {
            let _ = OutputCheck::new(&task.output).map(|check| check.check("{\"a\": 1}"));
            let _ = (task.instructions(), task.user_message("{{text}} {{a.output}}"));
        }
    }
}

/// A workflow: every problem is said with a line that is there; one without any can be planned, each
/// stage after those it needs, and is the same again when it is written and read.
pub fn workflow_file(data: &[u8]) {
    let (format, text) = formed(data);
    let file = WorkflowFile { format, text: &text };
    let lines = text.lines().count().max(1);
    let definition = match file.read() {
        Ok(definition) => definition,
        Err(wrong) => {
            assert!(!wrong.error.detail.trim().is_empty());
            assert!(wrong.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{wrong:?}");
            return;
        }
    };
    if let Ok(written) = workflow_toml(&definition) {
        let again = WorkflowFile { format: TaskFormat::Toml, text: &written };
        assert_eq!(again.read().as_ref().map(plain), Ok(plain(&definition)), "{written}");
    }
    let workflow = Workflow::from(definition);
    let common = task::built_in();
    let problems = workflow.problems(&WorkflowChoices { tasks: &common, providers: &[] });
    if !problems.is_empty() {
        for problem in problems {
            assert!(!problem.detail.trim().is_empty());
            let line = file.with_line(problem).line;
            assert!(line.is_none_or(|line| (1..=lines + 1).contains(&line)));
        }
        return;
    }
    let (tasks, stages) = workflow.planned(&common, |_| Vec::new());
    assert_eq!(stages.len(), workflow.stages.len(), "no stage is left out");
    for (place, stage) in stages.iter().enumerate() {
        assert!(stage.needs.iter().all(|need| usize::from(*need) < place));
        assert!(stage.tasks.iter().all(|task| (*task as usize) < tasks.len()));
    }
    let plan = Plan::of_stages(Mode::Compare, false, 4, stages, 3);
    assert!(!plan.calls.is_empty());
}

/// Without what says nothing in a file.
fn plain(definition: &lanes_model::WorkflowDefinition) -> lanes_model::WorkflowDefinition {
    let mut plain = definition.clone();
    plain.built_in = false;
    plain.tasks.iter_mut().for_each(|task| task.built_in = false);
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blank_workflow;

    /// Lines of which files of both kinds are made, in any order.
    fn text() -> impl Strategy<Value = String> {
        let lines = vec![
            "[[stage]]",
            "[[task]]",
            "[[tasks]]",
            "[[stages]]",
            "id = \"a\"",
            "id = \"b\"",
            "name = \"A\"",
            "tasks = [\"summary\"]",
            "tasks = [\"summary\", \"a\"]",
            "needs = [\"a\"]",
            "needs = [\"b\"]",
            "scope = \"all\"",
            "concurrency = 3",
            "concurrency = -1",
            "provider = \"x\"",
            "max_tokens = 20",
            "temperature = 0.5",
            "temperature = nan",
            "system_message = \"Say it.\"",
            "prompt = \"{{text}} {{a.output}}\"",
            "output = \"text\"",
            "output = { labels = [\"x\", \"y\"] }",
            "output = { schema = \"{}\" }",
            "output = { schema = '{\"type\": 3}' }",
            "\u{feff}",
            "# é",
            "x = 1",
        ];
        let line = prop_oneof![
            8 => prop::sample::select(lines).prop_map(str::to_owned),
            1 => "[ -~é]{0,20}",
        ];
        prop::collection::vec(line, 0..16).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn any_file_is_read_or_its_problems_are_named(first in 0_u8..3, text in text()) {
            let data = [&[first], text.as_bytes()].concat();
            task_file(&data);
            workflow_file(&data);
        }

        #[test]
        fn a_sound_workflow_with_one_part_changed(
            json: bool,
            at in 0.0..1.0,
            cut in 0_usize..12,
            put in r#"[a-z"{}\[\],:.= \n]{0,6}"#
        ) {
            let mut text = match json {
                true => serde_json::to_string(&blank_workflow()).unwrap(),
                false => workflow_toml(&blank_workflow()).unwrap(),
            };
            let edge = |n: usize| (0..=n.min(text.len())).rev().find(|i| text.is_char_boundary(*i));
            let from = edge((at * text.len() as f64) as usize).unwrap();
            let to = edge(from + cut).unwrap();
            text.replace_range(from..to.max(from), &put);
            workflow_file(&[&[u8::from(json)], text.as_bytes()].concat());
            task_file(&[&[u8::from(json)], text.as_bytes()].concat());
        }
    }
}
