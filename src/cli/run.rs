//! `lanes run`: tasks on one text, from the terminal.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lanes_model::spec::InputRequest;
use lanes_model::{Mode, RunRequest, RunStatus, Task};
use serde_json::Value;

use super::client::{Client, ClientError};
use super::follow::{Followed, OnStop, follow};
use super::progress::Progress;
use super::target::{Shared, TargetArgs};
use super::terminal::print;
use super::{CliError, report};

/// Left by the user: as a shell has it.
const LEFT: u8 = 130;

/// What to run, on what, and how.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A file with the text, or - for what is piped in.
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    text: Option<PathBuf>,
    /// One of the texts that come with Lanes; the first when no text is given.
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,
    /// Ids of tasks with commas between them; by default the built-in ones.
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    tasks: Vec<String>,
    /// sequential, parallel or compare, which runs both and is the default.
    #[arg(long)]
    mode: Option<Mode>,
    #[command(flatten)]
    sending: SendingArgs,
    /// Take personal data out of what is sent, and put it back into the answers.
    #[arg(long)]
    redact: bool,
    /// The run's state as JSON instead of the answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// Who answers, and how many calls at a time.
#[derive(Debug, Clone, Args)]
pub struct SendingArgs {
    /// The most calls at the same time; by default one a task, at most 6 (batch: 6; bench: as many as
    /// its fast endpoint has).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: Option<u32>,
    /// Which provider; by default the first configured, or the simulator.
    #[arg(long)]
    pub provider: Option<String>,
    /// Which model; by default the provider's first.
    #[arg(long)]
    pub model: Option<String>,
}

pub(super) async fn run(args: RunArgs) -> Result<ExitCode, CliError> {
    let text = args.text.as_deref().map(read).transpose()?;
    let target = args.target.open(Shared::Apart, None).await?;
    let client = &target.client;
    let done = async {
        let input = match text {
            Some(text) => InputRequest { text: Some(text), ..InputRequest::default() },
            None => {
                let sample = match args.sample {
                    Some(name) => name,
                    None => first_sample(client).await?,
                };
                InputRequest { sample: Some(sample), ..InputRequest::default() }
            }
        };
        let request = RunRequest {
            input,
            tasks: tasks(client, args.tasks).await?,
            mode: args.mode.map(|mode| mode.id().to_owned()),
            concurrency: args.sending.concurrency.map(i64::from),
            provider: args.sending.provider,
            model: args.sending.model,
            redact: args.redact,
            ..RunRequest::default()
        };
        let id = start(client, &request).await?;
        let followed = follow(client, &id, OnStop::Cancel, Progress::new()).await?;
        Ok::<_, CliError>(show(&id, &followed, args.json))
    };
    let done = done.await;
    target.close().await?;
    done
}

/// Prints a run that is over: its state, or its answers and figures.
pub(super) fn show(id: &str, followed: &Followed, json: bool) -> ExitCode {
    match followed {
        Followed::Left => {
            eprintln!("left; the run is {id}");
            ExitCode::from(LEFT)
        }
        Followed::Over(run, text) => {
            if json {
                print(&format!("{text}\n"));
            } else {
                let (answers, figures) = (report::answers(run), report::figures(run));
                print(&format!("{answers}{figures}{}\n", report::summary(run)));
            }
            exit(run.status)
        }
    }
}

/// 0 when every call succeeded, 1 when some did not.
pub(super) fn exit(status: RunStatus) -> ExitCode {
    match status {
        RunStatus::Succeeded => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Starts a run and says which it is.
pub(super) async fn start(client: &Client, request: &RunRequest) -> Result<String, CliError> {
    let body = serde_json::to_value(request).map_err(std::io::Error::other)?;
    let made = client.post("/api/runs", &body).await?;
    let id = made.get("id").and_then(Value::as_str).map(str::to_owned);
    Ok(id.ok_or_else(|| ClientError::Answer {
        url: format!("{}/api/runs", client.url()),
        why: "it names no run".to_owned(),
    })?)
}

/// The tasks asked for; without any, those that come with Lanes.
pub(super) async fn tasks(client: &Client, asked: Vec<String>) -> Result<Vec<String>, CliError> {
    let asked: Vec<String> =
        asked.iter().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    if !asked.is_empty() {
        return Ok(asked);
    }
    let all: Vec<Task> = client.get("/api/tasks").await?;
    Ok(all.into_iter().filter(|task| task.built_in).map(|task| task.id.0).collect())
}

async fn first_sample(client: &Client) -> Result<String, CliError> {
    let samples: Vec<Value> = client.get("/api/samples").await?;
    let id = samples.first().and_then(|sample| sample.get("id")?.as_str());
    id.map(str::to_owned)
        .ok_or_else(|| CliError::Usage("there is no sample: give a text with --text".to_owned()))
}

/// The text of a file, or of what is piped in.
fn read(path: &Path) -> Result<String, CliError> {
    let file = |source| ClientError::File { path: path.to_owned(), source };
    let bytes = if path.as_os_str() == "-" {
        let mut input = std::io::stdin().lock();
        if input.is_terminal() {
            eprintln!("reading the text; end it with Ctrl-D");
        }
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).map_err(file)?;
        bytes
    } else {
        std::fs::read(path).map_err(file)?
    };
    String::from_utf8(bytes).map_err(|_| {
        CliError::Usage(format!(
            "{} is not plain text in UTF-8; lanes batch reads other files",
            path.display()
        ))
    })
}
