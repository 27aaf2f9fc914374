//! How good the run was, once it is over: the lower bound, how much of it was attained, and where the
//! time of the lanes went. The figures are the model's.

use lanes_model::{
    Ledger, LedgerState, PassMode, PassState, PassStatus, RunState, RunStatus, bound_attained,
    explain_ledger, format, segments,
};

use crate::charts::compare;
use crate::components::markup::{bars, escape};

/// The card; empty before the run is over.
pub(super) fn card(state: &RunState) -> String {
    let over = |p: &&PassState| matches!(p.status, PassStatus::Completed | PassStatus::Cancelled);
    let pass = state.pass(PassMode::Parallel).or(state.passes.first());
    if state.status.is_live() || state.status == RunStatus::Interrupted {
        return String::new();
    }
    pass.filter(over).filter(|p| p.start.is_some()).map_or_else(String::new, |p| html(state, p))
}

fn html(state: &RunState, pass: &PassState) -> String {
    let wall = pass.wall(state.latest);
    let bound = compare::bound(state, pass);
    let share = bound.and_then(|b| bound_attained(b, wall));
    let ledger = Ledger::of(&segments(&state.header.plan, pass, state.latest));
    let metric = |word: &str, value: &str, basis: &str| {
        format!(
            r#"<div class="metric"><dt>{word}</dt><dd>{value}</dd><dd class="basis">{basis}</dd></div>"#
        )
    };
    let figure = |figure: lanes_model::Figure| match figure.unit {
        "" => figure.value,
        unit => format!("{} <small>{unit}</small>", figure.value),
    };
    let least = bound.map_or_else(lanes_model::Figure::missing, |b| format::seconds_figure(b.us));
    let attained = share.map_or_else(lanes_model::Figure::missing, format::percent_figure);
    let metrics = [
        metric("Wall time", &figure(format::seconds_figure(wall)), "first call to last result"),
        metric(
            "Lower bound",
            &figure(least),
            &bound.map_or_else(
                || "no attempt gave an answer".to_owned(),
                |b| format!("set by {}", b.binding.label()),
            ),
        ),
        metric("Bound attained", &figure(attained), "lower bound ÷ wall time"),
    ];
    format!(
        r#"<section class="card" id="b-bound" aria-labelledby="b-bound-h"><div class="card-head"><h2 id="b-bound-h">Where the time went</h2><span class="hint">{} pass, {} × {}</span></div><dl class="metrics">{}</dl><div class="card-body stack">{}<p class="hint">{}</p></div></section>"#,
        pass.mode.label(),
        format::plural(u64::from(pass.lanes), "lane"),
        format::seconds_table(wall),
        metrics.concat(),
        parts(&ledger),
        escape(&explain_ledger(state).join(" ")),
    )
}

/// The parts of the lane time: as a bar, and as figures that add up.
fn parts(ledger: &Ledger) -> String {
    let total = ledger.total().0.max(1) as f64;
    let mut x = 0.0;
    let shares = LedgerState::ALL.into_iter().filter_map(|state| {
        let width = ledger.get(state).0 as f64 / total * 100.0;
        let part = (state, x, width);
        x += width;
        (width > 0.0).then_some(part)
    });
    let shown = format::ledger_display(ledger);
    let figures = shown.into_iter().filter(|(state, ..)| ledger.get(*state).0 > 0).map(
        |(state, time, share)| {
            format!(
                r#"<li><span class="swatch bar--{}"></span>{} {time}, {share}</li>"#,
                state.class(),
                state.label()
            )
        },
    );
    format!(
        r#"<div class="ledger-bar" role="img" aria-label="Lane time by state, {}">{}</div><ul class="legend" aria-label="Lane time by state">{}</ul>"#,
        format::ledger_total(ledger),
        bars(shares),
        figures.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::fixture;

    #[test]
    fn the_card_says_the_bound_what_sets_it_and_where_the_time_went() {
        let html = card(&fixture::finished("Text"));
        assert!(html.contains("set by critical path"), "{html}");
        assert!(html.contains("<dt>Bound attained</dt><dd>100 <small>%</small></dd>"), "{html}");
        assert!(html.contains("Parallel pass, 2 lanes"), "{html}");
        assert!(html.contains(r#"<span class="bar bar--gen""#) && html.contains("Generating "));
    }

    #[test]
    fn before_the_run_is_over_there_is_none() {
        let mut state = fixture::finished("Text");
        for status in [RunStatus::Running, RunStatus::Interrupted] {
            state.status = status;
            assert_eq!(card(&state), "");
        }
    }
}
