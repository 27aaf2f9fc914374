//! The parts of a request that say how calls are sent rather than which: adaptive concurrency,
//! hedging, fallbacks and priority. Checked as part of [`RunRequest::check`].

pub mod form;

use serde::{Deserialize, Serialize};

use crate::spec::{Choices, FieldError, shorten};
use crate::{Fallback, Mode, Priority, RunRequest};

/// The most fallbacks of a run.
const MOST_FALLBACKS: usize = 8;

/// What to go on with when the provider fails, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FallbackRequest {
    /// Which provider; by default the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Which model; by default the provider's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl RunRequest {
    /// Whether the number of lanes in use adapts. By default it does where no limit of the provider is
    /// known, but not in passes that are measured against each other.
    pub(crate) fn is_adaptive(&self, choices: &Choices<'_>, mode: Mode, provider: &str) -> bool {
        self.adaptive.unwrap_or_else(|| choices.adapts(mode, provider))
    }

    /// The priority; interactive by default.
    pub(crate) fn check_priority(&self, errors: &mut Vec<FieldError>) -> Priority {
        let Some(id) = &self.priority else { return Priority::default() };
        Priority::from_id(id).unwrap_or_else(|| {
            let detail =
                format!("“{}” is not a priority; choose interactive or batch.", shorten(id));
            errors.push(FieldError::new("/priority", detail));
            Priority::default()
        })
    }

    /// A second attempt beside a slow one falsifies what a comparison measures.
    pub(crate) fn check_hedge(&self, mode: Mode, errors: &mut Vec<FieldError>) {
        if self.hedge && mode != Mode::Parallel {
            errors.push(FieldError::new(
                "/hedge",
                "A hedge needs a second lane and would change what compare measures: choose mode \
                 parallel, or leave it out.",
            ));
        }
    }

    /// The fallbacks in order. When none are asked for, those that the provider is configured with.
    pub(crate) fn check_fallbacks(
        &self,
        choices: &Choices<'_>,
        (provider, model): (&str, &str),
        errors: &mut Vec<FieldError>,
    ) -> Vec<Fallback> {
        let Some(asked) = &self.fallback else {
            return choices.configured_fallbacks(provider);
        };
        if asked.len() > MOST_FALLBACKS {
            let detail = format!("Give at most {MOST_FALLBACKS} fallbacks.");
            errors.push(FieldError::new("/fallback", detail));
        }
        let mut seen = vec![(provider.to_owned(), model.to_owned())];
        let mut out = Vec::new();
        for (i, one) in asked.iter().enumerate().take(MOST_FALLBACKS) {
            match one.check(choices, (provider, model)) {
                Ok(f) => {
                    let target = (f.provider.clone(), f.model.clone());
                    if seen.contains(&target) {
                        errors.push(FieldError::new(
                            format!("/fallback/{i}"),
                            "This provider and model is tried already: leave it out.",
                        ));
                    }
                    seen.push(target);
                    out.push(f);
                }
                Err(detail) => errors.push(FieldError::new(format!("/fallback/{i}"), detail)),
            }
        }
        out
    }
}

impl FallbackRequest {
    /// Without a model it is the provider's first or, where none are listed, the run's.
    fn check(
        &self,
        choices: &Choices<'_>,
        (own, own_model): (&str, &str),
    ) -> Result<Fallback, String> {
        let provider = self.provider.as_deref().unwrap_or(own);
        let Some((_, models)) = choices.providers.iter().find(|(id, _)| id == provider) else {
            let known: Vec<_> = choices.providers.iter().map(|(id, _)| id.as_str()).collect();
            return Err(format!(
                "There is no provider “{}”; choose one of {}.",
                shorten(provider),
                known.join(", ")
            ));
        };
        let model = match &self.model {
            Some(model) if !models.is_empty() && !models.contains(model) => {
                return Err(format!(
                    "The provider “{provider}” has no model “{}”; choose one of {}.",
                    shorten(model),
                    models.join(", ")
                ));
            }
            Some(model) => model.clone(),
            None => models.first().map_or(own_model, String::as_str).to_owned(),
        };
        if model.trim().is_empty() {
            return Err(format!("Name a model of the provider “{provider}”."));
        }
        Ok(Fallback { provider: provider.to_owned(), model })
    }
}

