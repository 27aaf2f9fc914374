//! `lanes bench`: the same tasks on the same documents through the three batch endpoints and in the
//! three modes, one after another, in one table: what it took, and what was expected against what was
//! measured.

mod ways;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use lanes_model::spec::InputRequest;
use lanes_model::{Mode, RunRequest, format};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use self::ways::{Way, measure, sequential, way, ways};
use super::CliError;
use super::batch::{upload, walk};
use super::client::{Client, ClientError, file_part};
use super::follow::{Followed, OnStop, follow};
use super::progress::Progress;
use super::run::{SendingArgs, start};
use super::target::{Shared, TargetArgs};
use super::terminal::{Table, print};

/// On what, and what.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Files, or directories with files.
    #[arg(value_name = "FILES", conflicts_with = "documents")]
    files: Vec<PathBuf>,
    /// So many sample documents instead.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 4,
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    documents: u32,
    /// Ids of tasks with commas between them.
    #[arg(long, value_delimiter = ',', value_name = "IDS", default_value = "summary")]
    tasks: Vec<String>,
    #[command(flatten)]
    sending: SendingArgs,
    /// The figures as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// What is processed.
enum Input {
    Files(Vec<PathBuf>),
    Texts(Vec<String>),
}

struct Bench<'a> {
    client: &'a Client,
    input: Input,
    tasks: Vec<String>,
    sending: SendingArgs,
}

