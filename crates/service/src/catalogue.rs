//! What can be chosen for a run: tasks, samples and providers.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use lanes_model::{
    Fallback, Limits, ProviderInfo, Stage, Task, TaskId, Workflow,
    sample::{SAMPLES, SampleInfo},
    spec::Choices,
    task,
    text::words,
    workflow::WorkflowChoices,
};
use lanes_provider::{Client, ConfigError, ProviderConfig};

/// The tasks there are at one moment, the built-in ones first.
#[derive(Debug, Default)]
pub(crate) struct TaskList {
    pub(crate) tasks: Vec<Task>,
    ids: Vec<TaskId>,
}

impl TaskList {
    /// The built-in tasks and these.
    pub(crate) fn with(custom: Vec<Task>) -> Self {
        let mut tasks = task::built_in();
        // One that was made before a task of its id came with the program: what is built in counts.
        let known = tasks.len();
        tasks.extend(custom);
        let mut place = 0;
        let ids: Vec<TaskId> = tasks.iter().take(known).map(|t| t.id.clone()).collect();
        tasks.retain(|task| {
            place += 1;
            place <= known || !ids.contains(&task.id)
        });
        Self { ids: tasks.iter().map(|t| t.id.clone()).collect(), tasks }
    }

    pub(crate) fn find(&self, id: &TaskId) -> Option<&Task> {
        self.tasks.iter().find(|t| &t.id == id)
    }
}

/// The configured providers, fixed while the program runs, and the tasks, which are not.
pub(crate) struct Catalogue {
    /// Whoever needs it twice takes it once: it may be another list the next time.
    tasks: RwLock<Arc<TaskList>>,
    /// Likewise.
    workflows: RwLock<Arc<Vec<Workflow>>>,
    /// One client for each endpoint of each provider, in their order; at least one each.
    clients: Vec<Vec<Client>>,
    configs: Vec<ProviderConfig>,
    pub(crate) providers: Vec<ProviderInfo>,
    provider_models: Vec<(String, Vec<String>)>,
    /// How many of the providers, which stand first, can be chosen for a whole run.
    of_runs: usize,
    simulated: Vec<String>,
    unlimited: Vec<String>,
    fallbacks: Vec<(String, Vec<String>)>,
    latency_problem: fn(&str) -> Option<String>,
    pub(crate) limits: Limits,
}

impl Catalogue {
    pub(crate) fn new(
        configs: Vec<ProviderConfig>,
        limits: Limits,
        latency_problem: fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let defaults: Vec<_> =
            configs.iter().map(|c| c.models.first().cloned().unwrap_or_default()).collect();
        let each = |c: &ProviderConfig| c.endpoints().into_iter().map(Client::new).collect();
        let clients = configs.iter().map(each).collect::<Result<Vec<Vec<_>>, _>>()?;
        let infos = clients.iter().zip(&defaults).filter_map(|(c, m)| Some(c.first()?.info(m)));
        let providers: Vec<_> = infos.collect();
        // Of the simulator everything is known, and that it limits nothing.
        let no_limit = |c: &&ProviderConfig| !c.simulated && c.rpm.is_none() && c.tpm.is_none();
        Ok(Self {
            tasks: RwLock::new(Arc::new(TaskList::with(Vec::new()))),
            workflows: RwLock::default(),
            of_runs: providers.iter().position(is_step).unwrap_or(providers.len()),
            provider_models: providers.iter().map(|p| (p.id.clone(), p.models.clone())).collect(),
            simulated: providers.iter().filter(|p| p.simulated).map(|p| p.id.clone()).collect(),
            unlimited: configs.iter().filter(no_limit).map(|c| c.id.clone()).collect(),
            fallbacks: configs.iter().map(|c| (c.id.clone(), c.fallback.clone())).collect(),
            latency_problem,
            configs,
            clients,
            providers,
            limits,
        })
    }

