//! Without a key, with a wrong one, with one that is worth too little.

use std::process::Command;

use reqwest::{Method, StatusCode, header};
use serde_json::json as body;

use super::run;
use crate::support::{Program, json};

const TOKEN: &str = "planted-token-of-the-environment";

async fn status(program: &Program, method: Method, path: &str, secret: Option<&str>) -> StatusCode {
    let mut request = program.client.request(method, format!("{}{path}", program.url));
    if let Some(secret) = secret {
        request = request.bearer_auth(secret);
    }
    request.send().await.expect("an answer").status()
}

#[tokio::test]
async fn with_a_token_set_nothing_but_health_and_the_login_answers_without_it() {
    let program = Program::start_with("none", "", &[("LANES_TOKEN", TOKEN)]);
    for path in ["/healthz", "/readyz", "/favicon.svg", "/batch.js", "/login"] {
        assert_eq!(status(&program, Method::GET, path, None).await, StatusCode::OK, "{path}");
    }
    let closed = [
        "/",
        "/runs",
        "/tasks",
        "/settings/keys",
        "/api/runs",
        "/api/keys",
        "/api/providers",
        "/api/runs/x/events",
        "/api/sample?id=ai-technology",
        "/nothing",
        "/api/nothing",
        "/documents/x",
    ];
    let prefix = &TOKEN[..TOKEN.len() - 1];
    let longer = format!("{TOKEN}x");
    for path in closed {
        for wrong in [None, Some(""), Some(prefix), Some(&*longer)] {
            let got = status(&program, Method::GET, path, wrong).await;
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
            assert!(refused.contains(&got), "{path} {wrong:?}: {got}");
        }
    }
    let post = program.client.post(format!("{}/api/runs", program.url)).json(&run());
    let refused = post.send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"lanes\"");
    assert_eq!(refused.headers()[header::CONTENT_TYPE], "application/problem+json");
    // OpenAI's clients are told in the form that they read.
    let refused = program.get("/v1/models").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"lanes\"");
    assert_eq!(refused.headers()[header::CONTENT_TYPE], "application/json");
    let error = json(refused).await["error"].take();
    assert_eq!(error["code"], "invalid_api_key");
    assert!(error["message"].as_str().is_some_and(|m| m.contains("LANES_TOKEN")), "{error}");
    let page = program.client.get(format!("{}/runs?q=a%26b", program.url));
    let page = page.header(header::ACCEPT, "text/html").send().await.expect("an answer");
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(page.headers()[header::LOCATION], "/login?next=%2Fruns%3Fq%3Da%2526b");
}