pub(super) async fn bench(args: BenchArgs) -> Result<ExitCode, CliError> {
    let files = match args.files.is_empty() {
        true => None,
        false => Some(walk(&args.files)?),
    };
    // The endpoint for parallel batches takes as many workers as its server allows.
    let target = args.target.open(Shared::Apart, args.sending.concurrency).await?;
    let client = &target.client;
    let done = async {
        let input = match files {
            Some(files) => Input::Files(files),
            None => Input::Texts(samples(client, args.documents).await?),
        };
        let bench = Bench { client, input, tasks: args.tasks, sending: args.sending };
        let ways = bench.all().await?;
        match args.json {
            true => print(&format!("{}\n", bench.json(&ways))),
            false => bench.print(&ways),
        }
        let failed = ways.iter().any(|way| way.failed > 0);
        Ok::<_, CliError>(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    };
    let done = done.await;
    target.close().await?;
    done
}

/// The samples in turn, each made another document by its number.
async fn samples(client: &Client, count: u32) -> Result<Vec<String>, CliError> {
    let samples: Vec<Value> = client.get("/api/samples").await?;
    let texts: Vec<&str> =
        samples.iter().filter_map(|s| s.get("text").and_then(Value::as_str)).collect();
    if texts.is_empty() {
        return Err(CliError::Usage("there are no samples: name files".to_owned()));
    }
    let numbered = (1..=count).zip(texts.iter().cycle());
    Ok(numbered.map(|(number, text)| format!("{text}\n\nDocument {number}.")).collect())
}

impl Bench<'_> {
    async fn all(&self) -> Result<Vec<Way>, CliError> {
        let mut ways = vec![
            self.said("POST /api/process-batch", self.one_answer()).await?,
            self.said("POST /api/process-batch-stream", self.streamed("-stream")).await?,
            self.said("POST /api/process-batch-fast", self.streamed("-fast")).await?,
        ];
        let ids = self.documents().await?;
        // As many lanes as the endpoint had workers: what is compared is done in the same way.
        let workers = ways.iter().map(|way| way.workers).max().unwrap_or(1);
        let lanes = self.sending.concurrency.unwrap_or(workers);
        for mode in Mode::ALL {
            eprintln!("mode {} …", mode.id());
            ways.extend(self.mode(mode, lanes, &ids).await?);
        }
        measure(&mut ways);
        Ok(ways)
    }

    async fn said(
        &self,
        name: &str,
        way: impl Future<Output = Result<Way, CliError>>,
    ) -> Result<Way, CliError> {
        eprintln!("{name} …");
        Ok(Way { name: name.to_owned(), ..way.await? })
    }

    /// The form that the endpoints take.
    async fn form(&self) -> Result<Form, CliError> {
        let mut form = Form::new().text("tasks", self.tasks.join(","));
        if let Some(provider) = &self.sending.provider {
            form = form.text("provider", provider.clone());
        }
        if let Some(model) = &self.sending.model {
            form = form.text("model", model.clone());
        }
        match &self.input {
            Input::Files(files) => {
                for file in files {
                    form = form.part("file", file_part(file).await?);
                }
            }
            Input::Texts(texts) => {
                for (number, text) in (1..).zip(texts) {
                    let part = Part::bytes(text.clone().into_bytes());
                    form = form.part("file", part.file_name(format!("sample-{number}.txt")));
                }
            }
        }
        Ok(form)
    }

    async fn one_answer(&self) -> Result<Way, CliError> {
        let form = self.form().await?;
        let begun = Instant::now();
        let path = "/api/process-batch";
        let mut answer = self.client.post_form(path, form).await?;
        let taken = begun.elapsed();
        let outcome = answer.get_mut("summary").map(Value::take).unwrap_or_default();
        Ok(way(self.client.read(path, &outcome.to_string())?, taken))
    }

    async fn streamed(&self, which: &str) -> Result<Way, CliError> {
        let path = format!("/api/process-batch{which}");
        let form = self.form().await?;
        let begun = Instant::now();
        let mut events = self.client.stream_form(&path, form).await?;
        while let Some(message) = events.next().await {
            if message.event == "complete" {
                let outcome = self.client.read(&path, &message.data)?;
                return Ok(way(outcome, begun.elapsed()));
            }
        }
        Err(ClientError::Answer {
            url: format!("{}{path}", self.client.url()),
            why: "its events broke off".to_owned(),
        }
        .into())
    }

    async fn documents(&self) -> Result<Vec<String>, CliError> {
        let added = match &self.input {
            Input::Files(files) => upload(self.client, files, None).await?,
            Input::Texts(texts) => {
                let folder = tempfile::tempdir()?;
                let mut files = Vec::new();
                for (number, text) in (1..).zip(texts) {
                    let file = folder.path().join(format!("sample-{number}.txt"));
                    std::fs::write(&file, text)?;
                    files.push(file);
                }
                upload(self.client, &files, None).await?
            }
        };
        let mut ids: Vec<String> = Vec::new();
        for document in added.documents {
            if !ids.contains(&document.id) {
                ids.push(document.id);
            }
        }
        Ok(ids)
    }

    async fn mode(&self, mode: Mode, lanes: u32, ids: &[String]) -> Result<Vec<Way>, CliError> {
        let request = RunRequest {
            input: InputRequest { document_ids: Some(ids.to_vec()), ..InputRequest::default() },
            tasks: self.tasks.clone(),
            mode: Some(mode.id().to_owned()),
            concurrency: Some(i64::from(lanes)),
            provider: self.sending.provider.clone(),
            model: self.sending.model.clone(),
            ..RunRequest::default()
        };
        let id = start(self.client, &request).await?;
        match follow(self.client, &id, OnStop::Cancel, Progress::silent()).await? {
            Followed::Over(run, _) => Ok(ways(&run)),
            Followed::Left => Err(CliError::Usage("stopped before its end".to_owned())),
        }
    }

    fn json(&self, ways: &[Way]) -> Value {
        json!({ "documents": self.count(), "tasks": self.tasks, "ways": ways })
    }

    fn count(&self) -> usize {
        match &self.input {
            Input::Files(files) => files.len(),
            Input::Texts(texts) => texts.len(),
        }
    }

    fn print(&self, ways: &[Way]) {
        let headings = [
            "",
            "calls",
            "failed",
            "workers",
            "time",
            "speedup",
            "efficiency",
            "estimated speedup",
            "one by one, estimated",
            "measured",
        ];
        let mut table = Table::new(&headings, 1..10);
        let measured = sequential(ways);
        for way in ways {
            table.row(vec![
                way.name.clone(),
                format::count(way.calls),
                format::count(way.failed),
                format::count(u64::from(way.workers)),
                format::or_missing(way.time_us, format::seconds_table),
                format::or_missing(way.speedup, format::speedup),
                format::or_missing(way.efficiency.filter(|_| way.workers > 1), format::percent),
                format::or_missing(way.estimated_speedup, format::speedup),
                format::or_missing(way.estimated_sequential_us, format::seconds_table),
                format::or_missing(measured, format::seconds_table),
            ]);
        }
        print(&table.text());
        print(&format!(
            "{} · tasks: {} · speedup: the mean time of one call after another, measured here, ÷ the \
             time; estimated: the work of the calls\n",
            format::plural(self.count() as u64, "document"),
            self.tasks.join(", ")
        ));
    }
}
