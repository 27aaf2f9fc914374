//! Exports of a small comparison with one failure and an answer made to break files.

use lanes_model::provider::Pace;
use lanes_model::{
    Attempt, AttemptEnd, CallEnd, CallId, DocumentInfo, EventKind, Failure, FailureKind, Finish,
    LaneId, LimitChange, LimitReason, Micros, Mode, PassEnd, PassId, Plan, ProviderInfo, RouteId,
    RouteInfo, RunEvent, RunHeader, RunSpec, RunState, RunStatus, Seq, Usage, UsdMicros, task,
};

use super::*;

const ANSWER: &str = "=SUM(A1), \"quoted\"\nsecond line\n```\nnot the end\n```";

fn header() -> RunHeader {
    let tasks: Vec<_> = task::built_in().into_iter().take(2).collect();
    RunHeader {
        id: "0199c0de-7f00-7000-8000-000000000001".into(),
        title: "Ärger | <b>Größe</b>, 2 tasks".into(),
        created_at: "2026-11-21T10:42:00Z".into(),
        spec: RunSpec::plain(Mode::Compare, 2, "simulator", "simulated-mini", &tasks),
        tasks,
        documents: vec![DocumentInfo {
            id: "d".into(),
            name: "@document".into(),
            bytes: 1_400,
            tokens: 300,
        }],
        provider: ProviderInfo {
            id: "simulator".into(),
            name: "Simulator".into(),
            simulated: true,
            models: vec!["simulated-mini".into()],
            price: None,
            rpm: None,
            tpm: None,
            pace: Pace { ttft_us: 1, millitokens_per_s: 0, whole_us: 1, cv_permille: 0 },
        },
        routes: Vec::new(),
        plan: Plan::new(Mode::Compare, false, 2, 2, 1),
    }
}

/// Both passes; the first call answers, the second fails for good.
pub(super) fn state() -> RunState {
    let mut kinds =
        vec![(0, EventKind::RunCreated { header: Box::new(header()) }), (0, EventKind::RunStarted)];
    let mut at = 0;
    for pass in [PassId(0), PassId(1)] {
        kinds
            .push((at, EventKind::PassStarted { pass, started_at: "2026-11-21T10:42:00Z".into() }));
        kinds.push((at, EventKind::CallsQueued { pass, first: CallId(0), count: 2 }));
        for call in [CallId(0), CallId(1)] {
            let attempt = Attempt { number: 1, of: 3 };
            kinds.push((
                at,
                EventKind::AttemptStarted {
                    pass,
                    call,
                    lane: LaneId(0),
                    attempt,
                    held: Micros::ZERO,
                    held_by: Default::default(),
                    route: Default::default(),
                    hedge: false,
                    redacted: 0,
                },
            ));
            at += 1_000_000;
            let failure = Failure::new(FailureKind::InvalidRequest, "+refused | by the provider");
            let (attempt_end, end) = if call == CallId(0) {
                let usage = Usage { input: 320, output: 40, cached: 0, estimated: false };
                let cost_usd_micros = Some(UsdMicros(1_200));
                let finish = Finish::Stop;
                (
                    AttemptEnd::Succeeded { usage, cost_usd_micros, finish },
                    CallEnd::Succeeded { output: ANSWER.into(), cached_usage: None },
                )
            } else {
                (
                    AttemptEnd::Failed {
                        failure: failure.clone(),
                        retry_at: None,
                        usage: None,
                        cost_usd_micros: None,
                    },
                    CallEnd::Failed { failure, partial: String::new() },
                )
            };
            kinds.push((at, EventKind::AttemptEnded { pass, call, number: 1, end: attempt_end }));
            kinds.push((at, EventKind::CallEnded { pass, call, end }));
        }
        kinds.push((at, EventKind::PassEnded { pass, end: PassEnd::Completed }));
    }
    kinds.push((at, EventKind::RunEnded { status: RunStatus::Partial }));
    let events: Vec<_> = (1..)
        .map(Seq)
        .zip(kinds)
        .map(|(seq, (at, kind))| RunEvent { seq, at: Micros(at), kind })
        .collect();
    RunState::fold(&events).unwrap()
}

fn body(format: ExportFormat) -> String {
    export(&state(), Micros::ZERO, format).unwrap().body
}

#[test]
fn json_is_the_run_as_the_api_shows_it() {
    let read: RunView = serde_json::from_str(&body(ExportFormat::Json)).unwrap();
    let state = state();
    assert_eq!(read, RunView::of(&state, state.latest));
}

#[test]
fn csv_has_a_row_for_each_call_of_each_pass_and_no_formula() {
    let text = body(ExportFormat::Csv);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap().len(), 20);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    let first: Vec<&str> = rows[0].iter().collect();
    assert_eq!(first[..4], ["parallel", "summary", "'@document", "succeeded"]);
    assert_eq!(first[5..8], ["0", "1000000", "1000000"]);
    assert_eq!(first[10..14], ["320", "40", "0", "1200"]);
    assert_eq!(first[15..17], [format!("'{ANSWER}").as_str(), "false"]);
    assert_eq!(&rows[1][14], "'+refused | by the provider");
    let formula = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    assert!(rows.iter().flatten().all(|cell| !formula(cell)));
}

