//! `lanes watch`, `export`, `cancel` and `list`: runs that are there already.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lanes_model::{Mode, RunStatus, RunSummary, UsdMicros, format};
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, ClientError, Download, WriteError};
use super::follow::{OnStop, follow};
use super::progress::Progress;
use super::target::{Shared, TargetArgs};
use super::terminal::{Table, print};
use super::{CliError, run};

/// Which run.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Its id.
    id: String,
    /// Its state as JSON instead of the answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// Which run to stop.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// Its id.
    id: String,
    #[command(flatten)]
    target: TargetArgs,
}

/// What to write, and where.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The run's id.
    id: String,
    /// The kind of file.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// A file, or a directory for a file of the run's own name; by default stdout.
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

/// Which runs to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// How many, the newest first.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Only those of a mode.
    #[arg(long)]
    mode: Option<Mode>,
    /// Only those of a status, such as running or failed.
    #[arg(long)]
    status: Option<String>,
    /// The list as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// The kinds of file that a run can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Its state.
    Json,
    /// A call a line.
    Jsonl,
    /// A call a row.
    Csv,
    /// A report.
    Md,
    /// A call a row, in columns.
    Parquet,
    /// Its timeline.
    Svg,
}

impl Format {
    /// The name in requests, which is that of files, too.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Md => "md",
            Self::Parquet => "parquet",
            Self::Svg => "svg",
        }
    }
}

/// An id as a part of an address.
pub(super) fn address(id: &str) -> Result<String, CliError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match !id.is_empty() && id.chars().all(plain) {
        true => Ok(format!("/api/runs/{id}")),
        false => Err(CliError::Usage(format!("“{id}” is not the id of a run; see lanes list"))),
    }
}

pub(super) async fn watch(args: WatchArgs) -> Result<ExitCode, CliError> {
    address(&args.id)?;
    let target = args.target.open(Shared::Ask, None).await?;
    let followed = follow(&target.client, &args.id, OnStop::Leave, Progress::new()).await;
    target.close().await?;
    Ok(run::show(&args.id, &followed?, args.json))
}

pub(super) async fn cancel(args: CancelArgs) -> Result<ExitCode, CliError> {
    let path = address(&args.id)?;
    let target = args.target.open(Shared::Ask, None).await?;
    let cancelled = target.client.post(&format!("{path}/cancel"), &json!({})).await;
    target.close().await?;
    cancelled?;
    println!("{} is cancelled", args.id);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn export(args: ExportArgs) -> Result<ExitCode, CliError> {
    address(&args.id)?;
    check_output(args.format, args.out.as_deref())?;
    let target = args.target.open(Shared::Ask, None).await?;
    let written = write(&target.client, &args.id, args.format, args.out.as_deref()).await;
    target.close().await?;
    written?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to fill a terminal with bytes that are no text.
pub(super) fn check_output(format: Format, out: Option<&Path>) -> Result<(), CliError> {
    use std::io::IsTerminal;
    if format == Format::Parquet && out.is_none() && std::io::stdout().is_terminal() {
        return Err(CliError::Usage("Parquet is not text: give a file with --out".to_owned()));
    }
    Ok(())
}

/// Writes the export of a run.
pub(super) async fn write(
    client: &Client,
    id: &str,
    format: Format,
    out: Option<&Path>,
) -> Result<(), CliError> {
    let path = format!("{}/export?format={}", address(id)?, format.id());
    let download = client.download(&path).await?;
    let Some(out) = out else {
        let written = download.write(&mut std::io::stdout()).await.map(drop);
        let closed =
            |e: &WriteError| matches!(e, WriteError::Io(e) if e.kind() == ErrorKind::BrokenPipe);
        if written.as_ref().is_err_and(closed) {
            // Who reads has read enough.
            return Ok(());
        }
        return written.map_err(|error| failed(error, Path::new("stdout")));
    };
    let folder = out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/');
    let file = match folder {
        true => {
            std::fs::create_dir_all(out).map_err(|e| failed(e.into(), out))?;
            out.join(download.name().unwrap_or_else(|| format!("lanes-{id}.{}", format.id())))
        }
        false => out.to_owned(),
    };
    let bytes = save(download, &file).await?;
    eprintln!("wrote {} ({})", file.display(), format::bytes(bytes));
    Ok(())
}

/// Writes a file whole or not at all.
async fn save(download: Download, file: &Path) -> Result<u64, CliError> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let part = tempfile::Builder::new().prefix(".lanes-").tempfile_in(folder);
    let mut part = part.map_err(|e| failed(e.into(), file))?;
    let bytes = download.write(&mut part).await.map_err(|error| failed(error, file))?;
    readable(part.as_file());
    part.persist(file).map_err(|e| failed(e.error.into(), file))?;
    Ok(bytes)
}

/// A temporary file is its owner's alone; what the user asked for is like any other file of theirs.
fn readable(file: &std::fs::File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Err(error) = file.set_permissions(std::fs::Permissions::from_mode(0o644)) {
            tracing::debug!(%error, "the file stays readable for its owner alone");
        }
    }
    #[cfg(not(unix))]
    let _ = file;
}

