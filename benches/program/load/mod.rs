//! The engine under load, each figure beside a bare loop's (`bare`), which is the floor: the same
//! requests to the same simulator, and nothing else done. The simulator is a process of its own, so
//! that its time is not ours, and a new one for each pass, so that every pass meets the same
//! latencies. Passes alternate (bare, ours, ours, bare): what drifts on the machine meets both.

mod bare;
pub mod batch;
mod figures;
mod ours;
mod paced;
mod pipelined;
mod simulator;
pub mod soaked;
pub mod submissions;
pub mod viewers;

use std::time::Duration;

use figures::{Pass, ms, percentile};

use crate::table::Row;

/// What is asked of the simulator, and how fast.
pub struct Load {
    /// How many calls.
    calls: u32,
    /// How many at once.
    lanes: u32,
    /// The simulator's latency.
    latency: &'static str,
    /// The answer's length in tokens, each a piece of the stream.
    tokens: u32,
    /// The first call of each lane begins so long after that of the lane before.
    apart: Duration,
    /// Requests a minute that the provider allows, if it limits them.
    rpm: Option<u32>,
}

impl Load {
    /// Calls that all lanes begin at once, at a provider without a limit.
    const fn new(calls: u32, lanes: u32, latency: &'static str, tokens: u32) -> Self {
        Self { calls, lanes, latency, tokens, apart: Duration::ZERO, rpm: None }
    }
}

/// Passes of a load.
struct Measured {
    bare: Vec<Pass>,
    ours: Vec<Pass>,
}

impl Measured {
    async fn of(load: &Load) -> Self {
        let mut measured = Self { bare: Vec::new(), ours: Vec::new() };
        for is_ours in [false, true, true, false] {
            let simulator = simulator::Simulator::start(load.latency);
            simulator.warm_up().await;
            if is_ours {
                measured.ours.push(ours::pass(load, &simulator.url).await);
            } else {
                measured.bare.push(bare::pass(load, &simulator.url).await);
            }
        }
        measured
    }

    /// Wall time of our passes ÷ that of the bare ones.
    fn wall_ratio(&self) -> f64 {
        let wall = |passes: &[Pass]| passes.iter().map(|p| p.wall.as_secs_f64()).sum::<f64>();
        wall(&self.ours) / wall(&self.bare)
    }

    fn walls(&self) -> String {
        let list = |passes: &[Pass]| {
            let walls: Vec<_> =
                passes.iter().map(|p| format!("{:.2}", p.wall.as_secs_f64())).collect();
            walls.join(" and ")
        };
        format!("{} s, the bare loop {} s", list(&self.ours), list(&self.bare))
    }

    /// The time between calls on a lane, over all of our passes.
    fn refill(&self, share: f64) -> Duration {
        percentile(self.ours.iter().flat_map(|p| p.refills.iter().copied()).collect(), share)
    }
}

fn cpu_per_call(passes: &[Pass]) -> f64 {
    let calls: usize = passes.iter().map(|p| p.calls.len()).sum();
    passes.iter().map(|p| p.cpu.as_secs_f64()).sum::<f64>() * 1e3 / calls as f64
}

/// All figures under load.
pub async fn rows() -> Vec<Row> {
    let mut rows = many_calls().await;
    rows.extend(many_lanes().await);
    rows.extend(added().await);
    rows.extend(paced::rows().await);
    rows.extend(batch::rows().await);
    rows
}

