//! What the program can do: start, watch, cancel, list and export runs. The one API behind the
//! page, the REST handlers and the terminal; a rule that two of them share lives here.

mod adapter;
mod cache;
mod catalogue;
mod door;
mod error;
pub mod export;
mod extract;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod hub;
mod observe;
pub mod output;
mod reader;
mod records;
mod routing;
mod service;
mod shipped;
mod upkeep;
mod watch;

pub use cache::CacheStats;
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
pub use upkeep::{Pruned, Retention, prune};
pub use watch::WatchItem;