fn failed(error: WriteError, file: &Path) -> CliError {
    match error {
        WriteError::Client(error) => error.into(),
        WriteError::Io(source) => ClientError::File { path: file.to_owned(), source }.into(),
    }
}

#[derive(Debug, Deserialize)]
struct List {
    items: Vec<RunSummary>,
    total: u64,
}

pub(super) async fn list(args: ListArgs) -> Result<ExitCode, CliError> {
    let mut path = format!("/api/runs?limit={}", args.limit);
    if let Some(mode) = args.mode {
        path.push_str(&format!("&mode={mode}"));
    }
    if let Some(status) = &args.status {
        let Some(status) = RunStatus::from_id(status) else {
            let known: Vec<_> = RunStatus::ALL.iter().map(|s| s.id()).collect();
            return Err(CliError::Usage(format!(
                "“{status}” is not a status; choose one of {}",
                known.join(", ")
            )));
        };
        path.push_str(&format!("&status={}", status.id()));
    }
    let target = args.target.open(Shared::Ask, None).await?;
    let text = target.client.text(&path).await;
    let list = text.and_then(|text| Ok((target.client.read::<List>(&path, &text)?, text)));
    target.close().await?;
    let (list, text) = list?;
    if args.json {
        print(&format!("{text}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    if list.items.is_empty() {
        eprintln!("no runs");
        return Ok(ExitCode::SUCCESS);
    }
    let headings = [
        "id",
        "asked for",
        "status",
        "mode",
        "calls",
        "failed",
        "time",
        "speedup",
        "cost",
        "title",
    ];
    let mut table = Table::new(&headings, 4..9);
    for one in &list.items {
        table.row(row(one));
    }
    print(&table.text());
    if list.total > list.items.len() as u64 {
        eprintln!("{} of {} runs; --limit shows more", list.items.len(), list.total);
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &RunSummary) -> Vec<String> {
    let simulated = if run.simulated { " (simulated)" } else { "" };
    let status = if run.paused { "paused" } else { run.status.id() };
    vec![
        run.id.to_string(),
        run.created_at.chars().take(19).collect::<String>().replace('T', " "),
        format!("{status}{simulated}"),
        run.mode.to_string(),
        format::count(u64::from(run.calls)),
        format::count(u64::from(run.failed)),
        format::or_missing(run.wall_us.map(lanes_model::Micros), format::seconds_table),
        format::or_missing(run.speedup, format::speedup),
        format::or_missing(run.cost_usd_micros, |cost: UsdMicros| format::cost_table(cost)),
        run.title.chars().take(60).collect(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_no_way_to_another_address() {
        assert_eq!(address("0198-ab").ok().as_deref(), Some("/api/runs/0198-ab"));
        for wrong in ["", "../tasks", "a/b", "a?b", "ä"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