#[tokio::test]
async fn guessing_is_slowed_and_the_right_token_is_still_let_in_once_it_was() {
    let program = Program::start_with("none", "", &[("LANES_TOKEN", TOKEN)]);
    assert_eq!(status(&program, Method::GET, "/api/runs", Some(TOKEN)).await, StatusCode::OK);
    let mut refused = 0;
    for guess in 0..15 {
        let got = status(&program, Method::GET, "/api/runs", Some(&format!("guess-{guess}"))).await;
        refused += u32::from(got == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused >= 4, "{refused}");
    assert_eq!(status(&program, Method::GET, "/api/runs", Some(TOKEN)).await, StatusCode::OK);
    let form = program.client.post(format!("{}/login", program.url));
    let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let login = form.body("token=guess").send().await.expect("an answer");
    assert_eq!(login.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_key_made_in_the_terminal_works_for_as_much_as_its_scope_says_until_it_is_revoked() {
    let program =
        Program::start_with("none", "", &[("LANES_AUTH", "always"), ("LANES_TOKEN", TOKEN)]);
    let lanes = |args: &[&str]| {
        let command = Command::new(env!("CARGO_BIN_EXE_lanes"))
            .args(args)
            .arg("--data-dir")
            .arg(program.folder())
            .current_dir(program.folder())
            .output()
            .expect("the program");
        assert!(command.status.success(), "{}", String::from_utf8_lossy(&command.stderr));
        String::from_utf8(command.stdout).expect("words").trim().to_owned()
    };
    let read = lanes(&["keys", "create", "look", "--scope", "read"]);
    let key = lanes(&["keys", "create", "work", "--scope", "run"]);
    let admin = lanes(&["keys", "create", "all", "--scope", "admin"]);
    for (secret, expected) in
        [(&read, [200, 403, 403]), (&key, [200, 422, 403]), (&admin, [200, 422, 200])]
    {
        let start = program.client.post(format!("{}/api/runs", program.url)).json(&body!({}));
        let start = start.bearer_auth(secret).send().await.expect("an answer").status();
        let got = [
            status(&program, Method::GET, "/api/runs", Some(secret)).await.as_u16(),
            start.as_u16(),
            status(&program, Method::GET, "/api/keys", Some(secret)).await.as_u16(),
        ];
        assert_eq!(got, expected);
    }
    let id = key.split('_').nth(1).expect("an id");
    assert!(lanes(&["keys", "list"]).contains(id));
    lanes(&["keys", "revoke", id]);
    assert_eq!(
        status(&program, Method::GET, "/api/runs", Some(&key)).await,
        StatusCode::UNAUTHORIZED
    );
    let made = program.client.post(format!("{}/api/keys", program.url)).bearer_auth(&admin);
    let made =
        made.json(&body!({ "name": "rest", "scope": "read" })).send().await.expect("an answer");
    assert_eq!(
        (made.status(), &made.headers()[header::CACHE_CONTROL]),
        (StatusCode::CREATED, &"no-store".parse().expect("a value"))
    );
    let made = json(made).await;
    let secret = made["key"].as_str().expect("a key");
    assert_eq!(status(&program, Method::GET, "/api/runs", Some(secret)).await, StatusCode::OK);
    let id = format!("/api/keys/{}", made["id"].as_str().expect("an id"));
    assert_eq!(status(&program, Method::DELETE, &id, Some(&admin)).await, StatusCode::NO_CONTENT);
    assert_eq!(
        status(&program, Method::GET, "/api/runs", Some(secret)).await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let variables = [("LANES_TOKEN", TOKEN), ("LANES_PUBLIC_URL", "https://lanes.example.org")];
    let program = Program::start_with("none", "", &variables);
    let log_in = program.client.post(format!("{}/login", program.url));
    let log_in = log_in.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let log_in = log_in.body(format!("token={TOKEN}&next=//evil.example"));
    let answer = log_in.send().await.expect("an answer");
    assert_eq!(
        (answer.status(), &answer.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/".parse().expect("a value"))
    );
    assert!(answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
    let set = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Secure"] {
        assert!(set.split("; ").any(|p| p == part), "{part}: {set}");
    }
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    let send = async |method: Method, path: &str, origin: Option<&str>| {
        let mut request = program.client.request(method, format!("{}{path}", program.url));
        request = request.header(header::COOKIE, &cookie);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        request.send().await.expect("an answer").status()
    };
    assert_eq!(send(Method::GET, "/api/keys", None).await, StatusCode::OK);
    assert_eq!(
        send(Method::DELETE, "/api/cache", Some("http://evil.example")).await,
        StatusCode::FORBIDDEN
    );
    let ours = Some("https://lanes.example.org");
    assert_eq!(send(Method::DELETE, "/api/cache", ours).await, StatusCode::NO_CONTENT);
    assert_eq!(send(Method::POST, "/logout", ours).await, StatusCode::SEE_OTHER);
    assert_eq!(send(Method::GET, "/api/keys", None).await, StatusCode::UNAUTHORIZED);
    // Neither the cookie nor the token is in what is kept.
    let session = cookie.split('=').nth(1).expect("a value");
    for entry in std::fs::read_dir(program.folder()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("a file").path()).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(session) && !text.contains(TOKEN));
    }
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_again() {
    let program = Program::start_with("none", "", &[("LANES_RATE_LIMIT", "20")]);
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(program.get("/api/samples").await);
    }
    let late: Vec<_> =
        answers.iter().filter(|a| a.status() == StatusCode::TOO_MANY_REQUESTS).collect();
    assert!((5..=10).contains(&late.len()), "{}", late.len());
    let wait: u64 =
        late[0].headers()[header::RETRY_AFTER].to_str().expect("text").parse().expect("a number");
    assert!((1..=4).contains(&wait), "{wait}");
    // Health is not counted, or a probe would take a busy program for a dead one.
    assert_eq!(program.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn only_a_trusted_proxy_says_for_whom_it_asks() {
    let asked = async |variables: &[(&str, &str)]| {
        let program = Program::start_with("none", "", variables);
        let mut late = 0;
        for client in 0..40 {
            let request = program.client.get(format!("{}/api/samples", program.url));
            let request = request.header("x-forwarded-for", format!("6.6.6.6, 10.1.1.{client}"));
            let answer = request.send().await.expect("an answer");
            late += u32::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
        }
        late
    };
    assert!(asked(&[("LANES_RATE_LIMIT", "10")]).await > 20);
    let trusted = [("LANES_RATE_LIMIT", "10"), ("LANES_TRUSTED_PROXIES", "127.0.0.0/8")];
    assert_eq!(asked(&trusted).await, 0);
}

#[test]
fn an_address_for_others_is_refused_while_there_is_no_way_in() {
    let folder = tempfile::tempdir().expect("a folder");
    for (addr, auth) in [("0.0.0.0:0", "auto"), ("[::]:0", "auto"), ("127.0.0.1:0", "always")] {
        let said = Command::new(env!("CARGO_BIN_EXE_lanes"))
            .args(["serve", "--addr", addr, "--data-dir"])
            .arg(folder.path())
            .current_dir(folder.path())
            .env("LANES_AUTH", auth)
            .env_remove("LANES_TOKEN")
            .output()
            .expect("the program");
        assert_eq!((said.status.code(), &*said.stdout), (Some(2), &b""[..]), "{addr}");
        let words = String::from_utf8_lossy(&said.stderr);
        assert!(words.contains("LANES_TOKEN") && words.contains("lanes keys create"), "{words}");
    }
}
