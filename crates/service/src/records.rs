//! What each call of a run asks: made from the run's header, the stored texts and the answers of the
//! calls that it needs.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Asked, CallRequest, RecordSource, RequestImage};
use lanes_model::estimate::prompt_tokens;
use lanes_model::prompt::{Placeholder, fill, placeholders};
use lanes_model::{CallId, DocumentId, DocumentInfo, Failure, FailureKind, RunHeader, Scope, Task};
use lanes_store::Store;
use tokio::sync::OnceCell;

use crate::output::OutputCheck;
use crate::redact::redacted;

/// Makes each call's request.
pub(crate) struct StoredRecords(Arc<Records>);

struct Records {
    store: Store,
    header: Arc<RunHeader>,
    /// What the answers of each task are held to.
    checks: Vec<OutputCheck>,
    /// What a run that has but one document is about: it is read once, not for each call.
    only: OnceCell<Arc<Material>>,
    /// The documents in pieces that were read last, the latest first: each has many calls.
    cut: Mutex<VecDeque<(DocumentId, Arc<ReadOnce>)>>,
    /// Whether personal data is taken out of what is sent.
    redact: bool,
}

/// A document that is read by whoever needs it first.
type ReadOnce = OnceCell<Arc<Material>>;

/// So many documents in pieces are kept in memory.
const KEPT: usize = 4;

/// What the system message says of a text that stands for a longer one.
const OF_PARTS: &str = "The text was too long for one request. What stands in its place are the answers \
                        to the same instruction for each part of it, in order: answer for the whole.";

/// What a document gives to a call.
#[derive(Default)]
struct Material {
    text: String,
    images: Vec<RequestImage>,
}

impl StoredRecords {
    /// With the text of a run whose text is not kept. `redact` says whether no personal data may leave,
    /// whatever the run says: it may have been made when that was not so.
    pub(crate) fn new(
        store: Store,
        header: Arc<RunHeader>,
        text: Option<String>,
        redact: bool,
    ) -> Self {
        let check = |task: &Task| {
            OutputCheck::new(&task.output).unwrap_or_else(|problem| {
                // It was right when the run was made: another version of the program made it.
                tracing::warn!(task = %task.id, %problem, "its answers are not checked");
                OutputCheck::Text
            })
        };
        let checks = header.tasks.iter().map(check).collect();
        let given = text.map(|text| Arc::new(Material { text, images: Vec::new() }));
        let (only, cut) = (OnceCell::new_with(given), Mutex::default());
        let redact = redact || header.spec.redact;
        Self(Arc::new(Records { store, header, checks, only, cut, redact }))
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
        let tokens = self.0.text_tokens(call);
        // About four bytes make a token; what is told of the output is not in the estimate.
        let told = task.instructions().len().saturating_sub(task.system_message.len()) / 4;
        prompt_tokens(task, tokens).saturating_add(told as u64)
    }

    fn may_know(&self, stage: u16) -> bool {
        let header = &self.0.header;
        let stage = header.plan.stages.get(usize::from(stage)).filter(|s| !s.pieces);
        let mut tasks = stage.into_iter().flat_map(|s| &s.tasks);
        let joins = |task: &u32| header.tasks.get(*task as usize).is_some_and(Task::joins_parts);
        !header.plan.pieces.is_empty() && tasks.any(joins)
    }

    fn known(&self, call: CallId, asked: &Asked) -> Option<String> {
        let joins = self.0.header.task_of(call).is_some_and(Task::joins_parts);
        let parts = self.0.parts(call, asked).filter(|_| joins)?;
        Some(parts.join("\n"))
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
        let parts = self.parts(call, asked).filter(|_| uses_text);
        let content = match header.document_of(call) {
            Some(document) if uses_text && parts.is_none() => {
                self.content(document, header.plan.piece_of(call).is_some()).await?
            }
            _ => Arc::default(),
        };
        let text = match &parts {
            Some(parts) => Cow::Owned(parts.join("\n\n")),
            None => Cow::Borrowed(self.piece(call, &content.text)?),
        };
        let mut user = fill(&task.prompt, |placeholder, out| match placeholder {
            Placeholder::Text => out.push_str(&text),
            Placeholder::Output { stage, task } => self.put_answers(call, asked, stage, task, out),
        });
        if let Some(why) = &asked.rejected {
            user.push_str("\n\nYour answer before this one could not be used: ");
            user.push_str(why);
            user.push_str(" Answer again, in the form that is asked for.");
        }
        let system = match &parts {
            Some(_) => [&*task.instructions(), OF_PARTS].join("\n\n"),
            None => task.instructions().into_owned(),
        };
        let (system, user, redaction) = match self.redact {
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

    /// The answers on the pieces of a call's document, in order; none of a call that reads the text
    /// itself.
    fn parts(&self, call: CallId, asked: &Asked) -> Option<Vec<Arc<str>>> {
        let plan = &self.header.plan;
        let parts = asked.needs.iter().filter(|(need, _)| plan.is_part(*need, call));
        let answers: Option<Vec<_>> = parts.map(|(_, answer)| answer.clone()).collect();
        answers.filter(|answers| !answers.is_empty())
    }

    /// The part of a document's text that a call is about.
    fn piece<'a>(&self, call: CallId, text: &'a str) -> Result<&'a str, Failure> {
        let Some((place, pieces)) = self.header.plan.piece_of(call) else { return Ok(text) };
        let (before, from) = pieces.split_at(pieces.len().min(place as usize));
        let start: u64 = before.iter().map(|p| p.bytes).sum();
        let end = start + from.first().map_or(0, |p| p.bytes);
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let piece = range.and_then(|(start, end)| text.get(start..end));
        piece.ok_or_else(|| missing("This part of the document"))
    }

    /// About how many tokens the text of a call has.
    fn text_tokens(&self, call: CallId) -> u64 {
        let header = &self.header;
        if let Some((place, pieces)) = header.plan.piece_of(call) {
            return pieces.get(place as usize).map_or(0, |p| p.tokens);
        }
        let planned = header.plan.calls.get(call.index());
        let Some(document) = planned.and_then(|p| p.document) else { return 0 };
        // What its pieces are answered stands for one that is cut, and is known by its length.
        match header.plan.pieces_of(document) {
            [] => header.documents.get(document as usize).map_or(0, |d| d.tokens),
            _ => 0,
        }
    }

    async fn content(&self, document: &DocumentInfo, cut: bool) -> Result<Arc<Material>, Failure> {
        match self.header.documents.as_slice() {
            [_] => self.only.get_or_try_init(|| self.read(document)).await.cloned(),
            _ if cut => {
                self.kept(&document.id).get_or_try_init(|| self.read(document)).await.cloned()
            }
            _ => self.read(document).await,
        }
    }

    /// The place of a document in pieces among those that are kept.
    fn kept(&self, document: &DocumentId) -> Arc<ReadOnce> {
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = cut.iter().find(|(id, _)| id == document) {
            return Arc::clone(cell);
        }
        cut.truncate(KEPT - 1);
        let cell = Arc::<ReadOnce>::default();
        cut.push_front((document.clone(), Arc::clone(&cell)));
        cell
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

fn missing(what: &str) -> Failure {
    Failure::new(FailureKind::InvalidRequest, format!("{what} is missing."))
}
