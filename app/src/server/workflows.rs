//! What the pages of workflows are made of: the definition as it was typed, what is wrong with it, and
//! what the server gathers around it.

use lanes_model::{
    FieldError, Input, Mode, RunId, Stage, StageId, Workflow, WorkflowDefinition, WorkflowId,
};
use lanes_service::{
    DocumentView, PlacedError, SampleRecord, Service, TaskFormat, WorkflowFile, blank_workflow,
    workflow_toml,
};
use leptos::prelude::use_context;

use super::{UiError, service};
use crate::charts::stages::{StageBox, columns};

/// The most documents offered to run on.
const OFFERED: u32 = 100;

/// How a run of a workflow was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkflowRunForm {
    /// `samples` or `documents`.
    pub input: String,
    /// The ids of the documents chosen.
    pub documents: Vec<String>,
    /// The mode's name.
    pub mode: String,
    /// The number of lanes as it was typed.
    pub concurrency: String,
    /// The provider's id.
    pub provider: String,
    /// The tokens of a piece as they were typed, where long documents are to be cut.
    pub piece_tokens: String,
}

/// A definition that was sent, or a run that was refused: shown again with what is wrong. Put into the
/// context by its handler.
#[derive(Debug, Clone, Default)]
pub struct WorkflowSent {
    /// The definition as typed; none when a run was asked for.
    pub definition: Option<String>,
    /// What is wrong with it.
    pub errors: Vec<PlacedError>,
    /// The run that was asked for and refused, and why.
    pub run: Option<(WorkflowRunForm, Vec<FieldError>)>,
}

/// Everything that the page of a workflow needs.
#[derive(Debug, Clone)]
pub struct WorkflowPageData {
    /// The workflow that is kept under this address; none for a new one.
    pub kept: Option<Workflow>,
    /// The definition's text.
    pub definition: String,
    /// Whether it differs from what is kept.
    pub changed: bool,
    /// What is wrong with it.
    pub errors: Vec<PlacedError>,
    /// Its stages, as far as the text says them.
    pub stages: Vec<StageBox>,
    /// Sample records to run it on.
    pub samples: &'static [SampleRecord],
    /// Uploaded documents to run it on.
    pub documents: Vec<DocumentView>,
    /// Ids and names of the providers to run it on, when there are several.
    pub providers: Vec<(String, String)>,
    /// The most lanes.
    pub most: u32,
    /// The run as asked for, or as it is proposed.
    pub run: WorkflowRunForm,
    /// What was wrong with it.
    pub run_errors: Vec<FieldError>,
}

/// What is wrong with the definition, and its stages.
fn looked_at(service: &Service, text: &str) -> (Vec<PlacedError>, Vec<StageBox>) {
    let file = WorkflowFile { format: TaskFormat::guess(text), text };
    match file.read() {
        Err(error) => (vec![error], Vec::new()),
        Ok(definition) => {
            let stages = boxes(service, &definition);
            let errors = service.check_workflow(definition).err().unwrap_or_default();
            (errors.into_iter().map(|e| file.with_line(e)).collect(), stages)
        }
    }
}

/// The stages of a definition, which may be wrong, as they are drawn.
#[must_use]
pub fn boxes(service: &Service, definition: &WorkflowDefinition) -> Vec<StageBox> {
    let stages = &definition.stages;
    let place = |id: &StageId| stages.iter().position(|s| &s.id == id);
    let each = stages.iter().map(|stage| StageBox {
        name: stage.label(),
        note: note(service, stage),
        needs: stage.needs.iter().filter_map(place).collect(),
        counts: None,
    });
    each.collect()
}

/// "2 tasks · all records · at most 8 at once · Simulated".
fn note(service: &Service, stage: &Stage) -> String {
    let mut words = vec![lanes_model::format::plural(stage.tasks.len() as u64, "task")];
    if !stage.scope.is_record() {
        words.push("over all records".to_owned());
    }
    words.extend(stage.concurrency.map(|n| format!("at most {n} at once")));
    let named = stage.provider.as_ref();
    words.extend(named.map(|id| service.provider_name(id).unwrap_or_else(|| id.clone())));
    words.extend(stage.model.clone());
    words.join(" · ")
}

