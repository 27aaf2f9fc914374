//! Says in sentences where the time of a run went and what another number of lanes would have done.
//!
//! Every statement is computed from the log: the time ledger, and list scheduling of the calls as
//! long as they were.

mod sending;

use self::sending::Held;
use crate::bound::rate_terms;
use crate::format::{count, percent, seconds_headline, seconds_table};
use crate::{
    Binding, CallId, CallState, HoldReason, Ledger, LedgerState, LowerBound, Micros, PassMode,
    PassState, PassStatus, RunState, Segment, call_segments, lower_bound, schedule, segments,
};

/// A loss smaller than this share of the lane time is not worth a sentence.
const WORTH_SAYING: f64 = 0.01;

/// A few sentences about where the time went, once the pass they are about is complete:
/// the parallel one, or the only one. Empty before that.
#[must_use]
pub fn explain_ledger(state: &RunState) -> Vec<String> {
    let pass = state.pass(PassMode::Parallel).or(state.passes.first());
    let Some(pass) = pass.filter(|p| p.status == PassStatus::Completed) else { return Vec::new() };
    let found = segments(&state.header.plan, pass, state.latest);
    let ledger = Ledger::of(&found);
    if ledger.total() == Micros::ZERO {
        return Vec::new();
    }
    let (total, wall) = (ledger.total(), pass.wall(state.latest));
    let held = |why| Held::of(pass, &found, why);
    let (queue, down, paused) =
        (held(HoldReason::Queue), held(HoldReason::Breaker), held(HoldReason::Pause));
    let unwritten = held(HoldReason::Storage);
    let mut sentences = Vec::new();
    // Where one of these took the most, its own sentence says so.
    let special =
        [queue, down, paused, unwritten].map(|h| h.lanes).into_iter().max().unwrap_or_default();
    sentences.extend(losses(state, pass, &found, &ledger, down.lanes, special));
    sentences.extend(sending::queue(state, queue, total));
    sentences.extend(sending::breaker(state, down, wall));
    sentences.extend(sending::pause(paused, wall));
    sentences.extend(sending::storage(unwritten, wall));
    sentences.extend(sending::hedges(state, pass));
    // Where the limit changed, what fixed lanes would have done is said of where it settled.
    sentences.extend(match pass.limits.is_empty() {
        true => what_if(state, pass),
        false => sending::limits(state, pass),
    });
    sentences
}

/// Where the most lane time was lost, or how little was. `down` is the part of the backoff in which no
/// provider answered; none when nothing took more than `special`, which is told elsewhere.
fn losses(
    state: &RunState,
    pass: &PassState,
    found: &[Segment],
    ledger: &Ledger,
    down: Micros,
    special: Micros,
) -> Option<String> {
    let get = |state| ledger.get(state);
    let retries = get(LedgerState::FailedAttempt) + get(LedgerState::RetryBackoff).since(down);
    let causes = [
        (get(LedgerState::Idle), "idle"),
        (retries, "on failed attempts and the waits after them"),
        (get(LedgerState::RateLimitWait), "waiting for the provider's rate limit"),
        (get(LedgerState::DependencyWait), "waiting for other calls"),
        (get(LedgerState::Engine), "on engine overhead"),
    ];
    let total = ledger.total().as_secs_f64();
    let mode = pass.mode.label();
    let largest = causes.into_iter().rev().max_by_key(|&(time, _)| time);
    if largest.is_none_or(|(time, _)| time <= special)
        && special.as_secs_f64() >= WORTH_SAYING * total
    {
        return None;
    }
    Some(match largest {
        Some((time, how)) if time.as_secs_f64() >= WORTH_SAYING * total => {
            let amount = seconds_table(time);
            // A lane-second is a second of one lane; with one lane they are plain seconds.
            let amount = match amount.strip_suffix(" s") {
                Some(n) if pass.lanes > 1 && !n.contains('m') => format!("{n} lane-seconds"),
                _ if pass.lanes > 1 => format!("{amount} of lane time"),
                _ => amount,
            };
            let why = match how {
                "idle" => idle_cause(state, pass, found, time),
                _ if time == retries => sending::failures(state, pass),
                _ => None,
            };
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            format!("{mode} spends {amount} {how}{why}.")
        }
        _ => {
            let work = get(LedgerState::Generating) + get(LedgerState::TimeToFirstToken);
            let share = percent(work.as_secs_f64() / total);
            format!("{share} of the lane time of {mode} goes to requests.")
        }
    })
}

/// Why lanes were idle, when most of it was at the end: nothing was left for them.
fn idle_cause(
    state: &RunState,
    pass: &PassState,
    found: &[Segment],
    idle: Micros,
) -> Option<String> {
    let wall = pass.wall(state.latest);
    let tails = || {
        found
            .iter()
            .filter(|s| s.state == LedgerState::Idle && s.end == wall)
            .filter(|s| s.duration().as_secs_f64() >= WORTH_SAYING * wall.as_secs_f64())
    };
    let unused = tails().filter(|s| s.start == Micros::ZERO).count();
    let waiting = tails().count() - unused;
    if tails().map(Segment::duration).sum::<Micros>().0 < idle.0 / 2 {
        return None;
    }
    let lanes = |n: usize| {
        let (s, verb) = if n == 1 { ("", "waits") } else { ("s", "wait") };
        (format!("{} lane{s}", number(n)), verb)
    };
    let none = (unused > 0).then(|| {
        let get = if unused == 1 { "gets" } else { "get" };
        format!("{} {get} no call", lanes(unused).0)
    });
    let last = found.iter().filter(|s| s.state != LedgerState::Idle).max_by_key(|s| s.end)?.call?;
    let rest = (waiting > 0).then(|| {
        let (who, verb) = lanes(waiting);
        let which = if longest_call(state, pass) == Some(last) {
            "the longest call"
        } else {
            "the last call to end"
        };
        format!("{who} {verb} for {}, {which}", name(state, last))
    });
    match (none, rest) {
        (Some(none), Some(rest)) => Some(format!("{none}, and {rest}")),
        (none, rest) => none.or(rest),
    }
}

