use super::*;
use crate::task;

fn check(change: impl FnOnce(&mut RunRequest)) -> Result<RunSpec, Vec<String>> {
    let tasks: Vec<_> = task::built_in().into_iter().map(|t| t.id).collect();
    let providers =
        [("simulator".to_owned(), vec!["simulated-mini".to_owned()]), ("other".into(), vec![])];
    let choices = Choices {
        workflows: &[],
        tasks: &tasks,
        providers: &providers,
        simulated: &["simulator".to_owned()],
        unlimited: &[],
        fallbacks: &[],
        latency_problem: |_| None,
        limits: &Limits::default(),
    };
    let mut request = RunRequest {
        input: InputRequest { text: Some("A text.".into()), ..Default::default() },
        tasks: vec!["summary".into(), "category".into()],
        ..Default::default()
    };
    change(&mut request);
    request.check(&choices).map_err(|e| e.into_iter().map(|e| e.pointer).collect())
}

fn pointers(change: impl FnOnce(&mut RunRequest)) -> Vec<String> {
    check(change).expect_err("the request should be refused")
}

#[test]
fn defaults_are_compare_on_one_lane_per_task_with_the_first_provider() {
    let spec = check(|_| {}).expect("valid");
    assert_eq!((spec.mode, spec.concurrency, spec.race), (Mode::Compare, 2, false));
    assert_eq!((spec.provider.as_str(), spec.model.as_str()), ("simulator", "simulated-mini"));
}

#[test]
fn concurrency_runs_from_one_to_the_limit() {
    for bad in [0, -1, 65, i64::MAX, i64::MIN] {
        assert_eq!(pointers(|r| r.concurrency = Some(bad)), ["/concurrency"], "{bad}");
    }
    assert_eq!(check(|r| r.concurrency = Some(64)).map(|s| s.concurrency), Ok(64));
}

#[test]
fn an_empty_or_too_long_text_is_refused_at_its_place() {
    let text = |t: &str| {
        let t = t.to_owned();
        pointers(move |r| r.input.text = Some(t))
    };
    assert_eq!(text(""), ["/input/text"]);
    assert_eq!(text(" \n\t "), ["/input/text"]);
    assert_eq!(text(&"x".repeat(200_001)), ["/input/text"]);
    assert!(check(|r| r.input.text = Some("x".repeat(200_000))).is_ok());
}

#[test]
fn unknown_names_are_refused_each_at_its_place_and_all_at_once() {
    let found = pointers(|r| {
        r.input = InputRequest { sample: Some("nope".into()), ..Default::default() };
        r.tasks = vec!["summary".into(), "nope".into(), "summary".into()];
        r.mode = Some("zigzag".into());
        r.concurrency = Some(0);
        r.provider = Some("nope".into());
    });
    let all = ["/input/sample", "/tasks/1", "/tasks/2", "/mode", "/concurrency", "/provider"];
    assert_eq!(found, all);
}

#[test]
fn exactly_one_input_is_needed() {
    assert_eq!(pointers(|r| r.input = InputRequest::default()), ["/input"]);
    assert_eq!(pointers(|r| r.input.sample = Some("ai-technology".into())), ["/input"]);
}

#[test]
fn a_provider_without_a_list_of_models_needs_a_name() {
    assert_eq!(pointers(|r| r.provider = Some("other".into())), ["/model"]);
    let spec = check(|r| {
        r.provider = Some("other".into());
        r.model = Some(" any-model ".into());
    });
    assert_eq!(spec.map(|s| s.model), Ok("any-model".to_owned()));
}

#[test]
fn faults_go_into_the_simulator_only() {
    let faults = |percent: &str| FaultsRequest::typed(percent.to_owned());
    let real = |percent: &str| {
        let (faults, provider) = (faults(percent), "other".to_owned());
        move |r: &mut RunRequest| {
            (r.faults, r.provider, r.model) = (faults, Some(provider), Some("m".into()));
        }
    };
    assert_eq!(pointers(real("10")), ["/faults"]);
    assert_eq!(check(real("0")).map(|s| s.faults), Ok(None));
    assert_eq!(pointers(|r| r.faults = faults("200")), ["/faults/error_rate"]);
    let spec = check(|r| r.faults = faults("10")).expect("valid");
    assert_eq!(spec.faults.map(|f| f.summary()).as_deref(), Some("10\u{2009}% errors"));
}

#[test]
fn a_run_stored_before_there_were_faults_still_reads() {
    let spec = check(|_| {}).expect("valid");
    let json = serde_json::to_string(&spec).expect("JSON");
    assert!(!json.contains("faults"));
    assert_eq!(serde_json::from_str::<RunSpec>(&json).expect("a spec"), spec);
}

#[test]
fn cached_answers_are_for_runs_that_measure_nothing_and_inject_nothing() {
    let cached = |mode: &str, faults: &str| {
        let (mode, faults) = (Some(mode.to_owned()), FaultsRequest::typed(faults.to_owned()));
        move |r: &mut RunRequest| (r.cache, r.mode, r.faults) = (Some(true), mode, faults)
    };
    assert_eq!(pointers(cached("compare", "")), ["/cache"]);
    assert_eq!(pointers(cached("parallel", "10")), ["/cache"]);
    for mode in ["parallel", "sequential"] {
        assert_eq!(check(cached(mode, "")).map(|s| s.cache), Ok(true));
    }
    let spec = check(|r| r.cache = Some(false)).expect("valid");
    assert!(!spec.cache && !serde_json::to_string(&spec).expect("JSON").contains("cache"));
}
