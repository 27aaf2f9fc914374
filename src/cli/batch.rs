//! `lanes batch`: tasks or a workflow on files, from the terminal.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lanes_model::spec::InputRequest;
use lanes_model::{Mode, RunRequest};
use reqwest::StatusCode;
use reqwest::multipart::Form;
use serde::Deserialize;

use super::client::{Client, ClientError, file_part};
use super::follow::{Followed, OnStop, follow};
use super::progress::{Part, Progress};
use super::run::{SendingArgs, exit, start, tasks};
use super::runs::{Format, check_output, write};
use super::target::{Shared, TargetArgs};
use super::terminal::{print, tame};
use super::{CliError, report};

/// One request brings so many files at most, or so many bytes.
const FILES: usize = 200;
const BYTES: u64 = 256 << 20;
/// Calls at the same time unless another number is asked for: files are rarely one call each.
const LANES: i64 = 6;
/// Folders in folders in folders: deeper ones are not looked into.
const DEPTH: usize = 32;

/// On what, what, and where the results go.
#[derive(Debug, Args)]
pub struct BatchArgs {
    /// Files, or directories with files.
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// A workflow's id, in place of tasks.
    #[arg(long, value_name = "NAME", conflicts_with = "tasks")]
    workflow: Option<String>,
    /// Ids of tasks with commas between them; by default the built-in ones.
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    tasks: Vec<String>,
    /// sequential, parallel or compare.
    #[arg(long, default_value_t = Mode::Parallel)]
    mode: Mode,
    #[command(flatten)]
    sending: SendingArgs,
    /// Take personal data out of what is sent, and put it back into the answers.
    #[arg(long)]
    redact: bool,
    /// What becomes of files that are too long for one call.
    #[arg(long, value_enum)]
    long: Option<Long>,
    /// With --long chunk: the tokens of a piece; every longer file is cut.
    #[arg(long, value_name = "N")]
    piece_tokens: Option<u32>,
    /// The column of tables that holds the text.
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Where the results go: a file, or a directory; by default stdout.
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
    /// The kind of file; by default that of the name given with --out, or jsonl.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The run's state as JSON on stdout; results go to --out alone.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// What becomes of long files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Long {
    /// The run is refused.
    Refuse,
    /// They are cut into pieces.
    Chunk,
}

/// What came of an upload.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Added {
    pub(super) documents: Vec<Named>,
    #[serde(default)]
    pub(super) rejected: Vec<Rejected>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rejected {
    name: String,
    detail: String,
}

pub(super) async fn batch(args: BatchArgs) -> Result<ExitCode, CliError> {
    let format = args.format.unwrap_or_else(|| named(args.out.as_deref()));
    if !args.json {
        check_output(format, args.out.as_deref())?;
    }
    let files = walk(&args.files)?;
    let target = args.target.open(Shared::Apart, None).await?;
    let client = &target.client;
    let done = async {
        let added = upload(client, &files, args.text_column.as_deref()).await?;
        for file in &added.rejected {
            eprintln!("not taken: {}: {}", tame(&file.name), tame(&file.detail));
        }
        if added.documents.is_empty() {
            return Err(CliError::Usage("none of the files was taken".to_owned()));
        }
        let mut ids: Vec<String> = Vec::with_capacity(added.documents.len());
        let mut known = std::collections::HashSet::new();
        ids.extend(added.documents.into_iter().map(|d| d.id).filter(|id| known.insert(id.clone())));
        let asked = args.sending.concurrency;
        let mut request = RunRequest {
            input: InputRequest { document_ids: Some(ids), ..InputRequest::default() },
            tasks: match &args.workflow {
                Some(_) => Vec::new(),
                None => tasks(client, args.tasks).await?,
            },
            workflow: args.workflow,
            mode: Some(args.mode.id().to_owned()),
            concurrency: Some(asked.map_or(LANES, i64::from)),
            provider: args.sending.provider,
            model: args.sending.model,
            redact: args.redact,
            long: args.long.map(|long| match long {
                Long::Refuse => "refuse".to_owned(),
                Long::Chunk => "chunk".to_owned(),
            }),
            piece_tokens: args.piece_tokens.map(i64::from),
            ..RunRequest::default()
        };
        let id = match start(client, &request).await {
            // A server may allow fewer: then as many as it chooses by itself.
            Err(CliError::Client(ClientError::Refused(refusal)))
                if asked.is_none() && refusal.status == StatusCode::UNPROCESSABLE_ENTITY =>
            {
                request.concurrency = None;
                start(client, &request).await?
            }
            started => started?,
        };
        let (run, text) = match follow(client, &id, OnStop::Cancel, Progress::new()).await? {
            Followed::Over(run, text) => (run, text),
            left @ Followed::Left => return Ok(super::run::show(&id, &left, false)),
        };
        if args.out.is_some() || !args.json {
            write(client, &id, format, args.out.as_deref()).await?;
        }
        let figures = format!("{}{}", report::figures(&run), report::summary(&run));
        match (args.json, args.out.is_some()) {
            (true, _) => print(&format!("{text}\n")),
            (false, true) => print(&format!("{figures}\n")),
            // Stdout is for the results.
            (false, false) => eprintln!("{figures}"),
        }
        match added.rejected.is_empty() {
            true => Ok(exit(run.status)),
            false => Ok(ExitCode::FAILURE),
        }
    };
    let done = done.await;
    target.close().await?;
    done
}

