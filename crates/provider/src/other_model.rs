//! Notices when a provider answers with another model than the one that was asked.
//!
//! `client` tells it of each answer. The answer is kept: proxies name models as they like. But a
//! model that was quietly replaced is said in the log, once for each model that is asked.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::redact::Redactor;

/// The models for which it has been said. Shared by a client's clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct OtherModels(Arc<Mutex<HashSet<String>>>);

impl OtherModels {
    /// Takes note of the model that has answered.
    pub(crate) fn note(&self, provider: &str, asked: &str, answered: &str, redactor: &Redactor) {
        if is_version_of(asked, answered) {
            return;
        }
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(asked.to_owned()) {
            // The name is the provider's own words, and may be anything.
            tracing::warn!(
                provider,
                asked = redactor.words(asked),
                answered = redactor.words(answered),
                "the provider answered with another model than was asked for; the answers are kept"
            );
        }
    }
}

/// Whether two names may stand for one model: `gpt-4o` is answered by `gpt-4o-2024-08-06`,
/// `openai/gpt-4o` by `gpt-4o`, `llama3` by `llama3:latest`. `gpt-4o-mini` is another.
fn is_version_of(asked: &str, answered: &str) -> bool {
    let bare = |name: &str| {
        let name = name.trim().trim_end_matches('/');
        name.rsplit('/').next().unwrap_or(name).to_lowercase()
    };
    let (asked, answered) = (bare(asked), bare(answered));
    let rest = answered.strip_prefix(&asked).or_else(|| asked.strip_prefix(&answered));
    rest.is_some_and(|rest| {
        let mut rest = rest.chars();
        match rest.next() {
            None | Some(':' | '@') => true,
            Some('-') => {
                let rest = rest.as_str();
                rest.starts_with(|c: char| c.is_ascii_digit()) || rest == "latest"
            }
            Some(_) => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_a_model_is_that_model() {
        for (asked, answered) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-4o", "gpt-4o-2024-08-06"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("openai/gpt-4o", "gpt-4o-2024-08-06"),
            ("llama3", "llama3:latest"),
            ("some/model:free", "some/model"),
            ("Llama-3-8B", "/models/llama-3-8b/"),
            ("claude-x", "claude-x-latest"),
        ] {
            assert!(is_version_of(asked, answered), "{asked} {answered}");
        }
    }

    #[test]
    fn a_smaller_or_a_foreign_model_is_another() {
        for (asked, answered) in
            [("gpt-4o", "gpt-4o-mini"), ("gpt-4o", "llama"), ("gpt-4", "gpt-4o"), ("o3", "o1")]
        {
            assert!(!is_version_of(asked, answered), "{asked} {answered}");
        }
    }
}
