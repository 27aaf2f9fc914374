//! Follows a run to its end and shows how it goes on. Ctrl-C cancels it; pressed again, the command
//! leaves.

use std::time::{Duration, Instant};

use lanes_model::{Micros, PassStatus, RunStatus, RunView};
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, ClientError};
use super::progress::{Part, Progress};
use super::stop_signal;

/// How often a lost server is asked again, and after how long.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// Passes are looked at one by one at most so often.
const PASSES: Duration = Duration::from_millis(200);

/// A frame of sums, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Frame {
    status: RunStatus,
    elapsed_us: Micros,
    calls: u64,
    counts: lanes_model::view::Counts,
    #[serde(default)]
    trouble: Option<String>,
    #[serde(default)]
    eta: Option<Eta>,
}

#[derive(Debug, Deserialize)]
struct Eta {
    left_us: Micros,
}

/// How following ended.
#[derive(Debug)]
pub enum Followed {
    /// The run is over: its state, and the text it came as.
    Over(Box<RunView>, String),
    /// The user left before.
    Left,
}

/// What Ctrl-C does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// Cancels the run and waits for its end; the second time it leaves.
    Cancel,
    /// Leaves; the run goes on.
    Leave,
}

/// Follows a run.
///
/// # Errors
/// When the run is not there, or its server no longer answers.
pub async fn follow(
    client: &Client,
    id: &str,
    on_stop: OnStop,
    progress: Progress,
) -> Result<Followed, ClientError> {
    let mut watch = Watch {
        client,
        path: format!("/api/runs/{id}"),
        progress,
        looked: None,
        passes: Vec::new(),
        trouble: None,
    };
    let result = tokio::select! {
        over = watch.until_its_end() => Some(over),
        () = stop_signal() => None,
    };
    let result = match result {
        Some(over) => over,
        None if on_stop == OnStop::Leave => Ok(Followed::Left),
        None => {
            watch.progress.say("cancelling; press Ctrl-C again to leave at once");
            tokio::select! {
                over = watch.cancelled() => over,
                () = stop_signal() => Ok(Followed::Left),
            }
        }
    };
    watch.progress.finish();
    result
}

struct Watch<'a> {
    client: &'a Client,
    path: String,
    progress: Progress,
    looked: Option<Instant>,
    passes: Vec<Part>,
    trouble: Option<String>,
}

impl Watch<'_> {
    async fn until_its_end(&mut self) -> Result<Followed, ClientError> {
        let mut lost = 0;
        loop {
            match self.frames().await {
                Ok(()) => lost = 0,
                Err(ClientError::Unreachable { .. }) if lost < TRIES => {}
                Err(error) => return Err(error),
            }
            match self.state().await {
                Ok((state, text)) if !state.status.is_live() => {
                    self.show_passes(&state, None);
                    return Ok(Followed::Over(Box::new(state), text));
                }
                Ok(_) => {}
                Err(ClientError::Unreachable { .. }) if lost < TRIES => {}
                Err(error) => return Err(error),
            }
            lost += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn cancelled(&mut self) -> Result<Followed, ClientError> {
        match self.client.post(&format!("{}/cancel", self.path), &json!({})).await {
            Ok(_) => {}
            // It has ended by itself.
            Err(ClientError::Refused(r)) if r.status == reqwest::StatusCode::CONFLICT => {}
            Err(error) => return Err(error),
        }
        self.until_its_end().await
    }

    async fn state(&self) -> Result<(RunView, String), ClientError> {
        let text = self.client.text(&self.path).await?;
        Ok((self.client.read(&self.path, &text)?, text))
    }

    /// Shows frames until their stream ends, for whatever reason.
    async fn frames(&mut self) -> Result<(), ClientError> {
        let mut events = self.client.stream(&format!("{}/frames", self.path)).await?;
        while let Some(message) = events.next().await {
            match message.event.as_str() {
                "frame" => {
                    let frame: Frame = self.client.read(&self.path, &message.data)?;
                    self.show(&frame).await?;
                }
                "end" => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }

    async fn show(&mut self, frame: &Frame) -> Result<(), ClientError> {
        if frame.trouble != self.trouble {
            if let Some(why) = &frame.trouble {
                self.progress.say(why);
            }
            self.trouble.clone_from(&frame.trouble);
        }
        let left = frame.eta.as_ref().map(|eta| eta.left_us);
        // A run of several passes is looked at pass by pass, unless it is too large for that.
        let due = self.looked.is_none_or(|at| at.elapsed() >= PASSES);
        if due && (self.looked.is_none() || self.passes.len() > 1) {
            let (state, _) = self.state().await?;
            self.show_passes(&state, left);
            self.looked = Some(Instant::now());
        }
        if self.passes.len() == 1 && frame.status.is_live() {
            let name = self.passes.first().map(|p| p.name.clone()).unwrap_or_default();
            self.passes = vec![Part {
                name,
                elapsed: Some(frame.elapsed_us),
                ..part("", &frame.counts, frame.calls)
            }];
            self.progress.show(&self.passes, left);
        }
        Ok(())
    }

    fn show_passes(&mut self, state: &RunView, left: Option<Micros>) {
        let listed = state.passes.iter().all(|pass| !pass.calls.is_empty());
        self.passes = match listed {
            true => state.passes.iter().map(of_pass).collect(),
            false => {
                let c = &state.counts;
                let calls = c.queued + c.running + c.succeeded + c.failed + c.invalid + c.cancelled;
                let walls = state.passes.iter().filter_map(|pass| pass.wall_us);
                let elapsed = walls.reduce(|sum, wall| Micros(sum.0 + wall.0));
                let name = state.mode.label();
                vec![Part { elapsed, ..part(name, c, u64::from(calls)) }]
            }
        };
        self.progress.show(&self.passes, left);
    }
}

fn part(name: &str, counts: &lanes_model::view::Counts, calls: u64) -> Part {
    let failed = u64::from(counts.failed + counts.invalid);
    Part {
        name: name.to_owned(),
        calls,
        done: u64::from(counts.succeeded + counts.cancelled) + failed,
        running: u64::from(counts.running),
        failed,
        elapsed: None,
    }
}

fn of_pass(pass: &lanes_model::view::PassView) -> Part {
    use lanes_model::CallStatus::{Cancelled, Failed, Invalid, Running, Succeeded};
    let of = |wanted: &[lanes_model::CallStatus]| {
        pass.calls.iter().filter(|call| wanted.contains(&call.status)).count() as u64
    };
    Part {
        name: pass.mode.label().to_owned(),
        calls: pass.calls.len() as u64,
        done: of(&[Succeeded, Failed, Invalid, Cancelled]),
        running: of(&[Running]),
        failed: of(&[Failed, Invalid]),
        elapsed: pass.wall_us.filter(|_| pass.status != PassStatus::Waiting),
    }
}