async fn many_calls() -> Vec<Row> {
    let load = Load::new(10_000, 100, "lognormal:mean=200ms,cv=0.6", 8);
    let measured = Measured::of(&load).await;
    let resident = measured.ours.iter().map(|p| p.resident_kb).max().unwrap_or_default();
    vec![
        Row {
            what: "10,000 calls: wall time ÷ a bare loop's",
            how: format!(
                "100 lanes, answers of {} pieces in 200 ms on average (cv 0.6), until the log is in SQLite: {}",
                load.tokens,
                measured.walls()
            ),
            measured: format!("{:.4}", measured.wall_ratio()),
            goal: "≤ 1.02",
        },
        Row {
            what: "10,000 calls: CPU time per call",
            how: format!(
                "the same passes, user and system time of the engine's process; the bare loop {:.2} ms",
                cpu_per_call(&measured.bare)
            ),
            measured: format!("{:.2} ms", cpu_per_call(&measured.ours)),
            goal: "≤ 0.4 ms",
        },
        Row {
            what: "10,000 calls: resident memory at the end",
            how: "with the tokenizer's tables and the whole run at hand; the most of both passes"
                .to_owned(),
            measured: format!("{:.0} MB", resident as f64 / 1e3),
            goal: "≤ 150 MB",
        },
        Row {
            what: "From an answer's end to the next request on its lane",
            how: format!(
                "the same passes, from their logs: p99, with calls ready all along; p50 {}",
                ms(measured.refill(0.5))
            ),
            measured: ms(measured.refill(0.99)),
            goal: "≤ 2 ms",
        },
    ]
}

async fn many_lanes() -> Vec<Row> {
    // 2,000 connections at once overflow a listening socket's queue, and what is dropped there is tried
    // again after 1, 3 and 7 s: a figure of TCP's, not of ours.
    let apart = Duration::from_micros(250);
    let load = Load { apart, ..Load::new(12_000, 2_000, "fixed:500ms", 2) };
    let files = figures::open_files();
    if files < u64::from(load.lanes) + 200 {
        println!("2,000 lanes: not measured, only {files} files may be open (ulimit -n)");
        return Vec::new();
    }
    let measured = Measured::of(&load).await;
    let flying = measured.ours.iter().map(|p| p.in_flight()).sum::<f64>()
        / measured.ours.len() as f64
        / f64::from(load.lanes);
    vec![
        Row {
            what: "2,000 lanes: requests in flight ÷ lanes",
            how: format!(
                "{} calls of 500 ms, the first ones 0.25 ms apart; attempts under way by our log, mean of the middle half of a \
                 pass; p99 of the gap on a lane {}",
                load.calls,
                ms(measured.refill(0.99))
            ),
            measured: format!("{:.1} %", flying * 100.0),
            goal: "≥ 98 %",
        },
        Row {
            what: "2,000 lanes: wall time ÷ a bare loop's",
            how: format!(
                "the same passes: {}; CPU time per call {:.2} ms, the bare loop {:.2} ms",
                measured.walls(),
                cpu_per_call(&measured.ours),
                cpu_per_call(&measured.bare)
            ),
            measured: format!("{:.3}", measured.wall_ratio()),
            goal: "≤ 1.1",
        },
    ]
}

async fn added() -> Vec<Row> {
    let apart = Duration::from_millis(2);
    let load = Load { apart, ..Load::new(5_000, 100, "fixed:200ms", 8) };
    let measured = Measured::of(&load).await;
    // Of two passes the calmer one: what else runs on the machine only ever adds.
    let over = |passes: &[Pass], share| {
        let times = |p: &Pass| p.calls.iter().map(|c| c.end - c.start).collect();
        let calmer = passes.iter().map(|p| percentile(times(p), share)).min().unwrap_or_default();
        calmer.as_secs_f64() * 1e3 - 200.0
    };
    let row = |what, share, goal| {
        let (ours, bare) = (over(&measured.ours, share), over(&measured.bare, share));
        Row {
            what,
            how: format!(
                "100 lanes, calls of 200 ms that begin 2 ms apart: {ours:.2} ms above 200 ms by our \
                 log, the bare loop {bare:.2} ms, the calmer of two passes each"
            ),
            measured: format!("{:.2} ms", ours - bare),
            goal,
        }
    };
    vec![
        row("Added to a call at 500 calls a second, p50", 0.5, "≤ 0.3 ms"),
        row("Added to a call at 500 calls a second, p99", 0.99, "≤ 1 ms"),
    ]
}
