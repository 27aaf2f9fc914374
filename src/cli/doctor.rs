//! `lanes doctor`: looks at everything a run needs and says what to do about what is wrong. It changes
//! nothing, and never prints a key.

mod machine;
mod providers;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::CliError;
use super::target::TargetArgs;
use super::terminal::{colours, print, tame};
use crate::config::{Config, Flags};

/// What to check.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The findings as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetArgs,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// Well.
    Ok,
    /// Runs work, but not as well as they could.
    Warning,
    /// Runs fail.
    Failure,
}

/// What a check found.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    verdict: Verdict,
    detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    fn new(check: impl Into<String>, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self { check: check.into(), verdict, detail: detail.into(), advice: None }
    }

    fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, detail)
    }

    fn warning(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, detail)
    }

    fn failure(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(check, Verdict::Failure, detail)
    }

    fn do_this(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    fn line(&self) -> String {
        let (sign, colour) = match self.verdict {
            Verdict::Ok => ("✓", 32),
            Verdict::Warning => ("!", 33),
            Verdict::Failure => ("✗", 31),
        };
        let sign = match colours() {
            true => format!("\u{1b}[{colour}m{sign}\u{1b}[0m"),
            false => sign.to_owned(),
        };
        let advice = self.advice.iter().map(|advice| format!("\n    → {}", tame(advice)));
        format!("{sign} {}: {}{}", self.check, tame(&self.detail), advice.collect::<String>())
    }
}

pub(super) async fn doctor(args: DoctorArgs) -> Result<ExitCode, CliError> {
    let findings = match args.target.is_remote() {
        true => server::check(args.target).await?,
        false => here(args.target.data_dir, args.target.config).await,
    };
    let failed = findings.iter().filter(|f| f.verdict == Verdict::Failure).count();
    if args.json {
        print(&format!("{}\n", json!({ "ok": failed == 0, "findings": findings })));
    } else {
        let lines: String = findings.iter().map(|finding| finding.line() + "\n").collect();
        let end = match failed {
            0 => "Nothing stands in the way of a run.".to_owned(),
            1 => "One thing has to be put right.".to_owned(),
            many => format!("{many} things have to be put right."),
        };
        print(&format!("{lines}{end}\n"));
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn here(data_dir: Option<PathBuf>, file: Option<PathBuf>) -> Vec<Finding> {
    let config = match Config::load(Flags { data_dir, config: file, ..Flags::default() }) {
        Ok(config) => config,
        Err(error) => {
            return vec![
                Finding::failure("configuration", error.to_string())
                    .do_this("put that setting right: nothing starts before, nor can be checked"),
            ];
        }
    };
    let mut findings = vec![Finding::ok(
        "configuration",
        format!(
            "readable; listens on {}, at most {} calls at the same time in a run",
            config.addr, config.max_concurrency
        ),
    )];
    findings.extend(providers::check(&config).await);
    findings.extend(machine::check(&config).await);
    findings
}