impl Choices<'_> {
    /// Whether the number of lanes adapts when nobody says.
    fn adapts(&self, mode: Mode, provider: &str) -> bool {
        mode == Mode::Parallel && self.unlimited.iter().any(|id| id == provider)
    }

    /// The fallbacks that a provider is configured with, each with its first model.
    fn configured_fallbacks(&self, provider: &str) -> Vec<Fallback> {
        let configured = self.fallbacks.iter().find(|(id, _)| id == provider);
        let names = configured.map(|(_, names)| names.as_slice()).unwrap_or_default();
        names.iter().filter_map(|name| self.first_model(name)).collect()
    }

    fn first_model(&self, provider: &str) -> Option<Fallback> {
        let (id, models) = self.providers.iter().find(|(id, _)| id == provider)?;
        Some(Fallback { provider: id.clone(), model: models.first()?.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::spec::InputRequest;

    fn check(request: RunRequest) -> Result<crate::RunSpec, Vec<FieldError>> {
        let request = RunRequest {
            input: InputRequest { text: Some("A text.".to_owned()), ..InputRequest::default() },
            tasks: vec!["summary".to_owned()],
            ..request
        };
        request.check(&Choices {
            workflows: &[],
            tasks: &["summary".into()],
            providers: &[
                ("one".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
                ("two".to_owned(), vec!["c".to_owned()]),
                ("any".to_owned(), Vec::new()),
            ],
            simulated: &[],
            unlimited: &["one".to_owned()],
            fallbacks: &[("one".to_owned(), vec!["two".to_owned()])],
            latency_problem: |_| None,
            limits: &Limits::default(),
        })
    }

    fn parallel() -> RunRequest {
        RunRequest { mode: Some("parallel".to_owned()), ..RunRequest::default() }
    }

    #[test]
    fn concurrency_adapts_by_default_where_no_limit_is_known_and_nothing_is_measured() {
        assert!(check(parallel()).unwrap().adaptive);
        assert!(
            !check(RunRequest { provider: Some("two".into()), ..parallel() }).unwrap().adaptive
        );
        assert!(!check(RunRequest::default()).unwrap().adaptive);
        assert!(
            check(RunRequest { adaptive: Some(true), ..RunRequest::default() }).unwrap().adaptive
        );
    }

    #[test]
    fn fallbacks_are_those_asked_for_or_else_those_configured() {
        let two = Fallback { provider: "two".to_owned(), model: "c".to_owned() };
        assert_eq!(check(parallel()).unwrap().fallback, [two]);
        assert_eq!(
            check(RunRequest { fallback: Some(vec![]), ..parallel() }).unwrap().fallback,
            []
        );
        let own = FallbackRequest { model: Some("b".to_owned()), ..FallbackRequest::default() };
        let spec = check(RunRequest { fallback: Some(vec![own]), ..parallel() }).unwrap();
        assert_eq!(spec.fallback[0].provider, "one");
        assert_eq!(spec.fallback[0].model, "b");
    }

    #[test]
    fn a_provider_that_lists_no_models_is_asked_for_the_runs() {
        let any = FallbackRequest { provider: Some("any".to_owned()), model: None };
        let spec = check(RunRequest {
            fallback: Some(vec![any.clone()]),
            model: Some("b".to_owned()),
            ..parallel()
        });
        let wanted = Fallback { provider: "any".to_owned(), model: "b".to_owned() };
        assert_eq!(spec.unwrap().fallback, [wanted]);
        let alone = RunRequest {
            provider: Some("any".to_owned()),
            fallback: Some(vec![any]),
            model: Some("b".to_owned()),
            ..parallel()
        };
        assert!(check(alone).unwrap_err()[0].detail.contains("tried already"));
    }

    #[test]
    fn what_cannot_be_is_said_in_its_place() {
        let named = |provider: &str, model: Option<&str>| FallbackRequest {
            provider: Some(provider.to_owned()),
            model: model.map(str::to_owned),
        };
        let errors = check(RunRequest {
            fallback: Some(vec![named("three", None), named("two", Some("z")), named("one", None)]),
            priority: Some("urgent".to_owned()),
            hedge: true,
            ..RunRequest::default()
        })
        .unwrap_err();
        let at: Vec<_> = errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(at, ["/hedge", "/priority", "/fallback/0", "/fallback/1", "/fallback/2"]);
        assert!(errors[2].detail.contains("one, two, any"), "{}", errors[2].detail);
    }
}
