//! Throughput and calls in flight of a large run on one axis, with the limit, its cuts and the expected
//! end; and the place of the timeline, which a script draws.

use std::fmt::Write as _;

use lanes_model::batch::{Frame, HistoryFrame};
use lanes_model::{LedgerState, Micros, format};

use crate::charts::axis::{Axis, room};
use crate::components::markup::swatch;

/// Where the axis begins and ends, and where the panels stand.
const LEFT: f64 = 92.0;
const RIGHT: f64 = 1_300.0;
const TOP: [(f64, f64); 2] = [(40.0, 140.0), (176.0, 276.0)];

const STATES: [LedgerState; 6] = [
    LedgerState::Generating,
    LedgerState::TimeToFirstToken,
    LedgerState::RateLimitWait,
    LedgerState::RetryBackoff,
    LedgerState::FailedAttempt,
    LedgerState::QueueWait,
];

/// The card of the timeline around the charts.
pub(super) fn card(charts: &str) -> String {
    let legend: String = STATES.map(|s| swatch("li", s, s.label())).concat();
    format!(
        r#"<section class="card" aria-labelledby="b-tl"><div class="card-head"><h2 id="b-tl">Timeline</h2><ul class="legend" aria-label="Legend">{legend}</ul></div><div class="card-body stack"><div id="b-canvas" class="heatmap" hidden><div class="row row--apart hint"><span id="b-where"></span><span>Ctrl + wheel zooms, drag pans, double click resets; keys: arrows, + and −, 0</span></div><canvas id="b-lanes" tabindex="0" role="application" aria-label="Timeline of lanes: arrow keys move, plus and minus zoom, 0 shows all" aria-describedby="b-where b-bar"></canvas><canvas id="b-brush" aria-hidden="true"></canvas><p class="hint" id="b-bar" aria-live="polite">&nbsp;</p></div><div class="scroll" id="b-charts" tabindex="0" role="region" aria-label="Throughput and calls in flight">{charts}</div></div></section>"#
    )
}

/// The charts, and the same as a table.
pub(super) fn html(frame: &Frame, history: &HistoryFrame) -> String {
    let far = frame.eta.map_or(frame.now_us, |eta| frame.now_us + eta.high_us);
    // In steps, so that it does not creep with each frame.
    let mut end = room(Micros::from_secs(2));
    while end < room(far.min(Micros(frame.now_us.0.saturating_mul(8)))).max(room(frame.now_us)) {
        end = Micros(end.0 + end.0 / 4);
    }
    if !frame.status.is_live() {
        end = room(frame.now_us);
    }
    let axis = Axis::new(end);
    let x = |at: Micros| LEFT + axis.percent(at.min(end)) / 100.0 * (RIGHT - LEFT);
    let mut svg = String::new();
    let _ = write!(
        svg,
        r#"<svg class="chart" viewBox="0 0 1310 312" role="img" aria-labelledby="bt bd"><title id="bt">Throughput and calls in flight</title><desc id="bd">{}</desc>"#,
        described(frame, history)
    );
    for tick in axis.ticks() {
        let at = x(tick);
        let _ = write!(
            svg,
            r#"<path d="M{at:.1} 24V276" class="gl"></path><text x="{at:.1}" y="296" text-anchor="middle">{}</text>"#,
            axis.label(tick)
        );
    }
    // Of less than a second a rate is noise.
    let group = (1_000_000_u64.div_ceil(history.width_us.0.max(1)) as usize).max(1);
    let width = history.width_us.as_secs_f64();
    let rates: Vec<f64> =
        history.points.iter().map(|p| f64::from(p.done + p.failed) / width).collect();
    let mean = |values: &[f64]| -> Vec<f64> {
        values.chunks(group).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect()
    };
    let span = Micros(history.width_us.0 * group as u64);
    let panels =
        [("Throughput", "calls/s", mean(&rates)), ("In flight", "calls", mean(&history.in_flight))];
    for (place, (name, unit, values)) in panels.into_iter().enumerate() {
        panel(&mut svg, place, &Panel { name, unit, values, span }, frame, history, &x);
    }
    let mut labelled = f64::MIN;
    for cut in &history.cuts {
        let at = x(cut.at_us);
        if at - labelled > 150.0 {
            labelled = at;
            let _ = write!(
                svg,
                r#"<text class="t2" x="{:.1}" y="17">429, limit {} to {}</text>"#,
                at + 9.0,
                cut.from,
                cut.to
            );
        }
        let _ = write!(
            svg,
            r#"<path d="M{at:.1} 24V276" class="mark"></path><path class="hit" d="M{:.1} 8h12l-6 10z"><title>429, limit {} to {}</title></path>"#,
            at - 6.0,
            cut.from,
            cut.to
        );
    }
    if frame.status.is_live() {
        let now = x(frame.now_us);
        let _ = write!(
            svg,
            r#"<path d="M{now:.1} 20V276" stroke="var(--accent)" stroke-width="2"></path>"#
        );
    }
    if let Some(eta) = frame.eta {
        let (from, to) = (x(frame.now_us + eta.low_us), x(frame.now_us + eta.high_us));
        let _ = write!(
            svg,
            r#"<rect x="{from:.1}" y="24" width="{:.1}" height="252" fill="var(--accent)" opacity=".1"></rect><text class="t2" x="{to:.1}" y="17" text-anchor="end">finishes here, 90 %</text>"#,
            (to - from).max(2.0)
        );
    }
    svg.push_str("</svg>");
    svg.push_str(&table(history));
    svg
}

