//! What each call of a run asks: made from the run's header, the stored texts and the answers of the
//! calls that it needs.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Asked, CallRequest, RecordSource, RequestImage};
use lanes_model::estimate::prompt_tokens;
use lanes_model::prompt::{Placeholder, fill, placeholders};
use lanes_model::{CallId, DocumentInfo, Failure, FailureKind, Redaction, RunHeader, Scope, Task};
use lanes_store::Store;
use tokio::sync::OnceCell;

use crate::output::OutputCheck;
use crate::redact::Redactor;

/// Makes each call's request.
pub(crate) struct StoredRecords(Arc<Records>);

struct Records {
    store: Store,
    header: Arc<RunHeader>,
    /// What the answers of each task are held to.
    checks: Vec<OutputCheck>,
    /// What a run that has but one document is about: it is read once, not for each call.
    only: OnceCell<Arc<Material>>,
}

/// What a document gives to a call.
#[derive(Default)]
struct Material {
    text: String,
    images: Vec<RequestImage>,
}

impl StoredRecords {
    /// With the text of a run whose text is not kept.
    pub(crate) fn new(store: Store, header: Arc<RunHeader>, text: Option<String>) -> Self {
        let check = |task: &Task| {
            OutputCheck::new(&task.output).unwrap_or_else(|problem| {
                // It was right when the run was made: another version of the program made it.
                tracing::warn!(task = %task.id, %problem, "its answers are not checked");
                OutputCheck::Text
            })
        };
        let checks = header.tasks.iter().map(check).collect();
        let given = text.map(|text| Arc::new(Material { text, images: Vec::new() }));
        let only = OnceCell::new_with(given);
        Self(Arc::new(Records { store, header, checks, only }))
    }
}

impl RecordSource for StoredRecords {
    fn most_tokens(&self, call: CallId, needed: u64) -> u64 {
        let longest = self.0.header.task_of(call).map_or(0, |task| u64::from(task.max_tokens));
        // Most tokens have more than three bytes.
        self.prompt_tokens(call).saturating_add(needed / 3).saturating_add(longest)
    }

    fn prompt_tokens(&self, call: CallId) -> u64 {
        let header = &self.0.header;
        let Some(task) = header.task_of(call) else { return 0 };
        let tokens = header.document_of(call).map_or(0, |document| document.tokens);
        // About four bytes make a token; what is told of the output is not in the estimate.
        let told = task.instructions().len().saturating_sub(task.system_message.len()) / 4;
        prompt_tokens(task, tokens).saturating_add(told as u64)
    }

    fn check(&self, call: CallId, answer: &str) -> Result<Option<String>, String> {
        let planned = self.0.header.plan.calls.get(call.index());
        let check = planned.and_then(|planned| self.0.checks.get(planned.task as usize));
        match check {
            None | Some(OutputCheck::Text) => Ok(None),
            Some(check) => check.check(answer).map(Some),
        }
    }

    fn request(
        &self,
        call: CallId,
        asked: Asked,
    ) -> BoxFuture<'static, Result<Arc<CallRequest>, Failure>> {
        let records = Arc::clone(&self.0);
        async move { records.request(call, &asked).await.map(Arc::new) }.boxed()
    }
}

impl Records {
    async fn request(&self, call: CallId, asked: &Asked) -> Result<CallRequest, Failure> {
        let header = &self.header;
        let task = header.task_of(call).ok_or_else(|| missing("The task"))?;
        let uses_text = placeholders(&task.prompt).any(|p| p == Placeholder::Text);
        let content = match header.document_of(call) {
            Some(document) if uses_text => self.content(document).await?,
            _ => Arc::default(),
        };
        let mut user = fill(&task.prompt, |placeholder, out| match placeholder {
            Placeholder::Text => out.push_str(&content.text),
            Placeholder::Output { stage, task } => self.put_answers(call, asked, stage, task, out),
        });
        if let Some(why) = &asked.rejected {
            user.push_str("\n\nYour answer before this one could not be used: ");
            user.push_str(why);
            user.push_str(" Answer again, in the form that is asked for.");
        }
        let system = task.instructions().into_owned();
        let (system, user, redaction) = match header.spec.redact {
            true => redacted(&system, &user, &content.images)?,
            false => (system, user, None),
        };
        Ok(CallRequest {
            model: header.choice_of(call).1.to_owned(),
            system,
            user,
            redaction,
            max_tokens: task.max_tokens,
            temperature: task.temperature,
            output: task.output.clone(),
            images: content.images.clone(),
        })
    }