/// The kind of file that a name asks for.
fn named(out: Option<&Path>) -> Format {
    let ending = out.and_then(Path::extension).and_then(|ending| ending.to_str());
    let wanted = ending.and_then(|ending| Format::from_str(ending, true).ok());
    wanted.unwrap_or(Format::Jsonl)
}

/// The files named and those in the directories named, in order of their names; hidden ones in
/// directories are left out.
pub(super) fn walk(named: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in named {
        let file = |source| ClientError::File { path: path.clone(), source };
        match std::fs::metadata(path).map_err(file)?.is_dir() {
            true => inside(path, DEPTH, &mut files)?,
            false => files.push(path.clone()),
        }
    }
    match files.is_empty() {
        true => Err(CliError::Usage("there are no files in there".to_owned())),
        false => Ok(files),
    }
}

fn inside(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), CliError> {
    let failed = |source| ClientError::File { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // Links are not followed into directories, which may lead round in circles.
        let kind = entry.file_type().map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            entries.push((entry.path(), kind));
        }
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (path, kind) in entries {
        if kind.is_dir() {
            if depth > 0 {
                inside(&path, depth - 1, files)?;
            }
        } else if kind.is_file() || path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// Uploads files, a number of them in each request.
pub(super) async fn upload(
    client: &Client,
    files: &[PathBuf],
    column: Option<&str>,
) -> Result<Added, CliError> {
    let mut all = Added::default();
    let mut progress = Progress::new();
    let mut sent = 0;
    while sent < files.len() {
        let rest = files.get(sent..).unwrap_or_default();
        let mut form = Form::new();
        // Before the files, which are read as they come.
        if let Some(column) = column {
            form = form.text("text_column", column.to_owned());
        }
        let mut bytes = 0;
        let mut count = 0;
        for path in rest.iter().take(FILES) {
            let length = std::fs::metadata(path).map_or(0, |data| data.len());
            if count > 0 && bytes + length > BYTES {
                break;
            }
            bytes += length;
            count += 1;
            form = form.part("file", file_part(path).await?);
        }
        let answer = client.post_form("/api/documents", form).await?;
        let added: Added = serde_json::from_value(answer).map_err(|error| ClientError::Answer {
            url: format!("{}/api/documents", client.url()),
            why: error.to_string(),
        })?;
        all.documents.extend(added.documents);
        all.rejected.extend(added.rejected);
        sent += count;
        let part = Part {
            name: "Upload".to_owned(),
            calls: files.len() as u64,
            done: sent as u64,
            running: 0,
            failed: all.rejected.len() as u64,
            elapsed: None,
        };
        progress.show(&[part], None);
    }
    progress.finish();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_walked_in_order_without_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.txt", "b/d.txt", "a.txt", ".hidden"] {
            std::fs::write(folder.path().join(name), "text").unwrap();
        }
        let files = walk(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> =
            files.iter().map(|f| f.strip_prefix(folder.path()).unwrap().to_owned()).collect();
        assert_eq!(names, ["a.txt", "b/d.txt", "c.txt"].map(PathBuf::from));
        assert!(walk(&[folder.path().join("none")]).is_err());
    }

    #[test]
    fn the_name_of_the_file_says_its_kind() {
        assert_eq!(named(Some(Path::new("out.csv"))), Format::Csv);
        assert_eq!(named(Some(Path::new("out/"))), Format::Jsonl);
        assert_eq!(named(Some(Path::new("r.parquet"))), Format::Parquet);
        assert_eq!(named(None), Format::Jsonl);
    }
}
