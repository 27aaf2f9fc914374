//! What an attacker would try, from another web site, from the network, or with a file. Each attack is
//! made as it would be, and what it would have reached is looked at.

mod access;
mod raw;
mod secrets;
mod sizes;
mod streams;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};
use raw::raw;

fn run() -> Value {
    body!({ "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": "parallel" })
}

async fn runs(program: &Program) -> u64 {
    json(program.get("/api/runs").await).await["total"].as_u64().expect("a number")
}

#[tokio::test]
async fn another_sites_page_changes_nothing_and_follows_nothing() {
    let program = Program::start("none");
    let id = program.run(&run()).await;
    let (events, frames) = (format!("/api/runs/{id}/events"), format!("/api/runs/{id}/frames"));
    let form = "sample=ai-technology&task=summary&mode=parallel";
    let start =
        r#"{"request":{"input":{"sample":"ai-technology"},"tasks":["summary"]},"options":""}"#;
    let rest = run().to_string();
    let (json_type, form_type) = ("application/json", "application/x-www-form-urlencoded");
    let attacks = [
        (Method::POST, "/api/runs", json_type, &*rest),
        (Method::POST, "/runs", form_type, form),
        (Method::POST, "/api/start", json_type, start),
        (Method::DELETE, "/api/cache", json_type, ""),
        (Method::POST, "/cache/purge", form_type, ""),
        (Method::DELETE, &*format!("/api/runs/{id}"), json_type, ""),
        (Method::POST, "/settings/keys", form_type, "name=mine&scope=admin"),
        (Method::POST, "/api/keys", json_type, r#"{"name":"mine","scope":"admin"}"#),
        (Method::POST, "/v1/chat/completions", json_type, "{}"),
        (Method::GET, &*events, json_type, ""),
        (Method::GET, &*frames, json_type, ""),
    ]
    .map(|(method, path, kind, text)| (method, path.to_owned(), kind, text.to_owned()));
    let foreign = [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    let before = runs(&program).await;
    for (method, path, kind, text) in attacks {
        for (name, value) in foreign {
            let url = format!("{}{path}", program.url);
            let request = program.client.request(method.clone(), url).body(text.clone());
            let request = request.header(header::CONTENT_TYPE, kind).header(name, value);
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path} {name}: {value}");
            let form = answer.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
            if path.starts_with("/v1/") {
                assert_eq!(form, "application/json");
                assert_eq!(json(answer).await["error"]["type"], "invalid_request_error");
            } else {
                assert_eq!(form, "application/problem+json");
            }
        }
    }
    assert_eq!(runs(&program).await, before);
    assert_eq!(json(program.get("/api/keys").await).await["items"], body!([]));
    // Our own page may.
    let own = program.client.post(format!("{}/api/runs", program.url)).json(&run());
    let own = own.header("origin", &program.url).send().await.expect("an answer");
    assert_eq!(own.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_name_that_points_here_for_a_moment_reads_and_changes_nothing() {
    let program = Program::start("none");
    let id = program.run(&run()).await;
    let port = program.url.rsplit(':').next().expect("a port").to_owned();
    for path in ["/", "/runs", "/api/runs", "/nothing", &format!("/api/runs/{id}/events")] {
        for name in
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", ""]
        {
            let host = if name.is_empty() { String::new() } else { format!("{name}:{port}") };
            let answer = raw(
                &program,
                &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
            );
            assert!(answer.starts_with("HTTP/1.1 421 "), "{path} {host}: {answer}");
            assert!(!answer.contains(&id), "{answer}");
        }
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            let line =
                format!("HEAD {path} HTTP/1.1\r\nhost: {name}:{port}\r\nconnection: close\r\n\r\n");
            let answer = raw(&program, &line);
            assert!(!answer.starts_with("HTTP/1.1 421 "), "{path} {name}: {answer}");
        }
    }
}

#[tokio::test]
async fn names_that_climb_out_of_folders_reach_nothing_and_make_no_file() {
    let program = Program::start("none");
    let beside = program.folder().parent().expect("a folder").join("lanes-escaped.txt");
    let names = [
        "../lanes-escaped.txt",
        "../../etc/passwd.txt",
        "/etc/passwd.txt",
        "a\0b.txt",
        "..\\..\\x.txt",
        "C:\\x.txt",
        "..",
        "",
    ];
    let mut taken = 0;
    for (i, name) in names.into_iter().enumerate() {
        let part = reqwest::multipart::Part::bytes(format!("Text number {i}.").into_bytes());
        let form = reqwest::multipart::Form::new().part("file", part.file_name(name));
        let sent = program.client.post(format!("{}/api/documents", program.url)).multipart(form);
        let sent = sent.send().await.expect("an answer");
        assert!(!sent.status().is_server_error(), "{name}");
        for document in json(sent).await["documents"].as_array().into_iter().flatten() {
            let name = document["name"].as_str().expect("a name");
            assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with(".."), "{name}");
            taken += 1;
        }
    }
    assert!(taken > 2, "{taken}");
    assert!(!beside.exists() && !program.folder().join("lanes-escaped.txt").exists());
    for path in [
        "/pkg/../../../etc/passwd",
        "/pkg/..%2f..%2f..%2fetc%2fpasswd",
        "/pkg/%2e%2e/%2e%2e/Cargo.toml",
        "/../../etc/passwd",
        "/api/runs/..%2f..%2fetc%2fpasswd/export?format=json",
        "/api/runs/%00/export?format=csv",
        "/api/documents/..%2flanes.db/content",
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = raw(&program, &request);
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["404", "400"].contains(&status), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("[workspace]"), "{path}");
    }
}