#[test]
fn the_report_says_simulated_and_keeps_its_form_whatever_the_answer() {
    let text = body(ExportFormat::Markdown);
    assert!(text.starts_with("# Ärger \\| &lt;b>Größe&lt;/b>, 2 tasks\n"), "{text}");
    assert!(text.contains("**Simulated.**"));
    assert!(text.contains("| Speedup | 1.0× |"), "{text}");
    assert!(text.contains("### Parallel, 2 lanes"));
    assert!(text.contains("Failed: +refused \\| by the provider"));
    assert!(text.contains(&format!("````text\n{ANSWER}\n````\n")));
    assert!(text.contains("### Summary (Parallel and Sequential)"), "{text}");
}

#[test]
fn the_report_says_which_faults_were_injected() {
    assert!(!body(ExportFormat::Markdown).contains("Faults"));
    let mut state = state();
    let faults = r#"{"error_rate":0.1,"truncate_rate":0.05}"#;
    state.header.spec.faults = Some(serde_json::from_str(faults).unwrap());
    let text = export(&state, Micros::ZERO, ExportFormat::Markdown).unwrap().body;
    let line = "- Faults injected: 10\u{2009}% errors, 5\u{2009}% cut answers\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn an_answer_from_the_cache_is_marked_in_every_form() {
    let mut state = state();
    let call = &mut state.passes[1].calls[0];
    call.cached = call.usage();
    call.attempts.clear();
    state.header.spec.cache = true;
    let body = |format| export(&state, Micros::ZERO, format).unwrap().body;
    assert!(body(ExportFormat::Json).contains("\"cached\": true"));
    let text = body(ExportFormat::Markdown);
    assert!(text.contains("| 0, from cache | 320 | 40 | $0"), "{text}");
    assert!(text.contains("- Cached answers: allowed"));
    let text = body(ExportFormat::Csv);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let marks: Vec<_> = rows.iter().map(|row| (&row[9], &row[13], &row[16])).collect();
    assert_eq!(marks[0], ("1", "1200", "false"));
    assert_eq!(marks[2], ("0", "0", "true"));
}

#[test]
fn a_file_name_is_plain_ascii_whatever_the_title() {
    let id = "0199c0de-7f00-7000-8000-000000000001";
    assert_eq!(file_name("AI Technology Article, 6 tasks", id, "csv"), {
        "lanes-ai-technology-article-6-tasks-0199c0de.csv"
    });
    assert_eq!(file_name("“../../\r\n”", id, "md"), "lanes-run-0199c0de.md");
    assert_eq!(file_name("日本語", id, "json"), "lanes-run-0199c0de.json");
    assert!(file_name(&"word ".repeat(50), id, "json").len() < 64);
}

/// The same run with two routes, a second attempt and a limit that was cut.
fn routed() -> RunState {
    let mut state = state();
    for name in ["One | two", "Backup"] {
        let (provider, model) = ("p".to_owned(), "m".to_owned());
        let name = name.to_owned();
        state.header.routes.push(RouteInfo { provider, name, model, simulated: false });
    }
    let pass = &mut state.passes[0];
    let answer = &mut pass.calls[0].attempts[0];
    (answer.route, answer.hedge) = (RouteId(1), true);
    let limit = |at, limit, why| LimitChange { at: Micros(at), limit, why };
    pass.limits =
        vec![limit(0, 2, LimitReason::Start), limit(500_000, 1, LimitReason::RateLimited)];
    state
}

#[test]
fn csv_says_at_its_end_which_route_answered_and_how_many_second_attempts_there_were() {
    let csv = export(&routed(), Micros::ZERO, ExportFormat::Csv).unwrap().body;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heads = reader.headers().unwrap().clone();
    assert_eq!(
        heads.iter().skip(16).collect::<Vec<_>>(),
        ["from_cache", "route", "hedges", "stage"]
    );
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let ends = |row: &csv::StringRecord| (row[17].to_owned(), row[18].to_owned());
    assert_eq!(ends(&rows[0]), ("Backup, m".to_owned(), "1".to_owned()));
    assert_eq!(ends(&rows[1]), ("One | two, m".to_owned(), "0".to_owned()));
    let plain = body(ExportFormat::Csv);
    assert!(plain.lines().any(|line| line.contains(",false,,0,")), "{plain}");
}

#[test]
fn the_report_says_where_calls_went_and_how_the_limit_changed() {
    let report = export(&routed(), Micros::ZERO, ExportFormat::Markdown).unwrap().body;
    assert!(report.contains("| One \\| two | m | 1 | 2 | 0 |"), "{report}");
    assert!(report.contains("| Backup | m | 1 | 0 | 0 |"), "{report}");
    assert!(report.contains("## Concurrency limit, Parallel\n"), "{report}");
    assert!(report.contains("| 0.50 s | 1 | Cut: 429 |"), "{report}");
    let plain = body(ExportFormat::Markdown);
    assert!(!plain.contains("Where calls went") && !plain.contains("Concurrency limit"));
}
