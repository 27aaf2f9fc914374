//! What kept calls from being sent, in sentences: other runs, providers that were down, the user's
//! pause, a limit that was cut; and what second attempts did. Computed from the holds, limits and
//! attempts in the log.

use super::{WORTH_SAYING, durations};
use crate::format::{self, percent, plural, seconds_headline};
use crate::{
    AttemptResult, AttemptState, CallState, FailureKind, Health, HoldReason, LimitReason, Micros,
    PassState, Priority, RunState, Segment, schedule,
};

/// The time that something held a pass back, and the lane time that this took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) wall: Micros,
    pub(super) lanes: Micros,
}

impl Held {
    /// What `why` took of a pass that is complete.
    pub(super) fn of(pass: &PassState, found: &[Segment], why: HoldReason) -> Self {
        let Some(zero) = pass.start else { return Self::default() };
        let wall = pass.wall(zero);
        let counts_as = why.counts_as();
        let mut held = Self::default();
        for hold in pass.holds.iter().filter(|h| h.why == why) {
            let (from, to) = (hold.from.since(zero).min(wall), hold.until.since(zero).min(wall));
            held.wall += to.since(from);
            for s in found.iter().filter(|s| s.state == counts_as) {
                held.lanes += s.end.min(to).since(s.start.max(from));
            }
        }
        held
    }
}

/// Where calls waited for other runs.
pub(super) fn queue(state: &RunState, held: Held, total: Micros) -> Option<String> {
    let share = worth(held.lanes, total)?;
    let change = match state.priority {
        Priority::Batch => "with priority interactive it would have gone before them",
        Priority::Interactive => {
            "more requests at once with the provider, or those runs at another time, would save it"
        }
    };
    Some(format!(
        "{} of the lane time waited for a slot that other runs used: {change}.",
        percent(share)
    ))
}

/// How long no provider answered.
pub(super) fn breaker(state: &RunState, held: Held, wall: Micros) -> Option<String> {
    worth(held.wall, wall)?;
    let opened = state.routes.iter().filter(|r| r.opened > 0 || r.health != Health::Closed);
    let names: Vec<_> = opened.map(|r| state.header.route_name(r.route)).collect();
    let which = match names.as_slice() {
        [] => String::new(),
        [one] => format!(" (breaker of {one} open)"),
        many => format!(" (breakers of {} open)", many.join(" and ")),
    };
    let fallback = if state.header.routes.is_empty() { "a" } else { "one more" };
    Some(format!(
        "{} passed while no provider answered{which}: {fallback} fallback would have gone on.",
        seconds_headline(held.wall)
    ))
}

/// How long the user had paused it.
pub(super) fn pause(held: Held, wall: Micros) -> Option<String> {
    worth(held.wall, wall)?;
    Some(format!("{} passed while it was paused by hand.", seconds_headline(held.wall)))
}

/// How long nothing could be stored.
pub(super) fn storage(held: Held, wall: Micros) -> Option<String> {
    worth(held.wall, wall)?;
    Some(format!(
        "{} passed while the log could not be written, so that nothing new was started.",
        seconds_headline(held.wall)
    ))
}

fn worth(time: Micros, total: Micros) -> Option<f64> {
    let share = time.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
    (share >= WORTH_SAYING).then_some(share)
}

/// Why attempts failed, and what would change it.
pub(super) fn failures(state: &RunState, pass: &PassState) -> Option<String> {
    let attempts = || pass.calls.iter().flat_map(|c| &c.attempts);
    let failed = || attempts().filter_map(|a| a.failure.as_ref());
    let number = failed().count();
    let of = |kind: FailureKind| failed().filter(|f| f.kind == kind).count();
    let main = failed().map(|f| f.kind).max_by_key(|&kind| of(kind))?;
    let share = if of(main) == number { "all" } else { "most" };
    let change = match main {
        FailureKind::RateLimited if pass.limits.is_empty() => {
            "; a lower concurrency, or an adaptive one, would be refused less"
        }
        kind if !kind.is_retryable() => "",
        _ if state.header.routes.is_empty() => "; a fallback would take over while it lasts",
        _ => "",
    };
    Some(format!(
        "{} of {} failed, {share} of them: {}{change}",
        format::count(number as u64),
        plural(attempts().count() as u64, "attempt"),
        main.label().to_lowercase()
    ))
}

