//! One run's way to the targets it may use: the first choice and its fallbacks, in order.
//!
//! An attempt goes to the first target, from its call's own place in the order on, with a breaker that
//! lets it: a target that is merely busy is waited for, one that fails is passed over. When every
//! breaker is open the run waits for the first to let an attempt through.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanes_model::{Failure, FailureKind, Health, HoldReason, Micros, PassId, Priority, RouteId};
use tokio::sync::watch;

use super::target::{Asked, Asking, Grant, Target};
use crate::{AttemptId, Ended, Limiter, Outcome, Permit, PermitRequest, RouteNews};

/// So many failed tries in a row, in a run without any answer, mean that there will be none.
const HOPELESS: u32 = 2;

/// Tells runs apart in the lines of targets.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Asks shared targets for the attempts of one run and settles what they used.
#[derive(Debug)]
pub struct RunRoutes {
    targets: Vec<Arc<Target>>,
    /// The place of each target's first route.
    first: Vec<u16>,
    /// Which of the targets each stage goes to; empty where all go to all of them.
    stages: Vec<Range<u16>>,
    run: u64,
    priority: AtomicU8,
    /// How many changes of breakers have been told.
    seen: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    grants: HashMap<AttemptId, (usize, Grant)>,
    /// Targets that are of no use to this run.
    given_up: Vec<bool>,
    /// The health of each route as it was last told.
    told: Vec<Health>,
}

impl RunRoutes {
    /// A way to these targets, in order; at least one.
    #[must_use]
    pub fn new(targets: Vec<Arc<Target>>, priority: Priority) -> Self {
        let mut first = Vec::with_capacity(targets.len());
        let mut routes = 0u16;
        for target in &targets {
            first.push(routes);
            routes = routes.saturating_add(u16::try_from(target.endpoints()).unwrap_or(u16::MAX));
        }
        let state = State {
            grants: HashMap::new(),
            given_up: vec![false; targets.len()],
            told: vec![Health::Closed; usize::from(routes)],
        };
        let run = NEXT.fetch_add(1, Ordering::Relaxed) << 16;
        let routes = Self {
            targets,
            first,
            stages: Vec::new(),
            run,
            priority: AtomicU8::new(0),
            seen: AtomicU64::new(0),
            state: Mutex::new(state),
        };
        routes.set_priority(priority);
        routes
    }

    /// The targets that the calls of each stage go to, in order, as places in the list of all.
    #[must_use]
    pub fn with_stages(mut self, stages: Vec<Range<u16>>) -> Self {
        self.stages = stages;
        self
    }

    /// The run goes before others, or after them, from now on.
    pub fn set_priority(&self, priority: Priority) {
        self.priority.store(u8::from(priority == Priority::Batch), Ordering::Relaxed);
    }

