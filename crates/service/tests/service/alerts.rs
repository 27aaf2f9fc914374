//! Alerts: what makes them fire, who is told, and that they outlive the program.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lanes_service::{
    Alert, AlertRuleDefinition, AlertStatus, Service, ServiceError, Severity, Store,
};

use crate::receiver::Receiver;
use crate::support::{self, finished, latency, provider, request, simulator, start};
use crate::webhooks::{failing, hook, telling};

fn rule(kind: &str, threshold: f64) -> AlertRuleDefinition {
    AlertRuleDefinition {
        name: "Mine".to_owned(),
        kind: kind.to_owned(),
        threshold,
        window_s: 300,
        for_s: 0,
        min_calls: 1,
        severity: Severity::Critical,
        simulated: true,
        enabled: true,
    }
}

async fn mine(service: &Service) -> Alert {
    let alerts = service.alerts().await.unwrap().alerts;
    alerts.into_iter().find(|a| a.rule.definition.name == "Mine").unwrap()
}

#[tokio::test]
async fn failing_calls_fire_an_alert_which_is_told_and_resolved_once_they_are_past() {
    let (service, folder) = telling().await;
    let mut receiver = Receiver::start().await;
    let events = ["alert.firing", "alert.resolved"];
    service.create_webhook(hook(&receiver.url(), &events)).await.unwrap();
    service.create_alert_rule(rule("error_rate", 50.0)).await.unwrap();
    let now = Timestamp::now();
    service.evaluate_alerts(now).await.unwrap();
    assert_eq!((mine(&service).await.status, service.firing_alerts()), (AlertStatus::Quiet, 0));
    let run = start(&service, &failing("parallel")).await;
    finished(&service, &run).await;
    service.evaluate_alerts(Timestamp::now()).await.unwrap();
    let alert = mine(&service).await;
    assert_eq!((alert.status, alert.value), (AlertStatus::Firing, Some(100.0)));
    assert_eq!(service.firing_alerts(), 1);
    let told = receiver.next().await.json();
    assert_eq!((&told["type"], &told["data"]["name"]), (&"alert.firing".into(), &"Mine".into()));
    assert_eq!((&told["data"]["value"], &told["data"]["threshold"]), (&100.0.into(), &50.0.into()));
    assert_eq!(told["data"]["url"], "https://lanes.example/alerts");

    // Another program on the same data knows that it fires.
    let (addr, _) = simulator(latency("none")).await;
    let store = Store::open(&folder.path().join("lanes.db")).await.unwrap();
    let again = support::service(store, provider(addr)).await;
    assert_eq!(mine(&again).await.status, AlertStatus::Firing);

    let later = now + SignedDuration::from_mins(20);
    service.evaluate_alerts(later).await.unwrap();
    assert_eq!(mine(&service).await.status, AlertStatus::Resolved);
    assert_eq!(receiver.next().await.json()["type"], "alert.resolved");
    let history = service.alerts().await.unwrap().history;
    let statuses: Vec<_> =
        history.iter().filter(|c| c.name == "Mine").map(|c| c.status).take(2).collect();
    assert_eq!(statuses, [AlertStatus::Resolved, AlertStatus::Firing]);
}

#[tokio::test]
async fn simulated_calls_count_only_where_the_rule_says_so_and_few_calls_say_nothing() {
    let (service, _) = support::fast().await;
    let only_real = AlertRuleDefinition { simulated: false, ..rule("error_rate", 1.0) };
    let real = service.create_alert_rule(only_real).await.unwrap();
    let many = AlertRuleDefinition { min_calls: 2, ..rule("error_rate", 1.0) };
    let many = service.create_alert_rule(many).await.unwrap();
    let spend = service.create_alert_rule(rule("daily_spend", 0.000_001)).await.unwrap();
    let slow = service.create_alert_rule(rule("p95_duration", 3_000.0)).await.unwrap();
    for request in [failing("parallel"), request("parallel", &["summary"])] {
        let run = start(&service, &request).await;
        finished(&service, &run).await;
        service.evaluate_alerts(Timestamp::now()).await.unwrap();
        if request.faults.is_some() {
            assert_eq!(service.firing_alerts(), 0, "one call is too few");
        }
    }
    let alerts = service.alerts().await.unwrap().alerts;
    let status = |id: &str| alerts.iter().find(|a| a.rule.id == id).unwrap();
    assert_eq!(status(&real.id).status, AlertStatus::Quiet);
    assert_eq!(status(&many.id).status, AlertStatus::Firing);
    assert_eq!(status(&many.id).value, Some(50.0));
    assert_eq!(status(&spend.id).status, AlertStatus::Firing);
    assert_eq!(status(&slow.id).status, AlertStatus::Quiet);
    assert!(status(&slow.id).value.is_some());
}

