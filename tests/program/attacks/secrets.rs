//! Planted secrets, and every place where one could come out.

use std::io::{Read, Write};
use std::net::TcpListener;

use reqwest::header;
use serde_json::json as body;

use crate::support::Program;

/// A provider that says the key it was sent in its errors, as some do.
fn telling() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut bytes = vec![0; 65_536];
                let read = stream.read(&mut bytes).unwrap_or(0);
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                let key = text.lines().find_map(|l| l.strip_prefix("authorization: Bearer "));
                let words =
                    format!("Incorrect API key provided: {}.", key.unwrap_or("none").trim());
                let body =
                    body!({ "error": { "message": words, "type": "invalid_request_error" } });
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: \
                     {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes());
            });
        }
    });
    url
}

#[tokio::test]
async fn planted_secrets_are_in_no_log_no_store_no_event_no_export_and_no_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, "planted-file-key-77\n").expect("a file");
    let url = telling();
    let provider = |name: &str, key: &str| {
        format!(
            "[[provider]]\nname = \"{name}\"\nbase_urls = [\"{url}\"]\nmodels = [\"m\"]\n{key}\n"
        )
    };
    let toml = provider("filed", &format!("api_key_file = {:?}", file.to_str().expect("a path")))
        + &provider("named", "api_key_env = \"PLANTED_KEY\"");
    let variables = [
        ("LANES_TOKEN", "planted-token-11"),
        ("OPENAI_API_KEY", "planted-openai-key-55"),
        ("OPENAI_BASE_URL", &*url),
        ("PLANTED_KEY", "planted-named-key-66"),
        ("RUST_LOG", "trace"),
    ];
    let program = Program::start_with("none", &toml, &variables);
    let get = async |path: &str| {
        let request = program.client.get(format!("{}{path}", program.url));
        request
            .bearer_auth("planted-token-11")
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text")
    };
    let post = async |path: &str, body: serde_json::Value| {
        let request = program.client.post(format!("{}{path}", program.url)).json(&body);
        request
            .bearer_auth("planted-token-11")
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text")
    };
    let made: serde_json::Value =
        serde_json::from_str(&post("/api/keys", body!({ "name": "k", "scope": "read" })).await)
            .expect("JSON");
    let key = made["key"].as_str().expect("a key").to_owned();
    let log_in = program.client.post(format!("{}/login", program.url));
    let log_in = log_in.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let log_in = log_in.body(format!("token={key}")).send().await.expect("an answer");
    let cookie = log_in.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    let session = cookie.split(['=', ';']).nth(1).expect("a value").to_owned();
    let mut said = vec![("providers".to_owned(), get("/api/providers").await)];
    for provider in ["endpoint", "filed", "named"] {
        let run = body!({
            "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": "parallel", "provider": provider,
        });
        let run: serde_json::Value =
            serde_json::from_str(&post("/api/runs", run).await).expect("JSON");
        let id = run["id"].as_str().expect("an id").to_owned();
        let events = get(&format!("/api/runs/{id}/events")).await;
        assert!(events.contains("event: end") && events.contains("Incorrect API key"), "{events}");
        said.push(("events".to_owned(), events));
        for path in
            [format!("/runs/{id}"), format!("/api/runs/{id}"), format!("/api/runs/{id}/calls")]
        {
            said.push((path.clone(), get(&path).await));
        }
        for format in ["json", "csv", "md", "svg", "jsonl"] {
            let path = format!("/api/runs/{id}/export?format={format}");
            said.push((path.clone(), get(&path).await));
        }
    }
    for path in
        ["/", "/runs", "/tasks", "/workflows", "/settings/keys", "/api/keys", "/metrics", "/readyz"]
    {
        said.push((path.to_owned(), get(path).await));
    }
    for entry in std::fs::read_dir(program.folder()).expect("a folder") {
        let path = entry.expect("a file").path();
        let bytes = std::fs::read(&path).expect("a file");
        said.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    assert!(said.iter().any(|(place, text)| place.ends_with("/log") && text.len() > 1_000));
    assert!(
        said.iter()
            .any(|(place, text)| place.contains("lanes.db") && text.contains("Incorrect API key"))
    );
    let secret = key.rsplit('_').next().expect("a secret");
    let planted = [
        "planted-token-11",
        "planted-openai-key-55",
        "planted-file-key-77",
        "planted-named-key-66",
        secret,
        &session,
    ];
    for (place, text) in &said {
        for secret in planted {
            let at = text.find(secret);
            let around = at.map(|at| text.get(at.saturating_sub(200)..at));
            assert_eq!(at, None, "{secret} in {place}: {around:?}");
        }
    }
}
