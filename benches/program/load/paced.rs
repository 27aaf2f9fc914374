//! A provider's requests a minute, kept: how close to the least possible time, and at what price in
//! refusals. The bare loop beside it keeps to nothing and loses what is refused.

use std::time::Duration;

use super::figures::Pass;
use super::simulator::Simulator;
use super::{Load, bare, ours};
use crate::table::Row;

const RPM: u32 = 3_000;
/// A provider that allows so much a minute lets a second's worth in at once, and no more.
const BURST: u32 = RPM / 60;
const CALL: Duration = Duration::from_millis(500);

/// The least time, by decision 7: a second's worth goes at once, the rest at the limit's pace, and
/// the last call takes its time.
fn bound(load: &Load) -> Duration {
    let paced = f64::from(load.calls - BURST) * 60.0 / f64::from(RPM);
    Duration::from_secs_f64(paced) + CALL
}

async fn simulator() -> Simulator {
    let (rpm, burst) = (RPM.to_string(), BURST.to_string());
    let simulator =
        Simulator::with(&["--latency", "fixed:500ms", "--rpm", &rpm, "--burst", &burst]);
    simulator.warm_up().await;
    simulator
}

/// 600 calls at 3,000 requests a minute.
pub async fn rows() -> Vec<Row> {
    let load = Load { rpm: Some(RPM), ..Load::new(600, 100, "fixed:500ms", 8) };
    let mut passes = Vec::new();
    for _ in 0..2 {
        passes.push(ours::pass(&load, &simulator().await.url).await);
    }
    let bare = bare::pass(&load, &simulator().await.url).await;
    let bound = bound(&load);
    let ratio = |pass: &Pass| pass.wall.as_secs_f64() / bound.as_secs_f64();
    let refused =
        |pass: &Pass| 100.0 * pass.refused as f64 / (pass.calls.len() as f64 + pass.refused as f64);
    let worst = |of: &dyn Fn(&Pass) -> f64| passes.iter().map(of).fold(0.0, f64::max);
    let list =
        |of: &dyn Fn(&Pass) -> String| passes.iter().map(of).collect::<Vec<_>>().join(" and ");
    vec![
        Row {
            what: "600 calls at 3,000 rpm: makespan ÷ the bound",
            how: format!(
                "100 lanes, calls of 500 ms, a simulator that lets {BURST} requests in at once and \
                 50 a second after that; makespan {}, bound {:.2} s; the worse of two passes",
                list(&|p| format!("{:.2} s", p.wall.as_secs_f64())),
                bound.as_secs_f64()
            ),
            measured: format!("{:.3}", worst(&ratio)),
            goal: "≤ 1.05",
        },
        Row {
            what: "600 calls at 3,000 rpm: requests answered with 429",
            how: format!(
                "the same passes: {}, all 600 calls answered; the bare loop with as many lanes and \
                 no pacing loses {} of its 600 calls in {:.2} s",
                list(&|p| p.refused.to_string()),
                bare.refused,
                bare.wall.as_secs_f64()
            ),
            measured: format!("{:.2} %", worst(&refused)),
            goal: "≤ 0.5 %",
        },
    ]
}