    fn priority(&self) -> Priority {
        match self.priority.load(Ordering::Relaxed) {
            0 => Priority::Interactive,
            _ => Priority::Batch,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn who(&self, pass: PassId) -> u64 {
        self.run + u64::from(pass.0)
    }

    fn route(&self, tier: usize, endpoint: u16) -> RouteId {
        RouteId(self.first.get(tier).copied().unwrap_or_default().saturating_add(endpoint))
    }

    /// The endpoint of a target that a route is, if it is one of its.
    fn endpoint(&self, tier: usize, route: RouteId) -> Option<u16> {
        let (target, first) = (self.targets.get(tier)?, *self.first.get(tier)?);
        let endpoint = route.0.checked_sub(first)?;
        (usize::from(endpoint) < target.endpoints()).then_some(endpoint)
    }

    /// Why nothing goes: the words of the breakers that are open.
    fn why_paused(&self, given_up: &[bool]) -> String {
        let open = self.targets.iter().zip(given_up).filter(|(_, given_up)| !**given_up);
        let said = open.flat_map(|(t, _)| t.health()).map(|e| e.message).find(|m| !m.is_empty());
        said.unwrap_or_default()
    }
}

impl Limiter for RunRoutes {
    fn permit(&self, request: PermitRequest) -> Permit {
        let mut state = self.state();
        let mut open: Option<Micros> = None;
        let mut too_large = None;
        let until = usize::from(request.until).min(self.targets.len());
        for tier in usize::from(request.tier)..until {
            let Some(target) = self.targets.get(tier) else { break };
            if state.given_up.get(tier).copied().unwrap_or(true) {
                continue;
            }
            let asking = Asking {
                who: self.who(request.attempt.pass),
                priority: self.priority(),
                tokens: request.tokens,
                avoid: request.avoid.and_then(|route| self.endpoint(tier, route)),
            };
            match target.ask(asking) {
                Asked::Granted(grant) => {
                    let route = self.route(tier, grant.endpoint);
                    state.grants.insert(request.attempt, (tier, grant));
                    return Permit::Granted(route);
                }
                Asked::Wait(wait, HoldReason::Breaker) => {
                    open = Some(open.map_or(wait, |least| least.min(wait)));
                }
                Asked::Wait(wait, why) => {
                    let message = String::new();
                    return Permit::NotBefore { at: request.now + wait, why, message };
                }
                Asked::TooLarge(limit) => too_large = too_large.max(Some(limit)),
            }
        }
        match (open, too_large) {
            (Some(wait), _) => Permit::NotBefore {
                at: request.now + wait,
                why: HoldReason::Breaker,
                message: self.why_paused(&state.given_up),
            },
            (None, Some(limit)) => Permit::Refused(Failure::new(
                FailureKind::InvalidRequest,
                format!(
                    "This call may use up to {} tokens, and the provider allows {limit} a minute: \
                     it can never be sent. Shorten the text or the task's longest answer.",
                    request.tokens
                ),
            )),
            (None, None) => Permit::Refused(Failure::new(
                FailureKind::Unreachable,
                "No provider of this run is of use any more.",
            )),
        }
    }

    fn ended(&self, attempt: AttemptId, outcome: Outcome<'_>) -> Ended {
        let Some((tier, grant)) = self.state().grants.remove(&attempt) else {
            return Ended::default();
        };
        let Some(target) = self.targets.get(tier) else { return Ended::default() };
        let probe = target.ended(&grant, outcome);
        if !matches!(outcome, Outcome::Failed(_)) {
            return Ended::default();
        }
        let state = self.state();
        let mut usable = self.targets.iter().zip(&state.given_up).filter(|(_, up)| !**up);
        Ended {
            was_probe: probe,
            elsewhere: target.has_another(grant.endpoint),
            hopeless: usable.all(|(t, _)| t.has_failed_probes(HOPELESS)),
        }
    }

    fn tiers(&self) -> u16 {
        u16::try_from(self.targets.len()).unwrap_or(u16::MAX)
    }

    fn tier_of(&self, route: RouteId) -> u16 {
        let after = self.first.iter().filter(|first| **first <= route.0).count();
        u16::try_from(after.saturating_sub(1)).unwrap_or(u16::MAX)
    }

    fn tiers_of(&self, stage: u16) -> Range<u16> {
        let own = self.stages.get(usize::from(stage)).filter(|tiers| !tiers.is_empty());
        own.cloned().unwrap_or(0..self.tiers())
    }

    fn give_up(&self, tier: u16) {
        if let Some(given_up) = self.state().given_up.get_mut(usize::from(tier)) {
            *given_up = true;
        }
    }

    fn is_any_of_use(&self, tiers: Range<u16>) -> bool {
        let (from, until) = (usize::from(tiers.start), usize::from(tiers.end));
        self.state().given_up.get(from..until).is_some_and(|of| of.iter().any(|up| !up))
    }

    fn news(&self) -> Vec<RouteNews> {
        let changes = self.targets.iter().map(|t| t.breaker_changes()).sum();
        if self.seen.swap(changes, Ordering::Relaxed) == changes {
            return Vec::new();
        }
        let mut news = Vec::new();
        let mut state = self.state();
        for (tier, target) in self.targets.iter().enumerate() {
            for (endpoint, stands) in (0..).zip(target.health()) {
                let route = self.route(tier, endpoint);
                let Some(told) = state.told.get_mut(route.index()) else { continue };
                if std::mem::replace(told, stands.health) != stands.health {
                    let (health, wait, message) = (stands.health, stands.opens_in, stands.message);
                    news.push(RouteNews { route, health, wait, message });
                }
            }
        }
        news
    }

    fn step_back(&self, pass: PassId) {
        self.targets.iter().for_each(|t| t.leave(self.who(pass)));
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        self.targets.first().map(|t| t.changes().watch())
    }
}

impl Drop for RunRoutes {
    fn drop(&mut self) {
        // Attempts that were aborted with their run give back what they had taken.
        let grants = std::mem::take(&mut self.state().grants);
        for (tier, grant) in grants.into_values() {
            if let Some(target) = self.targets.get(tier) {
                target.ended(&grant, Outcome::Stopped);
            }
        }
        for pass in 0..=1 {
            self.step_back(PassId(pass));
        }
    }
}
