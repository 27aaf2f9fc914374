//! What the program can do: start, watch, cancel, list and export runs. The one API behind the
//! page, the REST handlers and the terminal; a rule that two of them share lives here.

mod access;
mod adapter;
mod alerts;
mod background;
mod cache;
mod catalogue;
mod dashboard;
mod door;
mod error;
pub mod export;
mod extract;
mod figures;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod hub;
mod observe;
pub mod output;
mod pages;
mod random;
mod reader;
mod records;
mod redact;
mod routing;
mod service;
mod shared;
mod shared_frames;
mod shipped;
mod tally;
mod upkeep;
mod watch;
mod webhooks;

pub use access::{Access, ApiKey, Caller, KeyRequest, MadeKey, SESSION_SECONDS, Scope};
pub use alerts::{
    Alert, AlertChangeView, AlertKind, AlertRule, AlertRuleDefinition, AlertStatus, Alerts,
    Severity,
};
pub use background::BackgroundConfig;
pub use cache::CacheStats;
pub use dashboard::{
    Dashboard, DashboardRange, FigureView, ModelFigures, RunCounts, SlotFigures, TaskFigures,
};
pub use door::{DoorAnswer, DoorAsk, DoorError, DoorHead, DoorModel, DoorNews, DoorTotals};
pub use error::ServiceError;
pub use export::{Export, ExportFormat, StreamFormat};
pub use extract::{ExtractLimits, Extractor};
pub use lanes_provider::{ConfigError, ProviderConfig, Timeouts};
pub use lanes_store::{Inspection, Page, RunFilter, Store, StoreError, Totals, inspect};
pub use observe::{Load, Observer};
pub use reader::RunReader;
pub use service::{
    DocumentPreview, DocumentView, EndpointHealth, PlacedError, Preview, PreviewPart, ProcessEvent,
    ProcessRequest, ProcessStart, Processing, ProviderHealth, Rejected, ResumePolicy, RetryRequest,
    RunChange, SampleRecord, Service, ServiceConfig, Started, TaskFormat, Trial, TrialRequest,
    Upload, WorkflowFile, blank_workflow, workflow_toml,
};
pub use shared::Shared;
pub use shared_frames::{Parts, SharedFrame};
pub use upkeep::{Pruned, Retention, prune};
pub use watch::WatchItem;
pub use webhooks::{
    AttemptView, DeliveryPage, DeliveryView, NewWebhook, RetrySteps, WebhookDefinition,
    WebhookEvent, WebhookView,
};
