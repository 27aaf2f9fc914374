//! A running server, from outside.

use std::time::Instant;

use serde_json::Value;

use super::Finding;
use crate::cli::CliError;
use crate::cli::target::{Shared, TargetArgs};

pub(super) async fn check(target: TargetArgs) -> Result<Vec<Finding>, CliError> {
    let target = target.open(Shared::Ask, None).await?;
    let client = &target.client;
    let begun = Instant::now();
    let mut findings = Vec::new();
    match client.get::<Value>("/healthz").await {
        Ok(said) => {
            let version = said.get("version").and_then(Value::as_str).unwrap_or("unknown");
            let taken = begun.elapsed().as_millis();
            let detail = format!("Lanes {version} answers in {taken} ms");
            findings.push(match version == env!("CARGO_PKG_VERSION") {
                true => Finding::ok("server", detail),
                false => Finding::warning("server", detail).do_this(format!(
                    "use the same version here and there: this is {}",
                    env!("CARGO_PKG_VERSION")
                )),
            });
        }
        Err(error) => {
            findings.push(
                Finding::failure("server", error.to_string())
                    .do_this("start it with lanes serve, or give its address with --server"),
            );
            return Ok(findings);
        }
    }
    findings.push(match client.get::<Value>("/readyz").await {
        Ok(said) => {
            let live = said.get("live_runs").and_then(Value::as_u64).unwrap_or(0);
            Finding::ok("ready", format!("it takes runs; {live} going on"))
        }
        Err(error) => Finding::failure("ready", error.to_string())
            .do_this("look at the disk of the server, and at its log"),
    });
    match client.get::<Vec<Value>>("/api/providers").await {
        Ok(providers) => findings.extend(providers.iter().map(provider)),
        Err(error) => findings.push(
            Finding::failure("access", error.to_string())
                .do_this("give a token that may read with --token or LANES_TOKEN"),
        ),
    }
    Ok(findings)
}

/// A provider as the server sees it.
fn provider(provider: &Value) -> Finding {
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let check = format!("provider {}", text(provider, "id"));
    let health = provider.get("health").and_then(Value::as_array).cloned().unwrap_or_default();
    let ill: Vec<_> = health.iter().filter(|one| text(one, "breaker") != "closed").collect();
    let Some(first) = ill.first() else {
        let used = match health.len() {
            0 => "not used since the server began".to_owned(),
            _ => "its endpoints answer".to_owned(),
        };
        return Finding::ok(check, used);
    };
    let detail = format!("{}: {}", text(first, "endpoint"), text(first, "message"));
    let all = ill.len() == health.len();
    let found = if all { Finding::failure(check, detail) } else { Finding::warning(check, detail) };
    found.do_this("run lanes doctor on the server's own machine: it tries every endpoint")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_provider_fails_when_no_endpoint_of_it_answers() {
        let one = |breakers: &[&str]| {
            let health: Vec<_> = breakers
                .iter()
                .map(|b| json!({"endpoint": "host:1", "breaker": b, "message": "refused"}))
                .collect();
            provider(&json!({ "id": "local", "health": health })).verdict
        };
        assert_eq!(one(&[]), Verdict::Ok);
        assert_eq!(one(&["closed"]), Verdict::Ok);
        assert_eq!(one(&["closed", "open"]), Verdict::Warning);
        assert_eq!(one(&["open"]), Verdict::Failure);
    }
}
