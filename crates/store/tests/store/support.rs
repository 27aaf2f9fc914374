//! What the tests build runs and databases from.

use std::path::PathBuf;

use lanes_model::{
    CallId, DocumentId, DocumentInfo, EventKind, Micros, Mode, PassId, Plan, RunHeader, RunId,
    RunSpec, RunStatus, RunSummary, provider::Pace,
};
use lanes_model::{ProviderInfo, task};
use lanes_store::{Created, Entry, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};
use tempfile::TempDir;

/// A folder that is removed at the end, with a database in it.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("lanes.db")
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.file()).await.unwrap()
    }

    /// A connection past the store, to do to the file what no method does.
    pub async fn raw(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.file()).connect().await.unwrap()
    }

    pub async fn raw_execute(&self, sql: &'static str) {
        self.raw().await.execute(sql).await.unwrap();
    }

    pub async fn raw_count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.raw().await).await.unwrap()
    }
}

pub fn id(name: &str) -> RunId {
    RunId::from(name)
}

pub fn document(name: &str, text: &str) -> (DocumentInfo, String) {
    let info = DocumentInfo {
        id: DocumentId::from(name),
        name: format!("{name}.txt"),
        bytes: text.len() as u64,
        tokens: 1,
    };
    (info, text.to_owned())
}

pub fn header(run: &str, documents: &[DocumentInfo]) -> RunHeader {
    let tasks: Vec<_> = task::built_in().into_iter().take(2).collect();
    RunHeader {
        id: id(run),
        title: format!("Run {run}"),
        created_at: "2026-11-21T03:55:07Z".to_owned(),
        spec: RunSpec::plain(Mode::Compare, 2, "simulator", "sim-1", &tasks),
        tasks,
        documents: documents.to_vec(),
        provider: ProviderInfo {
            id: "simulator".to_owned(),
            name: "Simulator".to_owned(),
            simulated: true,
            models: vec!["sim-1".to_owned()],
            price: None,
            rpm: None,
            tpm: None,
            pace: Pace { ttft_us: 1, millitokens_per_s: 1, whole_us: 0, cv_permille: 0 },
        },
        routes: Vec::new(),
        plan: Plan::new(Mode::Compare, false, 2, 2, 1),
    }
}

pub fn summary(run: &str) -> RunSummary {
    RunSummary {
        id: id(run),
        title: format!("Run {run}"),
        created_at: "2026-11-21T03:55:07Z".to_owned(),
        status: RunStatus::Succeeded,
        paused: false,
        mode: Mode::Compare,
        tasks: vec!["summary".to_owned()],
        documents: 1,
        concurrency: 2,
        provider: "simulator".to_owned(),
        provider_name: "Simulator".to_owned(),
        model: "sim-1".to_owned(),
        simulated: true,
        wall_us: Some(2_500_000),
        speedup: Some(2.5),
        calls: 4,
        failed: 0,
        retried: 0,
        failure: None,
        cost_usd_micros: None,
    }
}

/// Creates a run that reads no text.
pub async fn create(store: &Store, run: &str) {
    create_with(store, &summary(run)).await;
}

/// Creates a run with this summary.
pub async fn create_with(store: &Store, summary: &RunSummary) {
    let header = header(summary.id.as_str(), &[]);
    let created = store.create_run(&header, summary, &[], None).await.unwrap();
    assert!(matches!(created, Created::New(_)));
}

/// An event that can be told from others by its number.
pub fn kind(n: u32) -> EventKind {
    EventKind::CallsQueued { pass: PassId(0), first: CallId(n), count: 1 }
}

pub fn entry(run: &str, n: u32) -> Entry {
    Entry { run: id(run), at: Micros(u64::from(n)), kind: kind(n) }
}
