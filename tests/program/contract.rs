//! What holds for every address of the REST API: refusals are problems, states have ETags, answers are
//! compressed, lists have pages.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

fn parallel() -> Value {
    body!({ "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": "parallel" })
}

async fn finished(program: &Program) -> String {
    let id = program.run(&parallel()).await;
    program.events(&id, 0).await;
    id
}

/// A refusal as a problem, and what it says.
async fn problem(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let problem = json(response).await;
    assert_eq!(problem["status"], status.as_u16());
    assert!(problem["type"].is_string() && problem["title"].is_string(), "{problem}");
    let detail = problem["detail"].as_str().expect("words").to_owned();
    assert!(detail.len() > 10, "{problem}");
    detail
}

#[tokio::test]
async fn every_refusal_is_a_problem_also_those_that_no_handler_made() {
    let program = Program::start("none");
    let get = async |path: &str| program.get(path).await;
    problem(get("/api/nothing").await, StatusCode::NOT_FOUND).await;
    problem(get("/api").await, StatusCode::NOT_FOUND).await;
    problem(get("/api/runs/nobody").await, StatusCode::NOT_FOUND).await;
    problem(get("/api/runs/%ff").await, StatusCode::BAD_REQUEST).await;
    problem(get("/api/runs?q=%ff").await, StatusCode::BAD_REQUEST).await;
    problem(get("/api/runs?limit=5%").await, StatusCode::BAD_REQUEST).await;
    problem(get("/api/runs?limit=many").await, StatusCode::UNPROCESSABLE_ENTITY).await;
    problem(get("/api/runs/x/events?after=1&after=2").await, StatusCode::BAD_REQUEST).await;
    let request = async |method: Method, path: &str, kind: &str, bytes: Vec<u8>| {
        let request = program.client.request(method, format!("{}{path}", program.url));
        let request = request.header(header::CONTENT_TYPE, kind).body(bytes);
        request.send().await.expect("an answer")
    };
    let post = async |path: &str, kind: &str, bytes: Vec<u8>| {
        request(Method::POST, path, kind, bytes).await
    };
    let json_type = "application/json";
    problem(post("/api/runs", "text/plain", vec![]).await, StatusCode::UNSUPPORTED_MEDIA_TYPE)
        .await;
    problem(post("/api/runs", json_type, b"{".to_vec()).await, StatusCode::BAD_REQUEST).await;
    let large = vec![b' '; 2_000_001];
    problem(post("/api/runs", json_type, large).await, StatusCode::PAYLOAD_TOO_LARGE).await;
    for path in ["/api/documents", "/api/process-batch"] {
        let kind = "application/json";
        problem(post(path, kind, vec![]).await, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
        let without = "multipart/form-data";
        problem(post(path, without, vec![]).await, StatusCode::BAD_REQUEST).await;
        let broken = "multipart/form-data; boundary=x";
        problem(post(path, broken, b"--x\r\nbroken".to_vec()).await, StatusCode::BAD_REQUEST).await;
    }
    for (method, path, allowed) in [
        (Method::PUT, "/api/runs", "GET,HEAD,POST"),
        (Method::POST, "/api/runs/x", "DELETE,GET,HEAD,PATCH"),
        (Method::GET, "/api/tasks/import", "POST"),
        (Method::DELETE, "/healthz", "GET,HEAD"),
    ] {
        let answer = request(method, path, json_type, vec![]).await;
        let mut methods: Vec<_> =
            answer.headers()[header::ALLOW].to_str().expect("text").split(',').collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allowed, "{path}");
        problem(answer, StatusCode::METHOD_NOT_ALLOWED).await;
    }
}

#[tokio::test]
async fn an_unknown_page_is_a_page_for_people_and_a_problem_for_programs() {
    let program = Program::start("none");
    let ask = async |accept: &str| {
        let get = program.client.get(format!("{}/nowhere", program.url));
        get.header(header::ACCEPT, accept).send().await.expect("an answer")
    };
    problem(ask("application/json").await, StatusCode::NOT_FOUND).await;
    problem(ask("application/problem+json").await, StatusCode::NOT_FOUND).await;
    let page = ask("text/html,application/xhtml+xml,*/*;q=0.8").await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    let kind = page.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
    assert!(kind.starts_with("text/html"), "{kind}");
}

