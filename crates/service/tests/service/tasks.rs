//! Tasks that people make: kept, offered, used, tried, written to files and read from them.

use lanes_model::{
    Output, RunRequest, RunStatus, Schema, TaskDefinition, TaskId, Temperature, spec::InputRequest,
};
use lanes_service::{ServiceError, Store, TaskFormat, TrialRequest};
use lanes_simulator::SimulatorConfig;

use crate::support::{
    asked, fast, finished, fresh, latency, provider, request, service, simulator, start,
};

fn labels() -> TaskDefinition {
    TaskDefinition {
        id: "route".to_owned(),
        name: "Route".to_owned(),
        system_message: "You route messages to a department.".to_owned(),
        prompt: "Message:\n{{text}}\nWhich department?".to_owned(),
        max_tokens: 20,
        temperature: Temperature::of(0.2),
        output: Output::Labels(["Positive", "Negative"].map(str::to_owned).to_vec()),
        ..TaskDefinition::default()
    }
}

fn json() -> TaskDefinition {
    let schema = r#"{"type":"object","required":["summary","score"],"additionalProperties":false,
        "properties":{"summary":{"type":"string"},"score":{"type":"integer","minimum":1,"maximum":5}}}"#;
    TaskDefinition {
        id: "facts".to_owned(),
        name: "Facts".to_owned(),
        output: Output::Schema(Schema::new(schema)),
        max_tokens: 400,
        ..labels()
    }
}

fn places(error: &ServiceError) -> Vec<&str> {
    match error {
        ServiceError::Invalid(errors) => errors.iter().map(|e| e.pointer.as_str()).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_task_is_offered_until_it_is_deleted_and_survives_the_program() {
    let (addr, _) = simulator(latency("none")).await;
    let store = Store::open_in_memory().await.unwrap();
    let first = service(store.clone(), provider(addr)).await;
    first.create_task(labels()).await.unwrap();
    let ids = |tasks: Vec<lanes_model::Task>| tasks.into_iter().map(|t| t.id.0).collect::<Vec<_>>();
    assert_eq!(ids(first.tasks())[6..], ["route"]);
    let again = service(store, provider(addr)).await;
    assert_eq!(again.tasks(), first.tasks());
    let changed = TaskDefinition { name: "Routing".to_owned(), ..labels() };
    again.replace_task(&TaskId::from("route"), changed).await.unwrap();
    assert_eq!(again.task(&TaskId::from("route")).unwrap().name, "Routing");
    again.delete_task(&TaskId::from("route")).await.unwrap();
    assert_eq!(again.tasks().len(), 6);
    let gone = again.delete_task(&TaskId::from("route")).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(_))), "{gone:?}");
}

