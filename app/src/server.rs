//! What the page asks of the server. Thin: each function calls the service and maps its error; a
//! rule belongs in the service or the model.

#[cfg(feature = "ssr")]
mod alerts;
#[cfg(all(feature = "hydrate", not(feature = "ssr")))]
mod ask;
mod data;
mod error;
#[cfg(any(feature = "ssr", not(feature = "hydrate")))]
mod functions;
#[cfg(feature = "ssr")]
mod keys;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
mod request;
#[cfg(feature = "ssr")]
mod tasks;
#[cfg(feature = "ssr")]
mod webhooks;
#[cfg(feature = "ssr")]
mod workflows;

#[cfg(feature = "ssr")]
pub use alerts::{AlertForm, AlertSent};
#[cfg(all(feature = "hydrate", not(feature = "ssr")))]
pub use ask::{
    cancel_run, change_run, count_text, pause_run, resume_run, run_page, sample_text, start_run,
};
#[cfg(feature = "ssr")]
pub use data::{Chosen, ProviderBadge, RunsPageData};
pub use data::{Doc, ModelHistory, Packed, Prefill, ReportHtml, RunPageData, WorkbenchData};
pub use error::UiError;
#[cfg(any(feature = "ssr", not(feature = "hydrate")))]
pub use functions::{
    cancel_run, change_run, count_text, pause_run, resume_run, run_page, sample_text, start_run,
};
#[cfg(feature = "ssr")]
pub use keys::{KeySent, LoginSent, is_open, keys, viewer};
#[cfg(feature = "ssr")]
pub use pages::{default_provider, document_page, first_visit, runs_page, workbench_data};
#[cfg(feature = "ssr")]
pub use request::{Display, FormState, service, set_status};
#[cfg(feature = "ssr")]
pub use tasks::{ImportSent, TaskForm, TaskPageData, TaskSent, task_page};
#[cfg(feature = "ssr")]
pub use webhooks::{WebhookForm, WebhookSecret, WebhookSent};
#[cfg(feature = "ssr")]
pub use workflows::{
    WorkflowPageData, WorkflowRunForm, WorkflowSent, boxes, wanted, workflow_page,
};
