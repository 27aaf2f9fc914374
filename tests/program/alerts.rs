//! The dashboard and the alerts over the built program: REST and plain forms.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

async fn send(program: &Program, path: &str, fields: &str) -> Response {
    let post = program.client.post(format!("{}{path}", program.url));
    let post = post.header("content-type", "application/x-www-form-urlencoded");
    post.body(fields.to_owned()).send().await.expect("an answer")
}

fn run(faults: Value) -> Value {
    body!({
        "input": { "text": "Planted words about herons." },
        "tasks": ["summary", "category"],
        "mode": "parallel",
        "faults": faults,
    })
}

#[tokio::test]
async fn the_dashboard_counts_runs_and_survives_a_kill() {
    let mut program = Program::start("none");
    for _ in 0..2 {
        let id = program.run(&run(Value::Null)).await;
        program.events(&id, 0).await;
    }
    program.kill_and_start_again();
    let found = loop {
        let found = json(program.get("/api/dashboard?range=hour").await).await;
        if found["total"]["calls"] == 4 {
            break found;
        }
    };
    assert_eq!((&found["runs"]["started"], &found["total"]["failed"]), (&body!(2), &body!(0)));
    assert_eq!(found["slots"].as_array().expect("steps").len(), 60);
    assert_eq!(found["tasks"].as_array().expect("tasks").len(), 2);
    assert_eq!(found["models"][0]["simulated"], true);
    assert!(found["total"]["p95_us"].as_u64().is_some() && found["quantile_error"].is_number());
    for range in ["hour", "day", "week"] {
        let page = program.get(&format!("/dashboard?range={range}")).await;
        assert_eq!(page.status(), StatusCode::OK);
        let page = page.text().await.expect("a page");
        assert!(page.contains("By task") && page.contains("Category") && page.contains("<svg"));
        assert!(!page.contains("herons"));
    }
    let refused = program.get("/api/dashboard?range=year").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_rule_is_made_fires_shows_in_the_bar_and_is_deleted() {
    let program = Program::start("none");
    let list = json(program.get("/api/alerts").await).await;
    assert_eq!(list["alerts"].as_array().expect("rules").len(), 4);
    let id = program.run(&run(body!({ "error_rate": 1.0 }))).await;
    program.events(&id, 0).await;
    let rule = body!({
        "name": "Errors", "kind": "error_rate", "threshold": 10, "simulated": true,
    });
    let made = program.post("/api/alerts/rules", &rule).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let place = made.headers()["location"].to_str().expect("text").to_owned();
    let made = json(made).await;
    assert_eq!((&made["window_s"], &made["severity"]), (&body!(300), &body!("warning")));
    let alerts = loop {
        let alerts = json(program.get("/api/alerts").await).await;
        if alerts["firing"] == 1 {
            break alerts;
        }
    };
    assert_eq!(alerts["alerts"][4]["value"], 100.0);
    assert_eq!(alerts["history"][0]["status"], "firing");
    let page = program.get("/").await.text().await.expect("a page");
    assert!(page.contains("Alerts: 1 fires"), "the bar says so");
    let page = program.get("/alerts").await.text().await.expect("a page");
    assert!(page.contains("Firing") && page.contains("1 alert fires."));
    let gone = program.client.delete(format!("{}{place}", program.url)).send().await;
    assert_eq!(gone.expect("an answer").status(), StatusCode::NO_CONTENT);
    let alerts = json(program.get("/api/alerts").await).await;
    assert_eq!(
        (&alerts["firing"], &alerts["history"][0]["status"]),
        (&body!(0), &body!("resolved"))
    );
}

#[tokio::test]
async fn plain_forms_make_change_and_delete_a_rule() {
    let program = Program::start("none");
    let wrong = send(&program, "/alerts", "name=&kind=error_rate&threshold=x&window_s=60").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = wrong.text().await.expect("a page");
    assert!(page.contains("The name must have") && page.contains("at most 100 percent"));
    let fields = "name=%3Ci%3ESlow&kind=p95_duration&threshold=2.5&window_s=600&for_s=0\
                  &min_calls=5&severity=critical&enabled=on";
    assert_eq!(send(&program, "/alerts", fields).await.headers()["location"], "/alerts");
    let page = program.get("/alerts").await.text().await.expect("a page");
    assert!(page.contains("&lt;i&gt;Slow") && page.contains("Critical"));
    let rules = json(program.get("/api/alerts/rules").await).await;
    let id = rules[4]["id"].as_str().expect("an id").to_owned();
    let form = program.get(&format!("/alerts/{id}")).await.text().await.expect("a page");
    assert!(form.contains(r#"value="2.5""#));
    let saved = send(&program, &format!("/alerts/{id}"), &fields.replace("2.5", "4")).await;
    assert_eq!(saved.headers()["location"], format!("/alerts/{id}?saved"));
    let rules = json(program.get("/api/alerts/rules").await).await;
    assert_eq!((&rules[4]["threshold"], &rules[4]["simulated"]), (&body!(4.0), &body!(false)));
    let deleted = send(&program, &format!("/alerts/{id}/delete"), "").await;
    assert_eq!(deleted.status(), StatusCode::SEE_OTHER);
    assert_eq!(program.get(&format!("/alerts/{id}")).await.status(), StatusCode::NOT_FOUND);
}