/// The call's task, with the document where there are several.
fn name(state: &RunState, call: CallId) -> String {
    let task = state.header.task_of(call).map_or("a call", |t| t.name.as_str());
    match state.header.told_subject(call) {
        Some(subject) => format!("{task} of {subject}"),
        None => task.to_owned(),
    }
}

fn longest_call(state: &RunState, pass: &PassState) -> Option<CallId> {
    let durations = (0..).map(CallId).zip(durations(state, pass));
    durations.max_by_key(|&(_, time)| time).map(|(call, _)| call)
}

/// How long each call takes when it need not wait for a lane: its attempts and its backoffs.
fn durations(state: &RunState, pass: &PassState) -> Vec<Micros> {
    let calls = (0..).map(CallId).take(pass.calls.len());
    calls
        .map(|call| call_segments(pass, call, state.latest).iter().map(Segment::duration).sum())
        .collect()
}

/// What fewer and more lanes would have done with calls as long as these were.
fn what_if(state: &RunState, pass: &PassState) -> Option<String> {
    let durations = durations(state, pass);
    // Calls that need one another cannot be packed at will.
    if durations.len() < 2 || !state.header.plan.is_flat() {
        return None;
    }
    let (rpm, tpm) = state.header.rates(pass);
    let bound = lower_bound(&state.header.plan, pass, rpm, tpm);
    if let Some(sentence) = bound.and_then(|b| raise(pass, b, &durations, state.latest)) {
        return Some(sentence);
    }
    // No number of lanes goes below what the provider's limits allow.
    let least = rate_terms(pass, rpm, tpm).and_then(|terms| terms.into_iter().max());
    let finish = |lanes: usize| {
        let lanes = u32::try_from(lanes).unwrap_or(u32::MAX);
        seconds_headline(schedule::makespan(&durations, lanes).max(least.unwrap_or_default()))
    };
    let used = (pass.lanes as usize).min(durations.len());
    let now = finish(used);
    if used == 1 {
        let lanes = durations.len().min(crate::spec::DEFAULT_MAX_LANES as usize);
        return Some(format!(
            "{} lanes would finish the same calls at about {}.",
            capitalised(lanes),
            finish(lanes)
        ));
    }
    let enough =
        (1..pass.lanes as usize).rev().take_while(|&n| n >= used || finish(n) == now).last();
    let fewer = match enough {
        Some(n) => format!("{} would do as well", subject(n)),
        None => {
            let n = (used * 2).div_ceil(3).min(used - 1);
            format!("{} would finish at about {}", subject(n), finish(n))
        }
    };
    let best = finish(durations.len());
    let more = if best == now {
        "more lanes would not finish sooner".to_owned()
    } else {
        let n = (used * 2).min(durations.len());
        format!("{} lanes would finish at about {}", number(n), finish(n))
    };
    Some(format!("{fewer}; {more}."))
}

/// What a higher limit would save, up to where it no longer sets the time; nothing when it does not, or
/// when what failed takes the lanes as long.
fn raise(
    pass: &PassState,
    bound: LowerBound,
    durations: &[Micros],
    latest: Micros,
) -> Option<String> {
    let (what, amount) = match bound.binding {
        // What failed was a request, too.
        Binding::RequestsPerMinute => {
            ("requests", pass.calls.iter().map(|call| call.attempts.len() as u64).sum())
        }
        Binding::TokensPerMinute => {
            let answers = pass.calls.iter().filter_map(CallState::successful);
            ("tokens", answers.filter_map(|a| a.usage).map(|u| u.input + u.output).sum::<u64>())
        }
        _ => return None,
    };
    let free = schedule::makespan(durations, pass.lanes).max(Micros(1));
    let (wall, needed) = (pass.wall(latest), u128::from(amount) * 60_000_000 / u128::from(free.0));
    let saved = wall.since(free);
    if saved.as_secs_f64() < WORTH_SAYING * wall.as_secs_f64() {
        return None;
    }
    Some(format!(
        "The provider's limit on {what} a minute sets the time, on any number of lanes: raised to {}, \
         it would save {}.",
        count(round_up(needed)),
        seconds_headline(saved)
    ))
}

/// A number with at most two significant digits, not below the given one.
fn round_up(n: u128) -> u64 {
    let mut unit = 1u128;
    while n / unit >= 100 {
        unit *= 10;
    }
    u64::try_from(n.div_ceil(unit) * unit).unwrap_or(u64::MAX)
}

fn subject(lanes: usize) -> String {
    format!("{} lane{}", capitalised(lanes), if lanes == 1 { "" } else { "s" })
}

/// A number in a sentence: in words up to twelve.
fn number(n: usize) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    WORDS.get(n).map_or_else(|| n.to_string(), |&word| word.to_owned())
}

fn capitalised(n: usize) -> String {
    let word = number(n);
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
