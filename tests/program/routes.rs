//! Several endpoints and fallbacks from `lanes.toml`, and runs that are steered, over REST.

use lanes_simulator::{Simulator, SimulatorConfig};
use reqwest::{StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

/// A simulator in this process, at an address of its own.
async fn simulator(latency: &str) -> String {
    let latency = latency.parse().expect("a latency");
    let config = SimulatorConfig { latency, ..SimulatorConfig::default() };
    let simulator = Simulator::bind(([127, 0, 0, 1], 0).into(), config).await.expect("an address");
    let url = format!("http://{}/v1", simulator.addr());
    tokio::spawn(simulator.serve(std::future::pending()));
    url
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    format!("http://{}/v1", listener.local_addr().expect("an address"))
}

/// A provider of the file with these endpoints and further lines.
fn provider(name: &str, urls: &[&str], more: &str) -> String {
    format!(
        "[[provider]]\nname = \"{name}\"\nbase_urls = {urls:?}\nmodels = [\"simulated-mini\"]\n{more}\n"
    )
}

const TASKS: [&str; 6] =
    ["summary", "sentiment", "keywords", "questions", "translation", "category"];

fn parallel() -> Value {
    body!({ "input": { "sample": "ai-technology" }, "tasks": TASKS, "mode": "parallel" })
}

fn with(field: &str, value: Value) -> Value {
    let mut request = parallel();
    request[field] = value;
    request
}

async fn run(program: &Program, id: &str) -> Value {
    json(program.get(&format!("/api/runs/{id}")).await).await
}

/// The run once it is over.
async fn over(program: &Program, id: &str) -> Value {
    assert!(program.events(id, 0).await.contains("event: end"));
    run(program, id).await
}

/// Asks for the run until so many of its first pass's calls stand so; requests are the only wait.
async fn until(program: &Program, id: &str, status: &str, wanted: usize) {
    loop {
        let found = run(program, id).await;
        let calls = found["passes"][0]["calls"].as_array().expect("calls");
        if calls.iter().filter(|c| c["status"] == status).count() == wanted {
            return;
        }
    }
}

/// The places that a refusal names.
async fn places(response: reqwest::Response) -> Vec<String> {
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let problem = json(response).await;
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|e| e["pointer"].as_str().expect("a pointer").to_owned()).collect()
}

#[tokio::test]
async fn two_endpoints_and_a_fallback_from_the_file_are_used_and_shown() {
    let (works, dead, spare) = (simulator("none").await, nobody(), simulator("none").await);
    let file = provider(
        "pair",
        &[&works, &dead],
        "max_concurrency = 2\nfallback = [\"spare\", \"simulator\"]\napi_key_env = \"PAIR_KEY\"",
    ) + &provider("spare", &[&spare], "");
    let program = Program::start_with("none", &file, &[("PAIR_KEY", "sk-7Jx2secret")]);
    let shown = json(program.get("/api/providers").await).await;
    let ids: Vec<_> = shown.as_array().expect("a list").iter().map(|p| &p["id"]).collect();
    // Behind them the steps of recordings, for workflows.
    assert_eq!(ids[..3], ["pair", "spare", "simulator"]);
    assert_eq!(shown[0]["endpoints"], 2);
    assert_eq!(shown[0]["max_concurrency"], 2);
    assert_eq!(shown[0]["fallback"], body!(["spare", "simulator"]));
    assert_eq!(shown[0]["health"], body!([]), "nothing has been used yet");

    // Enough calls for three refused connections: then the breaker opens.
    let mut found = Value::Null;
    for _ in 0..4 {
        found = over(&program, &program.run(&parallel()).await).await;
        assert_eq!(found["status"], "succeeded", "{found}");
    }
    let names: Vec<_> = found["routes"].as_array().expect("routes").iter().collect();
    assert_eq!(names.len(), 4, "{names:?}");
    let at = |url: &str| format!("pair · {}", &url[7..url.len() - 3]);
    assert_eq!(names[0]["name"], at(&works));
    assert_eq!(names[1]["name"], at(&dead));
    assert_eq!(
        (&names[2]["provider"], &names[3]["provider"]),
        (&body!("spare"), &body!("simulator"))
    );
    assert_eq!(found["breakers"][0]["route"], 1);
    assert_eq!(found["breakers"][0]["health"], "open");
    assert!(found["breakers"][0]["until_us"].is_u64() && found["breakers"][0]["opened"].is_u64());

    let shown = json(program.get("/api/providers").await).await;
    let health = shown[0]["health"].as_array().expect("health");
    assert_eq!(health.len(), 2);
    assert_eq!((&health[0]["breaker"], &health[1]["breaker"]), (&body!("closed"), &body!("open")));
    assert!(health[1]["message"].as_str().expect("words").len() > 10);
    assert!(!format!("{shown}{found}").contains("7Jx2"), "no key is shown");
}

