//! The editor of tasks and the import as plain posts. The editor's form says by its button what it
//! wants: to save, which ends in a redirect, or to see the prompt or an answer, which ends in the page
//! again with them; `app::browser::live_form` takes from that page what it needs.

use app::server::{ImportSent, TaskForm, TaskSent};
use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Form, Multipart, Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use lanes_model::{FieldError, TaskId};
use lanes_service::{Service, ServiceError, TaskFormat};
use leptos::prelude::provide_context;

use super::{AppState, Problem, page};

type Fields = Vec<(String, String)>;

/// `POST /tasks/new`
pub async fn create(state: State<AppState>, Form(fields): Form<Fields>) -> Response {
    sent(state, None, &fields).await
}

/// `POST /tasks/{id}`
pub async fn save(
    state: State<AppState>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    sent(state, Some(TaskId(id)), &fields).await
}

async fn sent(State(state): State<AppState>, id: Option<TaskId>, fields: &Fields) -> Response {
    let form = TaskForm::read(fields);
    let wanted = fields.iter().find(|(k, _)| k == "do").map_or("save", |(_, v)| v.as_str());
    let mut again = TaskSent { form, ..TaskSent::default() };
    let (definition, typed_wrong) = again.form.definition();
    let done = match wanted {
        "preview" => Ok(None),
        "try" if typed_wrong.is_empty() => {
            let trial = state.service.try_task(again.form.trial(&state.service)).await;
            trial.map(|trial| {
                again.trial = Some(trial);
                None
            })
        }
        _ if !typed_wrong.is_empty() => Err(ServiceError::Invalid(typed_wrong)),
        _ => match &id {
            None => state.service.create_task(definition).await,
            Some(id) => state.service.replace_task(id, definition).await,
        }
        .map(Some),
    };
    let status = match done {
        Ok(Some(task)) => {
            return Redirect::to(&format!("/tasks/{}?saved", task.id)).into_response();
        }
        Ok(None) => StatusCode::OK,
        Err(ServiceError::Invalid(errors)) => {
            again.errors = errors.into_iter().map(in_the_form).collect();
            StatusCode::UNPROCESSABLE_ENTITY
        }
        // The id is what stands in the way, of a new task at least.
        Err(ServiceError::Conflict(why)) => {
            again.errors = vec![FieldError::new("/id", why)];
            StatusCode::CONFLICT
        }
        Err(other) => return Problem::from(other).into_response(),
    };
    let path = id.map_or_else(|| "/tasks/new".to_owned(), |id| format!("/tasks/{id}"));
    rendered(state, &path, status, move || provide_context(again.clone())).await
}

/// A trial's problem at the place of the form's field.
fn in_the_form(error: FieldError) -> FieldError {
    let pointer = error.pointer.strip_prefix("/task").unwrap_or(&error.pointer).to_owned();
    FieldError { pointer, ..error }
}

/// `POST /tasks/{id}/delete`
pub async fn delete(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.delete_task(&TaskId(id)).await {
        Ok(()) => Redirect::to("/tasks").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /tasks/import`: a file, or else a text.
pub async fn import(
    State(state): State<AppState>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let (mut file, mut text, mut replace) = (String::new(), String::new(), false);
    let read = async {
        let mut form = form.map_err(|e| Problem::new(e.status(), e.body_text()))?;
        let failed =
            |e: axum::extract::multipart::MultipartError| Problem::new(e.status(), e.body_text());
        while let Some(field) = form.next_field().await.map_err(failed)? {
            match field.name().unwrap_or("") {
                "file" => {
                    let bytes = field.bytes().await.map_err(failed)?;
                    file = String::from_utf8(bytes.to_vec()).map_err(|_| {
                        let wrong = FieldError::new("", "The file is not UTF-8.");
                        Problem::invalid(vec![wrong])
                    })?;
                }
                "text" => text = field.text().await.map_err(failed)?.replace("\r\n", "\n"),
                "replace" => replace = true,
                _ => {}
            }
        }
        Ok::<_, Problem>(())
    };
    if let Err(problem) = read.await {
        return problem.into_response();
    }
    let given = if file.trim().is_empty() { &text } else { &file };
    let done = state.service.import_tasks(TaskFormat::guess(given), given, replace).await;
    let errors = match done {
        Ok(tasks) => {
            return Redirect::to(&format!("/tasks?imported={}", tasks.len())).into_response();
        }
        Err(ServiceError::Invalid(errors)) => errors,
        Err(ServiceError::Conflict(why)) => vec![FieldError::new("", why)],
        Err(other) => return Problem::from(other).into_response(),
    };
    let again = ImportSent { text, errors };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    rendered(state, "/tasks", status, move || provide_context(again.clone())).await
}

/// The page at that path, with more in its context.
async fn rendered(
    state: AppState,
    path: &str,
    status: StatusCode,
    more: impl Fn() + Clone + Send + Sync + 'static,
) -> Response {
    let Ok(uri) = path.parse::<Uri>() else {
        return Problem::new(StatusCode::NOT_FOUND, "There is no such task.").into_response();
    };
    let mut again = Request::new(Body::empty());
    *again.uri_mut() = uri;
    let mut response = page::render(state, more, again).await;
    // One that is not there says so itself.
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}
