//! Where a run's calls went, route by route, and what became of each attempt of a call. Pure: every
//! face says it in these words.

use crate::{AttemptResult, AttemptState, CallState, RouteId, RunHeader, RunState, format};

/// What one route did for a run, over all its passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTraffic {
    /// The name people read.
    pub name: String,
    /// Its model.
    pub model: String,
    /// Calls that it answered.
    pub answered: u64,
    /// Attempts that failed there.
    pub failed: u64,
    /// How often its circuit breaker opened.
    pub opened: u32,
}

/// What each route did, in their order; empty when there is but one.
#[must_use]
pub fn traffic(state: &RunState) -> Vec<RouteTraffic> {
    let calls = || state.passes.iter().flat_map(|p| &p.calls);
    let of = |place: usize| move |a: &&AttemptState| a.route.index() == place;
    let routes = state.header.routes.iter().enumerate();
    let traffic = routes.map(|(place, route)| RouteTraffic {
        name: route.name.clone(),
        model: route.model.clone(),
        answered: calls().filter_map(CallState::successful).filter(of(place)).count() as u64,
        failed: calls()
            .flat_map(|c| &c.attempts)
            .filter(|a| a.result == AttemptResult::Failed)
            .filter(of(place))
            .count() as u64,
        opened: state.routes.iter().find(|r| r.route.index() == place).map_or(0, |r| r.opened),
    });
    traffic.collect()
}

impl RunHeader {
    /// What a route is called: its name, with the model where another has the same name.
    #[must_use]
    pub fn route_name(&self, route: RouteId) -> String {
        let Some(own) = self.routes.get(route.index()) else { return self.provider.name.clone() };
        if self.routes.iter().filter(|r| r.name == own.name).count() > 1 {
            format!("{}, {}", own.name, own.model)
        } else {
            own.name.clone()
        }
    }
}

/// What became of each attempt of a call: a line for each. Empty when there is nothing to tell apart:
/// one route and no second attempt beside the first.
#[must_use]
pub fn attempt_lines(header: &RunHeader, call: &CallState) -> Vec<String> {
    let several = !header.routes.is_empty();
    if !several && !call.attempts.iter().any(|a| a.hedge) {
        return Vec::new();
    }
    if let [only] = call.attempts.as_slice() {
        return vec![header.route_name(only.route)];
    }
    let line = |a: &AttemptState| {
        let at = if several { format!(", {}", header.route_name(a.route)) } else { String::new() };
        format!("Attempt {}{at}: {}", a.attempt.number, outcome(header, call, a))
    };
    call.attempts.iter().map(line).collect()
}

fn outcome(header: &RunHeader, call: &CallState, a: &AttemptState) -> String {
    let second = if a.hedge { "second attempt, " } else { "" };
    let beside = call.attempts.iter().any(|b| b.hedge != a.hedge && overlap(a, b));
    let word = match a.result {
        AttemptResult::Running => "under way".to_owned(),
        AttemptResult::Succeeded if beside => "answered first".to_owned(),
        AttemptResult::Succeeded => "answered".to_owned(),
        AttemptResult::Failed => match &a.failure {
            Some(failure) => format!("failed ({})", failure.kind.label().to_lowercase()),
            None => "failed".to_owned(),
        },
        AttemptResult::Cancelled if beside && call.successful().is_some() => {
            let modelled = if header.provider.simulated { " modelled" } else { "" };
            let cost = a.cost_usd_micros.map(|c| format!(", cost {}{modelled}", format::cost(c)));
            format!("lost{}", cost.unwrap_or_default())
        }
        AttemptResult::Cancelled => "stopped".to_owned(),
    };
    format!("{second}{word}")
}

/// Whether both were under way at one time.
fn overlap(a: &AttemptState, b: &AttemptState) -> bool {
    let before = |a: &AttemptState, b: &AttemptState| b.end.is_none_or(|end| a.start <= end);
    before(a, b) && before(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Script, Try};
    use crate::{Health, Micros, Mode, RouteInfo, RouteState, UsdMicros};

    fn routed() -> RunState {
        let failing = Try { ttft: 1_000, generating: 0, fails: Some(10) };
        let fine = Try { ttft: 1_000, generating: 1_000, fails: None };
        let calls = vec![vec![failing, fine], vec![fine]];
        let script = Script { calls, ..Script::plain(Mode::Parallel, 2, &[]) };
        let mut state = testing::run(&script);
        for (name, model) in [("One", "a"), ("Two", "b")] {
            let (name, model) = (name.to_owned(), model.to_owned());
            let provider = "p".to_owned();
            state.header.routes.push(RouteInfo { provider, name, model, simulated: false });
        }
        state.passes[0].calls[0].attempts[1].route = RouteId(1);
        let (health, message) = (Health::Open, "It is down.".to_owned());
        state.routes.push(RouteState {
            route: RouteId(0),
            health,
            until: None,
            message,
            opened: 2,
        });
        state
    }

    #[test]
    fn answers_failures_and_openings_are_counted_by_route() {
        let traffic = traffic(&routed());
        let rows: Vec<_> =
            traffic.iter().map(|t| (t.name.as_str(), t.answered, t.failed, t.opened)).collect();
        assert_eq!(rows, [("One", 1, 1, 2), ("Two", 1, 0, 0)]);
    }

    #[test]
    fn attempts_name_their_route_when_there_are_several() {
        let mut state = routed();
        let lines = |state: &RunState, i: usize| {
            attempt_lines(&state.header, &state.passes[0].calls[i]).join("; ")
        };
        assert_eq!(
            lines(&state, 0),
            "Attempt 1, One: failed (server error); Attempt 2, Two: answered"
        );
        assert_eq!(lines(&state, 1), "One");
        state.header.routes[1].name = "One".to_owned();
        assert_eq!(lines(&state, 1), "One, a");
        state.header.routes.clear();
        assert_eq!(lines(&state, 0), "");
    }

    #[test]
    fn of_an_attempt_and_the_one_beside_it_the_loser_says_what_it_cost() {
        let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[2_000]));
        let call = &mut state.passes[0].calls[0];
        let mut slow = call.attempts[0].clone();
        slow.result = AttemptResult::Cancelled;
        slow.cost_usd_micros = Some(UsdMicros(1_200));
        call.attempts[0].hedge = true;
        call.attempts[0].attempt.number = 2;
        call.attempts[0].start = Micros(500);
        call.attempts.insert(0, slow);
        assert_eq!(
            attempt_lines(&state.header, &state.passes[0].calls[0]),
            [
                format!("Attempt 1: lost, cost {} modelled", format::cost(UsdMicros(1_200))),
                "Attempt 2: second attempt, answered first".to_owned(),
            ]
        );
    }
}