#[tokio::test]
async fn a_run_of_which_nothing_comes_is_stalled_unless_it_is_paused() {
    let (addr, _) = simulator(latency("fixed:120s")).await;
    let service = support::fresh(provider(addr)).await;
    service.create_alert_rule(rule("stalled_run", 1.0)).await.unwrap();
    let run = start(&service, &request("parallel", &["summary"])).await;
    service.evaluate_alerts(Timestamp::now()).await.unwrap();
    assert_eq!(mine(&service).await.status, AlertStatus::Quiet);
    let firing = async {
        while mine(&service).await.status != AlertStatus::Firing {
            service.evaluate_alerts(Timestamp::now()).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), firing).await.unwrap();
    let change = service.alerts().await.unwrap().history.remove(0);
    assert_eq!(change.runs, [run.to_string()]);
    service.pause(&run).await.unwrap();
    service.evaluate_alerts(Timestamp::now()).await.unwrap();
    assert_eq!(mine(&service).await.status, AlertStatus::Resolved);
    service.cancel(&run).await.unwrap();
}

#[tokio::test]
async fn rules_are_checked_changed_and_deleted_and_some_are_there_from_the_start() {
    let (service, _) = support::fast().await;
    let shipped = service.alert_rules().await.unwrap();
    let on: Vec<_> = shipped.iter().map(|r| (r.id.as_str(), r.definition.enabled)).collect();
    let expected = [
        ("error-rate", true),
        ("stalled-run", true),
        ("slow-calls", false),
        ("daily-spend", false),
    ];
    assert_eq!(on, expected);
    for (place, wrong) in [
        ("/name", AlertRuleDefinition { name: " ".to_owned(), ..rule("error_rate", 1.0) }),
        ("/kind", rule("temperature", 1.0)),
        ("/threshold", rule("error_rate", 101.0)),
        ("/threshold", rule("daily_spend", f64::NAN)),
        ("/window_s", AlertRuleDefinition { window_s: 59, ..rule("error_rate", 1.0) }),
        ("/for_s", AlertRuleDefinition { for_s: u32::MAX, ..rule("error_rate", 1.0) }),
        ("/min_calls", AlertRuleDefinition { min_calls: 0, ..rule("error_rate", 1.0) }),
    ] {
        let Err(ServiceError::Invalid(errors)) = service.create_alert_rule(wrong).await else {
            panic!("{place}");
        };
        assert_eq!(errors.iter().map(|e| e.pointer.as_str()).collect::<Vec<_>>(), [place]);
    }
    let made = service.create_alert_rule(rule("error_rate", 1.0)).await.unwrap();
    let run = start(&service, &failing("parallel")).await;
    finished(&service, &run).await;
    service.evaluate_alerts(Timestamp::now()).await.unwrap();
    assert_eq!(service.firing_alerts(), 1);
    service.replace_alert_rule(&made.id, rule("error_rate", 99.0)).await.unwrap();
    assert_eq!(mine(&service).await.rule.definition.threshold, 99.0);
    service.delete_alert_rule(&made.id).await.unwrap();
    assert_eq!(service.firing_alerts(), 0);
    let last = service.alerts().await.unwrap().history.remove(0);
    assert_eq!((last.status, last.rule), (AlertStatus::Resolved, made.id.clone()));
    let gone = service.delete_alert_rule(&made.id).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(_))));
}
