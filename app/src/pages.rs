//! The pages, one module each. What stands in `page.rs` and in modules of the server alone renders
//! once; the islands beside it go on in the browser.

#[cfg(feature = "ssr")]
mod alerts;
#[cfg(feature = "ssr")]
pub mod batch;
#[cfg(feature = "ssr")]
mod dashboard;
#[cfg(feature = "ssr")]
mod docs;
#[cfg(feature = "ssr")]
mod document;
#[cfg(feature = "ssr")]
mod keys;
#[cfg(feature = "ssr")]
mod login;
#[cfg(feature = "ssr")]
mod not_found;
mod run;
#[cfg(feature = "ssr")]
mod runs;
#[cfg(feature = "ssr")]
mod tasks;
#[cfg(feature = "ssr")]
mod webhooks;
mod workbench;
#[cfg(feature = "ssr")]
mod workflows;

#[cfg(feature = "ssr")]
pub use alerts::{AlertPage, AlertsPage};
#[cfg(feature = "ssr")]
pub use dashboard::DashboardPage;
#[cfg(feature = "ssr")]
pub use docs::{ApiDescription, DocsPage};
#[cfg(feature = "ssr")]
pub use document::DocumentPage;
#[cfg(feature = "ssr")]
pub use keys::KeysPage;
#[cfg(feature = "ssr")]
pub use login::LoginPage;
#[cfg(feature = "ssr")]
pub use not_found::NotFound;
#[cfg(feature = "ssr")]
pub use run::{RunPage, report_html};
#[cfg(feature = "ssr")]
pub use runs::RunsPage;
#[cfg(feature = "ssr")]
pub use tasks::{EditTaskPage, NewTaskPage, TasksPage};
#[cfg(feature = "ssr")]
pub use webhooks::{WebhookPage, WebhooksPage};
#[cfg(feature = "ssr")]
pub use workbench::Workbench;
#[cfg(feature = "ssr")]
pub use workflows::{NewWorkflowPage, WorkflowPage, WorkflowsPage};