#[tokio::test]
async fn what_is_built_in_can_be_copied_and_not_changed() {
    let (service, _) = fast().await;
    let summary = TaskId::from("summary");
    for refused in [
        service.replace_task(&summary, labels()).await.map(|_| ()),
        service.delete_task(&summary).await,
        service
            .create_task(TaskDefinition { id: "summary".to_owned(), ..labels() })
            .await
            .map(|_| ()),
    ] {
        assert!(matches!(refused, Err(ServiceError::Conflict(_))), "{refused:?}");
    }
    let copies =
        [service.copy_task(&summary).await.unwrap(), service.copy_task(&summary).await.unwrap()];
    assert_eq!([copies[0].id.as_str(), copies[1].id.as_str()], ["summary-copy", "summary-copy-2"]);
    assert_eq!(copies[0].prompt, service.task(&summary).unwrap().prompt);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let (service, _) = fast().await;
    let wrong = TaskDefinition {
        id: "No Id".to_owned(),
        prompt: "{{txt}}".to_owned(),
        max_tokens: 0,
        output: Output::Schema(Schema::new(r#"{"type":"nothing"}"#)),
        ..labels()
    };
    let error = service.create_task(wrong).await.unwrap_err();
    assert_eq!(places(&error), ["/id", "/prompt", "/max_tokens", "/prompt", "/output/schema"]);
    let reserved = TaskDefinition { id: "import".to_owned(), ..labels() };
    assert_eq!(places(&service.create_task(reserved).await.unwrap_err()), ["/id"]);
    service.create_task(labels()).await.unwrap();
    let renamed = TaskDefinition { id: "other".to_owned(), ..labels() };
    let error = service.replace_task(&TaskId::from("route"), renamed).await.unwrap_err();
    assert_eq!(places(&error), ["/id"]);
}

#[tokio::test]
async fn a_run_keeps_the_task_as_it_was_when_it_started() {
    let (service, stats) = fast().await;
    service.create_task(labels()).await.unwrap();
    let run = start(&service, &request("parallel", &["route", "summary"])).await;
    let state = finished(&service, &run).await;
    assert_eq!((state.status, asked(&stats)), (RunStatus::Succeeded, 2));
    let answer = &state.passes[0].calls[0].output;
    assert!(lanes_service::output::check(&labels().output, answer).is_ok(), "{answer}");
    let changed = TaskDefinition { output: Output::Text, temperature: None, ..labels() };
    service.replace_task(&TaskId::from("route"), changed).await.unwrap();
    let (state, _) = service.state(&run).await.unwrap();
    let task = &state.header.tasks[0];
    assert_eq!((task.temperature, &task.output), (Temperature::of(0.2), &labels().output));
}

#[tokio::test]
async fn the_cache_tells_a_task_from_what_it_was() {
    let (service, stats) = fast().await;
    service.create_task(labels()).await.unwrap();
    let cached = RunRequest { cache: Some(true), ..request("parallel", &["route"]) };
    let changes: [fn(&mut TaskDefinition); 3] =
        [|_| (), |task| task.temperature = Temperature::of(0.3), |task| task.output = Output::Text];
    for (already, change) in changes.into_iter().enumerate() {
        // Answers that are cut short are not kept.
        let mut task = TaskDefinition { max_tokens: 400, ..labels() };
        change(&mut task);
        service.replace_task(&TaskId::from("route"), task).await.unwrap();
        for _ in 0..2 {
            finished(&service, &start(&service, &cached).await).await;
        }
        assert_eq!(asked(&stats), already + 1);
    }
}

#[tokio::test]
async fn a_task_that_needs_a_stage_is_refused_in_a_plain_run() {
    let (service, _) = fast().await;
    let staged = TaskDefinition { prompt: "{{first.output}}".to_owned(), ..labels() };
    service.create_task(staged).await.unwrap();
    let error = service.start(&request("parallel", &["summary", "route"]), None).await.unwrap_err();
    assert_eq!(places(&error), ["/tasks/1"]);
    assert!(error.to_string().contains("{{first.output}}"), "{error}");
}

#[tokio::test]
async fn files_hold_everything_in_both_forms() {
    let (service, _) = fast().await;
    for task in [labels(), json()] {
        service.create_task(task).await.unwrap();
    }
    let before = service.tasks();
    for format in [TaskFormat::Toml, TaskFormat::Json] {
        let file = service.export_tasks(None, format).unwrap();
        assert_eq!(TaskFormat::guess(&file.body), format);
        let refused = service.import_tasks(format, &file.body, false).await.unwrap_err();
        assert_eq!(places(&refused), ["/tasks/0/id", "/tasks/1/id"]);
        service.import_tasks(format, &file.body, true).await.unwrap();
        for id in ["route", "facts"] {
            service.delete_task(&TaskId::from(id)).await.unwrap();
        }
        let read = service.import_tasks(format, &file.body, false).await.unwrap();
        assert_eq!(read.len(), 2);
        let plain = |tasks: Vec<lanes_model::Task>| serde_json::to_value(tasks).unwrap();
        assert_eq!(plain(service.tasks()), plain(before.clone()), "{}", file.body);
    }
    let toml = service.export_tasks(Some(&TaskId::from("route")), TaskFormat::Toml).unwrap();
    assert_eq!(
        (toml.file_name.as_str(), toml.media_type),
        ("lanes-task-route.toml", "application/toml")
    );
    assert!(toml.body.contains("temperature = 0.2"), "{}", toml.body);
}

#[tokio::test]
async fn a_file_with_a_problem_changes_nothing_and_says_where_it_is() {
    let (service, _) = fast().await;
    let good = service.export_tasks(Some(&TaskId::from("summary")), TaskFormat::Json).unwrap().body;
    let good = good.replace("\"summary\"", "\"mine\"");
    let single = r#"{"id":"mine","name":"Mine","prompt":"{{text}}","max_tokens":5}"#;
    for (format, text, place) in [
        (TaskFormat::Json, good.replace("300", "0"), "/tasks/0/max_tokens"),
        (TaskFormat::Json, good.replace("300", "\"many\""), "/tasks/0/max_tokens"),
        (TaskFormat::Json, good.replace("\"prompt\"", "\"promt\""), "/tasks/0/promt"),
        (TaskFormat::Json, format!("[{single},{single}]"), "/tasks/1/id"),
        (TaskFormat::Json, r#"{"tasks":[]}"#.to_owned(), "/tasks"),
        (TaskFormat::Json, "{".to_owned(), ""),
        (TaskFormat::Toml, "id = \"a\"\nname = ".to_owned(), ""),
        (
            TaskFormat::Toml,
            "id = \"summary\"\nname = \"A\"\nprompt = \"{{text}}\"\nmax_tokens = 5".to_owned(),
            "/tasks/0/id",
        ),
        (TaskFormat::Toml, "[[tasks]]\nid = 7".to_owned(), "/tasks/0/id"),
        (
            TaskFormat::Toml,
            "[[tasks]]\nid = \"a\"\n[tasks.output]\nlabels = [1]".to_owned(),
            "/tasks/0/output/labels/0",
        ),
    ] {
        let error = service.import_tasks(format, &text, false).await.unwrap_err();
        assert_eq!(places(&error)[0], place, "{text} {error}");
        assert_eq!(service.tasks().len(), 6);
    }
    let error =
        service.import_tasks(TaskFormat::Toml, "id = \"a\"\nname = ", false).await.unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
    assert_eq!(service.import_tasks(TaskFormat::Json, single, false).await.unwrap().len(), 1);
}

fn trial(task: TaskDefinition) -> TrialRequest {
    TrialRequest { task, sample: Some("ai-technology".to_owned()), ..TrialRequest::default() }
}

#[tokio::test]
async fn a_trial_says_what_was_sent_and_what_came_back_and_leaves_nothing() {
    let (service, stats) = fast().await;
    let done = service.try_task(trial(labels())).await.unwrap();
    assert!(done.prompt.starts_with("Message:\n") && done.prompt.ends_with("Which department?"));
    assert!(done.system_message.ends_with("- Positive\n- Negative"), "{}", done.system_message);
    assert!(done.fits && done.simulated && done.error.is_none(), "{done:?}");
    assert!(["Positive", "Negative"].contains(&done.answer.as_deref().unwrap()), "{done:?}");
    assert!(done.ttft_us.unwrap() <= done.duration_us);
    let counted = done.tokens.unwrap();
    assert!(done.prompt_tokens.abs_diff(counted.input) <= 6, "{} {counted:?}", done.prompt_tokens);
    let done = service.try_task(TrialRequest {
        text: Some("A good day.".to_owned()),
        sample: None,
        ..trial(json())
    });
    let done = done.await.unwrap();
    assert!(done.fits, "{done:?}");
    assert_eq!(asked(&stats), 2);
    assert_eq!(service.totals().await.unwrap().runs, 0);
    assert_eq!(service.tasks().len(), 6);
}

#[tokio::test]
async fn a_trial_needs_no_id_but_everything_else() {
    let (service, stats) = fast().await;
    let nameless = TaskDefinition { id: String::new(), ..labels() };
    assert!(service.try_task(trial(nameless)).await.unwrap().fits);
    let wrong = TrialRequest {
        task: TaskDefinition { prompt: "Nothing".to_owned(), ..labels() },
        text: Some("both".to_owned()),
        provider: Some("nobody".to_owned()),
        ..trial(labels())
    };
    let error = service.try_task(wrong).await.unwrap_err();
    assert_eq!(places(&error)[0], "/task/prompt");
    assert!(places(&error).contains(&"/provider"), "{error:?}");
    assert_eq!(asked(&stats), 1);
}

#[tokio::test]
async fn an_answer_that_breaks_what_was_asked_for_is_shown_with_the_reason() {
    let config = SimulatorConfig { invalid_rate: 1.0, ..latency("none") };
    let (addr, _) = simulator(config).await;
    let service = fresh(provider(addr)).await;
    for (task, word) in [(labels(), "none of the labels"), (json(), "not JSON")] {
        let done = service.try_task(trial(task)).await.unwrap();
        assert!(!done.fits && done.problem.as_ref().unwrap().contains(word), "{done:?}");
    }
    let text = TaskDefinition { output: Output::Text, ..labels() };
    assert!(service.try_task(trial(text)).await.unwrap().fits);
}

#[tokio::test]
async fn a_provider_that_fails_is_how_a_trial_went() {
    let config = SimulatorConfig { error_rate: 1.0, ..latency("none") };
    let (addr, _) = simulator(config).await;
    let done = fresh(provider(addr)).await.try_task(trial(labels())).await.unwrap();
    assert!(done.error.is_some() && done.answer.is_none() && !done.fits, "{done:?}");
}

#[tokio::test]
async fn simulated_answers_fit_unless_a_run_asks_for_others() {
    let (service, _) = fast().await;
    for task in [labels(), json()] {
        service.create_task(task).await.unwrap();
    }
    let mut asked = request("parallel", &["route", "facts"]);
    asked.input =
        InputRequest { text: Some("It was a bad day.".to_owned()), ..InputRequest::default() };
    let outputs = [labels().output, json().output];
    for (rate, fits) in [("0", true), ("1", false)] {
        asked.faults =
            Some(serde_json::from_str(&format!(r#"{{"invalid_rate":{rate}}}"#)).unwrap());
        let state = finished(&service, &start(&service, &asked).await).await;
        for (call, output) in state.passes[0].calls.iter().zip(&outputs) {
            assert_eq!(
                lanes_service::output::check(output, &call.output).is_ok(),
                fits,
                "{}",
                call.output
            );
        }
    }
}