#[tokio::test]
async fn line_breaks_in_names_make_no_header_and_no_line_of_the_log() {
    let program = Program::start_with("none", "", &[("RUST_LOG", "debug,hyper=info")]);
    let text = "</title><script>forged()</script>\r\nSet-Cookie: forged=1\r\n\r\n<script>forged()</script> \"; filename=x.exe";
    let run = body!({ "input": { "text": text }, "tasks": ["summary"], "mode": "parallel" });
    let id = program.run(&run).await;
    let _ = program.events(&id, 0).await;
    for format in ["json", "csv", "md", "svg", "jsonl"] {
        let path = format!("/api/runs/{id}/export?format={format}");
        let line = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = raw(&program, &line);
        let head = answer.split("\r\n\r\n").next().expect("a head").to_ascii_lowercase();
        let forged = head.lines().any(|l| l.starts_with("set-cookie") || l.contains(".exe"));
        assert!(!forged, "{head}");
        assert!(head.contains("content-disposition: attachment; filename=\"lanes-"), "{head}");
    }
    let forged = "x%0D%0A2026-11-21T00:00:00Z%20ERROR%20forged%1B%5B2J";
    for path in
        [format!("/runs/{forged}"), format!("/api/runs/{forged}/events"), format!("/{forged}")]
    {
        let answer = program.get(&path).await;
        assert!(answer.headers().iter().all(|(_, v)| !v.as_bytes().contains(&b'\n')));
    }
    let name = "report\r\n2026-11-21T00:00:00Z ERROR forged.txt";
    let part = reqwest::multipart::Part::bytes(b"A text.".to_vec()).file_name(name);
    let form = reqwest::multipart::Form::new().part("file", part);
    let sent = program.client.post(format!("{}/api/documents", program.url)).multipart(form);
    let _ = sent.send().await.expect("an answer");
    let page = program.get(&format!("/runs/{id}")).await.text().await.expect("text");
    assert!(!page.contains("<script>forged"), "the text is escaped");
    let log = std::fs::read_to_string(program.folder().join("log")).expect("its log");
    assert!(log.lines().count() > 1, "{log}");
    for line in log.lines() {
        let begins =
            line.starts_with("20") && line.get(..40).is_some_and(|head| head.contains('Z'));
        assert!(begins && !line.starts_with("2026-11-21T00:00:00Z"), "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\r'), "{line}");
    }
}

#[tokio::test]
async fn no_cell_of_a_csv_export_is_a_formula() {
    let program = Program::start("none");
    let names =
        ["=HYPERLINK(\"http://evil.example\",\"x\").txt", "+1+1.txt", "-2+3.txt", "@SUM(A1).txt"];
    let form = names.iter().fold(reqwest::multipart::Form::new(), |form, name| {
        let text = format!("=cmd|' /C calc'!A0 and more of {name}. A second sentence.");
        form.part(
            "file",
            reqwest::multipart::Part::bytes(text.into_bytes()).file_name((*name).to_owned()),
        )
    });
    let sent = program.client.post(format!("{}/api/documents", program.url)).multipart(form);
    let added = json(sent.send().await.expect("an answer")).await;
    let ids: Vec<_> =
        added["documents"].as_array().expect("documents").iter().map(|d| d["id"].clone()).collect();
    assert_eq!(ids.len(), names.len(), "{added}");
    let run = body!({ "input": { "document_ids": ids }, "tasks": ["summary"], "mode": "parallel" });
    let id = program.run(&run).await;
    let _ = program.events(&id, 0).await;
    let csv =
        program.get(&format!("/api/runs/{id}/export?format=csv")).await.text().await.expect("text");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let mut neutral = 0;
    for row in reader.records() {
        for cell in &row.expect("a row") {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
            neutral += usize::from(
                cell.starts_with("'=")
                    || cell.starts_with("'+")
                    || cell.starts_with("'-")
                    || cell.starts_with("'@"),
            );
        }
    }
    assert!(neutral >= names.len(), "{csv}");
}