/// What second attempts did, and what the losers cost.
pub(super) fn hedges(state: &RunState, pass: &PassState) -> Option<String> {
    let hedged = || pass.calls.iter().filter(|c| c.attempts.iter().any(|a| a.hedge));
    let number = hedged().count() as u64;
    if number == 0 {
        return None;
    }
    let won = hedged().filter_map(CallState::successful).filter(|a| a.hedge).count() as u64;
    let is_lost = |a: &&AttemptState| a.result == AttemptResult::Cancelled;
    let losers = hedged().flat_map(|c| &c.attempts).filter(is_lost);
    let costs: Vec<_> = losers.filter_map(|a| a.cost_usd_micros).collect();
    let modelled = if state.header.provider.simulated { " (modelled)" } else { "" };
    let cost = match costs.as_slice() {
        [] => String::new(),
        some => format!(
            "; the answers that came too late cost {}{modelled}",
            format::cost(some.iter().copied().sum())
        ),
    };
    Some(format!(
        "{} got a second attempt, of which {} answered first{cost}.",
        plural(number, "slow call"),
        format::count(won)
    ))
}

/// What the limit on lanes did, and which number of lanes would have done the same. None when it never
/// changed.
pub(super) fn limits(state: &RunState, pass: &PassState) -> Option<String> {
    let last = pass.limits.last()?;
    let count =
        |of: &dyn Fn(LimitReason) -> bool| pass.limits.iter().filter(|l| of(l.why)).count() as u64;
    let cuts = count(&LimitReason::is_cut);
    let by_hand = count(&|why| why == LimitReason::User);
    let wall = pass.wall(state.latest);
    let durations = durations(state, pass);
    if by_hand > 0 {
        return Some(format!(
            "The number of lanes was set by hand {}: {} at the end.",
            times(by_hand),
            format::count(u64::from(last.limit))
        ));
    }
    if cuts == 0 {
        let first = pass.limits.first()?;
        let grew = last.limit > first.limit;
        return grew.then(|| {
            format!(
                "The limit grew from {} to {} lanes and was never cut: concurrency {} from the start \
                 would finish at about {}.",
                first.limit,
                last.limit,
                last.limit,
                finish(&durations, last.limit)
            )
        });
    }
    let settled = settled(pass, wall)?;
    let alone = schedule::makespan(&durations, settled).as_secs_f64();
    let rest = if (alone / wall.as_secs_f64().max(f64::MIN_POSITIVE) - 1.0).abs() <= 0.1 {
        "would have done the same".to_owned()
    } else {
        format!("would finish at about {}", finish(&durations, settled))
    };
    Some(format!(
        "The limit was cut {}; it settled at about {}: concurrency {settled} {rest}.",
        times(cuts),
        plural(u64::from(settled), "lane"),
    ))
}

/// The limit's median over the second half of a pass, by time.
fn settled(pass: &PassState, wall: Micros) -> Option<u32> {
    let zero = pass.start?;
    let half = Micros(wall.0 / 2);
    let ends = pass.limits.iter().skip(1).map(|l| l.at.since(zero)).chain([wall]);
    let mut held: Vec<_> = pass
        .limits
        .iter()
        .zip(ends)
        .map(|(l, end)| (l.limit, end.min(wall).since(l.at.since(zero).max(half))))
        .collect();
    held.sort_unstable();
    let total: Micros = held.iter().map(|h| h.1).sum();
    let mut before = Micros::ZERO;
    let median = held.iter().find(|h| {
        before += h.1;
        before.0 * 2 >= total.0 && before > Micros::ZERO
    });
    median.map(|h| h.0)
}

fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { plural(n, "time") }
}

fn finish(durations: &[Micros], lanes: u32) -> String {
    seconds_headline(schedule::makespan(durations, lanes))
}

#[cfg(test)]
mod tests;
