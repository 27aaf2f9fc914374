//! `lanes prune` and `lanes backup`: looking after the database, also while a server uses it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use lanes_service::{Retention, ServiceError, Store, prune};

use super::CliError;
use crate::config::{Config, Flags};

/// Which runs to let go.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Runs asked for longer ago than that, in days.
    #[arg(long, value_name = "DAYS", required_unless_present_any = ["max_gb", "shrink"])]
    older_than: Option<u32>,
    /// The oldest runs, until there is no more data than that, in gigabytes (10⁹ bytes).
    #[arg(long, value_name = "GB")]
    max_gb: Option<f64>,
    /// Say how many are too old, and delete none.
    #[arg(long)]
    dry_run: bool,
    /// Give the room back to the file system. Copies the database, and stops what writes to it
    /// meanwhile.
    #[arg(long)]
    shrink: bool,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
    /// Where runs are kept [env: LANES_DATA_DIR].
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// Where the copy goes.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// A file that is not there yet.
    file: PathBuf,
    /// Where runs are kept [env: LANES_DATA_DIR].
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// The database of the data directory; one that is not there is not made.
async fn open(data_dir: Option<PathBuf>) -> Result<Store, CliError> {
    let config = Config::load(Flags { data_dir, ..Flags::default() })?;
    let file = config.data_dir.join("lanes.db");
    if !file.exists() {
        return Err(CliError::NoData(config.data_dir));
    }
    Ok(Store::open(&file).await.map_err(ServiceError::from)?)
}

pub(super) async fn prune_runs(args: PruneArgs) -> Result<(), CliError> {
    let store = open(args.data_dir).await?;
    let retention = Retention {
        age: args.older_than.map(|days| Duration::from_secs(u64::from(days) * 86_400)),
        bytes: args.max_gb.map(|gb| (gb.max(0.0) * 1e9) as u64),
    };
    let pruned = prune(&store, &retention, Timestamp::now(), args.dry_run).await?;
    if args.shrink && !args.dry_run {
        store.shrink().await.map_err(ServiceError::from)?;
    }
    let file = store.size().await.map_err(ServiceError::from)?.file;
    store.close().await;
    if args.json {
        println!(
            "{}",
            serde_json::json!({
                "runs": pruned.runs, "dry_run": args.dry_run, "bytes_before": pruned.bytes_before,
                "bytes_after": pruned.bytes_after, "file_bytes": file,
            })
        );
        return Ok(());
    }
    let mb = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let runs = match pruned.runs {
        1 => "1 run".to_owned(),
        n => format!("{n} runs"),
    };
    match args.dry_run {
        true => println!("{runs} would be deleted"),
        false => println!(
            "{runs} deleted; {} of data, {} before; the file has {}",
            mb(pruned.bytes_after),
            mb(pruned.bytes_before),
            mb(file)
        ),
    }
    Ok(())
}

pub(super) async fn back_up(args: BackupArgs) -> Result<(), CliError> {
    let store = open(args.data_dir).await?;
    store.backup(&args.file).await.map_err(ServiceError::from)?;
    store.close().await;
    println!("copied to {}", args.file.display());
    Ok(())
}