    /// The tasks as they are now.
    pub(crate) fn tasks(&self) -> Arc<TaskList> {
        Arc::clone(&self.tasks.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the tasks are these and the built-in ones.
    pub(crate) fn set_tasks(&self, custom: Vec<Task>) {
        let list = Arc::new(TaskList::with(custom));
        *self.tasks.write().unwrap_or_else(PoisonError::into_inner) = list;
    }

    /// The workflows as they are now.
    pub(crate) fn workflows(&self) -> Arc<Vec<Workflow>> {
        Arc::clone(&self.workflows.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the workflows are these.
    pub(crate) fn set_workflows(&self, workflows: Vec<Workflow>) {
        *self.workflows.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(workflows);
    }

    /// What the definition of a workflow can refer to.
    pub(crate) fn workflow_choices<'a>(&'a self, tasks: &'a TaskList) -> WorkflowChoices<'a> {
        WorkflowChoices { tasks: &tasks.tasks, providers: &self.provider_models }
    }

    /// Where a stage goes that names a provider or a model, with what that one falls back to; nothing
    /// when it goes where its run goes.
    pub(crate) fn providers_of(&self, stage: &Stage, of_run: &str) -> Vec<Fallback> {
        if stage.provider.is_none() && stage.model.is_none() {
            return Vec::new();
        }
        let first_model = |id: &str| {
            let known = self.provider_models.iter().find(|(provider, _)| provider == id);
            known.and_then(|(_, models)| models.first().cloned()).unwrap_or_default()
        };
        let provider = stage.provider.as_deref().unwrap_or(of_run);
        let model = stage.model.clone().unwrap_or_else(|| first_model(provider));
        let others = self.fallbacks.iter().find(|(id, _)| id == provider);
        let others = others.map(|(_, others)| others.as_slice()).unwrap_or_default();
        let others = others.iter().map(|id| (id.clone(), first_model(id)));
        let all = std::iter::once((provider.to_owned(), model)).chain(others);
        all.map(|(provider, model)| Fallback { provider, model }).collect()
    }

    pub(crate) fn choices<'a>(
        &'a self,
        tasks: &'a TaskList,
        workflows: &'a [Workflow],
    ) -> Choices<'a> {
        Choices {
            tasks: &tasks.ids,
            workflows,
            providers: self.provider_models.get(..self.of_runs).unwrap_or_default(),
            simulated: &self.simulated,
            unlimited: &self.unlimited,
            fallbacks: &self.fallbacks,
            latency_problem: self.latency_problem,
            limits: &self.limits,
        }
    }

    /// The providers that a run can go to.
    pub(crate) fn of_runs(&self) -> &[ProviderInfo] {
        self.providers.get(..self.of_runs).unwrap_or_default()
    }

    /// The models of a provider, as configured.
    pub(crate) fn models(&self, provider: &str) -> &[String] {
        let known = self.provider_models.iter().find(|(id, _)| id == provider);
        known.map_or(&[], |(_, models)| models.as_slice())
    }

    /// What is known of a provider with a model.
    pub(crate) fn info_of(&self, provider: &str, model: &str) -> ProviderInfo {
        let known = self.client(provider).map(|client| client.info(model));
        known.or_else(|| self.providers.first().cloned()).unwrap_or_else(|| ProviderInfo {
            id: provider.to_owned(),
            name: provider.to_owned(),
            simulated: false,
            models: Vec::new(),
            price: None,
            rpm: None,
            tpm: None,
            pace: lanes_model::provider::Pace {
                ttft_us: 0,
                millitokens_per_s: 0,
                whole_us: 0,
                cv_permille: 0,
            },
        })
    }

    fn place(&self, provider: &str) -> Option<usize> {
        self.providers.iter().position(|p| p.id == provider)
    }

    /// What a provider was configured with.
    pub(crate) fn config(&self, provider: &str) -> Option<&ProviderConfig> {
        self.configs.get(self.place(provider)?)
    }

    /// Where the requests of each provider go, by its id; of several endpoints the first, for they
    /// answer alike.
    pub(crate) fn base_urls(&self) -> HashMap<String, String> {
        self.configs.iter().map(|c| (c.id.clone(), c.base_url.clone())).collect()
    }

    /// The clients of a provider, one for each endpoint.
    pub(crate) fn endpoints(&self, provider: &str) -> &[Client] {
        self.place(provider).and_then(|i| self.clients.get(i)).map_or(&[], Vec::as_slice)
    }

    /// A client of a provider.
    pub(crate) fn client(&self, provider: &str) -> Option<&Client> {
        self.endpoints(provider).first()
    }
}

/// Whether a provider is a simulated step of recordings, which answers stages of workflows alone. The
/// program puts them behind all others.
fn is_step(provider: &ProviderInfo) -> bool {
    provider.simulated && provider.id.starts_with("audio-")
}

/// Tokens of the four samples in the o200k encoding, in their order: counted once, here, because the
/// tokenizer's tables take 0.2 s and 60 MB to load and a fresh program does not need them yet. A
/// test holds them equal to the tokenizer's count.
const SAMPLE_TOKENS: [u64; 4] = [332, 364, 356, 334];

/// The samples with their sizes.
pub(crate) static SAMPLE_INFOS: LazyLock<Vec<SampleInfo>> = LazyLock::new(|| {
    SAMPLES
        .iter()
        .zip(SAMPLE_TOKENS)
        .map(|(s, tokens)| SampleInfo {
            id: s.id.to_owned(),
            name: s.name.to_owned(),
            tokens,
            words: words(s.text),
            bytes: s.text.len() as u64,
        })
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_the_samples_are_what_the_tokenizer_counts() {
        let counted: Vec<_> =
            SAMPLES.iter().map(|s| lanes_provider::tokens::count(s.text)).collect();
        assert_eq!(counted, SAMPLE_TOKENS);
    }
}