    /// Puts in what a stage, or one of its tasks, has answered: one answer as it is, several each
    /// under its name.
    fn put_answers(
        &self,
        call: CallId,
        asked: &Asked,
        stage: &str,
        only: Option<&str>,
        out: &mut String,
    ) {
        let plan = &self.header.plan;
        let of_all = |call| plan.stage_of(call).is_some_and(|s| s.scope == Scope::All);
        let across = of_all(call);
        let mut found = Vec::new();
        for (need, answer) in &asked.needs {
            let of_stage = plan.stage_of(*need).is_some_and(|s| s.id.as_str() == stage);
            let Some(task) = self.header.task_of(*need).filter(|_| of_stage) else { continue };
            let Some(answer) = answer.as_deref() else { continue };
            if only.is_none_or(|only| task.id.as_str() == only) {
                found.push((*need, task, answer));
            }
        }
        let mut ids = found.iter().map(|(_, task, _)| &task.id);
        let first = ids.next();
        let several = ids.any(|id| Some(id) != first);
        if let [(_, _, one)] = found.as_slice() {
            return out.push_str(one);
        }
        for (i, (need, task, answer)) in found.into_iter().enumerate() {
            let document = self.header.document_of(need).filter(|_| across);
            let name = document.map_or("", |d| d.name.as_str());
            let gap = if i > 0 { "\n\n" } else { "" };
            let (colon, title) = match (name.is_empty(), several) {
                (false, true) => (": ", task.name.as_str()),
                (false, false) => ("", ""),
                (true, _) => ("", task.name.as_str()),
            };
            out.push_str(&format!("{gap}## {name}{colon}{title}\n{answer}"));
        }
    }

    async fn content(&self, document: &DocumentInfo) -> Result<Arc<Material>, Failure> {
        match self.header.documents.as_slice() {
            [_] => self.only.get_or_try_init(|| self.read(document)).await.cloned(),
            _ => self.read(document).await,
        }
    }

    async fn read(&self, document: &DocumentInfo) -> Result<Arc<Material>, Failure> {
        let content = self.store.document_content(&document.id).await.map_err(|e| {
            Failure::new(
                FailureKind::InvalidRequest,
                format!("The document's text cannot be read: {e}"),
            )
        })?;
        let content = content.ok_or_else(|| missing("The document's text"))?;
        let image =
            |(media_type, data): (String, Vec<u8>)| RequestImage { media_type, data: data.into() };
        let images = content.image.map(image).into_iter().collect();
        Ok(Arc::new(Material { text: content.text, images }))
    }
}

type Redacted = (String, String, Option<Arc<Redaction>>);

/// Both texts without personal data, and what stands for it.
fn redacted(system: &str, user: &str, images: &[RequestImage]) -> Result<Redacted, Failure> {
    if !images.is_empty() {
        return Err(Failure::new(
            FailureKind::InvalidRequest,
            "This run redacts personal data, and that cannot be done in an image: leave the image out.",
        ));
    }
    let texts = [system, user];
    let mut redactor = Redactor::new(&texts);
    let (system, user) = (redactor.hide(system), redactor.hide(user));
    let redaction = redactor.done();
    Ok((system, user, (redaction.count() > 0).then(|| Arc::new(redaction))))
}

fn missing(what: &str) -> Failure {
    Failure::new(FailureKind::InvalidRequest, format!("{what} is missing."))
}