#[tokio::test]
async fn a_run_may_name_its_own_fallbacks() {
    let (dead, spare) = (nobody(), simulator("none").await);
    let file = provider("dead", &[&dead], "") + &provider("spare", &[&spare], "");
    let program = Program::start_with("none", &file, &[]);
    let alone = over(&program, &program.run(&parallel()).await).await;
    assert_eq!(alone["status"], "failed");
    assert_eq!(alone["passes"][0]["calls"][0]["error"]["kind"], "unreachable");
    let named = with("fallback", body!([{ "provider": "spare" }]));
    let found = over(&program, &program.run(&named).await).await;
    assert_eq!(found["status"], "succeeded");
    assert_eq!(found["routes"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn how_calls_are_sent_can_be_chosen_and_what_is_wrong_is_said_in_its_place() {
    let program = Program::start("none");
    let mut request = parallel();
    request["adaptive"] = body!(true);
    request["hedge"] = body!(true);
    request["priority"] = body!("batch");
    let found = over(&program, &program.run(&request).await).await;
    assert_eq!((&found["adaptive"], &found["hedge"]), (&body!(true), &body!(true)));
    assert_eq!((&found["priority"], &found["paused"]), (&body!("batch"), &body!(false)));
    assert_eq!(found["status"], "succeeded");

    let simulator = body!({ "provider": "simulator", "model": "simulated-mini" });
    for (place, field, wrong) in [
        ("/adaptive", "adaptive", body!("yes")),
        ("/hedge", "hedge", body!(2)),
        ("/priority", "priority", body!("urgent")),
        ("/priority", "priority", body!(1)),
        ("/fallback", "fallback", body!("simulator")),
        ("/fallback/0", "fallback", body!([{ "provider": "nope" }])),
        ("/fallback/0", "fallback", body!([{ "model": "nope" }])),
        ("/fallback/0", "fallback", body!([simulator])),
        ("/fallback/0/url", "fallback", body!([{ "url": "http://127.0.0.1" }])),
    ] {
        let refused = program.post("/api/runs", &with(field, wrong.clone())).await;
        assert_eq!(places(refused).await, [place], "{wrong}");
    }
    let mut compare = with("hedge", body!(true));
    compare["mode"] = body!("compare");
    assert_eq!(places(program.post("/api/runs", &compare).await).await, ["/hedge"]);
}

#[tokio::test]
async fn a_run_is_paused_changed_and_let_on_over_rest() {
    let program = Program::start("fixed:150ms");
    let id = program.run(&with("concurrency", body!(1))).await;
    let path = format!("/api/runs/{id}");
    let patch = async |change: Value| {
        let request = program.client.patch(format!("{}{path}", program.url)).json(&change);
        request.send().await.expect("an answer")
    };
    until(&program, &id, "running", 1).await;
    let paused = program.post(&format!("{path}/pause"), &body!({})).await;
    assert_eq!(paused.status(), StatusCode::ACCEPTED);
    assert_eq!(run(&program, &id).await["paused"], true);
    until(&program, &id, "running", 0).await;
    for (place, change) in [
        ("/concurrency", body!({ "concurrency": 0 })),
        ("/concurrency", body!({ "concurrency": 65 })),
        ("/concurrency", body!({ "concurrency": "many" })),
        ("/priority", body!({ "priority": "urgent" })),
        ("/lanes", body!({ "lanes": 2 })),
        ("", body!({})),
    ] {
        assert_eq!(places(patch(change.clone()).await).await, [place], "{change}");
    }
    let taken = patch(body!({ "concurrency": 3, "priority": "batch" })).await;
    assert_eq!(taken.status(), StatusCode::ACCEPTED);
    let on = program.post(&format!("{path}/resume"), &body!({})).await;
    assert_eq!(on.status(), StatusCode::ACCEPTED);
    let found = over(&program, &id).await;
    assert_eq!((&found["status"], &found["priority"]), (&body!("succeeded"), &body!("batch")));
    let limits = found["passes"][0]["limits"].as_array().expect("limits");
    let last = limits.last().expect("a change");
    assert_eq!((&last["limit"], &last["why"]), (&body!(3), &body!("user")));
    let holds = found["passes"][0]["holds"].as_array().expect("holds");
    assert!(holds.iter().any(|h| h["why"] == "pause"), "{holds:?}");

    let late = [
        program.post(&format!("{path}/pause"), &body!({})).await,
        program.post(&format!("{path}/resume"), &body!({})).await,
        patch(body!({ "concurrency": 2 })).await,
    ];
    for late in late {
        assert_eq!(late.status(), StatusCode::CONFLICT);
        assert_eq!(late.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
    let nobody = program.post("/api/runs/nobody/pause", &body!({})).await;
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
}