/// What a panel shows: a value for each span.
struct Panel {
    name: &'static str,
    unit: &'static str,
    values: Vec<f64>,
    span: Micros,
}

fn panel(
    svg: &mut String,
    place: usize,
    panel: &Panel,
    frame: &Frame,
    history: &HistoryFrame,
    x: &impl Fn(Micros) -> f64,
) {
    let Panel { name, unit, values, span } = panel;
    let (top, bottom) = TOP[place];
    let is_flight = place == 1;
    let most_limit = history.limits.iter().map(|(_, n)| f64::from(*n)).fold(0.0, f64::max);
    let most = values.iter().copied().fold(if is_flight { most_limit } else { 0.0 }, f64::max);
    let scale = nice(most);
    let y = |v: f64| bottom - (v / scale).min(1.0) * (bottom - top);
    let _ = write!(
        svg,
        r#"<text class="t1" x="0" y="{:.0}">{name}</text><text x="0" y="{:.0}">{unit}</text><path class="gl" d="M92 {:.1}H1300M92 {top:.1}H1300"></path><path class="ax" d="M92 {bottom:.1}H1300"></path>"#,
        top - 10.0,
        top + 6.0,
        y(scale / 2.0)
    );
    for v in [0.0, scale / 2.0, scale] {
        let decimals = u32::from(v.fract() != 0.0);
        let _ = write!(
            svg,
            r#"<text x="84" y="{:.1}" text-anchor="end">{}</text>"#,
            y(v) + 4.0,
            format::fixed(v, decimals)
        );
    }
    // The span that goes on would dip: it is left out until it is whole.
    let whole = (frame.now_us.0 / span.0.max(1)) as usize;
    let middle = |i: usize| Micros(i as u64 * span.0 + span.0 / 2);
    let shown = if frame.status.is_live() { whole } else { values.len() };
    let points: Vec<_> = values
        .iter()
        .take(shown.max(1))
        .enumerate()
        .map(|(i, v)| format!("{:.1} {:.1}", x(middle(i).min(frame.now_us)), y(*v)))
        .collect();
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let line = points.join("L");
        let edge = |p: &str| p.split(' ').next().unwrap_or("0").to_owned();
        let _ = write!(
            svg,
            r#"<path class="area" d="M{} {bottom}L{line}L{} {bottom}z"></path><path class="ln" d="M{line}"></path>"#,
            edge(first),
            edge(last)
        );
    }
    if is_flight {
        let mut path = String::new();
        for (at, limit) in &history.limits {
            let (at, level) = (x(*at), y(f64::from(*limit)));
            let _ = match path.is_empty() {
                true => write!(path, "M{at:.1} {level:.1}"),
                false => write!(path, "H{at:.1}V{level:.1}"),
            };
        }
        let _ = write!(
            svg,
            r#"<path class="mark" fill="none" d="{path}H{:.1}"></path>"#,
            x(frame.now_us)
        );
    }
}

/// The next round number.
fn nice(most: f64) -> f64 {
    let mut decade = 1.0;
    loop {
        if let Some(found) = [1.0, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
            .into_iter()
            .map(|f| f * decade)
            .find(|n| *n >= most)
        {
            return found;
        }
        decade *= 10.0;
    }
}

fn described(frame: &Frame, history: &HistoryFrame) -> String {
    let cuts = history.cuts.len() as u64;
    format!(
        "{} calls a second on average; {} in flight of at most {}. The limit was cut {} by refusals.",
        format::fixed(frame.mean_throughput, 1),
        frame.in_flight,
        frame.limit,
        format::plural(cuts, "time")
    )
}

/// The same in at most twelve lines.
fn table(history: &HistoryFrame) -> String {
    let step = history.points.len().div_ceil(12).max(1);
    let mut rows = String::new();
    for (i, part) in history.points.chunks(step).enumerate() {
        let first = i * step;
        let flight = history.in_flight.get(first..first + part.len()).unwrap_or_default();
        let sum = |f: fn(&lanes_model::batch::Point) -> u32| {
            format::count(part.iter().map(|p| u64::from(f(p))).sum())
        };
        let _ = write!(
            rows,
            r#"<tr><th scope="row">{}</th><td class="num">{}</td><td class="num">{}</td><td class="num">{}</td><td class="num">{}</td></tr>"#,
            format::seconds(Micros(first as u64 * history.width_us.0)),
            sum(|p| p.done),
            sum(|p| p.failed),
            sum(|p| p.refused),
            format::fixed(flight.iter().sum::<f64>() / flight.len().max(1) as f64, 1)
        );
    }
    format!(
        r#"<details class="fold" id="b-table"><summary>As a table</summary><table class="tight"><thead><tr><th scope="col">From</th><th scope="col" class="num">Answered</th><th scope="col" class="num">Failed</th><th scope="col" class="num">Refused (429)</th><th scope="col" class="num">In flight</th></tr></thead><tbody>{rows}</tbody></table></details>"#
    )
}