/// A run as it was asked for before.
async fn repeated(service: &Service, id: String) -> Result<WorkflowRunForm, UiError> {
    let (state, _) = service.state(&RunId(id)).await?;
    let spec = &state.header.spec;
    let documents = match &spec.input {
        Input::Documents(ids) => ids.clone(),
        Input::Sample(_) | Input::Text => Vec::new(),
    };
    Ok(WorkflowRunForm {
        input: "documents".to_owned(),
        documents,
        mode: spec.mode.id().to_owned(),
        concurrency: spec.concurrency.to_string(),
        provider: spec.provider.clone(),
        piece_tokens: spec.piece_tokens.map(|n| n.to_string()).unwrap_or_default(),
    })
}

/// The page of a workflow, or of a new one, which may begin as a copy; with the choices of a run that is
/// to be repeated.
///
/// # Errors
/// There is no such workflow, or a store that fails.
pub async fn workflow_page(
    id: Option<String>,
    copied: Option<String>,
    run: Option<String>,
) -> Result<WorkflowPageData, UiError> {
    let service = service()?;
    let kept = id.map(|id| service.workflow(&WorkflowId(id))).transpose()?;
    let first = match (&kept, copied.filter(|from| !from.is_empty())) {
        (Some(workflow), _) => workflow.clone().into(),
        (None, Some(from)) => service.copy_of_workflow(&WorkflowId(from))?,
        (None, None) => blank_workflow(),
    };
    let first = workflow_toml(&first)?;
    let sent = use_context::<WorkflowSent>().unwrap_or_default();
    let changed = sent.definition.as_ref().is_some_and(|text| text.trim() != first.trim());
    let definition = sent.definition.unwrap_or(first);
    let (mut errors, stages) = looked_at(&service, &definition);
    // What was refused says why, also where another workflow is in its way.
    if !sent.errors.is_empty() {
        errors = sent.errors;
    }
    let samples = match &kept {
        Some(workflow) => service.workflow_samples(&workflow.id)?,
        None => &[],
    };
    let providers: Vec<_> =
        service.providers().iter().map(|p| (p.id.clone(), p.name.clone())).collect();
    let most = service.limits().max_concurrency;
    let repeated = match run {
        Some(run) => repeated(&service, run).await.ok(),
        None => None,
    };
    let (run, run_errors) = match (sent.run, repeated) {
        (Some(sent), _) => sent,
        (None, Some(again)) => (again, Vec::new()),
        (None, None) => {
            let lanes =
                kept.as_ref().map_or(1, |w| wanted(w, samples.len())).clamp(1, most.min(32));
            let run = WorkflowRunForm {
                input: "samples".to_owned(),
                mode: Mode::Parallel.id().to_owned(),
                concurrency: lanes.to_string(),
                ..WorkflowRunForm::default()
            };
            (run, Vec::new())
        }
    };
    let mut documents = service.documents(OFFERED, None).await?.items;
    let missing = |id: &&String| documents.iter().all(|d| d.id != **id);
    let others: Vec<_> = run.documents.iter().filter(missing).cloned().collect();
    documents.extend(service.documents_of(&others).await?);
    Ok(WorkflowPageData {
        kept,
        definition,
        changed,
        errors,
        stages,
        samples,
        documents,
        providers: if providers.len() > 1 { providers } else { Vec::new() },
        most,
        run,
        run_errors,
    })
}

/// As many lanes as a run on so many records can use: the calls that could be ready at once.
#[must_use]
pub fn wanted(workflow: &Workflow, records: usize) -> u32 {
    let stages = &workflow.stages;
    let place = |id: &StageId| stages.iter().position(|s| &s.id == id);
    let needs: Vec<Vec<usize>> =
        stages.iter().map(|s| s.needs.iter().filter_map(place).collect()).collect();
    let needs: Vec<&[usize]> = needs.iter().map(Vec::as_slice).collect();
    let columns = columns(&needs);
    let tasks = columns.iter().map(|column| {
        let of_records =
            column.iter().filter_map(|i| stages.get(*i)).filter(|s| s.scope.is_record());
        of_records.map(|s| s.tasks.len()).sum::<usize>()
    });
    u32::try_from(tasks.max().unwrap_or(1).max(1) * records.max(1)).unwrap_or(u32::MAX)
}
