//! Runs, lists, streams, exports and refusals over REST.

use reqwest::{StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

fn compare() -> Value {
    body!({
        "input": { "sample": "ai-technology" },
        "tasks": ["summary", "sentiment", "keywords"],
        "mode": "compare",
    })
}

#[tokio::test]
async fn a_compare_run_ends_with_two_passes_whose_ledgers_add_up() {
    let program = Program::start("fixed:150ms");
    let id = program.run(&compare()).await;
    let events = program.events(&id, 0).await;
    assert!(events.contains("event: end"), "{events}");
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["provider"]["simulated"], true);
    let modes: Vec<_> = run["passes"].as_array().expect("passes").iter().collect();
    assert_eq!(modes.iter().map(|p| &p["mode"]).collect::<Vec<_>>(), ["parallel", "sequential"]);
    for pass in modes {
        let number = |v: &Value| v.as_u64().expect("a number");
        let parts: u64 = pass["ledger"].as_object().expect("a ledger").values().map(number).sum();
        assert_eq!(parts, number(&pass["wall_us"]) * number(&pass["concurrency"]));
        assert!(number(&pass["lower_bound"]["us"]) <= number(&pass["wall_us"]));
        assert_eq!(pass["calls"].as_array().expect("calls").len(), 3);
        for call in pass["calls"].as_array().expect("calls") {
            assert_eq!((&call["status"], &call["attempts"]), (&body!("succeeded"), &body!(1)));
            assert!(!call["output"].as_str().expect("text").is_empty());
        }
    }
    // The first comparison after a start, too: what loads then is not in the first pass's time.
    assert!(run["comparison"]["speedup"].as_f64().expect("a number") > 1.0);
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_event_seen() {
    let program = Program::start("none");
    let id = program.run(&compare()).await;
    let all = ids(&program.events(&id, 0).await);
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
    assert_eq!(ids(&program.events(&id, 5).await), all[5..]);
    let request = program.client.get(format!("{}/api/runs/{id}/events", program.url));
    let rest = request.header("last-event-id", "7").send().await.expect("an answer");
    assert_eq!(ids(&rest.text().await.expect("text")), all[7..]);
}

fn ids(stream: &str) -> Vec<u64> {
    stream.lines().filter_map(|l| l.strip_prefix("id: ")?.parse().ok()).collect()
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_with_its_place() {
    let program = Program::start("none");
    let refused = async |request: Value| {
        let response = program.post("/api/runs", &request).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{request}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let problem = json(response).await;
        problem["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|e| e["pointer"].as_str().expect("a pointer").to_owned())
            .collect::<Vec<_>>()
    };
    let with = |field: &str, value: Value| {
        let mut request = compare();
        request[field] = value;
        request
    };
    assert_eq!(refused(with("input", body!({ "text": " \n" }))).await, ["/input/text"]);
    assert_eq!(
        refused(with("input", body!({ "text": "x".repeat(200_001) }))).await,
        ["/input/text"]
    );
    assert_eq!(refused(with("input", body!({ "sample": "nope" }))).await, ["/input/sample"]);
    assert_eq!(refused(with("tasks", body!([]))).await, ["/tasks"]);
    assert_eq!(refused(with("tasks", body!(["summary", "nope"]))).await, ["/tasks/1"]);
    assert_eq!(refused(with("mode", body!("zigzag"))).await, ["/mode"]);
    assert_eq!(refused(with("provider", body!("nope"))).await, ["/provider"]);
    for concurrency in
        [body!(0), body!(65), body!(-1), body!("abc"), body!(1.5), body!(1e300), body!(u64::MAX)]
    {
        assert_eq!(refused(with("concurrency", concurrency)).await, ["/concurrency"]);
    }
    let budgets = [
        ("/budget/deadline_ms", body!({ "deadline_ms": 0 })),
        ("/budget/deadline_ms", body!({ "deadline_ms": -1 })),
        ("/budget/deadline_ms", body!({ "deadline_ms": 1e300 })),
        ("/budget/deadline_ms", body!({ "deadline_ms": "soon" })),
        ("/budget/deadline_ms", body!({ "deadline_ms": u64::MAX })),
        ("/budget/max_cost_usd_micros", body!({ "max_cost_usd_micros": -5 })),
        ("/budget/max_cost_usd_micros", body!({ "max_cost_usd_micros": 0.5 })),
        ("/budget/max_cost_usd_micros", body!({ "max_cost_usd_micros": u64::MAX })),
        ("/budget/seconds", body!({ "seconds": 1 })),
        ("/budget", body!(5)),
    ];
    for (place, wrong) in budgets {
        assert_eq!(refused(with("budget", wrong)).await, [place]);
    }
    let faults = [
        ("/faults/error_rate", body!({ "error_rate": 2 })),
        ("/faults/hang_rate", body!({ "hang_rate": -0.1, "error_rate": 0.5 })),
        ("/faults/truncate_rate", body!({ "truncate_rate": true })),
        ("/faults/latency", body!({ "latency": "soon" })),
        ("/faults/cosmic_rays", body!({ "cosmic_rays": 0.1 })),
        ("/faults", body!(3)),
    ];
    for (place, wrong) in faults {
        assert_eq!(refused(with("faults", wrong)).await, [place]);
    }
}

#[tokio::test]
async fn a_run_whose_requests_all_fail_ends_failed_after_three_attempts_a_call() {
    let program = Program::start("none");
    let mut request = compare();
    request["mode"] = body!("parallel");
    // Six failures: after eight in a row the circuit breaker would have attempts that do not count.
    request["tasks"] = body!(["summary", "sentiment"]);
    request["faults"] = body!({ "error_rate": 1, "latency": "none" });
    let id = program.run(&request).await;
    assert!(program.events(&id, 0).await.contains("event: end"));
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    assert_eq!(run["status"], "failed");
    assert_eq!(run["faults"], body!({ "error_rate": 1.0, "latency": "none" }));
    for call in run["passes"][0]["calls"].as_array().expect("calls") {
        assert_eq!((&call["status"], &call["attempts"]), (&body!("failed"), &body!(3)));
        assert!(call["error"]["message"].as_str().expect("words").len() > 10, "{call}");
    }
    let report = program.get(&format!("/api/runs/{id}/export?format=md")).await;
    let report = report.text().await.expect("text");
    assert!(report.contains("Faults injected: 100\u{2009}% errors, latency none"), "{report}");
}

#[tokio::test]
async fn a_form_without_javascript_carries_faults_and_gets_them_back_when_they_are_wrong() {
    let program = Program::start("none");
    let send = async |rate: &str| {
        let form = format!("sample=ai-technology&task=summary&mode=parallel&error_rate={rate}");
        let post = program.client.post(format!("{}/runs", program.url)).body(form);
        let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        post.send().await.expect("an answer")
    };
    let taken = send("12.5").await;
    assert_eq!(taken.status(), StatusCode::SEE_OTHER);
    let path = taken.headers()[header::LOCATION].to_str().expect("text").to_owned();
    let run = json(program.get(&format!("/api{path}")).await).await;
    assert_eq!(run["faults"], body!({ "error_rate": 0.125 }));
    let refused = send("200").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = refused.text().await.expect("text");
    assert!(page.contains(r#"value="200""#) && page.contains("errors cannot be"), "{page}");
}

#[tokio::test]
async fn a_body_that_is_not_json_or_not_said_to_be_is_refused() {
    let program = Program::start("none");
    let send = async |media_type: &str, text: &str| {
        let request = program.client.post(format!("{}/api/runs", program.url));
        let request = request.header(header::CONTENT_TYPE, media_type).body(text.to_owned());
        request.send().await.expect("an answer").status()
    };
    for text in ["", "{", "[]", "nonsense", r#"{"input":{"text":"\ud800"}}"#] {
        assert_eq!(send("application/json", text).await, StatusCode::BAD_REQUEST, "{text}");
    }
    assert_eq!(send("text/plain", "{}").await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let huge = "x".repeat(3_000_000);
    assert_eq!(send("application/json", &huge).await, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_same_run() {
    let program = Program::start("none");
    let send = async |request: &Value| {
        let post = program.client.post(format!("{}/api/runs", program.url));
        post.header("idempotency-key", "k1").json(request).send().await.expect("an answer")
    };
    let first = json(send(&compare()).await).await;
    assert_eq!(json(send(&compare()).await).await, first);
    let mut other = compare();
    other["mode"] = body!("parallel");
    assert_eq!(send(&other).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn runs_can_be_cancelled_listed_exported_and_deleted() {
    let program = Program::start("fixed:60s");
    let id = program.run(&compare()).await;
    let path = format!("/api/runs/{id}");
    let gone = program.client.delete(format!("{}{path}", program.url));
    assert_eq!(gone.send().await.expect("an answer").status(), StatusCode::CONFLICT);
    let cancelled = program.post(&format!("{path}/cancel"), &body!({})).await;
    assert_eq!(cancelled.status(), StatusCode::ACCEPTED);
    assert!(program.events(&id, 0).await.contains("event: end"));
    assert_eq!(json(program.get(&path).await).await["status"], "cancelled");
    let list = json(program.get("/api/runs?status=cancelled&mode=compare&limit=1").await).await;
    assert_eq!(list["items"][0]["id"], id.as_str());
    for (format, media_type) in [
        ("json", "application/json"),
        ("csv", "text/csv"),
        ("md", "text/markdown"),
        ("svg", "image/svg+xml"),
    ] {
        let file = program.get(&format!("{path}/export?format={format}")).await;
        let found = file.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
        assert!(found.starts_with(media_type), "{format}: {found}");
        let disposition = file.headers()[header::CONTENT_DISPOSITION].to_str().expect("text");
        assert!(disposition.starts_with("attachment; filename="), "{disposition}");
    }
    let gone = program.client.delete(format!("{}{path}", program.url));
    assert_eq!(gone.send().await.expect("an answer").status(), StatusCode::NO_CONTENT);
    assert_eq!(program.get(&path).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_place_in_the_list_that_no_page_gave_is_a_bad_request() {
    let program = Program::start("none");
    assert_eq!(program.get("/runs").await.status(), StatusCode::OK);
    let api = program.get("/api/runs?cursor=bad").await;
    assert_eq!(api.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = program.get("/runs?cursor=bad").await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    let html = page.text().await.expect("a page");
    assert!(html.contains("begin again with the newest runs"), "{html}");
}

#[tokio::test]
async fn another_sites_page_cannot_start_a_run() {
    let program = Program::start("none");
    let post = program.client.post(format!("{}/api/runs", program.url)).json(&compare());
    let answer = post.header(header::ORIGIN, "http://evil.example").send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_can_be_chosen_is_listed_and_unknown_addresses_are_problems() {
    let program = Program::start("none");
    for (path, count) in [("/api/tasks", 6), ("/api/samples", 4)] {
        let list = json(program.get(path).await).await;
        assert_eq!(list.as_array().map(Vec::len), Some(count), "{path}");
    }
    // The simulator, and after it the steps of recordings, which have an endpoint of their own each.
    let providers = json(program.get("/api/providers").await).await;
    let ids =
        providers.as_array().expect("a list").iter().map(|p| p["id"].as_str().expect("an id"));
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids[0], "simulator");
    assert_eq!(ids.len(), 6, "{ids:?}");
    assert!(ids[1..].iter().all(|id| id.starts_with("audio-")), "{ids:?}");
    assert_eq!(program.get("/healthz").await.status(), StatusCode::OK);
    for path in ["/api/nope", "/api/runs/nope", "/api/runs/nope/events"] {
        let response = program.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
    let put = program.client.put(format!("{}/api/runs", program.url)).send().await;
    assert_eq!(put.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_plain_form_starts_a_run_and_a_wrong_one_is_shown_again_with_its_values() {
    let program = Program::start("none");
    let send = async |fields: &str| {
        let post = program.client.post(format!("{}/runs", program.url));
        let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        post.body(fields.to_owned()).send().await.expect("an answer")
    };
    let started = send("text=Some+words.&task=summary&mode=parallel&concurrency=2").await;
    assert_eq!(started.status(), StatusCode::SEE_OTHER);
    assert!(started.headers()["location"].to_str().expect("text").starts_with("/runs/"));
    let wrong = send("text=Kept+words%3Cscript%3E&mode=parallel&concurrency=abc").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = wrong.text().await.expect("text");
    assert!(page.contains("Kept words&lt;script&gt;"), "the text is kept, escaped");
    assert!(page.contains("Concurrency must be a whole number."));
}

#[tokio::test]
async fn a_deadline_keeps_what_there_is_and_says_why_the_rest_is_missing() {
    let program = Program::start("fixed:300ms");
    let mut body = compare();
    body["mode"] = "sequential".into();
    // The first run loads the tokenizer's tables, and its deadline does not wait for that.
    program.events(&program.run(&body).await, 0).await;
    body["budget"] = body!({ "deadline_ms": 400 });
    let id = program.run(&body).await;
    program.events(&id, 0).await;
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    assert_eq!((&run["status"], &run["budget"]["deadline_ms"]), (&body!("partial"), &body!(400)));
    let calls = run["passes"][0]["calls"].as_array().expect("calls");
    assert_eq!(calls[0]["status"], "succeeded");
    assert_eq!(calls[2]["error"]["kind"], "budget_reached");

    body["budget"] = body!({ "deadline_ms": 0, "max_cost_usd_micros": 0 });
    let response = program.post("/api/runs", &body).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem = json(response).await;
    let pointers: Vec<_> = problem["errors"].as_array().expect("errors").iter().collect();
    let pointers: Vec<_> = pointers.iter().map(|e| e["pointer"].as_str().expect("text")).collect();
    assert_eq!(pointers, ["/budget/max_cost_usd_micros", "/budget/deadline_ms"]);
}
