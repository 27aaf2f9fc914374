//! What the page asks of the server. Thin: each function calls the service and maps its error; a
//! rule belongs in the service or the model.

mod data;
mod error;
mod functions;
#[cfg(feature = "ssr")]
mod request;

pub use data::{ModelHistory, Prefill, ProviderBadge, RunPageData, RunsPageData, WorkbenchData};
pub use error::UiError;
pub use functions::{
    cancel_run, count_text, default_provider, delete_run, resume_run, run_page, runs_page,
    sample_text, start_run, workbench,
};
#[cfg(feature = "ssr")]
pub use request::{Display, FormState, service, set_status, workbench_data};