#[tokio::test]
async fn whoever_has_a_state_already_is_told_so() {
    let program = Program::start("none");
    let id = finished(&program).await;
    let run = format!("/api/runs/{id}");
    let tag = async |path: &str| {
        let answer = program.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.headers()[header::ETAG].to_str().expect("text").to_owned()
    };
    let again = async |path: &str, tag: &str| {
        let get = program.client.get(format!("{}{path}", program.url));
        get.header(header::IF_NONE_MATCH, tag).send().await.expect("an answer")
    };
    let last = json(program.get(&run).await).await["last_seq"].as_u64().expect("a number");
    assert_eq!(tag(&run).await, format!("W/\"{last}-succeeded\""));
    for path in [
        run.as_str(),
        "/api/tasks",
        "/api/tasks/summary",
        "/api/workflows",
        "/api/workflows/six-tasks",
        "/api/documents",
        "/openapi.json",
    ] {
        let tag = tag(path).await;
        let answer = again(path, &tag).await;
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(answer.headers()[header::ETAG], tag, "{path}");
        assert!(answer.bytes().await.expect("a body").is_empty(), "{path}");
        assert_eq!(again(path, "W/\"other\"").await.status(), StatusCode::OK, "{path}");
    }
    let before = tag("/api/tasks").await;
    let task = body!({ "id": "tone", "name": "Tone", "prompt": "{{text}}", "max_tokens": 9 });
    assert_eq!(program.post("/api/tasks", &task).await.status(), StatusCode::CREATED);
    assert_eq!(again("/api/tasks", &before).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn answers_are_compressed_as_the_client_likes_it_and_streams_are_not() {
    let program = Program::start("none");
    let id = finished(&program).await;
    let ask = async |path: &str, accepts: &str| {
        let get = program.client.get(format!("{}{path}", program.url));
        let answer = get.header(header::ACCEPT_ENCODING, accepts).send().await.expect("an answer");
        let coding = answer.headers().get(header::CONTENT_ENCODING).cloned();
        let coding = coding.map(|c| c.to_str().expect("text").to_owned());
        (coding, answer.bytes().await.expect("a body"))
    };
    let (plain, all) = ask("/openapi.json", "identity").await;
    assert_eq!(plain, None);
    for coding in ["gzip", "br"] {
        let (used, bytes) = ask("/openapi.json", coding).await;
        assert_eq!(used.as_deref(), Some(coding));
        assert!(bytes.len() * 4 < all.len(), "{coding}: {} of {}", bytes.len(), all.len());
    }
    let gzip = ask("/openapi.json", "gzip").await.1;
    let mut unpacked = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(gzip.as_ref()), &mut unpacked).expect("gzip");
    assert_eq!(unpacked, all);
    assert_eq!(ask(&format!("/api/runs/{id}/events"), "gzip, br").await.0, None);
}

#[tokio::test]
async fn a_list_is_read_page_by_page_without_a_gap() {
    let program = Program::start("none");
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(finished(&program).await);
    }
    started.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/runs?limit=2".to_owned());
    loop {
        let page = json(program.get(&path).await).await;
        assert_eq!(page["total"], 5);
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|i| i["id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/runs?limit=2&cursor={next}");
    }
    assert_eq!(seen, started);
}

#[tokio::test]
async fn a_repeated_request_is_one_run_and_a_key_is_for_one_request() {
    let program = Program::start("none");
    let send = async |key: &str, body: &Value| {
        let post = program.client.post(format!("{}/api/runs", program.url)).json(body);
        post.header("idempotency-key", key).send().await.expect("an answer")
    };
    let first = json(send("a", &parallel()).await).await;
    let answer = send("a", &parallel()).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(json(answer).await, first);
    let mut other = parallel();
    other["tasks"] = body!(["keywords"]);
    problem(send("a", &other).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_ne!(json(send("b", &parallel()).await).await, first);
    problem(send("", &parallel()).await, StatusCode::BAD_REQUEST).await;
    problem(send(&"x".repeat(256), &parallel()).await, StatusCode::BAD_REQUEST).await;
}
