//! The page of a workflow as plain posts: saving and checking a definition, running it, deleting it.

use app::server::{WorkflowRunForm, WorkflowSent};
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use lanes_model::spec::InputRequest;
use lanes_model::{FieldError, RunRequest, WorkflowId};
use lanes_service::{PlacedError, Service, ServiceError, TaskFormat, WorkflowFile};
use leptos::prelude::provide_context;

use super::task_forms::rendered;
use super::{AppState, Problem};

type Fields = Vec<(String, String)>;

fn one(fields: &Fields, name: &str) -> String {
    // Browsers send line ends as CR LF.
    let found = fields.iter().find(|(k, _)| k == name);
    found.map(|(_, v)| v.replace("\r\n", "\n")).unwrap_or_default()
}

/// `POST /workflows/new`
pub async fn create(state: State<AppState>, Form(fields): Form<Fields>) -> Response {
    sent(state, None, &fields).await
}

/// `POST /workflows/{id}`
pub async fn save(
    state: State<AppState>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    sent(state, Some(WorkflowId(id)), &fields).await
}

async fn sent(State(state): State<AppState>, id: Option<WorkflowId>, fields: &Fields) -> Response {
    let text = one(fields, "definition");
    let file = WorkflowFile { format: TaskFormat::guess(&text), text: &text };
    let mut again = WorkflowSent { definition: Some(text.clone()), ..WorkflowSent::default() };
    let status = if one(fields, "do") == "preview" {
        // The page finds out itself what is wrong.
        StatusCode::OK
    } else {
        let kept = match (file.read(), &id) {
            (Err(_), _) => Err(ServiceError::Invalid(Vec::new())),
            (Ok(definition), None) => state.service.create_workflow(definition).await,
            (Ok(definition), Some(id)) => state.service.replace_workflow(id, definition).await,
        };
        match kept {
            Ok(workflow) => {
                return Redirect::to(&format!("/workflows/{}?saved", workflow.id)).into_response();
            }
            Err(ServiceError::Invalid(errors)) => {
                again.errors = errors.into_iter().map(|e| file.with_line(e)).collect();
                StatusCode::UNPROCESSABLE_ENTITY
            }
            // The id is what stands in the way, of a new one at least.
            Err(ServiceError::Conflict(why)) => {
                let PlacedError { error, line } = file.with_line(FieldError::new("/id", why));
                again.errors = vec![PlacedError { error, line }];
                StatusCode::CONFLICT
            }
            Err(other) => return Problem::from(other).into_response(),
        }
    };
    let path = id.map_or_else(|| "/workflows/new".to_owned(), |id| format!("/workflows/{id}"));
    rendered(state, &path, status, move || provide_context(again.clone())).await
}

/// `POST /workflows/{id}/delete`
pub async fn delete(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.delete_workflow(&WorkflowId(id)).await {
        Ok(()) => Redirect::to("/workflows").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /workflows/{id}/run`: on its sample records, which are taken in as documents, or on documents.
pub async fn run(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let asked = WorkflowRunForm {
        input: one(&fields, "input"),
        documents: fields.iter().filter(|(k, _)| k == "document").map(|(_, v)| v.clone()).collect(),
        mode: one(&fields, "mode"),
        concurrency: one(&fields, "concurrency"),
        provider: one(&fields, "provider"),
        piece_tokens: one(&fields, "piece_tokens"),
    };
    let errors = match start(&state.service, &WorkflowId(id.clone()), &asked).await {
        Ok(run) => return Redirect::to(&format!("/runs/{run}")).into_response(),
        Err(ServiceError::Invalid(errors)) => errors,
        Err(other) => return Problem::from(other).into_response(),
    };
    let again = WorkflowSent { run: Some((asked, errors)), ..WorkflowSent::default() };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let path = format!("/workflows/{id}");
    rendered(state, &path, status, move || provide_context(again.clone())).await
}

async fn start(
    service: &Service,
    id: &WorkflowId,
    asked: &WorkflowRunForm,
) -> Result<lanes_model::RunId, ServiceError> {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    let number =
        |typed: &str, what: &str, pointer: &str| match some(typed).map(|t| t.parse::<i64>()) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => {
                let wrong = format!("{what} must be a whole number.");
                Err(ServiceError::Invalid(vec![FieldError::new(pointer, wrong)]))
            }
        };
    let concurrency = number(&asked.concurrency, "Concurrency", "/concurrency")?;
    let piece_tokens = number(&asked.piece_tokens, "The size of a piece", "/piece_tokens")?;
    let documents = if asked.input == "documents" {
        asked.documents.clone()
    } else {
        service.add_workflow_samples(id).await?.into_iter().map(|id| id.0).collect()
    };
    let request = RunRequest {
        input: InputRequest { document_ids: Some(documents), ..InputRequest::default() },
        workflow: Some(id.to_string()),
        mode: Some(some(&asked.mode).unwrap_or_else(|| "parallel".to_owned())),
        concurrency,
        provider: some(&asked.provider),
        long: piece_tokens.map(|_| "chunk".to_owned()),
        piece_tokens,
        ..RunRequest::default()
    };
    Ok(service.start(&request, None).await?.id)
}
